"""Output times as a file gives them."""

import numpy as np

from ketasim.core.protocol import Bath, Dose, Protocol, hours_of
from ketasim.core.scenario import FINE, MAX_TIMES, clock, closed, fine_then_coarse
from ketasim.errors import ConfigError

__all__ = ["before", "even", "fine_then_coarse", "time_of"]

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
    return closed(steps, begin, end, near=1e-6 * every)
