"""Two wishes against each other: the schedules of which none is better in both.

The first wish is followed while the second is held to a limit, which moves from the best that the
second can be to what it is where only the first counts. Each search begins where its neighbour
ended. Points are searched on the patients who stand for all; their figures are those of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.studies.schedules.kept import Kept
from ketasim.studies.schedules.runs import Runs
from ketasim.studies.schedules.search import ROUNDS, Asker, Ended, Tell, descend

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Compromise:
    """One schedule of a front; ``outputs`` are the goals' values over the whole cohort."""

    plan: int
    point: tuple[float, ...]
    outputs: tuple[float, ...]
    values: tuple[float, float]
    is_allowed: bool
    is_best: bool = True


def front(
    number: int, few: Runs, every: Runs, ended: Ended, kept: Kept, *, points: int, text: str,
    tell: Tell,
) -> list[Compromise]:  # fmt: skip
    """Return ``points`` schedules of one plan, from the best in the first wish to the second's.

    Parameters
    ----------
    number
        Of the plan among those of the problem.
    few, every
        The patients who stand for all, and all.
    ended
        Where the search for the first wish alone ended.
    """
    problem = few.problem
    first, second = problem.objectives
    start = np.array(ended.point)
    alone = Asker(few, kept, text, second, problem.constraints)
    lowest = descend(alone, start, 0)
    own = Asker(few, kept, text, first, problem.constraints)
    place = few.owner.index(second)
    ends = own.outputs(start)[place], lowest.outputs[place]
    found, here = [(start, ended.is_allowed)], start
    for k, limit in enumerate(np.linspace(*ends, points)[1:], start=2):
        tell(f"{few.plan.label}: front, {k} of {points}")
        held = replace(second, limit=float(limit))
        asked = replace(few, problem=replace(problem, objectives=(first, held)))
        asker = Asker(asked, kept, text, first, (*problem.constraints, held))
        begun = [here, np.array(lowest.point)]
        tried = [descend(asker, one, k, rounds=ROUNDS) for one in begun]
        best = min(tried, key=lambda one: (not one.is_allowed, first.sign * one.value))
        here = np.array(best.point)
        found.append((here, best.is_allowed))
    whole = Asker(every, kept, f"{text} all", first, problem.constraints)
    columns = whole.first, every.owner.index(second)
    return [_compromise(number, p, whole.outputs(p), columns, ok) for p, ok in found]


def _compromise(
    number: int,
    point: Array,
    outputs: Array,
    columns: tuple[int, int],
    ok: bool,  # noqa: FBT001
) -> Compromise:
    values = float(outputs[columns[0]]), float(outputs[columns[1]])
    return Compromise(number, tuple(point.tolist()), tuple(outputs.tolist()), values, ok)


def marked(found: Sequence[Compromise], signs: tuple[float, float]) -> list[Compromise]:
    """Return compromises with ``is_best`` where no other is better in both wishes."""
    costs = np.array([[s * v for s, v in zip(signs, one.values, strict=True)] for one in found])
    allowed = np.array([one.is_allowed for one in found])
    best = []
    for i, one in enumerate(costs):
        better = (costs <= one).all(axis=1) & (costs < one).any(axis=1) & allowed
        best.append(bool(allowed[i] and not better.any()))
    return [replace(one, is_best=b) for one, b in zip(found, best, strict=True)]
