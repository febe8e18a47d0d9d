"""Pictures of sensitivity: a tornado for every read-out, and a heat map of all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ketasim.plots.style import (
    BLUE,
    FAINT,
    INK,
    PAGE,
    SKY,
    VERMILION,
    Style,
    new_figure,
    provenance,
    settings,
)
from ketasim.plots.words import factor, headed, in_lines
from ketasim.studies.indices import MAIN, order

Array = NDArray[np.float64]
BARS, ROWS = 10, 20  # factors shown of a read-out, and of all
LABELS = {
    "S1": "first order",
    "ST": "total order",
    "Sh": "Shapley effect (share of variance)",
    "mu_star": "mean absolute effect of a whole range",
    "PRCC": "partial rank correlation",
    "bound": "total order at most",
}
WORDS = {"sobol": "share of variance"}
LABELS_WIDE = 60.0  # room for the labels of bars, at most [mm]
LINE, APART, THICK = 2.9, 1.6, 3.0  # heights: of a line, between rows, of a bar [mm]
HEAD, FOOT = 6.5, 14.0  # room for a title of one line, and for an axis beneath [mm]
BELOW = 36.0  # room for the names of read-outs beneath a heat map [mm]


@dataclass(frozen=True)
class _Bars:
    """One read-out's bars: its title, what each bar is of, and what draws them with labels."""

    title: str
    names: Sequence[str]
    draw: Callable[[Axes, Sequence[str], float], None]


def draw_tornado(found: xr.Dataset, *, top: int = BARS, style: Style = PAGE) -> Figure:
    """Return the factors that matter most to each read-out, longest bar first, with intervals.

    ``found`` is what :func:`ketasim.studies.sensitivity.analyse` returns. Bars whose interval
    holds 0 are pale.
    """
    main = MAIN[str(found.attrs["method"])]
    shown = min(top, found.sizes["factor"])
    panels = []
    for name in found["readout"].to_numpy().tolist():
        own = found.sel(readout=name)
        chosen = order(own[main].to_numpy())[:shown]
        names = own["factor"].to_numpy()[chosen].tolist()
        panels.append(_Bars(name, names, partial(_indices, found=own, chosen=chosen)))
    return _page(found, panels, style)


def draw_gradient(found: xr.Dataset, *, top: int = BARS, style: Style = PAGE) -> Figure:
    """Return the names that move each read-out most, of what :func:`ketasim.gradient` found.

    A bar is an elasticity: by how many per cent the read-out moves for one per cent of the name.
    """
    panels = []
    for name in found["readout"].to_numpy().tolist():
        sizes = found["elasticity"].sel(readout=name).to_numpy()
        chosen = [i for i in order(np.abs(sizes)) if sizes[i] != 0.0][:top]
        names = found["by"].to_numpy()[chosen].tolist()
        panels.append(_Bars(name, names, partial(_elasticities, sizes=sizes[chosen])))
    return _page(found, panels, style)


def _page(found: xr.Dataset, panels: Sequence[_Bars], style: Style) -> Figure:
    """Return bars for every read-out, two side by side on a page; their labels in words."""
    columns = min(style.columns, len(panels))
    wide = style.width / columns
    room = min(LABELS_WIDE, 0.52 * wide)
    with settings(style):
        labels = [[_label(name, room, found, style) for name in one.names] for one in panels]
        titles = [in_lines(headed(one.title), wide - 5.0, style.title_size, bold=True)
                  for one in panels]  # fmt: skip
        rows = [slice(k, k + columns) for k in range(0, len(panels), columns)]
        heads = [HEAD + LINE * max(one.count("\n") for one in titles[row]) for row in rows]
        bodies = [max(_tall(one) for one in labels[row]) for row in rows]
        high = sum(heads) + sum(bodies) + FOOT * len(rows)
        figure = new_figure(style.width, high)
        figure.set_label(provenance(found.attrs))
        y = high
        for row, head, tall in zip(rows, heads, bodies, strict=True):
            for k, (one, own) in enumerate(zip(panels[row], labels[row], strict=True)):
                figure.text((k * wide + 2.0) / style.width, (y - 1.2) / high, titles[row][k],
                            fontsize=style.title_size, fontweight="bold", va="top")  # fmt: skip
                left, low, right = k * wide + room, y - head - tall, (k + 1) * wide - 4.0
                box = (left / style.width, low / high, (right - left) / style.width, tall / high)
                one.draw(figure.add_axes(box), own, tall)
            y -= head + tall + FOOT
    return figure


def _tall(labels: Sequence[str]) -> float:
    """Return the height that labels of so many lines need, one under the other [mm]."""
    return sum(LINE * (1 + one.count("\n")) + APART for one in labels) or 3.0 * LINE


def _frame(axes: Axes, labels: Sequence[str], tall: float, nothing: str) -> Array:
    """Set axes up for bars with these labels, the first on top; return the bars' heights [mm]."""
    rows = np.array([LINE * (1 + one.count("\n")) + APART for one in labels])
    heights = tall - np.cumsum(rows) + rows / 2 if len(rows) else rows
    axes.axvline(0.0, color=INK, lw=0.6)
    axes.set_yticks(heights, labels, linespacing=1.0)
    axes.set_ylim(0.0, tall)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    if not len(rows):
        axes.text(0.5, 0.5, nothing, transform=axes.transAxes, ha="center", color=FAINT)
    return np.asarray(heights)


def _elasticities(axes: Axes, labels: Sequence[str], tall: float, *, sizes: Array) -> None:
    heights = _frame(axes, labels, tall, "nothing moves it")
    colours = [BLUE if one > 0.0 else VERMILION for one in sizes]
    axes.barh(heights, sizes, height=THICK, color=colours)
    axes.margins(x=0.08)
    axes.set_xlabel("elasticity (% per %)")


