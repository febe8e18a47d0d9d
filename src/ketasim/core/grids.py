"""Times to look at: evenly, or fine in the first hours after each event and coarse between."""

from collections.abc import Iterable
from math import ceil, floor, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Protocol

Times = NDArray[Any]

FINE, FINE_FOR, COARSE = 1 / 30, 6.0, 1.0  # [h]
MAX_FINE = 50  # events that get a fine grid of their own
MAX_COARSE = 1500


def fine_then_coarse(protocol: Protocol, begin: float, end: float) -> tuple[float, ...]:
    """Return times [h] two minutes apart for six hours after each event, else an hour apart."""
    coarse = max(COARSE, (end - begin) / MAX_COARSE)
    grids: list[Times] = [coarse * np.arange(ceil(begin / coarse), floor(end / coarse) + 1)]
    grids += [first + np.arange(0.0, FINE_FOR, FINE) for first in _beginnings(protocol, begin)]
    return closed(np.unique(np.round(np.concatenate(grids), 6)), begin, end, near=1e-6)


def around(protocol: Protocol, begin: float, end: float) -> tuple[float, ...]:
    """Return times [h] at which a picture misses no pulse, also around ends and switches."""
    moments = [m for e in protocol.events for m in (e.start, e.stop) if begin < m < end]
    near = np.concatenate([[m - FINE / 100.0, m] for m in moments]) if moments else np.empty(0)
    every = np.concatenate([fine_then_coarse(protocol, begin, end), near])
    return closed(np.unique(every), begin, end, near=1e-9)


def _beginnings(protocol: Protocol, begin: float) -> Iterable[float]:
    starts = {one.start for one in protocol.events if isfinite(one.start) and one.start >= begin}
    return sorted(starts)[:MAX_FINE]


def closed(steps: Times, begin: float, end: float, *, near: float) -> tuple[float, ...]:
    """Return the steps that lie within, and both ends themselves."""
    inside = steps[(steps > begin + near) & (steps < end - near)]
    return (begin, *inside.tolist(), end)
