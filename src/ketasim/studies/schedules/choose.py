"""The best schedule of a problem: every plan searched, the best of them, and the front."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.contract import Settings
from ketasim.studies.schedules.front import Compromise, front, marked
from ketasim.studies.schedules.kept import Kept
from ketasim.studies.schedules.plan import Plan
from ketasim.studies.schedules.runs import Found, Problem, Runs
from ketasim.studies.schedules.search import (
    Asker,
    Ended,
    Tell,
    descend,
    representatives,
    starts_of,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Searched:
    """One plan: every search on the patients who stand for all, and the last one on all."""

    plan: Plan
    starts: tuple[Ended, ...]
    best: Ended
    few: int


@dataclass(frozen=True)
class Chosen:
    """What was found: each plan, the best of them, and what the goals come to there and usually.

    ``found`` and ``usual`` hold one schedule each; ``usual`` is None where none was given.
    """

    problem: Problem
    plans: tuple[Searched, ...]
    best: int
    found: Found
    usual: Found | None
    front: tuple[Compromise, ...] = ()

    @property
    def searched(self) -> Searched:
        """Return the plan that is best."""
        return self.plans[self.best]

    @property
    def point(self) -> Array:
        """Return the best point, (1, n_free)."""
        return np.array([self.searched.best.point])


def choose(
    problem: Problem,
    settings: Settings,
    kept: Kept,
    *,
    starts: int,
    seed: int,
    few: int,
    points: int,
    tell: Tell,
) -> Chosen:
    """Search every plan of a problem.

    Parameters
    ----------
    starts, seed
        How many searches of each plan, and what their beginnings are drawn by.
    few
        How many patients stand for all until the last search of a plan.
    points
        Of the front, where there are two wishes.

    Raises
    ------
    SolverError
        When so many runs failed that nothing can be concluded.
    """
    searched, parts = [], []
    for k, plan in enumerate(problem.plans):
        every = Runs(problem, plan, problem.cohort, settings)
        sub = representatives(every, plan.guess, few)
        text = f"{k} {plan.label} {len(sub.cohort)}"
        one = _searched(sub, every, kept, text, starts, seed, tell)
        searched.append(one)
        if len(problem.objectives) > 1:
            parts += front(
                k, sub, every, one.best, kept, points=points, text=text, tell=tell
            )  # fmt: skip
    sign = problem.objectives[0].sign
    best = min(range(len(searched)), key=lambda k: _rank(searched[k].best, sign))
    plan = problem.plans[best]
    whole = Runs(problem, plan, problem.cohort, settings)
    usual = None
    if problem.usual is not None:
        usual = replace(whole, plan=problem.usual).at(np.empty((1, 0)))
    signs = tuple(one.sign for one in problem.objectives)
    return Chosen(
        problem, tuple(searched), best, whole.at(np.array([searched[best].best.point])), usual,
        tuple(marked(parts, (signs[0], signs[1]))) if parts else (),
    )  # fmt: skip


def _rank(one: Ended, sign: float) -> tuple[float, float]:
    return (0.0, sign * one.value) if one.is_allowed else (1.0, one.excess)


def _searched(
    few: Runs, every: Runs, kept: Kept, text: str, starts: int, seed: int, tell: Tell
) -> Searched:
    """Search one plan from many starts on a few patients, and from the best end on all."""
    problem, plan = few.problem, few.plan
    wish = problem.objectives[0]
    asker = Asker(few, kept, text, wish, problem.constraints)
    begun = starts_of(asker, [plan.guess], starts, seed)
    ended = []
    for i, start in enumerate(begun):
        ended.append(descend(asker, start, i))
        tell(f"{plan.label}: start {i + 1} of {len(begun)} on {len(few.cohort)} patients: "
             f"{wish.shown(ended[-1].value)}, {ended[-1].told}")  # fmt: skip
    best = min(ended, key=lambda one: _rank(one, wish.sign))
    if few is not every:
        whole = Asker(every, kept, f"{text} all", wish, problem.constraints)
        best = descend(whole, np.array(best.point), best.start)
        tell(f"{plan.label}: on all {len(every.cohort)} patients: {wish.shown(best.value)}, "
             f"{best.told}")  # fmt: skip
    return Searched(plan, tuple(ended), best, len(few.cohort))
