"""What is wanted of a schedule and what is limited, and how a cohort becomes one number.

A goal is a read-out of every patient's run, the time to relapse, or a number of the schedule itself
(total, largest, visits, length). Over a cohort it is the mean, or the mean of the share that fares
worst (the conditional value at risk), which is convex wherever the read-out is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.errors import ConfigError, suggest
from ketasim.readouts import Readout, parse, split_list
from ketasim.studies.schedules.plan import WORDS, Plan

Array = NDArray[np.float64]
SHARES = {
    "mean": 1.0, "worst half": 0.5, "worst quarter": 0.25, "worst fifth": 0.2, "worst tenth": 0.1,
    "worst twentieth": 0.05,
}  # fmt: skip
_PER_CENT = re.compile(r"worst\s+(\d+(?:\.\d+)?)\s*%$")
_RELAPSE = re.compile(r"\s*relapse\((.{1,500})\)\s*$")
_VISIT = re.compile(r"[^()@+*/\s-]+$")  # a name and a reducer, and nothing else


def share_of(text: str, where: str) -> float:
    """Read how a cohort counts: ``mean``, ``worst tenth``, ``worst 5 %``.

    Raises
    ------
    ConfigError
        When it is none of these.
    """
    plain = " ".join(text.lower().split())
    match = _PER_CENT.match(plain)
    if match is not None and 0.0 < float(match[1]) <= 100.0:
        return float(match[1]) / 100.0
    if plain not in SHARES:
        raise ConfigError(
            f'{where} = "{text[:40]}": not known.{suggest(plain, SHARES)} Choose one of '
            f"{', '.join(SHARES)}, or write e.g. worst 5 %."
        )
    return SHARES[plain]


def told_share(share: float) -> str:
    """Return a share in words."""
    return next((k for k, v in SHARES.items() if v == share), f"worst {100.0 * share:g} %")


def tail(values: Array, weights: Array, share: float, sign: float) -> tuple[float, Array]:
    """Return the mean of the share that fares worst, and what each value counts in it.

    Parameters
    ----------
    values, weights
        Shape (n,); weights are not negative and need not add up to 1.
    share
        Of the whole weight; 1 is the mean of all.
    sign
        1 where large values are bad, -1 where small ones are.
    """
    weights = weights / weights.sum()
    if share >= 1.0:
        return float(values @ weights), weights
    order = np.argsort(-sign * values, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(weights[order])[:-1]])
    counts = np.zeros_like(weights)
    counts[order] = np.clip(share - before, 0.0, weights[order]) / share
    counts /= counts.sum()
    return float(values @ counts), counts


@dataclass(frozen=True)
class Relapse:
    """The time [h] from a moment on for which a course stays below a level.

    It is 0 for who is not below it then, and what is left of the run for who never comes back.
    """

    first: Readout
    crossing: Readout
    level: float
    begin: float
    end: float

    def value(self, first: Array, crossing: Array) -> Array:
        """Return the time of each patient."""
        stays = np.where(np.isnan(crossing), self.end, crossing) - self.begin
        return np.where(first >= self.level, 0.0, stays) + 0.0 * first


@dataclass(frozen=True)
class Goal:
    """One wish or limit.

    ``what`` is a read-out, the time to relapse, or a word of ``WORDS``. ``sign`` is 1 where less is
    better (or at most ``limit`` is allowed), -1 where more is. ``share`` is that of the patients
    who count, the worst off; where ``each_visit`` it is taken from one visit to the next, and every
    visit must keep to the limit. ``limit`` is in ``unit``.
    """

    text: str
    what: Readout | Relapse | str
    unit: str
    sign: float
    share: float = 1.0
    limit: float | None = None
    each_visit: bool = False

    @property
    def of_runs(self) -> bool:
        """Return whether patients must be run for it."""
        return not isinstance(self.what, str)

    @property
    def label(self) -> str:
        """Return what it is of, in words."""
        over = f", {told_share(self.share)}" if self.of_runs else ""
        return f"{self.text}{over}{', each visit' if self.each_visit else ''}"

    @property
    def told(self) -> str:
        """Return the goal as a sentence would have it."""
        if self.limit is None:
            return f"{'least' if self.sign > 0.0 else 'most'} {self.label}"
        way = "at most" if self.sign > 0.0 else "at least"
        return f"{self.label} {way} {self.limit:g} {self.unit}".removesuffix(" 1")

    def shown(self, value: float) -> str:
        """Return a value with its unit; times are told in days."""
        if self.unit == "h":
            return f"{value / 24.0:.4g} d"
        return f"{value:.4g} {self.unit}".removesuffix(" 1")

    def outputs(self, plan: Plan) -> int:
        """Return how many numbers it is for a plan."""
        return plan.visits if self.each_visit else 1

    def readouts(self, model: Model, windows: Array) -> tuple[Readout, ...]:
        """Return what must be read of each run; ``windows`` (n_visits, 2) [h] are of the visits."""
        if isinstance(self.what, str):
            return ()
        if isinstance(self.what, Relapse):
            return self.what.first, self.what.crossing
        if not self.each_visit:
            return (self.what,)
        texts = (f"{self.what.text}({a!r} h, {b!r} h)" for a, b in windows.tolist())
        return tuple(parse(text, model, where=self.text) for text in texts)

    def values(self, found: Sequence[Array]) -> list[Array]:
        """Return the numbers of each patient from what was read, (n,) each."""
        if isinstance(self.what, Relapse):
            return [self.what.value(found[0], found[1])]
        return list(found)

    def excess(self, value: Array) -> Array:
        """Return by how much a limit is passed, as a share of it; at most 0 where it is kept."""
        limit = 0.0 if self.limit is None else self.limit
        return np.asarray(self.sign * (value - limit) / (abs(limit) or 1.0))


def read_goal(
    text: str,
    model: Model,
    *,
    where: str,
    sign: float,
    span: tuple[float, float],
    over: str = "mean",
    limit: str | float | None = None,
    each_visit: bool = False,
    dose_unit: str = "mg/kg",
) -> Goal:
    """Read a goal.

    Parameters
    ----------
    text
        A read-out, ``relapse(NAME, LEVEL, FROM)``, or one of ``total``, ``largest``, ``visits``,
        ``length``.
    span
        The run's beginning and end [h].
    dose_unit
        That of the plans: mg or mg/kg; empty where they differ.

    Raises
    ------
    ConfigError, UnitError
        When any of it cannot be read.
    """
    from ketasim.units import convert, split

    plain = text.strip()
    what: Readout | Relapse | str = plain
    if plain in ("total", "largest") and not dose_unit:
        raise ConfigError(
            f"{where}: some amounts are per body weight and some are not, so there is no {plain} "
            "of all; write all in mg, or all in mg/kg."
        )
    if plain in WORDS:
        own = {"total": dose_unit, "largest": dose_unit, "length": "h"}.get(plain, "1")
    elif (match := _RELAPSE.match(plain)) is not None:
        what, own = _relapse(match[1], model, where, span), "h"
    else:
        what = parse(plain, model, where=where)
        own = what.unit
    if each_visit and not (isinstance(what, Readout) and _VISIT.match(plain)):
        raise ConfigError(
            f'{where}: "{plain[:60]}" cannot be taken of each visit; write a name and a reducer '
            "without a window, e.g. safety.cadss.peak."
        )
    found = None
    if limit is not None:
        number, have = split(limit, where)
        found = convert(number, have if have != "1" else own, own, where)
    share = share_of(over, f"{where}.over")
    return Goal(plain, what, own, sign, share, found, each_visit)


def _relapse(inside: str, model: Model, where: str, span: tuple[float, float]) -> Relapse:
    from ketasim.core.protocol import hours_of
    from ketasim.units import convert, split

    parts = split_list(inside)
    if len(parts) != 3:
        raise ConfigError(f"{where}: write relapse(outcome.score, 20 points, 28 d).")
    name, level, moment = (one.strip() for one in parts)
    begin, end = hours_of(moment, where), span[1]
    if not span[0] <= begin < end:
        raise ConfigError(f"{where}: {moment} lies outside the run, which ends at {end / 24:g} d.")
    first = parse(f"{name}@{begin!r}h", model, where=where)
    crossing = parse(f"{name}.time_to({level}, {begin!r} h, {end!r} h)", model, where=where)
    number, have = split(level, where)
    high = convert(number, have, first.unit, where)
    return Relapse(first, crossing, high, begin, end)


def dose_unit(plans: Sequence[Plan]) -> str:
    """Return the unit in which doses are told; empty where some plans' are per body weight."""
    units = {"mg/kg" if one.per_weight else "mg" for one in plans}
    return units.pop() if len(units) == 1 else ""
