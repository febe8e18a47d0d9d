"""Every number of a time course from a few that an engine computes as it runs.

An engine knows nine *primitives*. The rest is arithmetic on them, and two kinds need a level that
is only known when a run has ended (half of the largest change), so the run is made once more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.readouts.reduction import Reduction

Array = NDArray[np.float64]
Window = tuple[float, float] | None
# Their places in this list are the numbers by which compiled code knows them.
PRIMITIVES = (
    "at", "start", "peak", "trough", "auc", "above", "below", "time_to", "time_to_fall",
)  # fmt: skip
VALUE, TIME = 0, 1
STILL = 1e-6  # of its size: a course that changes by less has no time of a change, and no half
HALF = "half"  # second names of levels that are known after a first run
MINUS_HALF = "minus half"
_OF_CHANGE = ("change", "t_peak", "t_trough", "t_change", "above_half", "t_half")


@dataclass(frozen=True)
class Primitive:
    """One number an engine computes; ``derived`` names a level that follows from a first run."""

    kind: str
    name: str
    moment: float | None = None
    level: float | None = None
    window: Window = None
    derived: str = ""

    @property
    def code(self) -> int:
        """Return the number by which compiled code knows its kind."""
        return PRIMITIVES.index(self.kind)


Found = Mapping[Primitive, Array]  # (n_members, 2): a value and its time [h]


def first_run(reductions: Iterable[Reduction]) -> tuple[Primitive, ...]:
    """Return what is needed of a run to know reductions, each once."""
    return _unique(one for r in reductions for one in _needs(r))


def second_run(reductions: Iterable[Reduction]) -> tuple[Primitive, ...]:
    """Return what is needed of a second run, whose levels follow from the first."""
    return _unique(one for r in reductions for one in _later(r))


def level_of(one: Primitive, found: Found) -> Array:
    """Return the level of a second run's primitive for each member, shape (n_members,)."""
    change = _change(one.name, one.window, found)[:, VALUE]
    start = found[_start(one.name, one.window)][:, VALUE]
    if one.kind == "time_to":
        half = np.abs(change) / 2.0
        return np.asarray(start + half if one.derived == HALF else start - half)
    return np.asarray(start + change / 2.0)


def combined(reductions: Sequence[Reduction], found: Found, span: tuple[float, float]) -> Array:
    """Return reductions from primitives, shape (n_members, n_reductions), canonical.

    ``span`` is the run's beginning and end [h], which a reduction without a window is of.
    """
    moved = dict.fromkeys((one.name, one.window) for one in reductions if one.kind in _OF_CHANGE)
    changes = {key: _Change.of(*key, found) for key in moved}
    columns = [
        _of_change(one, found, changes[one.name, one.window])
        if one.kind in _OF_CHANGE
        else _combine(one, found, span)
        for one in reductions
    ]
    n = len(next(iter(found.values()))) if found else 0
    return np.stack(columns, axis=1) if columns else np.empty((n, 0))


def _unique(many: Iterable[Primitive]) -> tuple[Primitive, ...]:
    return tuple(dict.fromkeys(many))


def _start(name: str, window: Window) -> Primitive:
    if window is None:
        return Primitive("start", name)
    return Primitive("at", name, moment=window[0])


def _extremes(name: str, window: Window) -> tuple[Primitive, Primitive, Primitive]:
    peak, trough = (Primitive(kind, name, window=window) for kind in ("peak", "trough"))
    return _start(name, window), peak, trough


def _needs(r: Reduction) -> tuple[Primitive, ...]:
    name, window = r.name, r.window
    if r.kind == "at":
        return (Primitive("at", name, moment=r.moment),)
    if r.kind == "start":
        return (_start(name, window),)
    if r.kind in ("peak", "trough"):
        return (Primitive(r.kind, name, window=window),)
    if r.kind in ("auc", "mean"):
        return (Primitive("auc", name, window=window),)
    if r.kind == "area":
        return Primitive("auc", name, window=window), _start(name, window)
    if r.kind in _OF_CHANGE:
        return _extremes(name, window)
    return (Primitive(r.kind, name, level=r.level, window=window),)


def _later(r: Reduction) -> tuple[Primitive, ...]:
    if r.kind == "above_half":
        return tuple(
            Primitive(kind, r.name, window=r.window, derived=HALF) for kind in ("above", "below")
        )
    if r.kind == "t_half":
        return tuple(
            Primitive("time_to", r.name, window=r.window, derived=which)
            for which in (HALF, MINUS_HALF)
        )
    return ()


def _change(name: str, window: Window, found: Found) -> Array:
    """Return the largest departure from the start, and its time, shape (n_members, 2)."""
    start, peak, trough = (found[one] for one in _extremes(name, window))
    up, down = peak[:, VALUE] - start[:, VALUE], trough[:, VALUE] - start[:, VALUE]
    rises = ~(np.abs(down) > np.abs(up))
    return np.stack(
        [np.where(rises, up, down), np.where(rises, peak[:, TIME], trough[:, TIME])], axis=1
    )


@dataclass(frozen=True)
class _Change:
    """A course's largest departure from its start and the time of it, (n_members,).

    ``still`` says for which members nothing changes but by what integration leaves.
    """

    size: Array
    when: Array
    still: NDArray[np.bool_]

    @classmethod
    def of(cls, name: str, window: Window, found: Found) -> "_Change":
        size, when = _change(name, window, found).T
        values = [np.abs(found[one][:, VALUE]) for one in _extremes(name, window)]
        return cls(size, when, np.abs(size) <= STILL * np.max(values, axis=0))


def _of_change(r: Reduction, found: Found, change: _Change) -> Array:
    if r.kind == "change":
        return change.size
    if r.kind == "t_change":
        return np.where(change.still, np.nan, change.when)
    if r.kind in ("t_peak", "t_trough"):
        _, peak, trough = _extremes(r.name, r.window)
        when = found[peak if r.kind == "t_peak" else trough][:, TIME]
        return np.where(change.still, np.nan, when)
    first, other = (found[one][:, VALUE] for one in _later(r))
    if r.kind == "above_half":
        return np.where(change.still, 0.0, np.where(change.size > 0.0, first, other))
    return np.where(change.still, np.nan, np.fmin(first, other))


def _combine(r: Reduction, found: Found, span: tuple[float, float]) -> Array:
    begin, end = span if r.window is None else r.window
    needs = [found[one][:, VALUE] for one in _needs(r)]
    if r.kind == "mean":
        return np.asarray(needs[0] / (end - begin))
    if r.kind == "area":
        return np.asarray(needs[0] - needs[1] * (end - begin))
    return needs[0]
