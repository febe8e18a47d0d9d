"""Repeated dosing as a table: what every dose reached, and what was left of it at the next."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ketasim.reports.text import NONE, Table, milligrams, moment, number
from ketasim.results.summary import headlines, observables

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
JUST_BEFORE = 1e-6  # a dose begins this much later than what is left of the last is read [h]
SILENT = 1e-9  # of nothing there is no share left


def dose_table(dataset: "xr.Dataset", names: Sequence[str] = ()) -> Table | None:
    """Return a row for each dose of a run; nothing where fewer than two were given.

    Of the first headline (what the drug is) it says the peak and how much of it is left when the
    next dose begins, or the run ends; of the last (what it does) the largest departure from what
    was there before the first dose, and what is left of it.

    Parameters
    ----------
    dataset
        A run, best at the times it is drawn at.
    names
        What to tell of instead, two names.
    """
    starts = np.atleast_1d(np.asarray(dataset.attrs.get("dose_starts_h", []), dtype=float))
    told = tuple(names) or headlines(dataset) or observables(dataset)
    if len(starts) < 2 or not told:
        return None
    run = dataset.isel(member=0) if "member" in dataset.dims else dataset
    times = run["time"].to_numpy().astype(float)
    order = np.argsort(starts, kind="stable")
    amounts = np.atleast_1d(np.asarray(dataset.attrs["dose_mg"], dtype=float))[order]
    starts = starts[order]
    ends = np.append(starts[1:], times[-1])
    chosen = tuple(dict.fromkeys((told[0], told[-1])))
    head = ["dose", "at", "amount"]
    columns = [[str(k + 1) for k in range(len(starts))], [moment(t) for t in starts]]
    columns.append([milligrams(mg) for mg in amounts])
    for name in chosen:
        of = str(run[name].attrs.get("units", "1"))
        head += [f"{name} peak" + (f" [{of}]" if of != "1" else ""), "left at the next"]
        columns += _reached(times, run[name].to_numpy().astype(float), starts, ends)
    rows = tuple(zip(*columns, strict=True))
    return Table(tuple(head), rows, "left: at the next dose, or at the end, as a share of the peak")


def _reached(times: Array, values: Array, starts: Array, ends: Array) -> list[list[str]]:
    """Return the largest departure from what was there at first, after each dose, and its share."""
    first = float(np.interp(starts[0] - JUST_BEFORE, times, values))
    peaks, left = [], []
    for begin, end in zip(starts, ends, strict=True):
        inside = values[(times >= begin - JUST_BEFORE) & (times <= end - JUST_BEFORE)]
        after = float(np.interp(end - JUST_BEFORE, times, values)) - first
        if not len(inside):
            peaks.append(NONE)
            left.append(NONE)
            continue
        largest = float(inside[np.argmax(np.abs(inside - first))]) - first
        peaks.append(number(first + largest))
        left.append(f"{after / largest:.0%}" if abs(largest) > SILENT else NONE)
    return [peaks, left]
