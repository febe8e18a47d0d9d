"""Dose and response: points, a fitted Hill curve, and red ticks where a member failed."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ketasim.plots import members
from ketasim.plots.style import BLUE, COLUMN, FAINT, INK, Style, new_figure, provenance, settings
from ketasim.studies.hill import Hill, fit_hill

Array = NDArray[np.float64]
FAILED = "#C00000"
HEIGHT = 55.0  # [mm]


def draw(
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
    name = members.chosen(summary, members.summaries(dataset), "summary")
    over = members.design_name(dataset, x)
    fine = members.usable(dataset)
    doses, values = members.values(dataset, over), members.values(dataset, name)
    with settings(style):
        figure = new_figure(style.width, HEIGHT)
        figure.set_label(provenance(dataset.attrs))
        axes = figure.add_axes((0.17, 0.2, 0.79, 0.68))
        logarithmic = members.is_logarithmic(doses)
        if logarithmic:
            axes.set_xscale("log")
        axes.plot(
            doses[fine], values[fine], "o", markersize=2.2, color=BLUE, markeredgewidth=0.0,
            label=members.label(dataset, name), rasterized=fine.sum() > 20_000,
        )  # fmt: skip
        found = fit_hill(doses[fine], values[fine])
        if found is not None:
            _curve(axes, found, doses[fine], logarithmic)
        _failed(axes, doses[~fine & (dataset["status"].to_numpy() != -1)])
        axes.set_xlabel(members.label(dataset, over))
        axes.set_ylabel(members.label(dataset, name))
        axes.set_title(
            sentence(found, str(dataset[over].attrs.get("units", "1"))),
            fontsize=style.text_size, loc="left", color=INK,
        )  # fmt: skip
        figure.text(
            0.96, 0.02, members.counted(dataset), ha="right", color=FAINT, fontsize=style.text_size
        )
        members.finish(axes)
    return figure


def sentence(found: Hill | None, unit: str) -> str:
    """Return the EC50 with its interval, or that no Hill curve fits."""
    if found is None:
        return "no Hill curve describes these points"
    shown = "" if unit == "1" else f" {unit}"
    return (
        f"EC50 {found.ec50:.3g}{shown} ({found.low:.3g} to {found.high:.3g}), "
        f"Hill {found.steepness:.2g}, R² {found.r2:.3f}"
    )


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
