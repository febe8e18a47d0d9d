"""Plain text for the terminal: aligned columns, short numbers, the last line of a run."""

from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import xarray as xr

from ketasim.results.summary import Summary, summaries

NONE = "-"
NOTHING = 1e-9  # smaller numbers are rounding
STILL = 1e-5  # in declared units, all of which are of the size of what they measure


def columns(rows: Iterable[Sequence[str]], *, indent: str = "") -> str:
    """Return rows as left-aligned columns two spaces apart."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in table)
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def number(value: float) -> str:
    """Return four significant digits, or a dash for what was not reached."""
    return f"{value if abs(value) > NOTHING else 0.0:.4g}" if isfinite(value) else NONE


def moment(hours: float) -> str:
    """Return a time to three digits as people say it: ``'40 min'``, ``'1.5 h'``, ``'2.1 d'``."""
    if not isfinite(hours):
        return NONE
    for size, name in ((24.0, "d"), (1.0, "h")):
        if abs(hours) >= size * (2 if name == "d" else 1):
            return f"{hours / size:.3g} {name}"
    return f"{hours * 60:.3g} min"


def summary_cells(one: Summary) -> list[str]:
    """Return baseline, peak, its time, and time above half; dashes for what does not move."""
    if abs(one.change) < STILL:
        return [number(one.baseline), number(one.baseline), NONE, NONE]
    return [
        number(one.baseline),
        number(one.peak),
        moment(one.time_of_peak),
        moment(one.above_half),
    ]


def milligrams(value: float) -> str:
    """Return a mass as it would be written on a chart."""
    return f"{value:.1f} mg" if value >= 1.0 or value == 0.0 else f"{value:.3g} mg"


def summary_table(dataset: xr.Dataset, names: Sequence[str]) -> str:
    """Return the summary of the named observables as text."""
    rows = [["observable", "unit", "baseline", "peak", "at", "above half", "24 h", "area [unit h]"]]
    for name, one in summaries(dataset, names).items():
        unit = str(dataset[name].attrs["units"])
        rows.append([name, unit, *summary_cells(one), number(one.at_24h), number(one.area)])
    return columns(rows)


def last_line(dataset: xr.Dataset, folder: Path) -> str:
    """Return ``delivered 35.0 mg of 35.0 mg - solver ok - 0.09 s - out/``."""
    known: dict[str, Any] = dataset.attrs
    flags = dataset["status"].attrs
    meanings = dict(zip(flags["flag_values"].tolist(), flags["flag_meanings"].split(), strict=True))
    status = meanings[int(dataset["status"][0])].replace("_", " ")
    return f"{_given(known)} - solver {status} - {known['wall_s']:.2f} s - {folder}/"


def _given(known: dict[str, Any]) -> str:
    if not known["doses"]:
        return "no dose prescribed"
    given = f"{milligrams(known['delivered_mg'])} of {milligrams(known['prescribed_mg'])}"
    return f"delivered {given}" + (f" in {known['doses']} doses" if known["doses"] > 1 else "")
