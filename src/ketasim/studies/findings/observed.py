"""What was observed, and how likely it is under a prediction; the interval that is accepted.

The likelihood is Gaussian for numbers, probit for directions. With a small chance, its outlier
probability, a report says nothing about its read-out: a number could then
have been anything within some ten errors, a direction any of the three. That bounds what one
report can weigh: none can decide alone. A prediction that cannot be computed, such as the loss of
an effect that is not there, counts as that chance alone; a run that failed is another matter and is
never asked here (see ``ketasim.studies.judge.scores``).
"""

from dataclasses import dataclass
from math import inf, isfinite, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

Array = NDArray[np.float64]
WAYS = {"down": -1.0, "none": 0.0, "up": 1.0}
VAGUE = 10.0  # an outlier is uniform over so many sqrt(2 pi) errors
UNREAD = 10.0  # residual of a datum for which finished runs give no number
FLOOR = 1e-9  # share of a value below which its logarithm is not followed
SHARPEST = 5e-4  # least error of an end, in the interval's unit
TWO_SIDED = 1.959963984540054  # standard errors at which an effect is called one


@dataclass(frozen=True)
class Number:
    """A number with its error: a standard deviation that holds measurement and translation."""

    observed: float | None
    error: float

    def likelihood(self, seen: Array, predicted: Array, outlier: float) -> Array:
        """Return the density of what was seen, in units of that at the centre of a sure report."""
        with np.errstate(invalid="ignore", over="ignore"):
            sure = np.exp(-0.5 * ((seen - predicted) / self.error) ** 2)
        return (1.0 - outlier) * np.nan_to_num(sure, nan=0.0) + outlier / VAGUE

    def simulate(self, predicted: Array, outlier: float, rng: np.random.Generator) -> Array:
        """Return what such an experiment might see under predictions."""
        noise = rng.standard_normal(predicted.shape)
        vague = (rng.random(predicted.shape) - 0.5) * VAGUE * sqrt(2.0 * pi)
        lost = (rng.random(predicted.shape) < outlier) | ~np.isfinite(predicted)
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

    def likelihood(self, seen: Array, predicted: Array, outlier: float) -> Array:
        """Return the probability of what was seen (-1, 0 or 1)."""
        size = predicted / self.least
        up, down = ndtr(TWO_SIDED * (size - 1.0)), ndtr(-TWO_SIDED * (size + 1.0))
        found = np.where(seen > 0.5, up, np.where(seen < -0.5, down, 1.0 - up - down))
        found = np.where(np.isfinite(predicted), found, 0.0)
        return np.asarray((1.0 - outlier) * found + outlier / 3.0)

    def simulate(self, predicted: Array, outlier: float, rng: np.random.Generator) -> Array:
        """Return what such an experiment might report under predictions."""
        noise = rng.standard_normal(predicted.shape) * self.least / TWO_SIDED
        any_way = rng.integers(-1, 2, predicted.shape).astype(float)
        lost = (rng.random(predicted.shape) < outlier) | ~np.isfinite(predicted)
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


@dataclass(frozen=True)
class Curve:
    """A number at each of several times [h]; ``values`` is None where nothing was seen yet."""

    times: tuple[float, ...]
    values: tuple[float, ...] | None
    errors: tuple[float, ...]

    @property
    def observed(self) -> tuple[float, ...] | None:
        """Return the values seen, None in a proposal."""
        return self.values

    @property
    def points(self) -> tuple[Number, ...]:
        """Return a number for each time."""
        values = self.values or (None,) * len(self.times)
        return tuple(Number(value, error) for value, error in zip(values, self.errors, strict=True))

    @property
    def told(self) -> str:
        """Return the observation as text."""
        pairs = zip(self.times, self.points, strict=True)
        return "; ".join(f"{time:g} h: {one.told}" for time, one in pairs)


