"""What a published trial saw: arms, visits, and statistics with their sampling errors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Protocol
from ketasim.studies.patients.reading import Setting

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
RESPONSE = 0.5  # of the score at baseline that has gone
KINDS: Mapping[str, str] = {
    "mean": "points",
    "sd": "points",
    "change": "points",
    "sd_change": "points",
    "response": "1",
    "remission": "1",
}


@dataclass(frozen=True)
class Statistic:
    """One number of one arm at one visit, ``at`` [h]; ``error`` is its sampling error.

    ``about`` is the mean that a standard deviation was taken about.
    """

    kind: str
    at: float
    value: float
    error: float
    n: int
    about: float = 0.0

    def scores(self, baseline: Array, rating: Array, remission: float) -> Array:
        """Return what each patient adds to the statistic less its value, in sampling errors.

        The mean of these over a population is 0 where it has the published value.
        """
        if self.kind in ("sd", "sd_change"):
            of = rating if self.kind == "sd" else rating - baseline
            return ((of - self.about) ** 2 - self.value**2) / (2.0 * self.value * self.error)
        found = self.seen(baseline, rating, remission)
        return (found - self.value) / self.error

    def seen(self, baseline: Array, rating: Array, remission: float) -> Array:
        """Return each patient's own number: a score, a change, or whether there was response."""
        if self.kind == "response":
            return (rating <= (1.0 - RESPONSE) * baseline).astype(float)
        if self.kind == "remission":
            return (rating <= remission).astype(float)
        return rating - baseline if self.kind in ("change", "sd_change") else rating

    def of(self, baseline: Array, rating: Array, remission: float, weights: Array) -> float:
        """Return the statistic of a population with weights."""
        found, total = self.seen(baseline, rating, remission), float(weights.sum())
        mean = float(weights @ found) / total
        if self.kind in ("sd", "sd_change"):
            return sqrt(max(float(weights @ (found - mean) ** 2) / total, 0.0))
        return mean


@dataclass(frozen=True)
class PublishedArm:
    """One arm: what was given, to how many, and what was seen."""

    name: str
    protocol: Protocol
    n: int
    seen: tuple[Statistic, ...]

    @property
    def drugged(self) -> bool:
        """Return whether anything was given."""
        return bool(self.protocol.doses)

    @property
    def times(self) -> tuple[float, ...]:
        """Return the visits [h], in order."""
        return tuple(sorted({one.at for one in self.seen}))


@dataclass(frozen=True)
class PublishedTrial:
    """A trial: who was let in, which arms there were, and what it stands on.

    ``least`` and ``most`` bound the score at screening; ``remission`` is the greatest score that
    counts as such. ``held`` is a setting that is known beforehand; it is fitted to the control arm
    where there is none.
    """

    name: str
    title: str
    arms: tuple[PublishedArm, ...]
    least: float = 0.0
    most: float = 60.0
    remission: float = 12.0
    held: Setting | None = None
    references: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    note: str = ""

    @property
    def sessions(self) -> tuple[float, ...]:
        """Return when visits bring expectation [h]: the doses of the arm that has most."""
        starts = [tuple(sorted({d.start for d in arm.protocol.doses})) for arm in self.arms]
        return max(starts, key=len, default=()) or (0.0,)

    @property
    def times(self) -> tuple[float, ...]:
        """Return all visits of all arms [h], the beginning first."""
        return tuple(sorted({0.0, *(time for arm in self.arms for time in arm.times)}))

    @property
    def controls(self) -> tuple[PublishedArm, ...]:
        """Return the arms in which nothing was given."""
        return tuple(arm for arm in self.arms if not arm.drugged)

    def statistics(self) -> Iterator[tuple[PublishedArm, Statistic]]:
        """Yield every statistic with its arm."""
        for arm in self.arms:
            for one in arm.seen:
                yield arm, one


def error_of(kind: str, value: float, n: int, sd: float | None) -> float:
    """Return the sampling error of a statistic of ``n`` patients whose spread is ``sd``.

    A share is moved half a patient from its ends, so that none is taken for certain.
    """
    if kind in ("response", "remission"):
        share = (value * n + 0.5) / (n + 1.0)
        return sqrt(share * (1.0 - share) / n)
    if kind in ("sd", "sd_change"):
        return value / sqrt(2.0 * (n - 1))
    return float("nan") if sd is None else sd / sqrt(n)
