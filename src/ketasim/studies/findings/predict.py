"""Findings under parameter draws: every run that their formulas ask for, each once.

The one place where findings meet the engine. Each prediction carries the status of the runs that it
rests on, so that a failure of the solver is never taken for a number, nor for the lack of one.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.engines.contract import MEMBER, Batch, Limits, Settings
from ketasim.engines.run import run
from ketasim.engines.status import Status, usable
from ketasim.readouts import Given, Ledger, Lookup, Reading
from ketasim.studies.findings.arms import Arm
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.needs import Group, Place, arm_key, groups_of, places_of
from ketasim.studies.findings.reading import Formula, difference

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Answer = tuple[Array, Codes]  # reduced (n_runs, n_draws, n_reductions), status (n_runs, n_draws)
LIMITS = MEMBER  # what one run may spend where nothing else is said
MEMBERS = 8192  # about so many runs are held in memory at once; no number depends on it


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
    """Findings made ready for one model.

    ``groups`` are the runs to make, ``places`` say where each reading of an arm is found in them,
    and ``given`` holds the drug [umol] of the arms that are asked for it.
    """

    model: Model
    findings: tuple[Finding, ...]
    groups: tuple[Group, ...]
    places: Mapping[Hashable, Place]
    given: Mapping[Hashable, float]
    limits: Limits | None = None
    threads: int | None = None
    rtol: float | None = None

    def predict(self, draws: Array) -> list[Prediction]:
        """Return a prediction for each finding.

        Parameters
        ----------
        draws
            Canonical parameter values, shape (n_draws, n_parameters).
        """
        most = max([len(group.scenarios) for group in self.groups], default=1)
        size = max(1, MEMBERS // most)
        blocks = [
            self._block(draws[at : at + size], len(draws)) for at in range(0, len(draws), size)
        ]
        return [
            Prediction(
                np.concatenate([one.values for one in parts], axis=1),
                np.concatenate([one.status for one in parts], axis=1),
            )
            for parts in zip(*blocks, strict=True)
        ]

    def _block(self, draws: Array, total: int) -> list[Prediction]:
        return self.gathered(draws, [self.answer(one, draws, total) for one in self.groups])

    def gathered(self, draws: Array, answers: Sequence[Answer]) -> list[Prediction]:
        """Return a prediction for each finding from what the runs of every group gave."""
        return [self._finding(one, draws, answers) for one in self.findings]

    def known(self, finding: Finding, draws: Array, answers: Sequence[Answer]) -> "Known":
        """Return what the formulas of a finding look up, by the answers of every group."""
        return Known(self, finding, draws, answers)

    def answer(self, group: Group, draws: Array, total: int) -> Answer:
        """Make the runs of a group; ``total`` draws are asked for in all."""
        n, m = len(group.scenarios), len(draws)
        batch = Batch(
            self.model,
            group.parameters(draws),
            [one.schedule for one in group.scenarios for _ in range(m)],
            reductions=group.reductions,
            span=group.span,
            total=n * total,
        )
        settings = Settings(rtol=self.rtol, limits=self.limits or LIMITS, threads=self.threads)
        found = run(batch, settings)
        return found.reduced.reshape(n, m, -1), found.status.reshape(n, m)

    def _finding(self, one: Finding, draws: Array, answers: Sequence[Answer]) -> Prediction:
        known = self.known(one, draws, answers)
        codes = np.array([known.status(formula) for formula in one.formulas])
        found = [np.broadcast_to(f.evaluate(known.value), len(draws)) for f in one.formulas]
        return Prediction(np.where(computed(codes), np.array(found), np.nan), codes)


@dataclass(frozen=True)
class Known:
    """What the formulas of one finding look up."""

    predictor: Predictor
    finding: Finding
    draws: Array
    answers: Sequence[Answer]

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        return {name: column for column, name in enumerate(self.predictor.model.parameters)}

    def value(self, one: Lookup) -> Array:
        """Return the canonical value of a look-up under each draw."""
        if isinstance(one, Ledger):
            return self.draws[:, self._columns[one.name]]
        if isinstance(one, Given):
            amount = self.predictor.given[arm_key(self.finding.arms[one.arm], drug=True)]
            return np.full(len(self.draws), amount)
        treated, *control = (self._number(place) for place in self.places(one))
        return difference(treated, control[0]) if control else treated

    def status(self, formula: Formula) -> Codes:
        """Return for each draw the first failure among the runs of a formula."""
        found = np.full(len(self.draws), Status.OK, dtype=np.int8)
        for one in formula.readings:
            for place in self.places(one):
                own = self.answers[place.group][1][place.run]
                found = np.where(computed(found), own, found)
        return found

    def _number(self, place: Place) -> Array:
        found: Array = self.answers[place.group][0][place.run, :, place.column]
        return found

    def places(self, one: Reading) -> list[Place]:
        """Return where a reading is found, and where the one without the drug is for an effect."""
        arm = self.finding.arms[str(one.arm)]
        return [
            self.predictor.places[arm_key(arm, drug=drug), one.reduction]
            for drug in ((True, False) if one.effect else (True,))
        ]


def predictor(
    findings: Sequence[Finding],
    model: Model,
    *,
    limits: Limits | None = None,
    threads: int | None = None,
) -> Predictor:
    """Gather the runs that findings ask for.

    Parameters
    ----------
    findings
        What to predict.
    model
        The model they are predicted by.
    limits
        What one run may spend; :data:`LIMITS` when not given.
    threads
        How many; no number depends on it.

    Raises
    ------
    ModelError
        When a formula asks for a name the model does not have.
    """
    for formula in (formula for one in findings for formula in one.formulas):
        _check_names(formula, model)
    groups = groups_of(findings, model)
    return Predictor(
        model, tuple(findings), groups, places_of(groups), _given(findings, model), limits, threads
    )


def _check_names(formula: Formula, model: Model) -> None:
    for one in formula.lookups:
        if isinstance(one, Reading):
            model.role(one.reduction.name)
        elif isinstance(one, Ledger):
            model.value(one.name)


def _given(findings: Sequence[Finding], model: Model) -> dict[Hashable, float]:
    asked: dict[Hashable, Arm] = {
        arm_key(arm := one.arms[each.arm], drug=True): arm
        for one in findings
        for formula in one.formulas
        for each in formula.lookups
        if isinstance(each, Given)
    }
    return {
        key: float(arm.scenario(model, begin=0.0, end=1.0).schedule.delivered.sum())
        for key, arm in asked.items()
    }
