"""A time course in seven numbers: where it starts, how far it goes, when, and for how long."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Summary:
    """One observable of one run, in its declared unit, as its solver knows it between the times.

    ``change`` is the largest departure from ``baseline`` in either direction and ``peak`` the
    value there, ``area`` the integral of the departure [unit h], ``above_half`` the time spent
    beyond half of ``change`` [h]. ``nan`` marks what the run does not reach.
    """

    baseline: float
    peak: float
    change: float
    time_of_peak: float
    area: float
    at_24h: float
    above_half: float

    KINDS: ClassVar = ("start", "change", "t_change", "area", "at", "above_half")

    @classmethod
    def of(
        cls, start: float, change: float, t_change: float, area: float, at: float, half: float
    ) -> "Summary":
        """Return the summary of these read-outs, which are named as :mod:`ketasim.readouts` has."""
        if not isfinite(change):
            return cls(nan, nan, nan, nan, nan, nan, nan)
        return cls(start, start + change, change, t_change if change else nan, area, at, half)


def observables(dataset: "xr.Dataset") -> tuple[str, ...]:
    """Return the names of the recorded time courses."""
    shapes = dataset.variables  # a DataArray for each of two hundred takes longer than the run
    return tuple(str(one) for one in dataset.data_vars if "time" in shapes[one].dims)


def headlines(dataset: "xr.Dataset") -> tuple[str, ...]:
    """Return the recorded time courses that have a short name, in reading order."""
    have = observables(dataset)
    return tuple(one for one in str(dataset.attrs.get("headlines", "")).split(";") if one in have)


def rows(summary: Mapping[str, Summary], units: Mapping[str, str]) -> list[list[Any]]:
    """Return summaries as a table, its header (with units) first."""
    header = ["observable", "unit", *(_titled(field.name) for field in fields(Summary))]
    return [header, *([name, units[name], *astuple(one)] for name, one in summary.items())]


def _titled(field: str) -> str:
    units = {"time_of_peak": "[h]", "above_half": "[h]", "area": "[unit h]"}
    return f"{field} {units[field]}" if field in units else field
