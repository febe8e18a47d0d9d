"""Where each reduction looks at its run, and with what weight: the derivatives of numbers.

The chain from a reduction to a run goes by primitives: a reduction is arithmetic on these, the
levels of some follow from others, and each is a value or a time of one course.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.seeds import AROUND, FIRST, SAME, Looks, Tape, area, crossings, shape_of
from ketasim.readouts.derive import (
    TIME,
    VALUE,
    Primitive,
    combined,
    first_run,
    level_of,
    second_run,
)
from ketasim.readouts.reduction import Reduction

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]
Gathered = Mapping[str, Sequence[Looks]]
Found = Mapping[Primitive, Array]
Asked = dict[Primitive, Array]  # (n_members, n_reductions, 2): the derivative by value and time
NUDGE = 1e-6  # of a number's size: how far arithmetic on primitives is tried


def gathered(
    tape: Tape,
    reductions: Sequence[Reduction],
    found: Found,
    span: tuple[float, float],
    good: Flags,
    weights: Array | None = None,
) -> Gathered:
    """Return every look, by name; ``found`` are primitives of both runs, (n_members, 2).

    With ``weights`` (n_members, n_reductions) those of the weighted sum alone.
    """
    asked = _asked(reductions, found, span)
    if weights is not None:
        asked = {
            one: (by * weights[:, :, None]).sum(axis=1, keepdims=True) for one, by in asked.items()
        }
    sink = _Sink(tape, good, len(reductions) if weights is None else 1)
    for one in second_run(reductions):
        weights = asked[one][:, :, VALUE]
        by_level = sink.timed(one, level_of(one, found), weights, span)
        level = partial(level_of, one)
        for other, slopes in _slopes(level, found, first_run(reductions)):
            asked[other] += by_level[:, :, None] * slopes[:, None, :]
    for one in first_run(reductions):
        sink.take(one, asked[one], found[one], span)
    return sink.rows


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
        """Begin with nothing; only members that are ``good`` are looked at."""
        self.tape, self.good, self.r = tape, good, n_reductions
        self.rows: dict[str, list[Looks]] = {}

    def _add(
        self, name: str, members: Counts, steps: Counts, shares: Array, weights: Array
    ) -> None:
        """Add looks (n,) with a weight for each reduction, (n, n_reductions)."""
        row, column = np.nonzero(weights)
        if len(row):
            places = members[row] * self.r + column
            weight = weights[row, column][:, None]
            at = shares[row, None]
            one = Looks(places, members[row], steps[row], at, weight, shape_of(at))
            self.rows.setdefault(name, []).append(one)

    def _area(self, name: str, members: Counts, by: Array, window: tuple[float, float]) -> None:
        """Look at all places of a quadrature; ``by`` is (n_members, n_reductions)."""
        for owners, steps, shares, per, shape in area(self.tape, name, members, window):
            for column in np.flatnonzero((by[members] != 0.0).any(axis=0)):
                places, weights = owners * self.r + column, per * by[owners, column][:, None]
                one = Looks(places, owners, steps, shares, weights, shape)
                self.rows.setdefault(name, []).append(one)

    def take(self, one: Primitive, by: Array, found: Array, span: tuple[float, float]) -> None:
        """Look where a first run's primitive is found; ``by`` is (n_members, n_reductions, 2)."""
        if one.kind in ("above", "below", "time_to", "time_to_fall"):
            level = np.full(len(by), np.nan if one.level is None else one.level)
            self.timed(one, level, by[:, :, VALUE], span)
            return
        window = span if one.window is None else one.window
        members = np.flatnonzero(self.good & (by != 0.0).any(axis=(1, 2)))
        weights = by[members, :, VALUE]
        if one.kind == "at":
            moment = np.full(len(members), 0.0 if one.moment is None else one.moment)
            self._add(one.name, members, *self.tape.step_at(members, moment), weights)
        elif one.kind == "start":
            self._add(one.name, members, *self._before(members), weights)
        elif one.kind == "auc":
            if len(members):
                self._area(one.name, members, by[:, :, VALUE], window)
        else:
            self._extreme(one.name, members, found[members], by[members], window)

    def _before(self, members: Counts) -> tuple[Counts, Array]:
        """Return where what is there just before time 0 is, or before anything is given."""
        nought = np.zeros(len(members))
        steps, shares = self.tape.step_at(members, nought, before=True)
        begins_then = self.tape.begins[members, 0] >= -SAME
        return np.where(begins_then, FIRST, steps), np.where(begins_then, 0.0, shares)

    def _extreme(
        self, name: str, members: Counts, found: Array, by: Array, window: tuple[float, float]
    ) -> None:
        """Look at a top: its value moves with the course there, its time with the slope there."""
        known = np.isfinite(found[:, TIME])
        members, found, by = members[known], found[known], by[known]
        t = found[:, TIME]
        early = self.tape.step_at(members, t, before=True)
        late = self.tape.step_at(members, t)
        near, far = (
            np.abs(self.tape.values(name, members, *place) - found[:, VALUE])
            for place in (early, late)
        )
        steps, shares = (np.where(far < near, b, a) for a, b in zip(early, late, strict=True))
        self._add(name, members, steps, shares, by[:, :, VALUE])
        segments = (self.tape.segment_of(members, place[0]) for place in (early, late))
        at_edge = np.not_equal(*segments)
        inner = (t > window[0] + SAME) & (t < window[1] - SAME)
        timed = np.flatnonzero((by[:, :, TIME] != 0.0).any(axis=1) & inner & ~at_edge)
        if len(timed):  # a top that stands where a dose or input changes stays there
            self._moment(name, members[timed], t[timed], steps[timed], by[timed, :, TIME])

    def _moment(self, name: str, members: Counts, t: Array, steps: Counts, by: Array) -> None:
        """Look at both sides of a top for when it is."""
        far = AROUND * self.tape.lengths[members, steps]
        beside = [self.tape.step_at(members, t + sign * far) for sign in (1.0, -1.0)]
        high, low = (self.tape.values(name, members, *place) for place in beside)
        top = self.tape.values(name, members, *self.tape.step_at(members, t))
        bend = (high - 2.0 * top + low) / far**2
        with np.errstate(all="ignore"):
            per = np.where(bend == 0.0, 0.0, 1.0 / (2.0 * far * bend))[:, None] * by
        for sign, place in zip((1.0, -1.0), beside, strict=True):
            self._add(name, members, *place, -sign * per)

    def timed(
        self, one: Primitive, level: Array, weights: Array, span: tuple[float, float]
    ) -> Array:
        """Look where a course crosses a level; return the derivative by the level.

        A crossing moves by ``(d level - d value) / slope``.
        """
        by_level = np.zeros_like(weights)
        window = span if one.window is None else one.window
        members = np.flatnonzero(self.good & (weights != 0.0).any(axis=1))
        if not len(members):
            return by_level
        heights = level[members]
        begins: tuple[Counts, Array] | None = None
        falls = one.kind == "time_to_fall"
        if falls:
            window = max(window[0], 0.0), window[1]
            begins = self._begin(one, members, window[0])
            heights = self.tape.values(one.name, members, *begins) - heights
        owners, steps, shares, up = crossings(self.tape, one.name, members, heights, window)
        if one.kind not in ("above", "below"):
            first = np.unique(owners, return_index=True)[1]
            owners, steps, shares, up = owners[first], steps[first], shares[first], up[first]
        slopes = self.tape.slopes_of(one.name, owners, steps, shares)
        ways = {"above": up, "below": -up}.get(one.kind, -np.ones(len(up)))
        per = (ways / slopes)[:, None] * weights[owners]
        self._add(one.name, owners, steps, shares, per)
        np.subtract.at(by_level, owners, per)
        if begins is not None:
            self._add(one.name, members, *begins, by_level[members])
        return by_level

    def _begin(self, one: Primitive, members: Counts, opens: float) -> tuple[Counts, Array]:
        """Return where the course is that a fall is counted from."""
        steps, shares = self._before(members)
        if one.window is None:
            return steps, shares
        later = one.window[0] > np.maximum(0.0, self.tape.begins[members, 0])
        inner = self.tape.step_at(members, np.full(len(members), opens))
        return np.where(later, inner[0], steps), np.where(later, inner[1], shares)
