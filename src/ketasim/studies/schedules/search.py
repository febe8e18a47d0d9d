"""The best point of a plan: gradients from many starts, first on a few patients, then on all.

Every value is asked of :class:`Kept` first, so that a search that was stopped goes on, and each
start depends on the seed and its number only. SciPy's SLSQP takes wishes and limits with their
slopes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ketasim.studies.schedules.goals import Goal
from ketasim.studies.schedules.kept import Kept, key_of
from ketasim.studies.schedules.runs import Runs
from ketasim.studies.schedules.slopes import shifted, slopes

Array = NDArray[np.float64]
PRECISION = 1e-5  # of the first value: a gain below it ends a search
ROUNDS = 30  # most steps of one search
FEASIBLE = 2e-3  # share of a limit by which a found schedule may pass it
HEAVY = 10.0  # what passing a limit counts where starts are ranked
SCREENED = 32  # points looked at before any search
FEW = 24  # patients that stand for all until the last search
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Ended:
    """Where one search began and ended, in the unit cube; ``outputs`` are the goals' values."""

    start: int
    begun: tuple[float, ...]
    point: tuple[float, ...]
    outputs: tuple[float, ...]
    value: float
    excess: float
    evaluations: int
    told: str

    @property
    def is_allowed(self) -> bool:
        """Return whether every limit is kept, to the precision of a search."""
        return self.excess <= FEASIBLE