def _indices(
    axes: Axes,
    labels: Sequence[str],
    tall: float,
    *,
    found: xr.Dataset,
    chosen: NDArray[np.intp],
) -> None:
    heights = _frame(axes, labels, tall, "does not vary")
    method = str(found.attrs["method"])
    main = MAIN[method]
    bars = [(main, BLUE, 0.0, THICK)]
    if method == "sobol":
        bars = [(main, SKY, THICK / 4, THICK / 2), ("S1", BLUE, -THICK / 4, THICK / 2)]
    for key, colour, above, height in bars:
        _bar(axes, found, key, chosen, heights + above, colour, height)
    unit = str(found["unit"].to_numpy())
    tail = f" ({unit})" if method == "morris" and unit != "1" else ""
    axes.set_xlabel(in_lines(WORDS.get(method, LABELS[main]) + tail, 42.0, PAGE.text_size))
    if method == "sobol" and len(chosen):
        swatches = [Patch(color=colour, label=LABELS[key]) for key, colour, _, _ in bars]
        axes.legend(handles=swatches, frameon=False, fontsize=PAGE.text_size, loc="lower right")


def _bar(
    axes: Axes,
    found: xr.Dataset,
    key: str,
    chosen: NDArray[np.intp],
    heights: Array,
    colour: str,
    height: float,
) -> None:
    """Draw one index of the chosen factors, with its interval."""
    value, low, high = (found[key + tail].to_numpy()[chosen] for tail in ("", "_low", "_high"))
    unclear = (low <= 0.0) & (high >= 0.0)
    colours = [VERMILION if x < 0.0 and key == "PRCC" else colour for x in value]
    bars = axes.barh(heights, value, height=height, color=colours)
    for bar, pale in zip(bars, unclear, strict=True):
        bar.set_alpha(0.35 if pale else 1.0)
    axes.hlines(heights, low, high, color=INK, lw=0.7, zorder=3)


def draw_heat_map(found: xr.Dataset, *, top: int = ROWS, style: Style = PAGE) -> Figure:
    """Return the main index of the factors that matter to any read-out, by factor and read-out.

    Elementary effects are shown as shares of the read-out's largest, so that columns compare.
    """
    main = MAIN[str(found.attrs["method"])]
    table = found[main].to_numpy().T
    with np.errstate(invalid="ignore"):
        sizes = np.abs(table)
        largest = np.fmax.reduce(sizes, axis=0)
        if main == "mu_star":
            table = table / np.where(largest > 0.0, largest, np.nan)
            sizes = table
    chosen = order(np.fmax.reduce(sizes, axis=1))[:top]
    with settings(style):
        room = min(LABELS_WIDE, 0.5 * style.width)
        labels = [_label(one, room, found, style) for one in found["factor"].to_numpy()[chosen]]
        names = [in_lines(headed(str(one)), BELOW, style.text_size)
                 for one in found["readout"].to_numpy().tolist()]  # fmt: skip
        least = LINE * max(1 + one.count("\n") for one in names) + 0.6
        across = len(names) * max(least, min(15.0, (style.width - room - 6.0) / len(names)))
        lines = max([1 + one.count("\n") for one in labels], default=1)
        tall = (LINE * lines + 0.6) * max(len(chosen), 1)
        wide, high = max(room + across + 6.0, 70.0), tall + BELOW + 20.0
        figure = new_figure(wide, high)
        figure.set_label(provenance(found.attrs))
        box = (room / wide, 1.0 - (tall + 2.0) / high, across / wide, tall / high)
        axes = figure.add_axes(box)
        drawn = _squares(axes, np.ma.masked_invalid(table[chosen]), signed=main == "PRCC")
        axes.set_yticks(range(len(chosen)), labels, linespacing=1.0)
        axes.set_xticks(range(len(names)), names, rotation=90, linespacing=1.0)
        axes.tick_params(length=0.0)
        inside = figure.add_axes((6.0 / wide, 12.0 / high, 0.4, 2.6 / high))
        bar = figure.colorbar(drawn, cax=inside, orientation="horizontal", ticks=MaxNLocator(4))
        tail = ", share of the largest" if main == "mu_star" else ""
        bar.set_label(in_lines(LABELS[main] + tail, wide - 8.0, style.text_size), loc="left")
    return figure


def _squares(axes: Axes, shown: Any, *, signed: bool) -> QuadMesh:
    """Draw a table as colours, first row on top; what has no value is grey.

    As a mesh: an image is first made as fine as the paper, which takes a hundred megabytes.
    """
    axes.set_facecolor("#D9D9D9")
    low, high = (-1.0, 1.0) if signed else (0.0, _top(shown))
    down, across = (np.arange(n + 1) - 0.5 for n in shown.shape)
    drawn = axes.pcolormesh(
        across, down, shown, cmap="RdBu_r" if signed else "viridis", vmin=low, vmax=high,
        edgecolors="face", linewidth=0.1,
    )  # fmt: skip
    axes.set(xlim=(across[0], across[-1]), ylim=(down[-1], down[0]))
    return drawn


def _label(name: object, room: float, found: xr.Dataset, style: Style) -> str:
    """Return what a factor is called, in lines that fit into a room [mm]."""
    return in_lines(factor(str(name), found.attrs), room - 3.0, style.text_size)


def _top(shown: Any) -> float:
    """Return the upper end of the colours."""
    return max(float(shown.max()), 1e-12) if shown.count() else 1.0
