"""The scorecard: what was published, what the model says, and whether they agree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.studies.arms import Arm
from ketasim.studies.expressions import Given, Ledger, Node, Reading, evaluate, readings
from ketasim.studies.readouts import Readout
from ketasim.studies.simulate import simulate

Array = NDArray[np.float64]


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
    until: float
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


def score(checks: Iterable[Check], model: Model) -> list[Verdict]:
    """Return the verdict of a model on each check.

    Raises
    ------
    SolverError
        When an arm cannot be integrated.
    ConfigError
        When a formula asks for a name the model does not have.
    """
    return [Verdict(check, _predict(check, model)) for check in checks]


def _predict(check: Check, model: Model) -> tuple[float, ...]:
    found: dict[Reading | Ledger | Given, Array] = {}
    for one in check.lookups:
        if isinstance(one, Ledger):
            found[one] = np.asarray(_ledger(model, one.name))
        elif isinstance(one, Given):
            found[one] = np.asarray(_given(check, model, one.arm))
    found.update(_read(check, model, [r for r in check.lookups if isinstance(r, Reading)]))
    values = (evaluate(m.formula, found.__getitem__) for m in check.measures)
    return tuple(float(value) for value in values)


def _ledger(model: Model, name: str) -> float:
    from ketasim.units import unit

    return model.value(name) / unit(model.unit(name)).factor


def _given(check: Check, model: Model, arm: str) -> float:
    one = check.arms[arm]
    schedule = one.scenario(model, grid(check.until), ()).schedule
    return float(schedule.delivered.sum())


def _read(check: Check, model: Model, asked: Sequence[Reading]) -> dict[Reading, Array]:
    found: dict[Reading, Array] = {}
    for name in dict.fromkeys(one.arm for one in asked):
        mine = [one for one in asked if one.arm == name]
        treated = _run(check, model, name, mine, drug=True)
        undrugged = [one for one in mine if one.effect]
        control = _run(check, model, name, undrugged, drug=False) if undrugged else {}
        for one in mine:
            found[one] = treated[one] - (control[one] if one.effect else 0.0)
    return found


def _run(
    check: Check, model: Model, arm: str, asked: Sequence[Reading], *, drug: bool
) -> dict[Reading, Array]:
    readouts = {one: Readout.parse(one.summary) for one in asked}
    names = [readout.name for readout in readouts.values()]
    scenario = check.arms[arm].scenario(model, grid(check.until), names, drug=drug)
    dataset = simulate(scenario)
    times = dataset["time"].to_numpy()
    return {
        one: readout.reduce(times, dataset[readout.name].to_numpy())[0]
        for one, readout in readouts.items()
    }


def grid(until: float) -> tuple[float, ...]:
    """Return the times at which arms are read: minutes at first, then hours [h]."""
    parts = (np.arange(-0.5, 6.0, 0.05), np.arange(6.0, 48.0, 0.5), np.arange(48.0, until, 3.0))
    moments = np.concatenate([*parts, [0.0, 2 / 3, until]]).round(9)
    return tuple(float(t) for t in np.unique(moments[moments <= until]))