@dataclass
class Asker:
    """Values and slopes at points of one plan for one cohort, each computed once."""

    runs: Runs
    kept: Kept
    text: str
    objective: Goal
    limits: tuple[Goal, ...]
    seen: list[tuple[Array, Array]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find each goal's outputs."""
        owner = self.runs.owner
        self.first = owner.index(self.objective)
        self.limited = [k for k, one in enumerate(owner) if one in self.limits]
        self.goals = [owner[k] for k in self.limited]

    def outputs(self, point: Array) -> Array:
        """Return the goals' values at a point, (n_outputs,)."""
        key = key_of(f"{self.text} value", point)
        found = self.kept.get(key)
        if found is None:
            found = self.runs.at(point[None, :]).outputs
            self.kept.put(key, found)
        outputs: Array = found[0]
        self.seen.append((point.copy(), outputs))
        return outputs

    def slopes(self, point: Array) -> Array:
        """Return the outputs' slopes at a point, (n_outputs, n_free)."""
        key = key_of(f"{self.text} slopes", point)
        found = self.kept.get(key)
        if found is None:
            found = slopes(self.runs, point)
            self.kept.put(key, found)
        return found

    def value(self, outputs: Array) -> float:
        """Return what is to be made small."""
        return float(self.objective.sign * outputs[self.first])

    def excesses(self, outputs: Array, point: Array) -> Array:
        """Return by how much each limit is passed, and the end of the run."""
        own = [g.excess(outputs[k]) for k, g in zip(self.limited, self.goals, strict=True)]
        return np.array([*map(float, own), self.late(point)])

    def late(self, point: Array) -> float:
        """Return by what share of the run the last visit would end after it."""
        stop = float(self.runs.plan.visits_of(point[None, :]).stops.max())
        end = self.runs.problem.end
        return (stop - end) / end

    def excess_slopes(self, point: Array) -> Array:
        """Return the slopes of :meth:`excesses`, (n_limits + 1, n_free)."""
        slopes = self.slopes(point)
        rows = [
            g.sign * slopes[k] / (abs(g.limit or 0.0) or 1.0)
            for k, g in zip(self.limited, self.goals, strict=True)
        ]
        moved = shifted(point)
        here = self.late(point)
        late = [(self.late(p) - here) / (p[i] - point[i]) for i, p in enumerate(moved)]
        return np.array([*rows, late])

    def merit(self, outputs: Array, point: Array, scale: float) -> float:
        """Return one number that ranks points: the wish, and what passing limits costs."""
        over = float(np.maximum(self.excesses(outputs, point), 0.0).sum())
        return self.value(outputs) / scale + HEAVY * over


def descend(asker: Asker, start: Array, number: int, *, rounds: int = ROUNDS) -> Ended:
    """Return where a search leads from a start: the best point on its way that keeps all limits."""
    asker.seen.clear()
    start = np.clip(start, 0.0, 1.0)
    first = asker.outputs(start)
    if not len(start):
        return _ended(asker, number, start, "nothing is free")
    scale = asker.objective.sign / (abs(asker.value(first)) or 1.0)

    def within(x: Array) -> Array:
        return np.clip(x, 0.0, 1.0)

    found = minimize(
        lambda x: scale * asker.outputs(within(x))[asker.first],
        start,
        jac=lambda x: scale * asker.slopes(within(x))[asker.first],
        bounds=[(0.0, 1.0)] * len(start),
        constraints={
            "type": "ineq",
            "fun": lambda x: -asker.excesses(asker.outputs(within(x)), within(x)),
            "jac": lambda x: -asker.excess_slopes(within(x)),
        },
        method="SLSQP",
        options={"ftol": PRECISION, "maxiter": rounds},
    )
    told = {0: "arrived", 9: f"still moving after {rounds} steps"}
    return _ended(asker, number, start, told.get(int(found.status), "no better step was found"))


def _ended(asker: Asker, number: int, start: Array, told: str) -> Ended:
    """Return the best of the points that were seen."""

    def rank(one: tuple[Array, Array]) -> tuple[float, float]:
        over = float(asker.excesses(one[1], one[0]).max())
        return (0.0, asker.value(one[1])) if over <= FEASIBLE else (1.0, over)

    point, outputs = min(asker.seen, key=rank)
    return Ended(
        start=number,
        begun=tuple(start.tolist()),
        point=tuple(point.tolist()),
        outputs=tuple(outputs.tolist()),
        value=float(outputs[asker.first]),
        excess=float(asker.excesses(outputs, point).max()),
        evaluations=len(asker.seen),
        told=told,
    )


def starts_of(asker: Asker, guesses: Sequence[Array], count: int, seed: int) -> list[Array]:
    """Return where searches begin: the guesses, then the best of points drawn within the cube."""
    n = len(guesses[0])
    chosen = [np.asarray(one, dtype=float) for one in guesses][:count]
    if len(chosen) >= count or n == 0:
        return chosen
    draws = np.array([np.random.default_rng([seed, i]).uniform(size=n) for i in range(SCREENED)])
    key = key_of(f"{asker.text} screened", draws)
    found = asker.kept.get(key)
    if found is None:
        found = np.concatenate([asker.runs.at(one[None, :]).outputs for one in draws])
        asker.kept.put(key, found)
    scale = abs(asker.value(found[0])) or 1.0
    merits = [asker.merit(f, p, scale) for f, p in zip(found, draws, strict=True)]
    best = np.argsort(merits, kind="stable")[: count - len(chosen)]
    return [*chosen, *draws[best]]


def representatives(runs: Runs, point: Array, few: int) -> Runs:
    """Return the runs of ``few`` patients who stand for all, each for those about as well off.

    Patients are put in order by the first wish at a point; each block of the order is represented
    by the patient in its middle, who counts for the whole block.
    """
    n = len(runs.cohort)
    if n <= few:
        return runs
    goals = runs.problem.goals
    first = next((k for k, g in enumerate(runs.owner) if g.of_runs), None)
    order = np.arange(n)
    if first is not None and goals:
        values = np.nanmean(runs.at(point[None, :]).patients[0, first], axis=0)
        order = np.argsort(values, kind="stable")
    blocks = np.array_split(order, few)
    middles = np.array([one[len(one) // 2] for one in blocks])
    weights = np.array([runs.cohort.weights[one].sum() for one in blocks])
    return replace(runs, cohort=runs.cohort.some(middles, weights))
