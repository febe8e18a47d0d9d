"""Pictures of many members: dose and response, and a map over two values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ketasim.errors import ConfigError, suggest
from ketasim.plots.style import (
    BLUE,
    COLUMN,
    FAINT,
    INK,
    MM,
    Style,
    log_ticks,
    new_figure,
    provenance,
    settings,
)
from ketasim.plots.words import axis, in_lines
from ketasim.results.failures import varied
from ketasim.studies.hill import Hill, fit_hill

Array = NDArray[np.float64]
_OWN = ("status", "steps", "rtol")
FAILED = "#C00000"
HEIGHT = 55.0  # [mm]
MAP_HEIGHT = 65.0  # [mm]
COLOURS = "viridis"
MISSING = "#D9D9D9"
MOST_DOTS = 20_000


def summaries(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the names of the summaries in a sweep."""
    return tuple(
        str(n) for n in dataset.data_vars if dataset[n].dims == ("member",) and n not in _OWN
    )


def courses(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the names of the recorded time courses."""
    return tuple(str(n) for n in dataset.data_vars if "time" in dataset[n].dims)


def chosen(name: str | None, known: Sequence[str], what: str) -> str:
    """Return a name that is there, the first one when none is asked for.

    Raises
    ------
    ConfigError
        When there is no such name, or nothing of the kind.
    """
    if not known:
        raise ConfigError(f"this sweep has no {what}.{_CURES.get(what, '')}")
    if name is None:
        return known[0]
    if name not in known:
        here = ", ".join(known[:8])
        raise ConfigError(f'"{name}": no such {what}.{suggest(name, known)} There are: {here}.')
    return name


_CURES = {
    "summary": " Ask for one: --summary NAME.peak.",
    "time course": " Ask for one: --record NAME.",
}


def design_name(dataset: xr.Dataset, name: str | None, taken: Sequence[str] = ()) -> str:
    """Return a varied name that is there, the first one not taken when none is asked for."""
    return chosen(name, [one for one in varied(dataset) if one not in taken], "varied value")


def column(dataset: xr.Dataset, name: str) -> Array:
    """Return a column as numbers, (n_members,)."""
    found: Array = dataset[name].to_numpy().astype(float)
    return found


def usable(dataset: xr.Dataset) -> NDArray[np.bool_]:
    """Return which members have values."""
    status = dataset["status"].to_numpy()
    found: NDArray[np.bool_] = (status == 0) | (status == 1)
    return found


def label(dataset: xr.Dataset, name: str) -> str:
    """Return a name with its unit in brackets, as a table of numbers says it."""
    unit = str(dataset[name].attrs.get("units", "1"))
    return name if unit == "1" else f"{name} ({unit})"


def is_logarithmic(x: Array) -> bool:
    """Say whether values are spread over ratios rather than differences."""
    fine = np.unique(x[np.isfinite(x)])
    if len(fine) < 3 or fine[0] <= 0.0 or fine[-1] < 20.0 * fine[0]:
        return False
    return bool(np.median(fine) < 0.35 * fine[-1])


def counted(dataset: xr.Dataset) -> str:
    """Return how many members a picture rests on, failures told."""
    fine, ran = usable(dataset), dataset["status"].to_numpy() != -1
    lost = int(np.count_nonzero(ran & ~fine))
    told = f"{int(fine.sum()):,} members"
    return f"{told}, {lost:,} failed" if lost else told


def finish(axes: Any) -> None:
    """Take away what a picture does not need."""
    axes.spines[["top", "right"]].set_visible(False)


def draw_response(
    dataset: xr.Dataset, summary: str | None = None, *, x: str | None = None, style: Style = COLUMN
) -> Figure:
    """Return a picture of one summary over one varied value.

    Parameters
    ----------
    dataset
        A sweep.
    summary, x
        What is drawn over what; the first of each when not given.

    Raises
    ------
    ConfigError
        When the sweep has no such column.
    """
    name = chosen(summary, summaries(dataset), "summary")
    over = design_name(dataset, x)
    fine = usable(dataset)
    doses, values = column(dataset, over), column(dataset, name)
    with settings(style):
        figure = new_figure(style.width, HEIGHT)
        figure.set_label(provenance(dataset.attrs))
        axes = placed(figure, left=16.0, right=3.0, bottom=10.5, top=10.0)
        logarithmic = is_logarithmic(doses)
        if logarithmic:
            axes.set_xscale("log")
        axes.plot(
            doses[fine], values[fine], "o", markersize=2.2, color=BLUE, markeredgewidth=0.0,
            label=label(dataset, name), rasterized=fine.sum() > 20_000,
        )  # fmt: skip
        found = fit_hill(doses[fine], values[fine])
        if found is not None:
            _curve(axes, found, doses[fine], logarithmic)
        _failed(axes, doses[~fine & (dataset["status"].to_numpy() != -1)])
        axes.set_xlabel(in_lines(axis(dataset, over), style.width - 17.0, style.text_size))
        axes.set_ylabel(in_lines(axis(dataset, name), HEIGHT - 16.0, style.text_size))
        if logarithmic:
            log_ticks(axes.xaxis)
        told = sentence(found, str(dataset[over].attrs.get("units", "1")))
        reached = found is None or plateau(found, float(np.max(doses[fine])))
        above = told if reached else told.replace("R²", "no plateau reached, R²")
        axes.set_title(above, fontsize=style.text_size, loc="left", color=INK, linespacing=1.15)
        noted(figure, counted(dataset), style)
        finish(axes)
    return figure


def sentence(found: Hill | None, unit: str) -> str:
    """Return the curve that describes the points, or that none does.

    The points of a model scatter about nothing, so that an interval would say how far the model is
    from a Hill curve and not how well a dose is known; it is not told.
    """
    if found is None:
        return "no Hill curve describes these points"
    shown = "" if unit == "1" else f" {unit}"
    return (
        f"half-way at {found.ec50:.3g}{shown}, Hill {found.steepness:.2g}\n"
        f"(a description of these points, R² {found.r2:.3f})"
    )


PLATEAU = 0.9  # of the span: a highest dose that gets no further has reached no plateau


def plateau(found: Hill, highest: float) -> bool:
    """Return whether a curve levels off within the doses given."""
    reached = (float(found(np.array([highest]))[0]) - found.bottom) / found.span
    return reached >= PLATEAU


def placed(figure: Figure, *, left: float, right: float, bottom: float, top: float) -> Axes:
    """Return axes with margins [mm]."""
    width, height = (float(size) / MM for size in figure.get_size_inches())
    box = (left / width, bottom / height)
    return figure.add_axes(
        (*box, (width - left - right) / width, (height - bottom - top) / height)
    )  # fmt: skip


def noted(figure: Figure, text: str, style: Style) -> None:
    """Write a remark in the lower right corner, beneath the axis."""
    height = float(figure.get_size_inches()[1]) / MM
    figure.text(
        1.0 - 2.0 / style.width, 0.9 / height, text, ha="right", va="bottom", color=FAINT,
        fontsize=style.text_size,
    )  # fmt: skip


def _curve(axes: Axes, found: Hill, doses: Array, logarithmic: bool) -> None:  # noqa: FBT001
    low, high = float(np.min(doses)), float(np.max(doses))
    line = np.geomspace(low, high, 200) if logarithmic else np.linspace(low, high, 200)
    axes.plot(line, found(line), color=INK, linewidth=0.9, label="Hill curve", zorder=1)


def _failed(axes: Axes, doses: Array) -> None:
    """Mark failed members on the axis, where they cannot be taken for values."""
    if len(doses):
        axes.plot(
            doses, np.zeros(len(doses)), "|", color=FAILED, markersize=7.0, clip_on=False,
            transform=axes.get_xaxis_transform(), label="failed",
        )  # fmt: skip


def draw_map(
    dataset: xr.Dataset,
    summary: str | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    style: Style = COLUMN,
) -> Figure:
    """Return a map of one summary over two varied values; failed members are grey.

    Raises
    ------
    ConfigError
        When the sweep has no such column, or varies fewer than two values.
    """
    name = chosen(summary, summaries(dataset), "summary")
    if len(varied(dataset)) < 2:
        raise ConfigError("a map needs two varied values; a dose-response needs one.")
    across = design_name(dataset, x, () if y is None else (y,))
    up = design_name(dataset, y, (across,))
    columns = [column(dataset, one) for one in (across, up, name)]
    columns[2] = np.where(usable(dataset), columns[2], np.nan)
    with settings(style):
        figure = new_figure(style.width, MAP_HEIGHT)
        figure.set_label(provenance(dataset.attrs))
        axes = placed(figure, left=15.0, right=19.0, bottom=10.5, top=2.0)
        table = as_grid(*columns)
        drawn = _dots(axes, *columns) if table is None else _squares(axes, *table)
        for scale, values in ((axes.set_xscale, columns[0]), (axes.set_yscale, columns[1])):
            if is_logarithmic(values):
                scale("log")
                log_ticks(axes.xaxis if scale == axes.set_xscale else axes.yaxis)
        at = style.width - 17.5
        bar = figure.colorbar(
            drawn, cax=placed(figure, left=at, right=15.0, bottom=10.5, top=2.0)
        )  # fmt: skip
        bar.set_label(in_lines(axis(dataset, name), MAP_HEIGHT - 10.0, style.text_size))
        axes.set_xlabel(in_lines(axis(dataset, across), style.width - 32.0, style.text_size))
        axes.set_ylabel(in_lines(axis(dataset, up), MAP_HEIGHT - 12.0, style.text_size))
        noted(figure, counted(dataset), style)
    return figure


def as_grid(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array] | None:
    """Return the axes of a grid and its values (n_y, n_x), or None when members form no grid.

    Members that share a place, as in a grid over a third value, are averaged.
    """
    across, i = np.unique(x, return_inverse=True)
    up, j = np.unique(y, return_inverse=True)
    if len(across) * len(up) > len(x) or min(len(across), len(up)) < 2:
        return None
    counts, sums = np.zeros((2, len(up), len(across)))
    fine = np.isfinite(z)
    np.add.at(counts, (j[fine], i[fine]), 1.0)
    np.add.at(sums, (j[fine], i[fine]), z[fine])
    with np.errstate(invalid="ignore"):
        return across, up, sums / counts


def _squares(axes: Any, x: Array, y: Array, z: Array) -> Any:
    axes.set_facecolor(MISSING)
    return axes.pcolormesh(_edges(x), _edges(y), np.ma.masked_invalid(z), cmap=COLOURS)


def _edges(values: Array) -> Array:
    """Return the borders between values, halfway in the scale they are drawn in."""
    logarithmic = is_logarithmic(values)
    v = np.log(values) if logarithmic else values
    inner = 0.5 * (v[1:] + v[:-1])
    found = np.concatenate([[2 * v[0] - inner[0]], inner, [2 * v[-1] - inner[-1]]])
    return np.exp(found) if logarithmic else found


def _dots(axes: Any, x: Array, y: Array, z: Array) -> Any:
    step = max(1, -(-len(x) // MOST_DOTS))
    x, y, z = x[::step], y[::step], z[::step]
    lost = ~np.isfinite(z)
    axes.plot(x[lost], y[lost], "x", color=FAINT, markersize=2.5, markeredgewidth=0.5)
    return axes.scatter(
        x[~lost],
        y[~lost],
        c=z[~lost],
        s=3.0,
        linewidths=0.0,
        cmap=COLOURS,
        rasterized=len(x) > 2000,
    )
