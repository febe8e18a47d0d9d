"""What is read of every member, as a kernel wants it told: moments, values watched, numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.kernel import Plan
from ketasim.readouts.derive import PRIMITIVES, Primitive

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
ROOM = 8  # numbers that an unfinished answer needs, as in compile/scan.py
PLACES = 12  # values kept of each watched name: ten places, one from before, and a mark
AT, START = PRIMITIVES.index("at"), PRIMITIVES.index("start")


@dataclass(frozen=True)
class Reading:
    """The arguments of a kernel that say what to read; see :mod:`ketasim.compile.interface`."""

    times: Array
    columns: Counts
    asked: Counts
    readings: Counts
    shown: Counts
    needs: Counts
    watched: Counts
    kinds: Counts
    of: Counts
    windows: Array
    scratch: int


def reading(
    plan: Plan, record: Sequence[str], times: Array, primitives: Sequence[Primitive]
) -> Reading:
    """Return what a kernel reads for recorded names at times [h], and for primitives.

    Raises
    ------
    KeyError
        When a name is not one that the kernel can show.
    """
    names = dict.fromkeys(one.name for one in primitives)
    watched = sorted(names, key=lambda name: plan.observers[name].exact)  # the curved ones first
    curved = sum(not plan.observers[name].exact for name in watched)
    moments = [np.nan if one.moment is None else one.moment for one in primitives]
    grid = times if len(record) else np.empty(0)
    every = np.unique(np.concatenate([grid, [m for m in moments if np.isfinite(m)]]))
    columns = np.full(len(every), -1)
    columns[np.searchsorted(every, grid)] = np.arange(len(grid))
    at = [np.flatnonzero(np.array(moments) == moment) for moment in every]
    firsts = np.concatenate([[0], np.cumsum([len(one) for one in at])])
    windows = [one.window or (-np.inf, np.inf) for one in primitives]
    kinds = [one.code for one in primitives]
    scanned = sum(kind not in (AT, START) for kind in kinds) or int(START in kinds)
    windowed = sum(one.window is not None for one in primitives)
    return Reading(
        times=every,
        columns=_whole(columns),
        asked=_whole(firsts),
        readings=_whole(np.concatenate([*at, []])),
        shown=_whole([plan.observers[name].place for name in record]),
        needs=_needs(plan, [*record, *watched], (windowed, scanned, curved)),
        watched=_whole([plan.observers[name].place for name in watched]),
        kinds=_whole(kinds),
        of=_whole([watched.index(one.name) for one in primitives]),
        windows=np.array(windows, dtype=float).reshape(-1, 2),
        scratch=plan.lanes * (len(primitives) * ROOM + len(watched) * PLACES),
    )


def _needs(plan: Plan, names: Sequence[str], counts: tuple[int, ...]) -> Counts:
    """Return the head, the states to interpolate and the laws to run, each once and in order."""
    states: set[int] = set()
    laws: set[int] = set()
    for name in names:
        states.update(plan.observers[name].states)
        laws.update(plan.observers[name].laws)
    return _whole([len(states), *counts, *sorted(states), *sorted(laws)])


def _whole(numbers: object) -> Counts:
    return np.ascontiguousarray(numbers, dtype=np.int64).ravel()
