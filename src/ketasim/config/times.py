"""Output times: fine in the first hours after each event, an hour apart for the days between."""

from collections.abc import Iterable
from math import ceil, floor, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Bath, Dose, Protocol, hours_of
from ketasim.core.scenario import MAX_TIMES, clock
from ketasim.errors import ConfigError

Times = NDArray[Any]

FINE, FINE_FOR, COARSE = 1 / 30, 6.0, 1.0  # [h]
MAX_FINE = 50  # events that get a fine grid of their own
MAX_COARSE = 1500
LONGEST = 876_600.0  # a century [h]


def time_of(value: str | float, where: str) -> float:
    """Read a time [h] of at most a century.

    Raises
    ------
    ConfigError, UnitError
        When it is longer than that, or its unit is missing or not a time.
    """
    hours = hours_of(value, where)
    if abs(hours) > LONGEST:
        raise ConfigError(f'{where} = "{value}": at most 100 years.')
    return hours


def before(protocol: Protocol) -> str:
    """Return when to look first: at 0, or just before what acts at once there."""
    at_once = any(
        one.start == 0.0 and (isinstance(one, Bath) or (isinstance(one, Dose) and one.over == 0.0))
        for one in protocol.events
    )
    return f"{-FINE!r} h" if at_once else "0 h"


def even(begin: float, end: float, every: float) -> tuple[float, ...]:
    """Return times [h] every so often from ``begin``, and ``end`` itself.

    Raises
    ------
    ConfigError
        When the interval is not positive, or there would be too many times.
    """
    if not every > 0.0:
        raise ConfigError(f'output.every = "{clock(every)}": must be longer than 0.')
    if (end - begin) / every > MAX_TIMES - 2:
        least = clock(2 * (end - begin) / MAX_TIMES)
        raise ConfigError(
            f'output.every = "{clock(every)}": {(end - begin) / every:.3g} output times; '
            f'at most {MAX_TIMES:,}. Use "{least}" or longer.'
        )
    steps = begin + every * np.arange(int((end - begin) / every) + 1)
    return _closed(steps, begin, end, near=1e-6 * every)


def fine_then_coarse(protocol: Protocol, begin: float, end: float) -> tuple[float, ...]:
    """Return times [h] two minutes apart for six hours after each event, else an hour apart."""
    coarse = max(COARSE, (end - begin) / MAX_COARSE)
    grids: list[Times] = [coarse * np.arange(ceil(begin / coarse), floor(end / coarse) + 1)]
    grids += [first + np.arange(0.0, FINE_FOR, FINE) for first in _beginnings(protocol, begin)]
    return _closed(np.unique(np.round(np.concatenate(grids), 6)), begin, end, near=1e-6)


def _beginnings(protocol: Protocol, begin: float) -> Iterable[float]:
    starts = {one.start for one in protocol.events if isfinite(one.start) and one.start >= begin}
    return sorted(starts)[:MAX_FINE]


def _closed(steps: Times, begin: float, end: float, *, near: float) -> tuple[float, ...]:
    inside = steps[(steps > begin + near) & (steps < end - near)]
    return (begin, *inside.tolist(), end)
