"""One time course as its solver knows it, and the numbers taken of it.

A course is a row of *panels*, each a stretch of one step with a value at its ends and at three
places between; the curve through the five stands for what lies between. The ensemble engine takes
the same numbers as it runs (``ketasim.compile.scan``); this is the other opinion, in NumPy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.readouts.derive import Primitive

Array = NDArray[np.float64]
PLACES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
WEIGHTS = np.array([7.0, 32.0, 12.0, 32.0, 7.0]) / 90.0
TIE = 1e-5  # of the range: of hills alike to this share, the first counts
ROUGH = 2e-3  # of the size: a fourth difference beyond it has a step looked at more finely
LOOKS = 3  # tops at which the true value is looked up
FINELY = 32  # parts of a panel looked at for a crossing
HALVINGS = 50
_TO_POWERS = np.linalg.inv(np.vander(PLACES, 5, increasing=True))


def is_rough(values: Array) -> NDArray[np.bool_]:
    """Return which panels (..., 5) bend too sharply for the curve through five values."""
    bend = np.abs(values @ np.array([1.0, -4.0, 6.0, -4.0, 1.0]))
    size = np.abs(values[..., [0, 2, 4]]).max(axis=-1)
    return np.asarray(bend > ROUGH * size)


@dataclass(frozen=True)
class Course:
    """Values (n_panels, 5) over panels that begin at ``begins`` [h] and are ``lengths`` [h] long.

    ``before`` is the value just before time 0, or before anything is done. ``look(t)`` is the true
    value at a time within a panel, where the curve is only close.
    """

    begins: Array
    lengths: Array
    values: Array
    before: float
    after: float | None = None
    look: Callable[[int, float], float] | None = None

    def take(self, one: Primitive, level: float) -> tuple[float, float]:
        """Return a primitive's value and its time [h], NaN where the window holds nothing."""
        if one.kind == "start":
            return self.before, np.nan
        window = (-np.inf, np.inf) if one.window is None else one.window
        if one.kind == "time_to_fall":
            windowed = one.window is not None and one.window[0] > max(0.0, self.begins[0])
            window = max(window[0], 0.0), window[1]
            part = self.within(*window)
            if not len(part.begins):
                return np.nan, np.nan
            start = part.values[0, 0] if windowed else self.before
            return part.first_crossing(start - level), np.nan
        part = self.within(*window)
        if one.kind == "auc":
            return float(np.sum(part.lengths * (part.values @ WEIGHTS))), np.nan
        if one.kind in ("above", "below"):
            return part.time_beyond(level, 1.0 if one.kind == "above" else -1.0), np.nan
        if not len(part.begins):
            return np.nan, np.nan
        if one.kind == "time_to":
            return part.first_crossing(level), np.nan
        return part.extreme(1.0 if one.kind == "peak" else -1.0)

    def within(self, begin: float, end: float) -> "Course":
        """Return the part of the course between two times [h]."""
        ends = self.begins + self.lengths
        if begin <= self.begins[0] and end >= ends[-1]:
            return self
        keep = np.flatnonzero((ends > begin) & (self.begins < end))
        first = np.maximum(self.begins[keep], begin)
        last = np.minimum(ends[keep], end)
        values = self.values[keep].copy()
        looks = {}
        for k, i in enumerate(keep):
            if first[k] > self.begins[i] or last[k] < ends[i]:
                times = first[k] + PLACES * (last[k] - first[k])
                values[k] = self._at(int(i), times)
            looks[k] = int(i)
        look = self.look
        inner = None if look is None else (lambda k, t: look(looks[k], t))
        after = self.after if end >= ends[-1] else None
        return Course(first, last - first, values, self.before, after, inner)

    def _at(self, i: int, times: Array) -> Array:
        if self.look is not None:
            return np.array([self.look(i, float(t)) for t in times])
        x = (times - self.begins[i]) / self.lengths[i]
        return np.asarray(np.polynomial.polynomial.polyval(x, self._powers[i]))

    @cached_property
    def _powers(self) -> Array:
        """Return the coefficients of each panel's curve over 0 to 1, lowest power first."""
        return np.asarray(self.values @ _TO_POWERS.T)

    def extreme(self, sign: float) -> tuple[float, float]:
        """Return the largest value (of ``sign`` times the course) and when its first hill was."""
        times = (self.begins[:, None] + PLACES * self.lengths[:, None]).ravel()
        heights = sign * self.values.ravel()
        at, tops = self._tops(sign, float(heights.max()))
        if self.after is not None:
            at, tops = np.append(at, times[-1]), np.append(tops, sign * self.after)
        times, heights = np.append(times, at), np.append(heights, tops)
        order = np.argsort(times, kind="stable")
        times, heights = times[order], heights[order]
        best = float(heights.max())
        alike = heights >= best - TIE * (best - float(heights.min()))
        begin = int(np.argmax(alike))
        stop = begin + int(np.argmin(alike[begin:])) if not alike[begin:].all() else len(alike)
        top = begin + int(np.argmax(heights[begin:stop]))
        return sign * best, float(times[top])

    def _tops(self, sign: float, best: float) -> tuple[Array, Array]:
        """Return when and how high the course turns within panels, where that may matter."""
        heights = sign * self.values
        reach = heights.max(axis=1) + np.ptp(heights, axis=1)  # a quartic goes no further
        near = np.flatnonzero(reach >= best - TIE * (best - float(heights.min())))
        slopes = sign * self._powers[near, 1:] * np.arange(1, 5)
        steep = slopes @ np.vander(PLACES, 4, increasing=True).T
        rows, columns = np.nonzero((steep[:, :-1] > 0.0) & (steep[:, 1:] < 0.0))
        x = _bisected(slopes[rows], PLACES[columns], PLACES[columns + 1])
        panels = near[rows]
        times = self.begins[panels] + x * self.lengths[panels]
        found = _values(self._powers[panels], x) * sign
        for k in np.argsort(-found, kind="stable")[:LOOKS]:
            found[k] = sign * float(self._at(int(panels[k]), times[[k]])[0])
        return times, found

    def time_beyond(self, level: float, sign: float) -> float:
        """Return for how long the course lies above a level (below it, when ``sign`` is -1) [h]."""
        away = sign * (self.values - level)
        surely = away.min(axis=1) > np.ptp(away, axis=1)
        never = away.max(axis=1) <= -np.ptp(away, axis=1)
        found = float(self.lengths[surely].sum())
        panels = np.flatnonzero(~surely & ~never)
        if not len(panels):
            return found
        fine, edges = self._finely(panels, level)
        fine *= sign
        low, high = fine[:, :-1], fine[:, 1:]
        share = np.where((low > 0.0) & (high > 0.0), 1.0, 0.0)
        rows, columns = np.nonzero((low > 0.0) != (high > 0.0))
        shifted = self._shifted(panels[rows], level)
        x = _bisected(shifted, edges[columns], edges[columns + 1])
        part = (x - edges[columns]) / (edges[1] - edges[0])
        share[rows, columns] = np.where(low[rows, columns] > 0.0, part, 1.0 - part)
        return found + float((share.mean(axis=1) * self.lengths[panels]).sum())

    def first_crossing(self, level: float) -> float:
        """Return when the course first leaves the side of a level that it begins on, or NaN."""
        side = np.sign(self.values[0, 0] - level)
        if side == 0.0:
            return float(self.begins[0])
        away = side * (self.values - level)
        panels = np.flatnonzero(away.min(axis=1) <= np.ptp(away, axis=1))
        if not len(panels):
            return float("nan")
        fine, edges = self._finely(panels, level)
        gone = side * fine <= 0.0
        if not gone.any():
            return float("nan")
        row = int(np.argmax(gone.any(axis=1)))
        column, i = int(np.argmax(gone[row])), int(panels[row])
        if column == 0:
            return float(self.begins[i])
        x = _bisected(self._shifted(panels[[row]], level), edges[[column - 1]], edges[[column]])
        return float(self.begins[i] + x[0] * self.lengths[i])

    def _shifted(self, panels: NDArray[np.intp], level: float) -> Array:
        return np.asarray(self._powers[panels] - np.array([level, 0.0, 0.0, 0.0, 0.0]))

    def _finely(self, panels: NDArray[np.intp], level: float) -> tuple[Array, Array]:
        """Return panels' distance from a level at many places, and the places."""
        places = np.linspace(0.0, 1.0, FINELY + 1)
        powers = np.vander(places, 5, increasing=True)
        return self._shifted(panels, level) @ powers.T, places


def _values(powers: Array, x: Array) -> Array:
    """Return polynomials (n, degree + 1), lowest power first, each at a place of its own (n,)."""
    found = np.zeros_like(x)
    for column in reversed(range(powers.shape[1])):
        found = found * x + powers[:, column]
    return found


def _bisected(powers: Array, low: Array, high: Array) -> Array:
    """Return where polynomials (n, degree + 1), lowest power first, change sign in intervals."""
    low, high = low.copy(), high.copy()
    first = _values(powers, low) > 0.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        same = (_values(powers, middle) > 0.0) == first
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return 0.5 * (low + high)
