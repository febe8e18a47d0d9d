"""Scenarios side by side: the panels of the default figure, a colour for each scenario."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from ketasim.core.describe import Panel
from ketasim.errors import ConfigError
from ketasim.plots.layout import (
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
    windows,
)
from ketasim.plots.panels import (
    DASHED,
    SOLID,
    Mark,
    Marks,
    marks,
    panels,
    shade,
    strip,
    unit_of,
    values_over,
)
from ketasim.plots.style import COLUMN, INK, PALETTE, Style, provenance, save, settings

if TYPE_CHECKING:
    from ketasim.studies.fit.data import Point

MOST = 24
SAME = 1e-4  # of a curve's range: nearer than this, no solver or eye tells curves apart
DASHES = (SOLID, DASHED)


@dataclass(frozen=True)
class Series:
    """One scenario: its label, result, colour and what was done in it."""

    label: str
    run: xr.Dataset
    colour: str
    done: Marks
    seen: Sequence["Point"] = ()

    @property
    def times(self) -> Array:
        """Return the recorded times [h]."""
        return self.run["time"].to_numpy().astype(float)

    def values(self, name: str) -> Array:
        """Return a time course; NaN where the scenario did not record it."""
        if name not in self.run:
            return np.full(self.times.shape, np.nan)
        return self.run[name].to_numpy().astype(float)


def draw(
    datasets: Mapping[str, xr.Dataset] | xr.Dataset,
    path: str | Path | None = None,
    *,
    names: Sequence[str] = (),
    member: int = 0,
    style: Style = COLUMN,
    seen: Mapping[str, Sequence["Point"]] | None = None,
    log: bool = False,
) -> Figure:
    """Draw results over one another, and save the figure when a path is given.

    A panel shows at most its two first curves, the second dashed. Earlier scenarios have wider
    lines, so that one behind another is seen. A panel in which all scenarios agree says so.

    Parameters
    ----------
    datasets
        Results by the label of their scenario, or one with a dimension ``variant``
        (:func:`ketasim.compare_laws`).
    names
        Recorded names or mechanisms to show, see :func:`ketasim.plots.panels.panels`.
    seen
        Values of one's own to draw over their curves, by the label of their scenario.
    log
        Whether panels of positive values over a wide range have a logarithmic axis.

    Raises
    ------
    ConfigError
        When there is nothing to compare or too much, a name was not recorded or in different
        units, or the file cannot be written.
    """
    if isinstance(datasets, xr.Dataset):
        datasets = _variants(datasets)
    if not 1 <= len(datasets) <= MOST:
        raise ConfigError(f"{len(datasets)} scenarios to draw; between 1 and {MOST} are needed.")
    series = _series(datasets, member, seen or {})
    curves = [point.curve for one in series for point in one.seen]
    found = [_narrowed(p) for p in panels([one.run for one in series], names, seen=curves)]
    _check_units(series, found)
    onsets = [one.done.onset for one in series if one.done.onset is not None]
    start = min(float(one.times[0]) for one in series)
    end = max(float(one.times[-1]) for one in series)
    shown = windows(start, end, onset=min(onsets, default=None))
    with settings(style):
        figure = _figure(series, found, shown, style, log=log)
        figure.set_label(" | ".join(provenance(one.run.attrs) for one in series))
        if path is not None:
            save(figure, path, style=style)
    return figure


def _variants(data: xr.Dataset) -> dict[str, xr.Dataset]:
    """Return one result for each variant; a single run is a variant of its own."""
    if "variant" not in data.dims:
        return {str(data.attrs.get("scenario_name", "")): data}
    return {str(one): data.sel(variant=one, drop=True) for one in data["variant"].to_numpy()}


def _series(
    datasets: Mapping[str, xr.Dataset], member: int, seen: Mapping[str, Sequence["Point"]]
) -> list[Series]:
    n = len(datasets)
    ramp = mpl.colormaps["cividis"](np.linspace(0.0, 0.9, n))
    colours = PALETTE[:n] if n <= len(PALETTE) else [to_hex(one) for one in ramp]
    return [
        Series(
            label,
            data.isel(member=member) if "member" in data.dims else data,
            colour,
            marks(data.attrs),
            seen.get(label, ()),
        )
        for (label, data), colour in zip(datasets.items(), colours, strict=True)
    ]


def _narrowed(panel: Panel) -> Panel:
    """Return a panel with two curves, told apart by their dashes."""
    curves = zip(panel.curves, DASHES, strict=False)
    return replace(panel, curves=tuple(replace(c, dash=dash, colour=INK) for c, dash in curves))


def _check_units(series: Sequence[Series], found: Sequence[Panel]) -> None:
    for name in (one.name for panel in found for one in panel.curves):
        units = {unit_of(one.run[name]): one.label for one in series if name in one.run}
        if len(units) > 1:
            told = ", ".join(f"{text} in {label}" for text, label in units.items())
            raise ConfigError(f"{name}: recorded in different units ({told}); cannot be compared.")


def _figure(
    series: Sequence[Series],
    found: Sequence[Panel],
    shown: Sequence[Window],
    style: Style,
    *,
    log: bool,
) -> Figure:
    top = Header("", tuple(Key(one.label, one.colour) for one in series))
    headers = [_header(panel, series) for panel in found]
    rows = [one for one in series if one.done.doses or one.done.holds]
    page = sheet(headers, shown, style, top=top, rows=len(rows))
    for column in page.strips:
        for parts, one in zip(column, rows, strict=True):
            _strip(parts, shown, one)
    common = Marks(_common(series), (), "")
    for i, (parts, panel) in enumerate(zip(page.panels, found, strict=True)):
        for axes, window in zip(parts, shown, strict=True):
            shade(axes, window, common)
        drawn = _curves(parts, series, panel, style)
        limits(parts, drawn, from_zero=panel.from_zero)
        finish(parts, panel, shown, foot=i in page.feet)
        if log:
            logarithmic(parts, drawn)
    return page.figure


def _strip(parts: Parts, shown: Sequence[Window], one: Series) -> None:
    """Draw doses in the colour of their scenario; in a tint of it, knobs held for a while."""
    red, green, blue = (0.7 + 0.3 * part for part in to_rgb(one.colour))
    tint = to_hex((red, green, blue))
    run = Window(float(one.times[0]), float(one.times[-1]))
    spans = [span for hold in one.done.passing(run).holds for span in hold.spans]
    for axes, window in zip(parts, shown, strict=True):
        strip(axes, window, spans, colour=tint)
        strip(axes, window, one.done.doses, colour=one.colour)


def _common(series: Sequence[Series]) -> tuple[Mark, ...]:
    """Return the doses of all scenarios, each span once."""
    return tuple(dict.fromkeys(dose for one in series for dose in one.done.doses))


def _header(panel: Panel, series: Sequence[Series]) -> Header:
    keys = [Key(c.label, INK, c.dash) for c in panel.curves if c.label]
    if len(series) > 1 and all(_agree(series, c.name) for c in panel.curves):
        keys.append(Key("identical"))
    return Header(panel.title, tuple(keys), panel.share)


def _agree(series: Sequence[Series], name: str) -> bool:
    """Return whether every scenario gives one and the same curve, where their times overlap."""
    first = series[0]
    values = first.values(name)
    span = float(np.ptp(values)) or abs(float(values[0])) or 1.0
    for one in series[1:]:
        inside = (first.times >= one.times[0]) & (first.times <= one.times[-1])
        other = np.interp(first.times[inside], one.times, one.values(name))
        if not inside.any() or not np.all(np.abs(other - values[inside]) <= SAME * span):
            return False
    return True


def _curves(
    parts: Parts, series: Sequence[Series], panel: Panel, style: Style
) -> list[Array]:  # fmt: skip
    """Draw a panel's curves of every scenario; return what was drawn."""
    drawn = []
    widths = np.linspace(1.6, 0.8, len(series)) * style.line if len(series) > 1 else [style.line]
    for shown in panel.curves:
        for one, width in zip(series, widths, strict=True):
            if panel.human and one.run.attrs.get("species", "human") != "human":
                continue  # no animal fills in a scale for people
            values = one.values(shown.name)
            label = f"{one.label}: {shown.name} [{panel.unit}]"
            curve(
                parts, one.times, values, label=label, colour=one.colour, dash=shown.dash,
                width=float(width),
            )  # fmt: skip
            drawn += [values, *values_over(
                parts, one.seen, shown.name, colour=one.colour, label=f"{one.label}: "
            )]  # fmt: skip
    return drawn
