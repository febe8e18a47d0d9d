"""A time course in seven numbers: where it starts, how far it goes, when, and for how long."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from math import nan
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

DAY = 24.0
TIE = 1e-5  # of peaks alike to this share, the first counts
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """One observable of one run, in its declared unit.

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


UNREACHED = Summary(nan, nan, nan, nan, nan, nan, nan)


def summarise(times: Array, values: Array) -> Summary:
    """Return the summary of one time course.

    Parameters
    ----------
    times, values
        Times [h] and values, both of shape (n_times,). The baseline is the value at the last time
        before 0, or else the first value.
    """
    if not np.isfinite(values).all():
        return UNREACHED
    before = int(np.searchsorted(times, 0.0, "left")) - 1
    baseline = float(values[max(before, 0)])
    away = values - baseline
    size = np.abs(away)
    top = int(np.argmax(size >= (1.0 - TIE) * size.max()))
    change = float(away[top])
    inside = times[0] <= DAY <= times[-1]
    return Summary(
        baseline=baseline,
        peak=float(values[top]),
        change=change,
        time_of_peak=float(times[top]) if change else nan,
        area=float(np.trapezoid(away, times)),
        at_24h=float(np.interp(DAY, times, values)) if inside else nan,
        above_half=_time_beyond(times, away / change, 0.5) if change else 0.0,
    )


def _time_beyond(times: Array, relative: Array, level: float) -> float:
    """Return how long a line through the points lies above a level [h]."""
    low = np.minimum(relative[:-1], relative[1:])
    high = np.maximum(relative[:-1], relative[1:])
    crossing = (low < level) & (high > level)
    rise = np.where(crossing, high - low, 1.0)
    share = np.where(crossing, (high - level) / rise, np.where(low >= level, 1.0, 0.0))
    return float(np.sum(share * np.diff(times)))


def summaries(
    dataset: xr.Dataset, names: Iterable[str] = (), *, member: int = 0
) -> dict[str, Summary]:
    """Return the summary of each named observable (of all, when none is named) of one member.

    Raises
    ------
    KeyError
        When a name was not recorded.
    """
    times = dataset["time"].to_numpy()
    wanted = tuple(names) or observables(dataset)
    return {one: summarise(times, dataset[one].isel(member=member).to_numpy()) for one in wanted}


def observables(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the names of the recorded time courses."""
    return tuple(str(one) for one in dataset.data_vars if "time" in dataset[one].dims)


def headlines(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the recorded time courses that have a short name, in reading order."""
    have = observables(dataset)
    return tuple(one for one in str(dataset.attrs.get("headlines", "")).split(";") if one in have)


def rows(dataset: xr.Dataset, names: Iterable[str] = (), *, member: int = 0) -> list[list[Any]]:
    """Return the summaries as a table, its header (with units) first."""
    header = ["observable", "unit", *(_titled(field.name) for field in fields(Summary))]
    found = summaries(dataset, names, member=member)
    body = [[name, dataset[name].attrs["units"], *astuple(one)] for name, one in found.items()]
    return [header, *body]


def _titled(field: str) -> str:
    units = {"time_of_peak": "[h]", "above_half": "[h]", "area": "[unit h]"}
    return f"{field} {units[field]}" if field in units else field
