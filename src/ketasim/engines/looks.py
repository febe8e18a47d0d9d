"""Where each reduction looks at its run, and with what weight: the derivatives of numbers.

The chain from a reduction to a run goes by primitives: a reduction is arithmetic on these, the
levels of some follow from others, and each is a value or a time of one course.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.seeds import AROUND, FIRST, SAME, Looks, Tape, area, crossings
from ketasim.readouts.derive import TIME, VALUE, Primitive, combined, first_run, level_of, second_run
from ketasim.readouts.reduction import Reduction

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Gathered = Mapping[str, Looks]
Found = Mapping[Primitive, Array]
Asked = dict[Primitive, Array]  # (n_members, n_reductions, 2): the derivative by value and time
NUDGE = 1e-6  # of a number's size: how far arithmetic on primitives is tried


def gathered(
    tape: Tape,
    reductions: Sequence[Reduction],
    found: Found,
    span: tuple[float, float],
    good: Flags,
) -> Gathered:
    """Return every look, by name; ``found`` are primitives of both runs, (n_members, 2)."""
    asked = _asked(reductions, found, span)
    sink = _Sink(tape, good, len(reductions))
    for one in second_run(reductions):
        weights = asked[one][:, :, VALUE]
        by_level = sink.timed(one, level_of(one, found), weights, span)
        for other, slopes in _slopes(lambda f, one=one: level_of(one, f), found, first_run(reductions)):
            asked[other] += by_level[:, :, None] * slopes[:, None, :]
    for one in first_run(reductions):
        sink.take(one, asked[one], found[one], span)
    return sink.looks()


def _asked(reductions: Sequence[Reduction], found: Found, span: tuple[float, float]) -> Asked:
    n = len(next(iter(found.values())))
    asked = {one: np.zeros((n, len(reductions), 2)) for one in found}
    for column, r in enumerate(reductions):
        needed = (*first_run([r]), *second_run([r]))

        def value(f: Found, r: Reduction = r) -> Array:
            return combined([r], f, span)[:, 0]

        for one, slopes in _slopes(value, found, needed):
            asked[one][:, column] += slopes
    return asked


def _slopes(
    value: Callable[[Found], Array], found: Found, by: Iterable[Primitive]
) -> Iterable[tuple[Primitive, Array]]:
    """Return the derivative of arithmetic on primitives by each one's value and time."""
    for one in by:
        slopes = np.zeros_like(found[one])
        for column in (VALUE, TIME):
            here = found[one][:, column]
            nudge = NUDGE * np.where(np.isfinite(here) & (here != 0.0), np.abs(here), 1.0)
            ends = []
            for sign in (1.0, -1.0):
                moved = found[one].copy()
                moved[:, column] += sign * nudge
                ends.append(value({**found, one: moved}))
            slope = (ends[0] - ends[1]) / (2.0 * nudge)
            slopes[:, column] = np.where(np.isfinite(slope), slope, 0.0)
        yield one, slopes


