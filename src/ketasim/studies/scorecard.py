"""The scorecard: what was published, what the model says, and whether they agree."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.studies.arms import Arm
from ketasim.studies.cohort import Cohort, cohort
from ketasim.studies.expressions import Given, Ledger, Node, Reading, evaluate, readings
from ketasim.studies.readouts import Readout
from ketasim.units import unit

Array = NDArray[np.float64]
NOISE = 1e-5  # ten times the relative tolerance of a run


@dataclass(frozen=True)
class Measure:
    """One number of a check and the interval it must lie in; ``reported`` ones have none."""

    name: str
    formula: Node
    unit: str
    target: float | None
    low: float
    high: float
    reported: bool = False

    def passed(self, value: float) -> bool:
        """Return whether a prediction agrees; what cannot be computed does not."""
        return self.reported or (isfinite(value) and self.low <= value <= self.high)

    @property
    def wanted(self) -> str:
        """Return the interval as text."""
        if self.reported:
            return "reported"
        if self.target is not None:
            return f"{self.target:g} ({self.low:g} to {self.high:g})"
        if self.low == -inf:
            return f"<= {self.high:g}"
        return f">= {self.low:g}" if self.high == inf else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Check:
    """One row of the scorecard: arms, measures, evidence rows and references."""

    number: int
    title: str
    hard: bool
    rows: tuple[str, ...]
    references: tuple[str, ...]
    arms: Mapping[str, Arm]
    measures: tuple[Measure, ...]
    note: str = ""

    @cached_property
    def lookups(self) -> tuple[Reading | Ledger | Given, ...]:
        """Return everything the measures look up."""
        return tuple(dict.fromkeys(r for m in self.measures for r in readings(m.formula)))

    @property
    def reported(self) -> bool:
        """Return whether this check only reports."""
        return all(one.reported for one in self.measures)


@dataclass(frozen=True)
class Verdict:
    """A check with what the model predicts for each of its measures."""

    check: Check
    predictions: tuple[float, ...]

    @property
    def passed(self) -> bool:
        """Return whether every measure agrees."""
        return all(m.passed(v) for m, v in zip(self.check.measures, self.predictions, strict=True))


@dataclass(frozen=True)
class Scorecard:
    """Checks made ready for one model: every arm, with and without drug, in one cohort."""

    model: Model
    checks: tuple[Check, ...]
    cohort: Cohort
    places: Mapping[Hashable, int]

    def predict(self, draws: Array, *, rtol: float = 1e-6) -> list[Array]:
        """Return what the measures of each check come to under each draw.

        Parameters
        ----------
        draws
            Canonical parameter values, shape (n_draws, n_parameters).

        Returns
        -------
        list
            One array a check, shape (n_measures, n_draws); nan where a run failed.
        """
        runs, _ = self.cohort.run(draws, rtol=rtol)
        return [self._check(check, draws, runs) for check in self.checks]

    def verdicts(self) -> list[Verdict]:
        """Return the verdict on each check at the model's own parameter values."""
        found = self.predict(System(self.model).default_parameters[None, :])
        pairs = zip(self.checks, found, strict=True)
        return [Verdict(check, tuple(values[:, 0].tolist())) for check, values in pairs]

    def place(self, arm: Arm, *, drug: bool) -> int:
        """Return which run of the cohort shows an arm, with or without the drug."""
        return self.places[_key(arm, drug=drug)]

    def _check(self, check: Check, draws: Array, runs: Array) -> Array:
        def lookup(one: Reading | Ledger | Given) -> Array:
            if isinstance(one, Ledger):
                column = list(self.model.parameters).index(one.name)
                found: Array = draws[:, column] / unit(self.model.unit(one.name)).factor
                return found
            place = self.place(check.arms[one.arm], drug=True)
            if isinstance(one, Given):
                schedule = self.cohort.scenarios[place].schedule
                return np.full(len(draws), schedule.delivered.sum())
            treated = self._read(one.summary, runs[place])
            if not one.effect:
                return treated
            control = self.place(check.arms[one.arm], drug=False)
            return _difference(treated, self._read(one.summary, runs[control]))

        values = [evaluate(m.formula, lookup) for m in check.measures]
        return np.array([np.broadcast_to(value, (len(draws),)) for value in values])

    def _read(self, summary: str, runs: Array) -> Array:
        readout = Readout.parse(summary)
        course = runs[:, self.cohort.record.index(readout.name)]
        return readout.reduce(
            self.cohort.times, course / unit(self.model.unit(readout.name)).factor
        )


def _difference(treated: Array, control: Array) -> Array:
    """Return an effect; what integration cannot tell from nothing is nothing."""
    effect = treated - control
    size = np.maximum(np.abs(treated), np.abs(control))
    return np.where(np.abs(effect) < NOISE * size, 0.0, effect)


def scorecard(
    checks: Sequence[Check], model: Model, *, times: Sequence[float] | None = None
) -> Scorecard:
    """Make checks ready for a model: gather their arms and compile one kernel for all.

    Arms are read at ``times`` [h], by default at those of :func:`grid`.

    Raises
    ------
    ConfigError, ModelError
        When a formula asks for a name the model does not have.
    """
    asked = [one for check in checks for one in check.lookups if isinstance(one, Reading)]
    record = tuple(dict.fromkeys(Readout.parse(one.summary).name for one in asked))
    times = grid() if times is None else tuple(times)
    arms = [arm for check in checks for arm in check.arms.values()]
    chosen = {_key(arm, drug=drug): (arm, drug) for arm in arms for drug in (True, False)}
    scenarios = [arm.scenario(model, times, record, drug=drug) for arm, drug in chosen.values()]
    places = {key: place for place, key in enumerate(chosen)}
    return Scorecard(model, tuple(checks), cohort(model, scenarios, record), places)


def _key(arm: Arm, *, drug: bool) -> Hashable:
    """Identify a run, so that an arm which several checks share is run once."""
    protocol = arm.treated if drug else arm.control
    return arm.subject.species, arm.subject.weight, protocol, tuple(sorted(arm.values.items()))


def score(checks: Sequence[Check], model: Model) -> list[Verdict]:
    """Return the verdict of a model on each check; see :func:`scorecard`."""
    return scorecard(checks, model).verdicts()


def grid() -> tuple[float, ...]:
    """Return the times at which arms are read: minutes at first, then hours, to 28 d [h]."""
    parts = (np.arange(-0.5, 6.0, 0.05), np.arange(6.0, 48.0, 0.5), np.arange(48.0, 673.0, 3.0))
    moments = np.concatenate([*parts, [0.0, 2 / 3]]).round(9)
    return tuple(float(t) for t in np.unique(moments))
