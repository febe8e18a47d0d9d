"""How likely an outcome is under a prediction: Gaussian for numbers, probit for directions.

With a small chance, its ``doubt``, a report says nothing about its read-out: a number could then
have been anything within some ten errors, a direction any of the three. That bounds what one
report can weigh: none can decide alone. A prediction that cannot be computed, such as the loss of
an effect that is not there, counts as that chance alone.
"""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]
WAYS = {"down": -1.0, "none": 0.0, "up": 1.0}
VAGUE = 10.0  # a number in doubt is uniform over so many sqrt(2 pi) errors
TWO_SIDED = 1.959963984540054  # standard errors at which an effect is called one


@dataclass(frozen=True)
class Number:
    """A number with its error: a standard deviation that holds measurement and translation."""

    observed: float | None
    error: float

    def likelihood(self, seen: Array, predicted: Array, doubt: float) -> Array:
        """Return the density of what was seen, in units of that at the centre of a sure report."""
        with np.errstate(invalid="ignore", over="ignore"):
            sure = np.exp(-0.5 * ((seen - predicted) / self.error) ** 2)
        return (1.0 - doubt) * np.nan_to_num(sure, nan=0.0) + doubt / VAGUE

    def simulate(self, predicted: Array, doubt: float, rng: np.random.Generator) -> Array:
        """Return what such an experiment might see under predictions."""
        noise = rng.standard_normal(predicted.shape)
        vague = (rng.random(predicted.shape) - 0.5) * VAGUE * sqrt(2.0 * pi)
        lost = (rng.random(predicted.shape) < doubt) | ~np.isfinite(predicted)
        centre = np.where(np.isfinite(predicted), predicted, self.observed or 0.0)
        return centre + self.error * np.where(lost, vague, noise)

    def distance(self, predicted: Array) -> Array:
        """Return how many errors a prediction lies from what was observed."""
        seen = np.nan if self.observed is None else self.observed
        return np.asarray(np.abs(predicted - seen) / self.error)

    def agreement(self, predicted: Array) -> Array:
        """Return 2 within two errors, 1 within three, else 0; nan where there is no prediction."""
        return _grade(self.distance(predicted), 2.0, 3.0)

    @property
    def told(self) -> str:
        """Return the observation as text."""
        if self.observed is None:
            return f"± {self.error:g}"
        return f"{self.observed:g} ± {self.error:g}"


@dataclass(frozen=True)
class Direction:
    """Up, down or none; ``least`` is the smallest estimate that would be called an effect."""

    observed: str | None
    least: float

    def likelihood(self, seen: Array, predicted: Array, doubt: float) -> Array:
        """Return the probability of what was seen (-1, 0 or 1)."""
        size = predicted / self.least
        up, down = ndtr(TWO_SIDED * (size - 1.0)), ndtr(-TWO_SIDED * (size + 1.0))
        found = np.where(seen > 0.5, up, np.where(seen < -0.5, down, 1.0 - up - down))
        found = np.where(np.isfinite(predicted), found, 0.0)
        return np.asarray((1.0 - doubt) * found + doubt / 3.0)

    def simulate(self, predicted: Array, doubt: float, rng: np.random.Generator) -> Array:
        """Return what such an experiment might report under predictions."""
        noise = rng.standard_normal(predicted.shape) * self.least / TWO_SIDED
        any_way = rng.integers(-1, 2, predicted.shape).astype(float)
        lost = (rng.random(predicted.shape) < doubt) | ~np.isfinite(predicted)
        estimate = np.where(lost, 0.0, predicted) + noise
        called = np.where(np.abs(estimate) > self.least, np.sign(estimate), 0.0)
        return np.where(lost, any_way, called)

    def distance(self, predicted: Array) -> Array:
        """Return how many standard errors a prediction lies on the wrong side; 0 if on the right.

        For none, that is how far it lies beyond what would have been noticed.
        """
        size = TWO_SIDED * predicted / self.least
        if self.observed == "none":
            return np.maximum(np.abs(size) - TWO_SIDED, 0.0)
        sign = WAYS.get(self.observed or "", np.nan)
        return np.maximum(TWO_SIDED - sign * size, 0.0)

    def agreement(self, predicted: Array) -> Array:
        """Return 2 where the report is likely (over 16 %), 1 where it is not rare (over 3 %), or 0.

        It is nan where there is no prediction.
        """
        return _grade(self.distance(predicted), 1.0, 1.9)

    @property
    def told(self) -> str:
        """Return the observation as text."""
        return f"{self.observed} (> {self.least:g})" if self.observed else f"> {self.least:g}?"


Outcome = Number | Direction


def _grade(distance: Array, near: float, far: float) -> Array:
    found = np.where(distance <= near, 2.0, np.where(distance <= far, 1.0, 0.0))
    return np.where(np.isnan(distance), np.nan, found)


def seen(outcome: Outcome) -> float:
    """Return what was observed as a number; nan where nothing was yet."""
    if outcome.observed is None:
        return float("nan")
    return WAYS[outcome.observed] if isinstance(outcome.observed, str) else outcome.observed
