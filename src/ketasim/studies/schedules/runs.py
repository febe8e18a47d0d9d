"""Schedules x patients as one batch, and what every goal comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Protocol
from ketasim.core.scenario import Scenario
from ketasim.core.schedule import Schedule, covering_schedule
from ketasim.engines.contract import Batch, Settings
from ketasim.engines.run import run
from ketasim.errors import ConfigError, SolverError
from ketasim.readouts import Ledger, Lookup, Reading, Readout
from ketasim.studies.schedules.cohort import Bound, Cohort
from ketasim.studies.schedules.goals import Goal, tail
from ketasim.studies.schedules.plan import Plan, Visits

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
MOST_FAILED = 0.02  # of the patients of one schedule; more, and nothing is concluded
MEMBERS = 4096  # run at once at most, so that memory stays flat
STEPS = 40  # a search makes about so many, each with a run for every free number
SLIVER = 1e-3  # shortest window [h] of a visit that would begin after the end


@dataclass(frozen=True)
class Problem:
    """What is asked: of whom, with which goals.

    ``objectives`` are one or two wishes, ``constraints`` limits, ``over_draws`` how draws of a
    posterior count once patients are summed up (1: their mean).
    """

    scenario: Scenario
    plans: tuple[Plan, ...]
    objectives: tuple[Goal, ...]
    constraints: tuple[Goal, ...]
    cohort: Cohort
    over_draws: float = 1.0
    usual: Plan | None = None

    @property
    def goals(self) -> tuple[Goal, ...]:
        """Return wishes and limits, wishes first."""
        return (*self.objectives, *self.constraints)

    @property
    def end(self) -> float:
        """Return when the run ends [h]."""
        return self.scenario.times[-1]


@dataclass(frozen=True)
class Found:
    """What became of patients under schedules.

    ``outputs`` (n_points, n_outputs) are the goals' values over the cohort, ``patients`` (n_points,
    n_outputs, n_draws, n_patients) each patient's, NaN where a run failed; ``counts`` like these
    say what each counted. Outputs that need no run have no patients' values: NaN.
    """

    outputs: Array
    patients: Array
    counts: Array
    failed: int


@dataclass(frozen=True)
class Runs:
    """One plan of a problem, ready to be run for a cohort."""

    problem: Problem
    plan: Plan
    cohort: Cohort
    settings: Settings

    @cached_property
    def bound(self) -> Bound:
        """Return the cohort bound to the scenario."""
        return Bound(self.problem.scenario, self.cohort)

    @cached_property
    def parameters(self) -> Array:
        """Return every member's parameters, (n_draws * n_patients, n_parameters)."""
        return self.bound.parameters()

    @property
    def n_outputs(self) -> int:
        """Return how many numbers the goals are."""
        return sum(goal.outputs(self.plan) for goal in self.problem.goals)

    @staticmethod
    def owners(problem: Problem, plan: Plan) -> list[Goal]:
        """Return the goal that each output of a plan belongs to."""
        return [goal for goal in problem.goals for _ in range(goal.outputs(plan))]

    @property
    def owner(self) -> list[Goal]:
        """Return the goal that each output belongs to."""
        return self.owners(self.problem, self.plan)

    def windows(self, visits: Visits) -> Array:
        """Return when each visit counts [h], (n_visits, 2): from its first start to the next."""
        end = self.problem.end
        starts = np.minimum(visits.starts.min(axis=0), end - SLIVER)
        stops = np.append(np.maximum(starts[1:], starts[:-1] + SLIVER), end)
        return np.stack([starts, stops], axis=1)

    def protocols(self, visits: Visits) -> list[Protocol]:
        """Return what is done under each schedule, beside what the scenario does anyway."""
        given = self.problem.scenario.protocol
        end = self.problem.end
        return [given + self.plan.doses(visits, i, end=end) for i in range(len(visits))]

    def at(self, points: Array) -> Found:
        """Return what the goals come to at points (n_points, n_free) of the unit cube.

        Raises
        ------
        SolverError
            When so many runs failed, or patients without a value are so many, that no figure of
            the cohort would mean anything.
        """
        visits = self.plan.visits_of(points)
        model = self.problem.scenario.model
        groups = [goal.readouts(model, self.windows(visits)) for goal in self.problem.goals]
        readouts = tuple(dict.fromkeys(one for group in groups for one in group))
        shape = (len(visits), self.cohort.n_draws, len(self.cohort))
        read: dict[Readout, Array] = {}
        fine = np.ones(shape, dtype=bool)
        if readouts:
            read, fine = self._read(readouts, self.protocols(visits))
        lost = self._lost(fine)
        columns: list[Array | str] = []
        for goal, group in zip(self.problem.goals, groups, strict=True):
            columns += goal.values([read[one] for one in group]) if goal.of_runs else [goal.text]
        return self._summed_up(columns, visits, ~lost, shape)

    def _lost(self, fine: Flags) -> Flags:
        """Return which patients failed under any of the schedules, (n_draws, n_patients)."""
        lost: Flags = np.logical_not(fine.all(axis=0))
        if lost.mean() > MOST_FAILED:
            raise SolverError(
                f"{self.plan.label}: {int(lost.sum())} of {lost.size} runs failed, so nothing can "
                "be concluded. Narrow what patients differ in, or see why with ketasim sweep."
            )
        return lost

    def _read(
        self, readouts: Sequence[Readout], protocols: Sequence[Protocol]
    ) -> tuple[dict[Readout, Array], Flags]:
        """Return each read-out and who has one, (n_points, n_draws, n_patients)."""
        at_once = max(1, MEMBERS // len(self.parameters))
        starts = range(0, len(protocols), at_once)
        parts = [self._read_some(readouts, protocols[k : k + at_once]) for k in starts]
        found = {one: np.concatenate([values[one] for values, _ in parts]) for one in readouts}
        return found, np.concatenate([fine for _, fine in parts])

    def _read_some(
        self, readouts: Sequence[Readout], protocols: Sequence[Protocol]
    ) -> tuple[dict[Readout, Array], Flags]:
        reductions = tuple(dict.fromkeys(r for one in readouts for r in one.reductions))
        batch = self.batch(protocols, reductions=reductions)
        found = run(batch, self.settings)
        places = {name: i for i, name in enumerate(self.problem.scenario.model.parameters)}
        shape = (len(protocols), self.cohort.n_draws, len(self.cohort))

        def lookup(one: Lookup) -> Array:
            if isinstance(one, Ledger):
                return np.asarray(batch.parameters[:, places[one.name]])
            if isinstance(one, Reading) and not one.effect:
                return np.asarray(found.reduced[:, reductions.index(one.reduction)])
            raise ConfigError("effect(...) cannot be wished for: write what is read itself.")

        values = {
            one: np.broadcast_to(one.evaluate(lookup), len(batch)).reshape(shape)
            for one in readouts
        }
        return values, found.usable.reshape(shape)

    def batch(self, protocols: Sequence[Protocol], **asked: Any) -> Batch:
        """Return every member under every protocol, and what is asked of them."""
        scenario = self.problem.scenario
        return Batch(
            model=scenario.resolved_model,
            parameters=np.tile(self.parameters, (len(protocols), 1)),
            schedules=[one for p in protocols for one in self.bound.schedules(p)],
            span=(scenario.times[0], scenario.times[-1]),
            covering=self._covering,
            total=STEPS * (len(self.plan.variables) + 2) * len(self.parameters),
            **asked,
        )

    @cached_property
    def _covering(self) -> Schedule:
        """Return a schedule that feeds and turns all that any schedule of the plan may."""
        middle = self.plan.visits_of(np.zeros((1, len(self.plan.variables))))
        scenario = self.problem.scenario.with_protocol(self.protocols(middle)[0])
        return covering_schedule(scenario.schedule, scenario.model, protocol=scenario.protocol)

    def _summed_up(
        self, columns: Sequence[Array | str], visits: Visits, kept: Flags, shape: tuple[int, ...]
    ) -> Found:
        """Return every output over the cohort: patients of a draw first, then draws."""
        whole = (shape[0], len(columns), *shape[1:])
        outputs, patients, counts = np.empty(whole[:2]), np.full(whole, np.nan), np.zeros(whole)
        for j, (one, goal) in enumerate(zip(columns, self.owner, strict=True)):
            if isinstance(one, str):
                outputs[:, j] = self.plan.number(one, visits)
                continue
            patients[:, j] = np.where(kept, one, np.nan)
            for i in range(shape[0]):
                outputs[i, j], counts[i, j] = self._over(one[i], kept, goal)
        return Found(outputs, patients, counts, int((~kept).sum()))

    def _over(self, values: Array, kept: Flags, goal: Goal) -> tuple[float, Array]:
        """Return a goal over draws and patients (n_draws, n_patients), and what each counted."""
        means, counts = np.empty(len(values)), np.zeros_like(values)
        for d, (own, ok) in enumerate(zip(values, kept, strict=True)):
            if not np.isfinite(own[ok]).all():
                none = int((~np.isfinite(own[ok])).sum())
                raise SolverError(f'"{goal.text}" has no value for {none} of {len(own)} patients.')
            weights = self.cohort.weights[ok]
            means[d], counts[d, ok] = tail(own[ok], weights, goal.share, goal.sign)
        value, of_draws = tail(means, np.ones(len(means)), self.problem.over_draws, goal.sign)
        return value, counts * of_draws[:, None]

    def courses(self, points: Array, names: tuple[str, ...], times: Array) -> Array:
        """Return courses (n_points, n_members, n_names, n_times), canonical, NaN where failed."""
        protocols = self.protocols(self.plan.visits_of(points))
        found = run(self.batch(protocols, record=names, times=times), self.settings)
        return found.values.reshape(len(protocols), -1, len(names), len(times))