class _Sink:
    """Collects looks, and knows how each primitive depends on its course."""

    def __init__(self, tape: Tape, good: Flags, n_reductions: int) -> None:
        self.tape, self.good, self.r = tape, good, n_reductions
        self.rows: dict[str, list[tuple[int, int, int, float, float]]] = {}

    def looks(self) -> Gathered:
        """Return what was collected, by name."""
        found = {}
        for name, rows in self.rows.items():
            places, members, steps, shares, weights = zip(*rows, strict=True)
            found[name] = Looks(
                np.array(places), np.array(members), np.array(steps),
                np.array(shares, dtype=float), np.array(weights, dtype=float),
            )  # fmt: skip
        return found

    def _add(self, name: str, i: int, step: int, share: float, weights: Array) -> None:
        rows = self.rows.setdefault(name, [])
        for column in np.flatnonzero(weights):
            rows.append((i * self.r + int(column), i, step, share, float(weights[column])))

    def take(self, one: Primitive, by: Array, found: Array, span: tuple[float, float]) -> None:
        """Look where a first run's primitive is found; ``by`` is (n_members, n_reductions, 2)."""
        if one.kind in ("above", "below", "time_to", "time_to_fall"):
            level = np.full(len(by), np.nan if one.level is None else one.level)
            self.timed(one, level, by[:, :, VALUE], span)
            return
        window = span if one.window is None else one.window
        for i in np.flatnonzero(self.good & (by != 0.0).any(axis=(1, 2))):
            if one.kind == "at":
                self._add(one.name, i, *self.tape.step_at(i, float(one.moment or 0.0)), by[i, :, VALUE])
            elif one.kind == "start":
                self._start(one.name, i, by[i, :, VALUE])
            elif one.kind == "auc":
                for step, share, weight in zip(*area(self.tape, one.name, i, window), strict=True):
                    self._add(one.name, i, int(step), float(share), weight * by[i, :, VALUE])
            else:
                self._extreme(one.name, i, found[i], by[i], window)

    def _start(self, name: str, i: int, weights: Array) -> None:
        """Look at what is there just before time 0, or before anything is given."""
        if self.tape.begins[i, 0] < -SAME:
            self._add(name, i, *self.tape.step_at(i, 0.0, before=True), weights)
        else:
            self._add(name, i, FIRST, 0.0, weights)

    def _extreme(
        self, name: str, i: int, found: Array, by: Array, window: tuple[float, float]
    ) -> None:
        """Look at a top: its value moves with the course there, its time with the slope there."""
        value, t = float(found[VALUE]), float(found[TIME])
        if not np.isfinite(t):
            return
        places = [self.tape.step_at(i, t, before=before) for before in (True, False)]
        sides = [self._value(name, i, *place) for place in places]
        step, share = places[int(abs(sides[1] - value) < abs(sides[0] - value))]
        self._add(name, i, step, share, by[:, VALUE])
        if not by[:, TIME].any() or not window[0] + SAME < t < window[1] - SAME:
            return
        apart = AROUND * self.tape.lengths[i, step]
        beside = [self.tape.step_at(i, t + sign * apart) for sign in (1.0, -1.0)]
        high, low = (self._value(name, i, *place) for place in beside)
        bend = (high - 2.0 * self._value(name, i, step, share) + low) / apart**2
        at_edge = places[0][0] != places[1][0] and self._is_edge(i, places[1][0])
        if bend == 0.0 or at_edge:
            return  # a top that stands where a dose or input changes stays there
        for sign, (k, x) in zip((1.0, -1.0), beside, strict=True):
            self._add(name, i, k, x, -sign * by[:, TIME] / (2.0 * apart * bend))

    def _is_edge(self, i: int, step: int) -> bool:
        return step > 0 and self.tape.segments[i, step] != self.tape.segments[i, step - 1]

    def _value(self, name: str, i: int, step: int, share: float) -> float:
        one = np.array([i]), np.array([step]), np.array([share])
        return float(self.tape.values(name, *one)[0])

    def timed(
        self, one: Primitive, level: Array, weights: Array, span: tuple[float, float]
    ) -> Array:
        """Look where a course crosses a level; return the derivative by the level.

        A crossing moves by ``(d level - d value) / slope``.
        """
        by_level = np.zeros_like(weights)
        window = span if one.window is None else one.window
        if one.kind == "time_to_fall":
            window = max(window[0], 0.0), window[1]
        for i in np.flatnonzero(self.good & (weights != 0.0).any(axis=1)):
            height = float(level[i])
            start = one.kind == "time_to_fall"
            if start:
                height = self._begins_at(one, i, window) - height
            steps, shares, up = crossings(self.tape, one.name, i, height, window)
            chosen = slice(None) if one.kind in ("above", "below") else slice(0, 1)
            for step, share, way in zip(steps[chosen], shares[chosen], up[chosen], strict=True):
                slope = self._slope(one.name, i, int(step), float(share))
                per = {"above": way, "below": -way}.get(one.kind, -1.0) / slope
                self._add(one.name, i, int(step), float(share), per * weights[i])
                by_level[i] -= per * weights[i]
            if start:
                self._begin(one, i, window, by_level[i])
        return by_level

    def _slope(self, name: str, i: int, step: int, share: float) -> float:
        nothing = np.zeros(1, dtype=np.int64)
        look = Looks(nothing, np.array([i]), np.array([step]), np.array([share]), np.zeros(1))
        return float(self.tape.slopes_of(name, look)[0])

    def _is_windowed(self, one: Primitive, i: int) -> bool:
        return one.window is not None and one.window[0] > max(0.0, self.tape.begins[i, 0])

    def _begins_at(self, one: Primitive, i: int, window: tuple[float, float]) -> float:
        if self._is_windowed(one, i):
            return self._value(one.name, i, *self.tape.step_at(i, window[0]))
        if self.tape.begins[i, 0] < -SAME:
            return self._value(one.name, i, *self.tape.step_at(i, 0.0, before=True))
        return self._value(one.name, i, FIRST, 0.0)

    def _begin(self, one: Primitive, i: int, window: tuple[float, float], weights: Array) -> None:
        if self._is_windowed(one, i):
            self._add(one.name, i, *self.tape.step_at(i, window[0]), weights)
        else:
            self._start(one.name, i, weights)


__all__ = ["Gathered", "gathered", "replace"]
