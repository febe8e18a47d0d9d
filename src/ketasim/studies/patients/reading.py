"""From mood to a score on a form: what a visit and time add, and the error of one rating.

The drug moves mood; a visit and time move the score through levels of their own, which mood never
sees. So one run of the model serves every setting: the score is that of the model's own laws, with
the levels of expectation and care solved exactly, as they follow a constant target at one pace.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ketasim.core.model import Model
from ketasim.models.rating import HEALTHY, MOST_CARED, MOST_EXPECTED, SCALE, Laws

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
PERSON_TRAITS = (
    "person.expectation", "person.slope", "person.course", "person.noise", HEALTHY,
)  # fmt: skip
_GAMMA = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Setting:
    """What a visit brings within a day, and care within weeks, to the usual person [points]."""

    expectation: float
    care: float


@dataclass(frozen=True)
class Persons:
    """What each person brings to a rating, all arrays (n,).

    ``expectation`` is a factor on the setting's, ``slope`` its change from one session to the next
    (a logarithm), ``course`` is added to the setting's care [points], ``noise`` is the error of one
    rating [points], ``healthy`` the score at healthy rest [points].
    """

    expectation: Array
    slope: Array
    course: Array
    noise: Array
    healthy: Array

    def of(self, chosen: Indices) -> "Persons":
        """Return some of them."""
        return Persons(*(one[chosen] for one in vars(self).values()))

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self.noise)


def persons(people: Mapping[str, Array], n: int, model: Model) -> Persons:
    """Return what people bring, from their traits by name; the usual where there is no trait."""

    def own(name: str, usual: float) -> Array:
        return np.asarray(people.get(name, np.full(n, usual)), dtype=float)

    healthy = Laws.of(model).healthy
    return Persons(
        own("person.expectation", 1.0),
        own("person.slope", 0.0),
        own("person.course", 0.0),
        own("person.noise", 0.0),
        own(HEALTHY, healthy),
    )


@dataclass(frozen=True)
class Reader:
    """Reads scores of mood by the model's own laws."""

    laws: Laws

    @classmethod
    def of(cls, model: Model) -> "Reader":
        """Return the reader of a model."""
        return cls(Laws.of(model))

    def scores(
        self,
        mood: Array,
        times: Sequence[float],
        who: Persons,
        setting: Setting,
        sessions: Sequence[float] = (0.0,),
        lift: Array | float = 1.0,
    ) -> Array:
        """Return scores without error of rating, (n, n_times) [points].

        Parameters
        ----------
        mood
            As the model has it at ``times`` [h], (n, n_times).
        sessions
            When a visit renews what is expected [h].
        lift
            A factor on expectation, such as that of having found out the arm, (n,) or one number.
        """
        expected = self._expectancy(times, who, setting.expectation, sessions, lift)
        cared = self._cared(times, who, setting.care)
        return self.laws.score(mood, expected, cared, who.healthy[:, None])

    def _expectancy(
        self,
        times: Sequence[float],
        who: Persons,
        usual: float,
        sessions: Sequence[float],
        lift: Array | float,
    ) -> Array:
        """Return the level of expectancy, which follows the target of the last session."""
        level, found = np.zeros(len(who)), np.zeros((len(who), len(times)))
        ends = [*sessions[1:], math.inf]
        for k, (start, end) in enumerate(zip(sessions, ends, strict=True)):
            grown = usual * who.expectation * np.exp(k * who.slope) * lift
            target = np.clip(grown, 0.0, MOST_EXPECTED)
            for j, time in enumerate(times):
                if start < time <= end:
                    left = math.exp(-self.laws.k_expectancy * (time - start))
                    found[:, j] = target + (level - target) * left
            if end < math.inf:
                left = math.exp(-self.laws.k_expectancy * (end - start))
                level = target + (level - target) * left
        return found

    def _cared(self, times: Sequence[float], who: Persons, usual: float) -> Array:
        target = np.clip(usual + who.course, -MOST_CARED, MOST_CARED)
        grown = [1.0 - math.exp(-self.laws.k_care * max(0.0, time)) for time in times]
        found: Array = target[:, None] * np.array(grown)
        return found


def rated(
    scores: Array,
    times: Sequence[float],
    who: Persons,
    numbers: Indices,
    seed: int,
    *,
    whole: bool = True,
) -> Array:
    """Return what is written on the form, (n, n_times): with error, within the scale, whole points.

    The error depends on the seed, the patient's number and the visit's time, and on nothing else.
    """
    found = np.empty_like(scores)
    for j, time in enumerate(times):
        z = ndtri(chance(seed, round(time * 60.0), numbers))
        found[:, j] = np.clip(scores[:, j] + who.noise * z, *SCALE)
    if whole:
        found = np.rint(found)
    return found


def chance(seed: int, stream: int, numbers: Indices) -> Array:
    """Return a share between 0 and 1 for each number, from a counter-based generator.

    Bits are mixed as by SplitMix64 [steele2014]_; streams of one seed have keys of their own.

    References
    ----------
    .. [steele2014] Steele, Lea and Flood 2014, 10.1145/2660193.2660195
    """
    key = np.random.SeedSequence([seed, stream + 2**32]).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        z = key + (np.asarray(numbers).astype(np.uint64) + np.uint64(1)) * _GAMMA
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    shares: Array = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54
    return shares
