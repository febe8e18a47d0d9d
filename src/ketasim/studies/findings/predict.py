"""Findings under parameter draws: every arm, with and without the drug, as one ensemble.

The one place where findings meet the engine. Each prediction carries the status of the runs that it
rests on, so that a failure of the solver is never taken for a number, nor for the lack of one.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.engines.contract import MEMBER, Limits
from ketasim.engines.status import Status, usable
from ketasim.studies.cohort import Cohort, cohort
from ketasim.studies.findings.arms import Arm
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.reading import Formula, evaluate
from ketasim.units import unit

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
LIMITS = MEMBER  # what one run may spend where nothing else is said
BEFORE = -0.5  # what `at(-30 min)` reads [h]


@dataclass(frozen=True)
class Prediction:
    """What the formulas of a finding come to under each draw.

    ``values`` and ``status`` have shape (n_formulas, n_draws). A value that was computed may still
    be nan, where there is no such number (a level never reached, a share of no effect).
    """

    values: Array
    status: Codes

    @property
    def computed(self) -> NDArray[np.bool_]:
        """Return where every run that a value rests on succeeded."""
        return computed(self.status)


def computed(status: Codes) -> NDArray[np.bool_]:
    """Return where values may be used, of the shape of ``status``."""
    return usable(status)


def not_computed(status: int) -> str:
    """Return ``'not computed: max_steps'`` for a status."""
    return f"not computed: {Status(int(status)).name.lower()}"


@dataclass(frozen=True)
class Predictor:
    """Findings made ready for one model; an arm that several share is run once.

    ``cohort`` is None where no finding has an arm, and the ledger alone is asked.
    """

    model: Model
    findings: tuple[Finding, ...]
    cohort: Cohort | None
    places: Mapping[Hashable, int]
    limits: Limits | None = None
    threads: int | None = None

    def predict(self, draws: Array, *, rtol: float = 1e-6) -> list[Prediction]:
        """Return a prediction for each finding.

        Parameters
        ----------
        draws
            Canonical parameter values, shape (n_draws, n_parameters).
        rtol
            Relative tolerance of the runs.
        """
        values, status = np.empty((0, len(draws), 0, 0)), np.empty((0, len(draws)), dtype=np.int8)
        if self.cohort is not None:
            values, status = self.cohort.run(
                draws, rtol=rtol, threads=self.threads, limits=self.limits or LIMITS
            )
        return [
            self._finding(one, _Runs(self, one, draws, values), status) for one in self.findings
        ]

    def part(self, findings: Sequence[Finding], *, times: Sequence[float]) -> "Predictor":
        """Return some of the findings, read at ``times`` [h], on the same compiled kernel."""
        keys = dict.fromkeys(key for one in findings for key in _runs_of(one))
        kept = {key: new for new, key in enumerate(keys)}
        whole = self.cohort
        if whole is None:
            return replace(self, findings=tuple(findings))
        runs = tuple(replace(whole.scenarios[self.places[key]], times=tuple(times)) for key in kept)
        own = Cohort(whole.model, runs, whole.record, np.array(times), whole.kernel)
        return replace(self, findings=tuple(findings), cohort=own, places=kept)

    def _finding(self, one: Finding, runs: "_Runs", status: Codes) -> Prediction:
        n = len(runs.draws)
        codes = np.array([self._status(one, formula, status) for formula in one.formulas])
        found = [np.broadcast_to(evaluate(formula, runs), (n,)) for formula in one.formulas]
        return Prediction(np.where(computed(codes), np.array(found), np.nan), codes)

    def _status(self, one: Finding, formula: Formula, status: Codes) -> Codes:
        """Return for each draw the first failure among the runs of a formula."""
        found = np.full(status.shape[1], Status.OK, dtype=np.int8)
        for arm, drug in formula.runs:
            place = self.places[_key(one.arms[arm], drug=drug)]
            found = np.where(computed(found), status[place], found)
        return found


@dataclass(frozen=True)
class _Runs:
    """What the formulas of one finding are worked out on."""

    predictor: Predictor
    finding: Finding
    draws: Array
    values: Array

    @property
    def cohort(self) -> Cohort:
        if self.predictor.cohort is None:
            raise ValueError(f"{self.finding.name} has no arms to read")
        return self.predictor.cohort

    @property
    def times(self) -> Array:
        return self.cohort.times

    def _place(self, arm: str, *, drug: bool) -> int:
        return self.predictor.places[_key(self.finding.arms[arm], drug=drug)]

    def course(self, arm: str, name: str, *, drug: bool) -> Array:
        column = self.cohort.record.index(name)
        course = self.values[self._place(arm, drug=drug)][:, column]
        found: Array = course / unit(self.predictor.model.unit(name)).factor
        return found

    def parameter(self, name: str) -> Array:
        model = self.predictor.model
        column = list(model.parameters).index(name)
        found: Array = self.draws[:, column] / unit(model.unit(name)).factor
        return found

    def given(self, arm: str) -> Array:
        schedule = self.cohort.scenarios[self._place(arm, drug=True)].schedule
        return np.full(len(self.draws), schedule.delivered.sum())


def predictor(
    findings: Sequence[Finding],
    model: Model,
    *,
    times: Sequence[float],
    limits: Limits | None = None,
    threads: int | None = None,
) -> Predictor:
    """Gather the arms of findings and compile one kernel for all.

    Parameters
    ----------
    findings
        What to predict.
    model
        The model they are predicted by.
    times
        When arms are read [h].
    limits
        What one run may spend; :data:`LIMITS` when not given.
    threads
        How many; no number depends on it.

    Raises
    ------
    ModelError
        When a formula asks for a name the model does not have.
    """
    record = tuple(dict.fromkeys(n for one in findings for f in one.formulas for n in f.names))
    arms = [arm for one in findings for arm in one.arms.values()]
    chosen = {_key(arm, drug=drug): (arm, drug) for arm in arms for drug in (True, False)}
    scenarios = [
        arm.scenario(model, tuple(times), record, drug=drug) for arm, drug in chosen.values()
    ]
    places = {key: place for place, key in enumerate(chosen)}
    made = cohort(model, scenarios, record) if scenarios else None
    return Predictor(model, tuple(findings), made, places, limits, threads)


def _runs_of(one: Finding) -> list[Hashable]:
    return [_key(arm, drug=drug) for arm in one.arms.values() for drug in (True, False)]


def _key(arm: Arm, *, drug: bool) -> Hashable:
    """Identify a run, so that an arm which several findings share is run once."""
    protocol = arm.treated if drug else arm.control
    return arm.subject.species, arm.subject.weight, protocol, tuple(sorted(arm.values.items()))


def grid() -> tuple[float, ...]:
    """Return times that show a course: minutes at first, then hours, to 28 d [h]."""
    parts = (np.arange(-0.5, 6.0, 0.05), np.arange(6.0, 48.0, 0.5), np.arange(48.0, 673.0, 3.0))
    moments = np.concatenate([*parts, [0.0, 2 / 3]]).round(9)
    return tuple(float(t) for t in np.unique(moments))


def times_of(findings: Sequence[Finding]) -> tuple[float, ...]:
    """Return the times [h] that formulas ask for, and a grid where one asks for a whole course."""
    formulas = [formula for one in findings for formula in one.formulas]
    moments = {BEFORE, 0.0, 24.0, *(t for one in formulas for t in one.moments)}
    if any(one.whole_course for one in formulas):
        moments.update(np.arange(0.0, 4.0, 0.1).round(9).tolist())
        moments.update(np.arange(4.0, 24.0, 1.0).tolist())
        moments.update(np.arange(24.0, 169.0, 12.0).tolist())
    return tuple(sorted(moments))
