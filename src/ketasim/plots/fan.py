"""Courses of many members: the middle and the range of all, or single lines, over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from ketasim.core.describe import Panel
from ketasim.plots.layout import Array, Header, Key, Parts, Window, finish, limits, sheet, windows
from ketasim.plots.panels import NOTHING, Marks, measure, shade, values_over
from ketasim.plots.style import BLUE, COLUMN, INK, Style, provenance, settings
from ketasim.plots.sweeps import chosen, counted, courses, usable
from ketasim.plots.timecourse import strips
from ketasim.plots.words import called, printed

if TYPE_CHECKING:
    from ketasim.studies.fit.data import Point

Kind = Literal["fan", "spaghetti"]
MOST_LINES, MOST_MEMBERS, MOST_COURSES = 200, 20_000, 12
SHARES = (0.05, 0.5, 0.95)


def draw_fan(
    dataset: xr.Dataset,
    name: str | None = None,
    *,
    kind: Kind = "fan",
    style: Style = COLUMN,
    seen: Sequence["Point"] = (),
    done: Marks = NOTHING,
) -> Figure:
    """Return a picture of recorded names over time, for all members with values.

    ``'fan'`` shows the median and the range from 5 to 95 %, ``'spaghetti'`` up to 200 lines;
    values ``seen`` are drawn over them, and what was ``done`` is shaded. Without a name everything
    recorded is shown, up to ``MOST_COURSES``.

    Raises
    ------
    ConfigError
        When no such course was recorded.
    """
    known = courses(dataset)
    names = [chosen(name, known, "time course")] if name or not known else known[:MOST_COURSES]
    times = dataset["time"].to_numpy().astype(float)
    shown = windows(float(times[0]), float(times[-1]), onset=done.onset)
    what = "up to 200 lines of " if kind == "spaghetti" else "median, 5-95 % of "
    top = Header("", tuple(Key(one) for one in (done.sentence, what + counted(dataset)) if one))
    with settings(style):
        panels = [Panel(called(one, dataset.attrs), *_measured(dataset, one)) for one in names]
        headers = [Header(panel.title) for panel in panels]
        page = sheet(headers, shown, style, top=top, rows=bool(done.doses) + len(done.holds))
        page.figure.set_label(provenance(dataset.attrs))
        for column in page.strips:
            strips(column, shown, done, style)
        passing = done.passing(Window(float(times[0]), float(times[-1])))
        for i, (parts, panel, one) in enumerate(zip(page.panels, panels, names, strict=True)):
            for axes, window in zip(parts, shown, strict=True):
                shade(axes, window, passing)
            drawn = _lines(parts, dataset, one, times, kind, style)
            drawn += values_over(parts, seen, one, colour=INK)
            limits(parts, drawn, from_zero=panel.from_zero)
            finish(parts, panel, shown, foot=i in page.feet)
    return page.figure


def _measured(dataset: xr.Dataset, name: str) -> tuple[str, str]:
    """Return what an axis says of a course, and its unit."""
    of = str(dataset[name].attrs.get("units", "1"))
    return (printed(of) if of != "1" else measure([dataset[name]], of)), of


def _lines(
    parts: Parts, dataset: xr.Dataset, name: str, times: Array, kind: Kind, style: Style
) -> list[Array]:
    """Draw every member, or the middle and the range of all; return what was drawn."""
    values = some(dataset, name, MOST_LINES if kind == "spaghetti" else MOST_MEMBERS)
    if not len(values):
        return []
    if kind == "spaghetti":
        for axes in parts:
            for i, line in enumerate(values):
                axes.plot(times, line, color=BLUE, linewidth=0.35, alpha=0.4, label=f"_{i}")
        return list(values)
    low, middle, high = quantiles(values)
    for axes in parts:
        axes.fill_between(times, low, high, color=BLUE, alpha=0.25, linewidth=0.0)
        axes.plot(times, low, color=BLUE, linewidth=0.3, label=f"{name} 5 %")
        axes.plot(times, middle, color=BLUE, linewidth=style.line, label=f"{name} median")
        axes.plot(times, high, color=BLUE, linewidth=0.3, label=f"{name} 95 %")
    return [low, high]


def some(dataset: xr.Dataset, name: str, most: int) -> Array:
    """Return the courses of at most so many members, evenly spread over those with values."""
    fine = np.flatnonzero(usable(dataset))
    if len(fine) > most:
        fine = fine[np.linspace(0, len(fine) - 1, most).astype(int)]
    found: Array = dataset[name].isel(member=fine).to_numpy()
    return found


def quantiles(values: Array) -> tuple[Array, Array, Array]:
    """Return the 5 %, 50 % and 95 % quantiles at each time."""
    low, middle, high = np.quantile(values, SHARES, axis=0)
    return low, middle, high
