"""Weights that bend a population to published numbers as little as can be: maximum entropy.

Of all weights, those are taken that differ least from equal ones (in relative entropy) while each
statistic may miss its published value by a share of its sampling error: a convex problem in one
number for each statistic, whatever the number of patients [hainmueller2012]_.

References
----------
.. [hainmueller2012] Hainmueller 2012, 10.1093/pan/mpr025
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import SolverError

Array = NDArray[np.float64]
PART = 65_536  # patients taken at once; no number but rounding depends on it
SLACK = 1.0  # a miss of one sampling error costs half a nat, as its own likelihood does
MOST_STEPS, CLOSE = 100, 1e-9
DIGITS = 7  # of the multipliers, so that rounding in sums moves no weight


@dataclass(frozen=True)
class Weighed:
    """Weights (n,) that sum to 1, and the multiplier of each statistic (n_statistics,)."""

    weights: Array
    multipliers: Array

    @property
    def effective(self) -> float:
        """Return how many equal patients the weights are worth (Kish)."""
        return float(1.0 / (self.weights**2).sum())

    @property
    def bent(self) -> float:
        """Return the relative entropy of the weights against equal ones [nats]."""
        some = self.weights[self.weights > 0.0]
        return float((some * np.log(some * len(self.weights))).sum())


def weigh(scores: NDArray[np.floating], *, slack: float = SLACK) -> Weighed:
    """Return the weights under which the mean of every column of ``scores`` is near 0.

    Parameters
    ----------
    scores
        What each patient adds to each statistic less its value, in sampling errors,
        (n_patients, n_statistics).
    slack
        How dear a miss is: a miss of m errors costs m^2 / (2 slack) nats.

    Raises
    ------
    SolverError
        When no weights come near: the statistics contradict one another in these patients.
    """
    at = np.zeros(scores.shape[1])
    value, slope, curve = _dual(scores, at, slack)
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(curve, -slope)
        fall = float(slope @ step)
        if -fall < CLOSE:
            break
        size = 1.0
        while True:
            new = _dual(scores, at + size * step, slack)
            if new[0] <= value + 1e-4 * size * fall:
                break
            size /= 2.0
            if size < 1e-8:
                raise SolverError("weights: no further step helps; the statistics contradict.")
        at, (value, slope, curve) = at + size * step, new
    else:
        raise SolverError(f"weights: not found in {MOST_STEPS} steps; loosen slack or targets.")
    at = np.round(at, DIGITS)
    logs = _logs(scores, at)
    raised = np.exp(logs - logs.max())
    return Weighed(raised / raised.sum(), at)


def _logs(scores: NDArray[np.floating], at: Array) -> Array:
    found = np.empty(len(scores))
    for start in range(0, len(scores), PART):
        part = scores[start : start + PART].astype(float)
        found[start : start + PART] = part @ at
    return found


def _dual(scores: NDArray[np.floating], at: Array, slack: float) -> tuple[float, Array, Array]:
    """Return the log of the mean tilt with its price, its slope and its curvature."""
    logs = _logs(scores, at)
    top = float(logs.max())
    total, first, second = 0.0, np.zeros(len(at)), np.zeros((len(at), len(at)))
    for start in range(0, len(scores), PART):
        part = scores[start : start + PART].astype(float)
        raised = np.exp(logs[start : start + PART] - top)
        total += float(raised.sum())
        first += raised @ part
        second += (part * raised[:, None]).T @ part
    mean = first / total
    value = top + np.log(total / len(scores)) + 0.5 * slack * float(at @ at)
    curve = second / total - np.outer(mean, mean) + slack * np.eye(len(at))
    return value, mean + slack * at, curve
