"""The default figure: one run from drug to mood, first hours and following days side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ketasim.core.describe import Panel
from ketasim.errors import ConfigError
from ketasim.plots.layout import (
    DAY,
    Array,
    Header,
    Key,
    Parts,
    Window,
    curve,
    finish,
    limits,
    logarithmic,
    sheet,
    size,
    text_width,
    windows,
)
from ketasim.plots.panels import Marks, marks, panels, shade, strip, strip_name, values_over
from ketasim.plots.style import COLUMN, DOSE, Style, provenance, save, settings

if TYPE_CHECKING:
    from ketasim.studies.fit.data import Point

PRESSED = "#6E6E6E"  # a dose on the strip
HELD = "#B9CBDB"  # a held knob


def draw(
    dataset: xr.Dataset,
    path: str | Path | None = None,
    *,
    names: Sequence[str] = (),
    member: int = 0,
    style: Style = COLUMN,
    seen: Sequence["Point"] = (),
    bands: xr.Dataset | None = None,
    log: bool = False,
) -> Figure:
    """Draw one member of a result, and save it when a path is given.

    Parameters
    ----------
    path
        Ends in ``.png``, ``.svg`` or ``.pdf``; the same dataset gives the same bytes.
    names
        Recorded names or mechanisms to show, see :func:`ketasim.plots.panels.panels`.
    style
        ``COLUMN`` (85 mm wide, one stack) or ``PAGE`` (178 mm, two).
    seen
        Values of one's own to draw over their curves; see :func:`ketasim.load_data`.
    bands
        Courses as (quantile, time), low, middle and high: the middle is drawn instead of the run's
        own course, and the others as a band; see :func:`ketasim.verbs.posterior.predicted`.
    log
        Whether panels of positive values over a wide range have a logarithmic axis.

    Returns
    -------
    matplotlib.figure.Figure
        Free of pyplot; :func:`ketasim.plots.style.save` writes it with its numbers.

    Raises
    ------
    ConfigError
        When a name was not recorded, nothing was, or the file cannot be written.
    """
    run = dataset.isel(member=member) if "member" in dataset.dims else dataset
    found, done = panels([run], names, seen=[one.curve for one in seen]), marks(dataset.attrs)
    times = run["time"].to_numpy().astype(float)
    shown = windows(float(times[0]), float(times[-1]), onset=done.onset)
    with settings(style):
        figure = _figure(run, found, shown, done, style, seen, bands, log=log)
        figure.set_label(provenance(dataset.attrs))
        if path is not None:
            save(figure, path, style=style)
    return figure


def _figure(
    run: xr.Dataset,
    found: Sequence[Panel],
    shown: Sequence[Window],
    done: Marks,
    style: Style,
    seen: Sequence["Point"],
    bands: xr.Dataset | None,
    *,
    log: bool,
) -> Figure:
    believed = "" if bands is None else f"median, 5-95 % of {bands.attrs['draws']} draws"
    told = (done.sentence, believed, _failure(run))
    top = Header("", tuple(Key(text) for text in told if text))
    times = run["time"].to_numpy().astype(float)
    headers = [_header(panel) for panel in found]
    rows = bool(done.doses) + len(done.holds)
    page = sheet(headers, shown, style, top=top, rows=rows)
    for column in page.strips:
        strips(column, shown, done, style)
    passing = done.passing(Window(float(times[0]), float(times[-1])))
    for i, (parts, panel) in enumerate(zip(page.panels, found, strict=True)):
        for axes, window in zip(parts, shown, strict=True):
            shade(axes, window, passing)
        drawn = _curves(parts, run, panel, style, seen, bands)
        limits(parts, drawn, from_zero=panel.from_zero)
        finish(parts, panel, shown, foot=i in page.feet)
        if log:
            logarithmic(parts, drawn)
    return page.figure


def _header(panel: Panel) -> Header:
    keys = tuple(Key(c.label, c.colour, c.dash) for c in panel.curves if c.label)
    return Header(panel.title, keys, panel.share)


def _failure(run: xr.Dataset) -> str:
    """Say why a member has no numbers, when it has none."""
    status = run.get("status")
    if status is None or int(status) in (0, 1):
        return ""
    words = str(status.attrs.get("flag_meanings", "")).split()
    codes = np.atleast_1d(status.attrs.get("flag_values", [])).tolist()
    meanings = dict(zip(codes, words, strict=False))
    return f"run failed: {meanings.get(int(status), int(status))}"


def strips(rows: Sequence[Parts], shown: Sequence[Window], done: Marks, style: Style) -> None:
    """Draw and name what was given and held, a row each."""
    below = list(rows)
    if done.doses:
        parts = below.pop(0)
        for axes, window in zip(parts, shown, strict=True):
            strip(axes, window, done.doses, colour=PRESSED)
        _name_doses(parts, shown, done, style)
    for parts, hold in zip(below, done.holds, strict=True):
        for axes, window in zip(parts, shown, strict=True):
            strip(axes, window, hold.spans, colour=HELD)
        first = hold.spans[0]
        at = next((i for i, window in enumerate(shown) if first.within(window)), 0)
        start, stop = max(first.start, shown[at].start), min(first.stop, shown[at].stop)
        share = (stop - start) / (shown[at].stop - shown[at].start)
        room = share * size(parts[at])[0]
        inside = text_width(f" {hold.name} ", style.text_size, style.font) <= room
        strip_name(parts[at], hold.name, start if inside else stop)


def _name_doses(parts: Parts, shown: Sequence[Window], done: Marks, style: Style) -> None:
    """Write what was given behind the last dose that leaves room for it."""
    if not done.given:
        return
    need = text_width(f" {done.given} ", style.text_size, style.font)
    for axes, window in reversed(list(zip(parts, shown, strict=True))):
        stops = [one.stop for one in done.doses if one.within(window)]
        wide = size(axes)[0] / (window.stop - window.start)
        if stops and (window.stop - min(max(stops), window.stop)) * wide >= need:
            strip_name(axes, done.given, max(stops))
            return


def draw_onto(axes: Axes, dataset: xr.Dataset, names: Sequence[str], *, member: int = 0) -> None:
    """Draw the curves of one panel onto axes of one's own, in hours, or days where it is long.

    Raises
    ------
    ConfigError
        When the names fill no panel, or more than one.
    """
    run = dataset.isel(member=member) if "member" in dataset.dims else dataset
    found = panels([run], names)
    if len(found) != 1:
        told = ", ".join(panel.title for panel in found[:6])
        raise ConfigError(f"ax: one panel fits on one axes; these are {len(found)}: {told}.")
    times, (panel,) = run["time"].to_numpy().astype(float), found
    whole = Window(float(times[0]), float(times[-1]))
    scale, name = (DAY, "d") if whole.stop - whole.start > 2 * DAY else (1.0, "h")
    done = marks(run.attrs)
    for one in done.doses:
        axes.axvspan(one.start / scale, one.stop / scale, color=DOSE, zorder=0)
    for one_curve in panel.curves:
        axes.plot(
            times / scale, run[one_curve.name].to_numpy(), color=one_curve.colour,
            linestyle=one_curve.dash, label=one_curve.label or panel.title,
        )  # fmt: skip
    axes.set(title=panel.title, xlabel=f"Time ({name})", ylabel=panel.measure)
    if len(panel.curves) > 1:
        axes.legend(frameon=False)


def _curves(
    parts: Parts, run: xr.Dataset, panel: Panel, style: Style, seen: Sequence["Point"],
    bands: xr.Dataset | None,
) -> list[Array]:  # fmt: skip
    """Draw a panel's curves; return what was drawn."""
    drawn = []
    for one in panel.curves:
        is_band = bands is not None and one.name in bands
        held = bands if bands is not None and is_band else run
        times = held["time"].to_numpy().astype(float)
        values = held[one.name].to_numpy().astype(float)
        if is_band:
            low, values, high = values
            for axes in parts:
                axes.fill_between(times, low, high, color=one.colour, alpha=0.2, linewidth=0.0)
            drawn += [low, high]
        label = f"{one.name} [{panel.unit}]"
        curve(parts, times, values, label=label, colour=one.colour, dash=one.dash, width=style.line)
        drawn += [values, *values_over(parts, seen, one.name, colour=one.colour)]
    return drawn
