"""One time course as its solver knows it, and the numbers taken of it.

A course is a row of *panels*, each a stretch of one step with a value at its ends and at three
places between; the curve through the five stands for what lies between. The ensemble engine takes
the same numbers as it runs (``ketasim.compile.scan``); this is the other opinion, in NumPy.
"""

from collections.abc import Callable, Iterator
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
        tops = list(self._tops(sign))
        if self.after is not None:
            tops.append((float(times[-1]), sign * self.after))
        if tops:
            times = np.append(times, [t for t, _ in tops])
            heights = np.append(heights, [h for _, h in tops])
            order = np.argsort(times, kind="stable")
            times, heights = times[order], heights[order]
        best = float(heights.max())
        alike = heights >= best - TIE * (best - float(heights.min()))
        begin = int(np.argmax(alike))
        stop = begin + int(np.argmin(alike[begin:])) if not alike[begin:].all() else len(alike)
        top = begin + int(np.argmax(heights[begin:stop]))
        return sign * best, float(times[top])

    def _tops(self, sign: float) -> Iterator[tuple[float, float]]:
        """Yield the time and height of every turn within a panel that stands above its ends."""
        heights = sign * self.values
        slopes = self._powers[:, 1:] * np.arange(1, 5)
        steep = slopes @ np.vander(PLACES, 4, increasing=True).T * sign
        for i in np.flatnonzero(((steep[:, :-1] > 0.0) & (steep[:, 1:] < 0.0)).any(axis=1)):
            for x in _roots(slopes[i]):
                t = float(self.begins[i] + x * self.lengths[i])
                height = sign * float(self._at(int(i), np.array([t]))[0])
                if height > heights[i].min():
                    yield t, height

    def time_beyond(self, level: float, sign: float) -> float:
        """Return for how long the course lies above a level (below it, when ``sign`` is -1) [h]."""
        found = 0.0
        away = sign * (self.values - level)
        surely = away.min(axis=1) > np.ptp(away, axis=1)
        never = -away.max(axis=1) > np.ptp(away, axis=1)
        found += float(self.lengths[surely].sum())
        for i in np.flatnonzero(~surely & ~never):
            powers = self._powers[i] - np.array([level, 0.0, 0.0, 0.0, 0.0])
            edges = np.array([0.0, *_roots(powers), 1.0])
            middles = np.polynomial.polynomial.polyval((edges[1:] + edges[:-1]) / 2.0, powers)
            found += float(self.lengths[i] * np.diff(edges)[sign * middles > 0.0].sum())
        return found

    def first_crossing(self, level: float) -> float:
        """Return when the course first leaves the side of a level that it begins on, or NaN."""
        side = np.sign(self.values[0, 0] - level)
        if side == 0.0:
            return float(self.begins[0])
        near = (np.sign(self.values - level) != side).any(axis=1)
        near |= np.abs(self.values - level).min(axis=1) <= np.ptp(self.values, axis=1)
        for i in np.flatnonzero(near):
            powers = self._powers[i] - np.array([level, 0.0, 0.0, 0.0, 0.0])
            if np.sign(powers[0]) != side:
                return float(self.begins[i])
            edges = [*_roots(powers), 1.0]
            for a, b in zip(edges, [*edges[1:], 1.0], strict=True):
                middle = np.polynomial.polynomial.polyval((a + b) / 2.0, powers)
                if np.sign(middle) != side:
                    return float(self.begins[i] + a * self.lengths[i])
        return float("nan")


def _roots(powers: Array) -> list[float]:
    """Return where a polynomial (lowest power first) is zero between 0 and 1, in order."""
    scale = float(np.abs(powers).max())
    if scale == 0.0:
        return []
    trimmed = np.trim_zeros(np.where(np.abs(powers) < 1e-14 * scale, 0.0, powers), "b")
    roots = np.polynomial.polynomial.polyroots(trimmed) if len(trimmed) > 1 else np.empty(0)
    real = roots[np.abs(roots.imag) < 1e-9].real
    return sorted(float(x) for x in real if 0.0 < x < 1.0)
