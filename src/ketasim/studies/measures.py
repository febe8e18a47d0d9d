"""One number from a time course, for many members at once.

Every function takes ``times`` (n_times,) [h] and ``values`` (n_members, n_times) and returns
(n_members,). Nothing is summed across members, and sums over time run in order, so that a member's
number does not depend on its neighbours.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Measure = Callable[..., Array]


def at(times: Array, values: Array, moment: float) -> Array:
    """Return the value at a moment, which is one of the times."""
    found: Array = values[:, int(np.searchsorted(times, moment))].copy()
    return found


def peak(times: Array, values: Array) -> Array:  # noqa: ARG001  (all measures take times)
    """Return the largest value at any output time."""
    found: Array = np.max(values, axis=1)
    return found


def trough(times: Array, values: Array) -> Array:  # noqa: ARG001
    """Return the smallest value at any output time."""
    found: Array = np.min(values, axis=1)
    return found


def time_of_peak(times: Array, values: Array) -> Array:
    """Return the output time of the largest value, the first if there are several."""
    found: Array = times[np.argmax(values, axis=1)]
    return found


def time_of_trough(times: Array, values: Array) -> Array:
    """Return the output time of the smallest value, the first if there are several."""
    found: Array = times[np.argmin(values, axis=1)]
    return found


def area(times: Array, values: Array) -> Array:
    """Return the area under the line through the points."""
    return _total(0.5 * (values[:, 1:] + values[:, :-1]) * np.diff(times))


def mean(times: Array, values: Array) -> Array:
    """Return the mean over time."""
    found: Array = area(times, values) / (times[-1] - times[0])
    return found


def above(times: Array, values: Array, level: float) -> Array:
    """Return how long the line through the points lies above a level."""
    low = np.minimum(values[:, :-1], values[:, 1:])
    high = np.maximum(values[:, :-1], values[:, 1:])
    crossing = (low < level) & (high > level)
    rise = np.where(crossing, high - low, 1.0)
    share = np.where(crossing, (high - level) / rise, np.where(low >= level, 1.0, 0.0))
    flat_at_level = (low == level) & (high == level)
    return _total(np.where(flat_at_level, 0.0, share) * np.diff(times))


def below(times: Array, values: Array, level: float) -> Array:
    """Return how long the line through the points lies below a level."""
    return above(times, -values, -level)


def time_to(times: Array, values: Array, level: float) -> Array:
    """Return when a level is first reached, from whichever side the course starts; else NaN."""
    side = np.sign(values - level)
    reached = side != side[:, :1]
    first = np.argmax(reached, axis=1)
    rows = np.arange(len(values))
    before = values[rows, np.maximum(first - 1, 0)]
    rise = values[rows, first] - before
    share = (level - before) / np.where(rise == 0.0, 1.0, rise)
    crossed = times[first - 1] + share * (times[first] - times[first - 1])
    found = np.where(reached.any(axis=1), crossed, np.nan)
    return np.where(side[:, 0] == 0.0, times[0], found)


def _total(parts: Array) -> Array:
    if parts.shape[1] == 0:
        return np.zeros(len(parts))
    found: Array = np.add.accumulate(parts, axis=1)[:, -1]
    return found
