"""Maps: one summary over two varied values, as squares for a grid and as dots for a draw."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ketasim.errors import ConfigError
from ketasim.plots import members
from ketasim.plots.style import COLUMN, FAINT, Style, new_figure, provenance, settings
from ketasim.results.failures import varied

Array = NDArray[np.float64]
HEIGHT = 65.0  # [mm]
COLOURS = "viridis"
MISSING = "#D9D9D9"
MOST_DOTS = 20_000


def draw(
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
    name = members.chosen(summary, members.summaries(dataset), "summary")
    if len(varied(dataset)) < 2:
        raise ConfigError("a map needs two varied values; a dose-response needs one.")
    across = members.design_name(dataset, x, () if y is None else (y,))
    up = members.design_name(dataset, y, (across,))
    columns = [members.values(dataset, one) for one in (across, up, name)]
    columns[2] = np.where(members.usable(dataset), columns[2], np.nan)
    with settings(style):
        figure = new_figure(style.width, HEIGHT)
        figure.set_label(provenance(dataset.attrs))
        axes = figure.add_axes((0.17, 0.18, 0.6, 0.72))
        table = as_grid(*columns)
        drawn = _dots(axes, *columns) if table is None else _squares(axes, *table)
        for scale, values in ((axes.set_xscale, columns[0]), (axes.set_yscale, columns[1])):
            if members.is_logarithmic(values):
                scale("log")
        bar = figure.colorbar(drawn, cax=figure.add_axes((0.8, 0.18, 0.03, 0.72)))
        bar.set_label(members.label(dataset, name))
        axes.set_xlabel(members.label(dataset, across))
        axes.set_ylabel(members.label(dataset, up))
        figure.text(
            0.96, 0.015, members.counted(dataset), ha="right", color=FAINT, fontsize=style.text_size
        )
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
    logarithmic = members.is_logarithmic(values)
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
