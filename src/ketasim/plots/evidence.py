"""Predictions laid over what was published: one panel a quantity, points with their tolerance."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ketasim.plots.style import (
    BLACK,
    FAINT,
    PAGE,
    PALETTE,
    WINDOW,
    Style,
    log_ticks,
    new_figure,
    save,
    settings,
)


@dataclass(frozen=True)
class Curve:
    """A predicted course."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Point:
    """A published number at ``x`` with the interval that counts as agreement."""

    x: float
    y: float
    low: float
    high: float
    label: str


@dataclass(frozen=True)
class Band:
    """A published range, over a stretch of ``x`` or everywhere; ``left`` starts its label there."""

    low: float
    high: float
    label: str
    begin: float | None = None
    end: float | None = None
    left: bool = False


@dataclass(frozen=True)
class Panel:
    """One quantity: axis labels with units, curves, points, bands."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    points: tuple[Point, ...] = ()
    bands: tuple[Band, ...] = ()
    log_x: bool = False


def draw(
    panels: Sequence[Panel],
    path: str | Path | None = None,
    *,
    columns: int = 2,
    style: Style = PAGE,
) -> Figure:
    """Draw panels in a grid of at most so many columns; write it when a path is given.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    columns = min(columns, style.columns)
    rows = -(-len(panels) // columns)
    with settings(style):
        figure = new_figure(style.width, 46.0 * rows)
        grid: Any = figure.subplots(rows, columns, squeeze=False)
        for axes, panel in zip(grid.flat, panels, strict=False):
            _panel(axes, panel)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_axis_off()
        figure.tight_layout(pad=0.6, h_pad=1.2, w_pad=1.4)
        if path is not None:
            save(figure, path, style=style)
    return figure


def _panel(axes: Axes, panel: Panel) -> None:
    for band in panel.bands:
        _band(axes, band)
    for curve, colour in zip(panel.curves, PALETTE, strict=False):
        axes.plot(curve.x, curve.y, color=colour, lw=PAGE.line, label=curve.label)
    for point in panel.points:
        spread = [[point.y - point.low], [point.high - point.y]]
        axes.errorbar(
            [point.x], [point.y], yerr=spread, fmt="o", ms=3.0, color=BLACK, elinewidth=0.8,
            capsize=2.0, zorder=5,
        )  # fmt: skip
        axes.annotate(
            point.label, (point.x, point.low), xytext=(3, -7), textcoords="offset points",
            fontsize=PAGE.text_size, color=BLACK,
        )  # fmt: skip
    if panel.log_x:
        axes.set_xscale("log")
        log_ticks(axes.xaxis)
    axes.margins(y=0.18)
    many = len(panel.curves) > 1
    size = PAGE.title_size
    axes.set_title(panel.title, fontsize=size, fontweight="bold", loc="left", pad=13 if many else 4)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    axes.spines[["top", "right"]].set_visible(False)
    if many:  # between title and panel, where no curve and no label can be
        axes.legend(
            frameon=False, fontsize=PAGE.text_size, loc="lower left", bbox_to_anchor=(-0.01, 0.98),
            ncols=len(panel.curves), handlelength=1.4, borderpad=0.2, columnspacing=1.2,
        )  # fmt: skip


def _band(axes: Axes, band: Band) -> None:
    if band.begin is None or band.end is None:
        axes.axhspan(band.low, band.high, color=WINDOW, lw=0, zorder=0)
        where: dict[str, Any] = {"x": 0.99, "ha": "right", "transform": axes.get_yaxis_transform()}
    else:
        axes.fill_between([band.begin, band.end], band.low, band.high, color=WINDOW, lw=0, zorder=0)
        where = {"x": band.begin, "ha": "left"} if band.left else {"x": band.end, "ha": "right"}
    size = PAGE.text_size
    axes.text(y=band.high, s=band.label, va="bottom", fontsize=size, color=FAINT, **where)
