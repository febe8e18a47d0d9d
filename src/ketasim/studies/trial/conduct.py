"""One trial, patient by patient and visit by visit.

Everybody's mood in every arm is known beforehand; a trial draws who comes, lets in whom its
screening accepts, randomises in the shares of its arms, and reads what can be read of those who
stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from ketasim.core.protocol import Protocol
from ketasim.errors import SolverError
from ketasim.models.rating import SCALE
from ketasim.studies.patients.crew import SCREENING, Crew
from ketasim.studies.patients.reading import Indices, Persons, chance
from ketasim.studies.trial.plan import Plan, TrialArm

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
MOST_TRIES = 50  # times the size of a trial that is screened for it
BELIEF, LEFT, ADVERSE = 101, 102, 103  # streams of chance, beside those of visits (minutes)
AFTER = 2**20  # of stream numbers, beyond any minute of a visit


@dataclass(frozen=True)
class Pool:
    """Patients of whom a trial draws.

    ``moods`` holds mood at the visits under each protocol, (n, n_visits); ``peaks`` the greatest
    dissociation of the first session [points], (n,). Who comes is drawn in proportion to
    ``weights``, where there are any.
    """

    crew: Crew
    moods: Mapping[Protocol, Array]
    peaks: Mapping[Protocol, Array]
    weights: Array | None = None

    def drawn(self, source: np.random.Generator, n: int) -> Indices:
        """Return ``n`` places drawn with replacement."""
        if self.weights is None:
            return source.integers(len(self.crew), size=n)
        return source.choice(len(self.crew), size=n, p=self.weights / self.weights.sum())

    def mood(self, arm: TrialArm, who: Indices) -> Array:
        """Return mood before and at visits of some patients in an arm, (n, 1 + n_visits)."""
        rest = self.crew.rest[who][:, None]
        if not arm.drugged:
            count = len(next(iter(self.moods.values())).T) if self.moods else 1
            return np.repeat(rest, 1 + count, axis=1)
        return np.hstack([rest, self.moods[arm.protocol][who]])

    def peak(self, arm: TrialArm, who: Indices) -> Array:
        """Return the dissociation of some patients at the first session of an arm."""
        return self.peaks[arm.protocol][who] if arm.drugged else np.zeros(len(who))


@dataclass(frozen=True)
class Conduct:
    """What happened: one row a patient.

    ``who`` are places in the pool, ``arm`` that of the arm; ``scores`` are ratings at visits with
    those after a loss still there, ``seen`` whether each was made, ``rescued`` whether rescue had
    begun before it, all (n, n_visits). ``believes`` says who takes the drug for given.
    """

    who: Indices
    arm: Indices
    baseline: Array
    scores: Array
    seen: Flags
    rescued: Flags
    believes: Flags

    def analysed(self, estimand: str) -> Array:
        """Return ratings with NaN for those not to be analysed, (n, n_visits)."""
        used = self.seen if estimand == "policy" else self.seen & ~self.rescued
        return np.where(used, self.scores, np.nan)

    @property
    def lost(self) -> Flags:
        """Return who had left before the last visit."""
        return ~self.seen[:, -1]


def conduct(pool: Pool, plan: Plan, patients: int, seed: int) -> Conduct:
    """Carry out one trial.

    Raises
    ------
    SolverError
        When hardly anybody of the pool may enter.
    """
    source = np.random.default_rng([seed, 3])
    who, screened, baseline = _enrolled(pool, plan, patients, source, seed)
    arm = _randomised(plan, patients, source)
    clean, believes = _scores(pool, plan, who, arm, screened, seed)
    noise = pool.crew.who.noise[who]
    raw = np.stack(
        [
            clean[:, j] + noise * ndtri(chance(seed, round(time * 60.0), screened))
            for j, time in enumerate(plan.visits)
        ],
        axis=1,
    )
    scores, rescued = _rescued(raw, plan)
    seen = _stayed(scores, plan, arm, screened, seed)
    return Conduct(who, arm, baseline, scores, seen, rescued, believes)


def _enrolled(
    pool: Pool, plan: Plan, patients: int, source: np.random.Generator, seed: int
) -> tuple[Indices, Indices, Array]:
    """Return who is let in, their running numbers at screening, and their baseline ratings."""
    places: list[Indices] = []
    numbers: list[Indices] = []
    ratings: list[Array] = []
    had, tried = 0, 0
    while had < patients:
        some = pool.drawn(source, 2 * patients)
        own = np.arange(tried, tried + len(some))
        rating = _before(pool, plan, some, own, seed)
        inside = (rating[:, 0] >= plan.least) & (rating[:, 0] <= plan.most)
        places.append(some[inside])
        numbers.append(own[inside])
        ratings.append(rating[inside, 1])
        had, tried = had + int(inside.sum()), tried + len(some)
        if tried > MOST_TRIES * patients:
            raise SolverError(
                f"{plan.name}: of {tried:,} screened {had} may enter; change least or most."
            )
    return (
        np.concatenate(places)[:patients],
        np.concatenate(numbers)[:patients],
        np.concatenate(ratings)[:patients],
    )


def _before(pool: Pool, plan: Plan, some: Indices, own: Indices, seed: int) -> Array:
    """Return ratings at screening and at baseline, (n, 2)."""
    who = pool.crew.who.of(some)
    mood = np.repeat(pool.crew.rest[some][:, None], 2, axis=1)
    times = (SCREENING, 0.0)
    scores = pool.crew.reader.scores(mood, times, who, plan.setting, plan.sessions)
    for j, time in enumerate(times):
        scores[:, j] += who.noise * ndtri(chance(seed, round(time * 60.0), own))
    return written(scores, whole=plan.whole)


def written(scores: Array, *, whole: bool) -> Array:
    """Return scores as they stand on the form: within the scale, in whole points where asked."""
    within = np.clip(scores, *SCALE)
    return np.rint(within) if whole else within


def _randomised(plan: Plan, patients: int, source: np.random.Generator) -> Indices:
    """Return each patient's arm: numbers in the arms' shares, in an order of chance."""
    shares = np.array([arm.share for arm in plan.arms])
    ends = np.rint(np.cumsum(shares) / shares.sum() * patients).astype(int)
    arm = np.searchsorted(ends, np.arange(patients), side="right")
    return source.permutation(arm)


def _scores(
    pool: Pool, plan: Plan, who: Indices, arm: Indices, numbers: Indices, seed: int
) -> tuple[Array, Flags]:
    """Return scores without error of rating at visits, and who takes the drug for given."""
    found = np.empty((len(who), len(plan.visits)))
    believes = np.zeros(len(who), dtype=bool)
    share = chance(seed, AFTER + BELIEF, numbers)
    for k, one in enumerate(plan.arms):
        mine = arm == k
        own: Persons = pool.crew.who.of(who[mine])
        how = plan.blinding
        odds = expit((pool.peak(one, who[mine]) - how.half) / how.width)
        believes[mine] = share[mine] < odds
        lift = np.where(believes[mine], how.believed, how.doubted)
        found[mine] = pool.crew.reader.scores(
            pool.mood(one, who[mine])[:, 1:], plan.visits, own, plan.setting, plan.sessions,
            1.0 if how.kept else lift,
        )  # fmt: skip
    return found, believes


def _rescued(raw: Array, plan: Plan) -> tuple[Array, Flags]:
    """Return ratings, and whether rescue had begun before each."""
    found, begun = np.empty_like(raw), np.zeros(len(raw), dtype=bool)
    rescued = np.zeros(raw.shape, dtype=bool)
    for j, time in enumerate(plan.visits):
        rescued[:, j] = begun
        found[:, j] = written(raw[:, j] - plan.rescue.gain * begun, whole=plan.whole)
        if time >= plan.rescue.start:
            begun = begun | (found[:, j] >= plan.rescue.least)
    return found, rescued


def _stayed(scores: Array, plan: Plan, arm: Indices, numbers: Indices, seed: int) -> Flags:
    """Return whether each rating was made: nobody comes back."""
    how, last = plan.dropout, plan.visits[-1]
    hazard = -np.log1p(-how.share) / last
    drugged = np.array([one.drugged for one in plan.arms])[arm]
    adverse = -np.log1p(-how.adverse) / last * drugged
    spent, seen = np.zeros(len(scores)), np.ones(scores.shape, dtype=bool)
    limit = -np.log(chance(seed, AFTER + LEFT, numbers))  # an exponential life
    before = 0.0
    for j, time in enumerate(plan.visits):
        worse = (scores[:, j - 1] - scores[:, j - 1].mean()) / 10.0 if j else np.zeros(len(scores))
        spent += (hazard * np.exp(how.lack * worse) + adverse) * (time - before)
        seen[:, j] = spent < limit
        before = time
    return seen
