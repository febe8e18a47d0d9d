"""A cohort from plausible patients, and how far they had to be bent for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ketasim.core.describe import Described
from ketasim.errors import ConfigError
from ketasim.studies.designs.patients import Crowd
from ketasim.studies.patients.choosing import accepted, chosen, drawn
from ketasim.studies.patients.crew import PART, Crew, Goal, entry_of, scores_of, seen_of, values_of
from ketasim.studies.patients.weighing import Weighed, weigh

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Method = Literal["weights", "select", "accept"]
UNBENT = "plausible"
METHODS: Mapping[str, str] = {
    "weights": "drawn by maximum-entropy weights",
    "select": "chosen by an integer programme from a pool drawn by those weights",
    "accept": "accepted by the published density over the plausible one",
}
NEAR = 1.96  # sampling errors within which a statistic counts as reproduced
SOME = 200_000  # plausible patients among whom a trait's distribution is told


@dataclass(frozen=True)
class Match:
    """One published statistic, and what plausible patients, weights and cohort show of it."""

    goal: Goal
    plausible: float
    weighted: float
    cohort: float

    @property
    def misses(self) -> float:
        """Return how far the cohort is from it, in its sampling errors."""
        one = self.goal.statistic
        return (self.cohort - one.value) / one.error

    @property
    def reproduced(self) -> bool:
        """Return whether the cohort is within its sampling error (1.96 of them)."""
        return abs(self.misses) <= NEAR

    @property
    def row(self) -> dict[str, Any]:
        """Return it as plain values."""
        one = self.goal.statistic
        trial, arm, at, kind = self.goal.label
        return {
            "trial": trial, "arm": arm, "time_h": at, "statistic": kind, "n": one.n,
            "published": one.value, "sampling_error": one.error, "plausible": self.plausible,
            "weighted": self.weighted, "cohort": self.cohort, "misses_by_errors": self.misses,
            "reproduced": self.reproduced,
        }  # fmt: skip


@dataclass(frozen=True)
class Shift:
    """How far a trait's distribution in the cohort is from that of plausible patients.

    ``distance`` is the largest gap of the two distribution functions (Kolmogorov and Smirnov), and
    ``by_chance`` the gap that 19 of 20 cohorts drawn at random stay below.
    """

    trait: str
    before: tuple[float, float]
    after: tuple[float, float]
    distance: float
    by_chance: float


@dataclass(frozen=True, repr=False)
class Cohort(Described):
    """Patients that show together what was published.

    ``places`` are their places among the plausible crew; ``weighed`` the weights behind them, None
    where patients were accepted.
    """

    method: str
    places: Indices
    crew: Crew
    matches: tuple[Match, ...]
    weighed: Weighed | None
    plausible: int

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        found = len(self.matches) - len(self.lost)
        rows = [
            ("by", f"{self.method}, from {self.plausible:,} plausible"),
            ("different", f"{self.different:,}"),
            ("reproduced", f"{found} of {len(self.matches)} published numbers"),
        ]
        return f"Cohort of {len(self.places):,} patients", rows

    @property
    def lost(self) -> tuple[Match, ...]:
        """Return what is not reproduced."""
        return tuple(one for one in self.matches if not one.reproduced)

    @property
    def different(self) -> int:
        """Return how many different patients there are."""
        return len(np.unique(self.places))

    @property
    def record(self) -> dict[str, Any]:
        """Return how far plausible patients had to be bent, as plain values."""
        told: dict[str, Any] = {"method": self.method, "patients": len(self.places)}
        told |= {"different": self.different, "plausible": self.plausible}
        if self.weighed is not None:
            told |= {
                "effective": self.weighed.effective,
                "largest_weight": float(self.weighed.weights.max()) * self.plausible,
                "relative_entropy_nats": self.weighed.bent,
            }
        if not self.matches:
            return told
        told |= {
            "statistics": len(self.matches),
            "reproduced": len(self.matches) - len(self.lost),
            "largest_miss_errors": max(abs(one.misses) for one in self.matches),
        }
        return told


def cohort(crew: Crew, goals: Sequence[Goal], n: int, *, method: str, seed: int) -> Cohort:
    """Return ``n`` patients of a crew that show together what the goals say.

    Raises
    ------
    ConfigError, SolverError
        When there is no such method, or no such cohort in these patients.
    """
    if method not in METHODS:
        raise ConfigError(f'method = "{method[:40]}": choose one of {", ".join(METHODS)}.')
    if not 2 <= n <= len(crew):
        raise ConfigError(f"cohort = {n}: between 2 and the {len(crew):,} plausible patients.")
    trials = {goal.trial.name: goal for goal in goals}.values()
    entry = entry_of(crew, [o.trial for o in trials], [o.setting for o in trials], seed)
    scores = np.hstack([scores_of(crew, goals, seed), entry])
    equal = np.full(len(crew), 1.0 / len(crew))
    weighed = None if method == "accept" else weigh(scores)
    if weighed is None:
        places = _accepted(crew, goals, n, seed)
    elif method == "select":
        places = chosen(scores, weighed.weights, n, seed)
    else:
        places = drawn(weighed.weights, n, seed)
    own = crew.of(places)
    before, after = values_of(crew, goals, equal, seed), values_of(own, goals, np.ones(n), seed)
    bent = after if weighed is None else values_of(crew, goals, weighed.weights, seed)
    rows = zip(goals, before.tolist(), bent.tolist(), after.tolist(), strict=True)
    return Cohort(method, places, own, tuple(Match(*row) for row in rows), weighed, len(crew))


def unbent(crew: Crew, plausible: int) -> Cohort:
    """Return patients as they were drawn, matched to nothing."""
    return Cohort(UNBENT, np.arange(len(crew)), crew, (), None, plausible)


def _accepted(crew: Crew, goals: Sequence[Goal], n: int, seed: int) -> Indices:
    """Return those accepted by the published means and standard deviations."""
    pairs = [
        (goal, next(o for o in goals if _spreads(goal, o)))
        for goal in goals
        if goal.statistic.kind in ("mean", "change") and any(_spreads(goal, o) for o in goals)
    ]
    if not pairs:
        raise ConfigError('method = "accept" needs a mean with its standard deviation.')
    wanted = [goal for goal, _ in pairs]
    fine, columns = np.ones(len(crew)), []
    for goal, (let_in, baseline, rating) in zip(wanted, seen_of(crew, wanted, seed), strict=True):
        fine *= let_in
        columns.append(goal.statistic.seen(baseline, rating, goal.trial.remission))
    means = np.array([goal.statistic.value for goal in wanted])
    sds = np.array([spread.statistic.value for _, spread in pairs])
    return accepted(np.stack(columns, axis=1), means, sds, fine > 0.0, n, seed)


def _spreads(mean: Goal, other: Goal) -> bool:
    """Say whether another goal is the standard deviation that belongs to a mean."""
    kind = {"mean": "sd", "change": "sd_change"}.get(mean.statistic.kind)
    return other.label == (*mean.label[:3], kind)


def shifts(crowd: Crowd, found: Cohort) -> tuple[Shift, ...]:
    """Return for each trait how far the cohort is from the plausible patients."""
    parts = [
        crowd.people(start, min(start + PART, crowd.size, SOME))
        for start in range(0, min(crowd.size, SOME), PART)
    ]
    before, after = np.concatenate(parts), people_of(crowd, found.crew.numbers)
    chance = 1.358 / np.sqrt(len(after))
    return tuple(
        Shift(
            name,
            (float(before[:, k].mean()), float(before[:, k].std())),
            (float(after[:, k].mean()), float(after[:, k].std())),
            gap(before[:, k], after[:, k]),
            float(chance),
        )
        for k, name in enumerate(crowd.names)
    )


def people_of(crowd: Crowd, numbers: Indices) -> Array:
    """Return the traits of patients by their numbers, (n, n_traits)."""
    return np.concatenate([crowd.people(int(i), int(i) + 1) for i in numbers])


def gap(first: Array, second: Array) -> float:
    """Return the largest gap of two empirical distribution functions."""
    at = np.concatenate([first, second])
    one = np.searchsorted(np.sort(first), at, side="right") / len(first)
    two = np.searchsorted(np.sort(second), at, side="right") / len(second)
    return float(np.abs(one - two).max())
