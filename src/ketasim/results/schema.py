"""The shape of every result: one xarray Dataset, dims ``member, time``, CF-style attributes.

A result of many members is laid out beforehand: a column a design value, summary or time course.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.units import unit

if TYPE_CHECKING:
    import xarray as xr

SCHEMA_VERSION = 1
Array = NDArray[Any]
RESERVED = ("ketasim", "claims", "quarantine", "ketasim.json", "zarr.json")  # in a store's folder
Role = Literal["design", "data", "count", "status"]
_TYPES: Mapping[Role, str] = {
    "design": "float64",
    "data": "float64",
    "count": "int64",
    "status": "int8",
}
_EMPTY: Mapping[Role, float | int] = {
    "design": float("nan"),
    "data": float("nan"),
    "count": 0,
    "status": -1,
}


def dataset(
    model: Model,
    times: Array,
    observed: Mapping[str, Array],
    status: Array,
    meanings: Mapping[int, str],
    attributes: Mapping[str, Any],
) -> "xr.Dataset":
    """Label canonical arrays with names, declared units and provenance.

    ``observed`` maps full names to (n_members, n_times) in canonical units; ``times`` (n_times,)
    [h]; ``status`` (n_members,) with ``meanings`` of its codes.

    Returns
    -------
    xarray.Dataset
        Variables in their declared units, ``status`` with CF flag attributes.
    """
    import xarray as xr

    n_members = len(status)
    data = {name: _variable(model, name, values) for name, values in observed.items()}
    flags = {
        "long_name": "how the run ended",
        "flag_values": np.array(sorted(meanings), dtype=np.int8),
        "flag_meanings": " ".join(meanings[code] for code in sorted(meanings)),
    }
    data["status"] = xr.Variable(("member",), status.astype(np.int8), flags)
    coordinates = {
        "member": xr.Variable(("member",), np.arange(n_members), {"long_name": "member"}),
        "time": xr.Variable(("time",), times, {"units": "h", "long_name": "time"}),
    }
    return xr.Dataset(data, coordinates, {**attributes, "schema_version": SCHEMA_VERSION})


def _variable(model: Model, name: str, values: Array) -> "xr.Variable":
    import xarray as xr

    text = model.unit(name)
    labels = {"units": text, "long_name": model.meaning(name)}
    return xr.Variable(("member", "time"), values / unit(text).factor, labels)


@dataclass(frozen=True)
class Column:
    """One variable over members; ``over_time`` says that it has a time axis too."""

    name: str
    units: str
    long_name: str
    role: Role = "data"
    over_time: bool = False

    @property
    def dtype(self) -> str:
        """Return the NumPy type its values are kept in."""
        return _TYPES[self.role]

    @property
    def empty(self) -> float | int:
        """Return what stands for a member that has not been run."""
        return _EMPTY[self.role]

    @property
    def dims(self) -> tuple[str, ...]:
        """Return the names of its axes."""
        return ("member", "time") if self.over_time else ("member",)


@dataclass(frozen=True)
class Layout:
    """The columns, the members, and the output times [h] of a sweep; ``meanings`` of its status."""

    columns: tuple[Column, ...]
    members: int
    times: tuple[float, ...]
    meanings: Mapping[int, str]

    def shape(self, column: Column) -> tuple[int, ...]:
        """Return the shape of a column."""
        return (self.members, len(self.times)) if column.over_time else (self.members,)

    @property
    def written(self) -> tuple[Column, ...]:
        """Return what a chunk fills, in the order of writing: ``status`` comes last."""
        last = {"data": 0, "count": 1, "status": 2}
        return tuple(
            sorted((c for c in self.columns if c.role != "design"), key=lambda c: last[c.role])
        )

    @property
    def given(self) -> tuple[Column, ...]:
        """Return what the design gives."""
        return tuple(c for c in self.columns if c.role == "design")

    @property
    def has_times(self) -> bool:
        """Say whether anything has a time axis."""
        return any(c.over_time for c in self.columns)

    def attributes(self, column: Column) -> dict[str, Any]:
        """Return the CF attributes of a column; a plain number has no unit."""
        if column.role == "status":
            codes = sorted(self.meanings)
            return {
                "long_name": column.long_name,
                "flag_values": codes,
                "flag_meanings": " ".join(self.meanings[code] for code in codes),
            }
        return {"units": column.units, "long_name": column.long_name}


def bookkeeping() -> tuple[Column, Column]:
    """Return the columns every sweep has: steps taken, and how each run ended."""
    return (
        Column("steps", "1", "steps taken", role="count"),
        Column("status", "", "how the run ended", role="status"),
    )


class Memory:
    """A result kept in memory, filled a chunk at a time.

    ``courses`` (n_members, n_columns, n_times) holds all that has a time axis.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        timed = [c.name for c in layout.columns if c.over_time]
        self.courses = np.empty((layout.members, len(timed), len(layout.times)))
        self.arrays = {
            c.name: self.courses[:, timed.index(c.name)]
            if c.over_time
            else np.empty(layout.shape(c), dtype=c.dtype)
            for c in layout.columns
        }
        self.left = np.ones(layout.members, dtype=bool)

    def put(self, start: int, data: Mapping[str, Array]) -> None:
        """Write the rows that begin at member ``start``: every column has its values in ``data``.

        Courses that were written into ``courses`` are where they belong.
        """
        rows = slice(start, start + len(data["status"]))
        for name, array in self.arrays.items():
            values = data[name]
            if values.ndim == 1 or not np.may_share_memory(values, self.courses):
                array[rows] = values
        self.left[rows] = False

    def dataset(self, attributes: Mapping[str, Any]) -> "xr.Dataset":
        """Return what has been filled, labelled."""
        import xarray as xr

        layout = self.layout
        for column in layout.columns:
            self.arrays[column.name][self.left] = column.empty
        variables = {
            c.name: xr.Variable(c.dims, self.arrays[c.name], layout.attributes(c))
            for c in layout.columns
        }
        for column in layout.columns:
            if column.role == "status":
                flags = variables[column.name].attrs
                flags["flag_values"] = np.array(flags["flag_values"], dtype=np.int8)
        coordinates: dict[str, Any] = {c.name: variables.pop(c.name) for c in layout.given}
        member = np.arange(layout.members)
        coordinates["member"] = xr.Variable(("member",), member, {"long_name": "member"})
        if layout.has_times:
            labels = {"units": "h", "long_name": "time"}
            coordinates["time"] = xr.Variable(("time",), np.array(layout.times), labels)
        return xr.Dataset(variables, coordinates, {**attributes, "schema_version": SCHEMA_VERSION})
