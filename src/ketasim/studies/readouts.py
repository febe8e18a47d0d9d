"""One number from a time course: ``spines.density.at(24 h)``, ``glutamate.relative.peak``.

Reducers: ``at(t)``, ``peak``, ``trough``, ``t_peak``, ``t_trough``, ``auc(t1, t2)``, ``t_half``
(time to half of the largest departure from the first value), ``time_to(x)`` (time at which the
value first reaches x), ``time_to_fall(x)`` (time at which it has fallen by x), ``above(x)``
(time spent above x). Times in h; values in the declared unit.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import hours_of
from ketasim.errors import ConfigError, suggest
from ketasim.studies import measures

Array = NDArray[np.float64]
_FORM = re.compile(r"(?P<name>\w+\.\w+)\.(?P<reducer>\w+)\s*(?:\((?P<arguments>[^()]*)\))?")


def _at(times: Array, values: Array, moment: float) -> Array:
    return np.array([np.interp(moment, times, row) for row in values])


def _auc(times: Array, values: Array, begin: float, end: float) -> Array:
    inside = (times > begin) & (times < end)
    grid = np.concatenate([[begin], times[inside], [end]])
    return np.array([np.trapezoid(np.interp(grid, times, row), grid) for row in values])


def _t_half(times: Array, values: Array) -> Array:
    away = np.abs(values - values[:, :1])
    most = away.max(axis=1, keepdims=True)
    return measures.time_to(times, away / np.where(most > 0.0, most, 1.0), 0.5)


def _time_to_fall(times: Array, values: Array, drop: float) -> Array:
    return measures.time_to(times, values - values[:, :1], -drop)


_REDUCERS: dict[str, tuple[int, bool, Callable[..., Any]]] = {
    "at": (1, True, _at),
    "peak": (0, True, measures.peak),
    "trough": (0, True, measures.trough),
    "t_peak": (0, True, measures.time_of_peak),
    "t_trough": (0, True, measures.time_of_trough),
    "auc": (2, True, _auc),
    "t_half": (0, True, _t_half),
    "time_to": (1, False, measures.time_to),
    "time_to_fall": (1, False, _time_to_fall),
    "above": (1, False, measures.above),
}


@dataclass(frozen=True)
class Readout:
    """A recorded name and how its time course becomes one number."""

    name: str
    reducer: str
    arguments: tuple[float, ...]

    @classmethod
    def parse(cls, text: str, where: str = "read-out") -> "Readout":
        """Read ``'spines.density.at(24 h)'``.

        Raises
        ------
        ConfigError
            When it is not a read-out, its reducer is unknown, or an argument has no unit.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ConfigError(
                f'{where} "{text[:80]}": write name.reducer, as in spines.density.peak.'
            )
        reducer = match["reducer"]
        if reducer not in _REDUCERS:
            hint = suggest(reducer, _REDUCERS) or f" Reducers: {', '.join(_REDUCERS)}."
            raise ConfigError(f'{where} "{text[:80]}": no reducer "{reducer}".{hint}')
        count, timed, _ = _REDUCERS[reducer]
        parts = [part.strip() for part in (match["arguments"] or "").split(",") if part.strip()]
        if len(parts) != count:
            raise ConfigError(f'{where} "{text[:80]}": {reducer} takes {count} argument(s).')
        return cls(match["name"], reducer, tuple(_argument(p, where, timed=timed) for p in parts))

    def reduce(self, times: Array, values: Array) -> Array:
        """Return one number a member from values of shape (n_members, n_times)."""
        found: Array = _REDUCERS[self.reducer][2](times, values, *self.arguments)
        return found


def _argument(text: str, where: str, *, timed: bool) -> float:
    if timed:
        return hours_of(text, where)
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f'{where}: "{text[:40]}" is not a number.') from None
