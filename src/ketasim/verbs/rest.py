"""Whether rest is safe, and how many draws are fast and then slow."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ketasim.core.model import Model
from ketasim.core.protocol import infusion
from ketasim.core.scenario import Scenario
from ketasim.engines.contract import MEMBER, Limits
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.models.subjects import human
from ketasim.reports.rest import course_text, rest_text
from ketasim.reports.text import Text
from ketasim.studies import course
from ketasim.studies.designs.table import table
from ketasim.studies.findings.robustness import anywhere
from ketasim.studies.rest import Loop, Together, loops, members
from ketasim.studies.returns import Draw, left_alone

DAYS = 42
MOST_DRAWS = 10_000
FAR = Limits(steps=5_000, seconds=1.0)  # far from the ledger some members crawl, and are given up


@dataclass(frozen=True, repr=False)
class Rest:
    """Feedback loops with their gains, and what became of draws left alone and then dosed."""

    loops: tuple[Loop, ...]
    together: Together
    draws: Mapping[str, Sequence[Draw]]

    def __repr__(self) -> str:
        """Return the tables that ``ketasim check --rest`` prints."""
        return self.text

    @property
    def text(self) -> Text:
        """Return loops and draws as tables."""
        return rest_text(self.loops, self.together, self.draws, DAYS)

    @property
    def record(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return {
            "loops": [{**vars(one), "safe": one.safe} for one in self.loops],
            "together": vars(self.together),
            "draws": {name: _counted(draws) for name, draws in self.draws.items()},
        }


def rest(model: Model | None = None, *, draws: int = 1000, seed: int = 1) -> Rest:
    """Compute the gain of every feedback loop, and try rest over draws.

    Each draw takes everything that is believed anywhere within the ledger's bounds, and then within
    the wide ranges of ``docs/bounds.md``. It must not move by itself, every eigenvalue must be
    negative but one 0 for each conserved pool, and 42 days after 0.5 mg/kg every state must be
    within 5 % of where it was, or the slow one is named.

    Parameters
    ----------
    model
        The default model when not given.
    draws, seed
        How many, and from which seed.

    Raises
    ------
    ConfigError
        When the number of draws is not positive or too large.
    """
    _check(draws)
    own = antidepressant() if model is None else model
    end = 24.0 * DAYS
    scenario = Scenario(own, infusion("0.5 mg/kg", over="40 min"), (-0.5, end), human())
    designs = {
        "ledger": anywhere(own, draws, seed=seed),
        "wide": anywhere(own, draws, seed=seed, widely=True),
    }
    found = {
        name: tuple(left_alone(own, one, scenario, limits=_limits(name)))
        for name, one in designs.items()
    }
    rings, together = loops(own, members(own, designs["ledger"]), seed=seed)
    return Rest(tuple(rings), together, found)


@dataclass(frozen=True, repr=False)
class Courses:
    """How many draws are fast and then slow, by where they were drawn from."""

    kept: Mapping[str, course.Kept]

    def __repr__(self) -> str:
        """Return the table that ``ketasim check --course`` prints."""
        return self.text

    @property
    def text(self) -> Text:
        """Return shares, and which sentences were broken."""
        return course_text(self.kept)

    @property
    def record(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return {name: {**vars(one), "share": one.share} for name, one in self.kept.items()}


def fast_then_slow(
    model: Model | None = None,
    *,
    draws: int = 256,
    seed: int = 1,
    posterior: str | Path | None = None,
) -> Courses:
    """Say how many draws keep every sentence about the course of one dose.

    Parameters
    ----------
    model
        The default model when not given.
    draws, seed
        How many within bounds, and from which seed.
    posterior
        A table of draws, such as ``draws.csv`` of ``ketasim posterior``, taken beside them.

    Raises
    ------
    ConfigError, ModelError
        When the number of draws is not positive or too large, or the table cannot be used.
    """
    _check(draws)
    own = antidepressant() if model is None else model
    designs = {
        "ledger": anywhere(own, draws, seed=seed),
        "wide": anywhere(own, draws, seed=seed, widely=True),
    }
    if posterior is not None:
        units = {name: one.unit for name, one in own.parameters.items()}
        designs = {"posterior": table(str(posterior), units=units), **designs}
    kept = {
        name: course.fast_then_slow(own, one, limits=_limits(name)) for name, one in designs.items()
    }
    return Courses(kept)


def _limits(name: str) -> Limits:
    return FAR if name == "wide" else MEMBER


def _check(draws: int) -> None:
    if not 1 <= draws <= MOST_DRAWS:
        raise ConfigError(f"draws = {draws}: must lie between 1 and {MOST_DRAWS:,}.")


def _counted(draws: Sequence[Draw]) -> dict[str, Any]:
    possible = [one for one in draws if one.possible]
    computed = [one for one in possible if one.computed]
    slow = Counter(one.slow for one in computed if one.late)
    return {
        "draws": len(draws),
        "possible": len(possible),
        "computed": len(computed),
        "largest_drift": max((one.drift for one in possible), default=None),
        "largest_eigenvalue": max((one.slowest for one in possible), default=None),
        "why_not": dict(Counter(one.why_not for one in draws if not one.possible)),
        "not_computed": dict(Counter(one.status for one in possible if not one.computed)),
        "not_back": sum(slow.values()),
        "slow_states": dict(slow.most_common()),
    }
