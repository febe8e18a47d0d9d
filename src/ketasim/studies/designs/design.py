"""A design: which values each member of a sweep gets, known row by row."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ketasim.core.describe import MOST, Described
from ketasim.errors import ConfigError
from ketasim.studies.designs.axes import Axis, levels, read_axis

MAX_MEMBERS = 1_000_000_000
Array = NDArray[np.float64]


class Rows(Protocol):
    """Where a design's values come from; a row depends on nothing but its index."""

    def rows(self, start: int, stop: int) -> Array:
        """Return values, shape (stop - start, n_names)."""
        ...


@dataclass(frozen=True, repr=False)
class Design(Described):
    """``size`` members, each with a value for every name.

    ``source`` is data that gives the rows, so that a design can be pickled. ``limits`` holds, for
    each name, the smallest and largest value there can be, or None when rows are to be judged one
    by one; ``reach`` the ends between which its members lie, all but a few in a thousand where a
    distribution has no ends, or None when unknown. ``description`` is plain text and numbers, equal
    for equal designs, and what :func:`from_description` makes the same design of.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    size: int
    source: Rows = field(compare=False, repr=False)
    description: Mapping[str, Any]
    limits: tuple[tuple[float, float] | None, ...]
    reach: tuple[tuple[float, float] | None, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a design without members or with a name twice."""
        if not 1 <= self.size <= MAX_MEMBERS:
            raise ConfigError(f"{self.size:,} members; between 1 and {MAX_MEMBERS:,} are needed.")
        twice = [name for name in self.names if self.names.count(name) > 1]
        if twice:
            raise ConfigError(f'"{twice[0]}" is varied twice.')
        object.__setattr__(self, "reach", self.reach or self.limits)

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        ends = zip(self.names, self.units, self.reach, strict=True)
        rows = [
            (name, f"{reach[0]:.4g} to {reach[1]:.4g} {unit}".removesuffix(" 1") if reach else unit)
            for name, unit, reach in ends
        ]
        more = [("...", f"and {len(rows) - MOST} more")] if len(rows) > MOST else []
        return f"Design of {self.size:,} members", rows[:MOST] + more

    def rows(self, start: int, stop: int) -> Array:
        """Return the values of some members in ``units``, shape (stop - start, n_names)."""
        return self.source.rows(start, stop)

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

    @property
    def together(self) -> tuple[tuple[str, ...], ...]:
        """Return the names that rise and fall together, because they share their draws."""
        groups: dict[int, tuple[str, ...]] = {}
        for name, one in zip(self.names, self.description.get("shares", ()), strict=False):
            groups[one] = (*groups.get(one, ()), name)
        return tuple(group for group in groups.values() if len(group) > 1)

    @cached_property
    def digest(self) -> str:
        """Return a short hash of the description."""
        text = json.dumps(dict(self.description), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Listed:
    """Rows written out, shape (n_members, n_names)."""

    values: Array

    def rows(self, start: int, stop: int) -> Array:
        """Return some of them."""
        return self.values[start:stop]

    @property
    def reach(self) -> tuple[tuple[float, float] | None, ...]:
        """Return the smallest and largest finite value of each column."""
        finite = [column[np.isfinite(column)] for column in self.values.T]
        return tuple((float(c.min()), float(c.max())) if len(c) else None for c in finite)


@dataclass(frozen=True)
class Combined:
    """Every combination of the values of some axes, the last one changing fastest."""

    axes: tuple[Axis, ...]

    def rows(self, start: int, stop: int) -> Array:
        """Return some of the combinations."""
        shape = tuple(len(axis.values) for axis in self.axes)
        places = np.unravel_index(np.arange(start, stop), shape)
        return np.stack([a.take(p) for a, p in zip(self.axes, places, strict=True)], axis=1)


def of_values(names: tuple[str, ...], units: tuple[str, ...], values: Array) -> Design:
    """Return the design whose rows are written out, (n_members, n_names) in ``units``."""
    table = np.ascontiguousarray(values, dtype=float)
    described = {
        "kind": "table",
        "columns": [[name, unit] for name, unit in zip(names, units, strict=True)],
        "size": len(table),
        "sha256": hashlib.sha256(table.tobytes()).hexdigest(),
    }
    source = Listed(table)
    unjudged = (None,) * len(names)
    return Design(names, units, len(table), source, described, unjudged, source.reach)


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
    return of_axes({name: _axis(one, name) for name, one in vary.items()})


def of_axes(axes: Mapping[str, Axis]) -> Design:
    """Return every combination of the values of named axes."""
    described = {
        "kind": "grid",
        "axes": [[name, axis.unit, axis.described] for name, axis in axes.items()],
    }
    return Design(
        names=tuple(axes),
        units=tuple(axis.unit for axis in axes.values()),
        size=prod(len(axis.values) for axis in axes.values()),
        source=Combined(tuple(axes.values())),
        description=described,
        limits=tuple(axis.ends for axis in axes.values()),
    )


def _axis(one: "Axis | str | list[str | float]", name: str) -> Axis:
    if isinstance(one, Axis):
        return one
    return read_axis(one, name) if isinstance(one, str) else levels(one, name)
