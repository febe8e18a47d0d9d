"""A design: which values each member of a sweep gets, known row by row."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError
from ketasim.studies.designs.axes import Axis, levels, read_axis

MAX_MEMBERS = 1_000_000_000
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """``size`` members, each with a value for every name.

    ``rows(start, stop)`` returns values (stop - start, n_names) in ``units``; a row depends on
    nothing but its index. ``limits`` holds, for each name, the smallest and largest value there can
    be, or None when rows are to be judged one by one. ``description`` is plain text and numbers,
    equal for equal designs.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    size: int
    rows: Callable[[int, int], Array]
    description: Mapping[str, Any]
    limits: tuple[tuple[float, float] | None, ...]

    def __post_init__(self) -> None:
        """Refuse a design without members or with a name twice."""
        if not 1 <= self.size <= MAX_MEMBERS:
            raise ConfigError(f"{self.size:,} members; between 1 and {MAX_MEMBERS:,} are needed.")
        twice = [name for name in self.names if self.names.count(name) > 1]
        if twice:
            raise ConfigError(f'"{twice[0]}" is varied twice.')

    def __len__(self) -> int:
        """Return the number of members."""
        return self.size

    def member(self, i: int) -> "Design":
        """Return the design that holds member ``i`` alone, with the same values.

        Raises
        ------
        ConfigError
            When there is no such member.
        """
        if not 0 <= i < self.size:
            raise ConfigError(f"member {i}: there are {self.size:,}, counted from 0.")
        values = self.rows(i, i + 1)
        return of_values(self.names, self.units, values)

    @cached_property
    def digest(self) -> str:
        """Return a short hash of the description."""
        text = json.dumps(dict(self.description), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def of_values(names: tuple[str, ...], units: tuple[str, ...], values: Array) -> Design:
    """Return the design whose rows are written out, (n_members, n_names) in ``units``."""
    table = np.ascontiguousarray(values, dtype=float)
    described = {
        "kind": "table",
        "columns": [[name, unit] for name, unit in zip(names, units, strict=True)],
        "size": len(table),
        "sha256": hashlib.sha256(table.tobytes()).hexdigest(),
    }
    return Design(
        names, units, len(table), lambda a, b: table[a:b], described, (None,) * len(names)
    )


def grid(vary: "Mapping[str, Axis | str | list[str | float]]") -> Design:
    """Return every combination of values, the last name changing fastest.

    Parameters
    ----------
    vary
        Name (``"nmda.k_s"``, ``"dosing[0].amount"``, ``"intervention[0].level"``) to an axis
        (:func:`linspace`, :func:`logspace`), a list (``["0.1 mg/kg", "0.5 mg/kg"]``) or a text
        (``"logspace(0.05, 5, 41) mg/kg"``).

    Raises
    ------
    ConfigError, UnitError
        When nothing is varied, or an axis cannot be read.
    """
    if not vary:
        raise ConfigError('nothing is varied; write e.g. {"dosing[0].amount": ["1 mg/kg"]}.')
    axes = {name: _axis(one, name) for name, one in vary.items()}
    shape = tuple(len(axis.values) for axis in axes.values())
    columns = [np.array(axis.values) for axis in axes.values()]

    def rows(start: int, stop: int) -> Array:
        places = np.unravel_index(np.arange(start, stop), shape)
        return np.stack([c[p] for c, p in zip(columns, places, strict=True)], axis=1)

    described = {
        "kind": "grid",
        "axes": [[name, axis.unit, [*map(repr, axis.values)]] for name, axis in axes.items()],
    }
    units = tuple(axis.unit for axis in axes.values())
    limits = tuple((min(a.values), max(a.values)) for a in axes.values())
    return Design(tuple(axes), units, prod(shape), rows, described, limits)


def _axis(one: "Axis | str | list[str | float]", name: str) -> Axis:
    if isinstance(one, Axis):
        return one
    return read_axis(one, name) if isinstance(one, str) else levels(one, name)
