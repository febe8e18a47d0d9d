"""A Hill curve through points: how much, at which dose half of it, how steep."""

from dataclasses import dataclass
from math import exp, inf, isfinite, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import t

Array = NDArray[np.float64]
FEWEST = 5
STEEPEST = 20.0
REACH = 2.0  # how far beyond the doses given an EC50 may lie; further is guessing
LEAST_R2 = 0.9


@dataclass(frozen=True)
class Hill:
    """``bottom + span * x**steepness / (ec50**steepness + x**steepness)``.

    ``low`` and ``high`` hold the EC50 with 95 % confidence, given scatter around the curve; ``r2``
    is the share of the variance explained.
    """

    bottom: float
    span: float
    ec50: float
    steepness: float
    low: float
    high: float
    r2: float

    def __call__(self, x: Array) -> Array:
        """Return the curve at doses ``x``."""
        return _curve(np.array([self.bottom, self.span, log(self.ec50), log(self.steepness)]), x)


def fit_hill(x: Array, y: Array) -> Hill | None:
    """Return the least-squares Hill curve, or None when none describes the points.

    Points with a dose of 0 count; those that are not finite do not. None is returned for fewer than
    five points, for a response that does not change, for less than 90 % of the variance explained
    (as where a response falls again), and for an EC50 far from every dose given.
    """
    fine = np.isfinite(x) & np.isfinite(y) & (x >= 0.0)
    x, y = x[fine], y[fine]
    positive = np.unique(x[x > 0.0])
    spread = float(np.ptp(y)) if len(y) else 0.0
    if len(positive) < FEWEST or spread <= 1e-9 * max(1.0, float(np.abs(y).max())):
        return None
    tries = [_attempt(x, y, start, positive) for start in np.quantile(positive, (0.2, 0.5, 0.8))]
    best = min(tries, key=lambda one: one.cost)
    bottom, span, log_ec50, log_steepness = best.x
    r2 = 1.0 - 2.0 * best.cost / float(np.sum((y - y.mean()) ** 2))
    edges = positive[0] / REACH, positive[-1] * REACH
    if r2 < LEAST_R2 or not edges[0] < exp(log_ec50) < edges[1]:
        return None
    half = _half_width(best, len(y))
    ends = (exp(log_ec50 - half), exp(log_ec50 + half)) if half < 50.0 else (0.0, inf)
    return Hill(float(bottom), float(span), exp(log_ec50), exp(log_steepness), *ends, float(r2))


def _curve(p: Array, x: Array) -> Array:
    with np.errstate(divide="ignore", over="ignore"):
        odds = np.exp(np.exp(p[3]) * (np.log(x) - p[2]))
        found: Array = p[0] + p[1] * np.where(np.isinf(odds), 1.0, odds / (1.0 + odds))
    return found


def _attempt(x: Array, y: Array, ec50: float, positive: Array) -> "least_squares":
    first, last = float(y[np.argmin(x)]), float(y[np.argmax(x)])
    start = np.array([first, last - first, log(ec50), 0.0])
    wide = 4.0 * float(np.ptp(y))
    low = [y.min() - wide, -3.0 * wide, log(positive[0]) - 5.0, log(0.1)]
    high = [y.max() + wide, 3.0 * wide, log(positive[-1]) + 5.0, log(STEEPEST)]
    scale = float(np.ptp(y))
    return least_squares(
        lambda p: _curve(p, x) - y, start, bounds=(low, high), x_scale=[scale, scale, 1.0, 1.0]
    )


def _half_width(found: "least_squares", n: int) -> float:
    """Return half of the 95 % interval of the logarithm of the EC50."""
    free = n - 4
    if free < 1:
        return inf
    variance = 2.0 * found.cost / free
    inverse = np.linalg.pinv(found.jac.T @ found.jac)
    width = float(t.ppf(0.975, free)) * sqrt(max(0.0, variance * float(inverse[2, 2])))
    return width if isfinite(width) else inf