@dataclass(frozen=True)
class Interval:
    """What a scorecard accepts, from ``low`` to ``high``; a ``reported`` number is not judged."""

    low: float = -inf
    high: float = inf
    target: float | None = None
    reported: bool = False

    def holds(self, value: float) -> bool:
        """Return whether a prediction agrees; nan does not."""
        return self.reported or (isfinite(value) and self.low <= value <= self.high)

    def residuals(self, values: Array, *, sharp: float, most: float) -> Array:
        """Return roots of twice the log-likelihood that values lose, of their shape.

        An interval is a datum of which is known that it lay inside; it holds the report's own error
        already. What is uncertain is where its ends are: by a share ``sharp`` of its width, or of
        the end where there is but one. Residuals level off at ``most``; nan counts as ``most``.
        """
        ends = [abs(end) for end in (self.low, self.high) if isfinite(end)]
        span = self.high - self.low if len(ends) == 2 else ends[0]
        error = max(sharp * span, SHARPEST)
        with np.errstate(all="ignore"):
            above = log_ndtr((values - self.low) / error)
            below = log_ndtr((self.high - values) / error)
        found = np.sqrt(np.maximum(-2.0 * (above + below), 0.0))
        return np.asarray(np.nan_to_num(most * np.tanh(found / most), nan=most, posinf=most))

    @property
    def told(self) -> str:
        """Return the interval as text."""
        if self.reported:
            return "reported"
        if self.target is not None:
            return f"{self.target:g} ({self.low:g} to {self.high:g})"
        if self.low == -inf:
            return f"<= {self.high:g}"
        return f">= {self.low:g}" if self.high == inf else f"{self.low:g} to {self.high:g}"


Observation = Number | Direction | Curve


def _grade(distance: Array, near: float, far: float) -> Array:
    found = np.where(distance <= near, 2.0, np.where(distance <= far, 1.0, 0.0))
    return np.where(np.isnan(distance), np.nan, found)


def seen(what: Number | Direction) -> float:
    """Return what was observed as a number; nan where nothing was yet."""
    if what.observed is None:
        return float("nan")
    return WAYS[what.observed] if isinstance(what.observed, str) else what.observed


def deviance(observed: Number | Direction, predicted: Array, outlier: float) -> Array:
    """Return the signed root of twice the log-likelihood that predictions lose, (n,).

    Least squares of these is maximum likelihood. It is 0 where a prediction could not be better,
    the number of errors for a number that is surely no outlier, and finite everywhere.
    """
    what = np.full(len(predicted), seen(observed))
    found = observed.likelihood(what, predicted, outlier)
    ways = VAGUE if isinstance(observed, Number) else 3.0
    size = np.sqrt(np.maximum(2.0 * np.log((1.0 - outlier + outlier / ways) / found), 0.0))
    towards = predicted - what if isinstance(observed, Number) else predicted
    return np.where(towards < 0.0, -size, size)


@dataclass(frozen=True)
class Readings:
    """Values of one assay, arrays (n_points,), with errors; ``censored`` is -1 for "below it".

    With ``log`` the errors are those of logarithms.
    """

    values: Array
    errors: Array
    censored: NDArray[np.intp]
    log: bool = False

    def residuals(self, predicted: Array) -> Array:
        """Return signed roots of deviances of readings predicted, (n, n_points), all finite."""
        with np.errstate(all="ignore"):
            if self.log:
                least = FLOOR * self.values
                apart = np.log(np.maximum(predicted, least)) - np.log(self.values)
            else:
                apart = predicted - self.values
            apart = apart / self.errors
            hidden = -self.censored * np.sqrt(-2.0 * log_ndtr(self.censored * apart))
        found = np.where(self.censored == 0, apart, hidden)
        return np.where(np.isfinite(found), found, UNREAD)

    def best(self, values: Array, *, scale: bool, offset: bool) -> tuple[Array, Array]:
        """Return the likeliest offset and scale for predictions (n, n_points), each (n, 1)."""
        n, weight = len(values), 1.0 / self.errors**2
        share = weight / weight.sum()
        with np.errstate(all="ignore"):
            if self.log:
                apart = np.log(self.values) - np.log(np.maximum(values, FLOOR * self.values))
                return np.zeros((n, 1)), np.exp(apart @ share)[:, None]
            mean, middle = (values @ share, self.values @ share) if offset else (np.zeros(n), 0.0)
            by = np.ones(n)
            if scale:
                off = values - mean[:, None]
                by = (off * (self.values - middle)) @ weight / (off**2 @ weight)
                by = np.where(by > FLOOR, by, FLOOR)
        return (middle - by * mean)[:, None], by[:, None]
