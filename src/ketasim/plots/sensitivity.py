"""Pictures of sensitivity: a tornado for every read-out, and a heat map of all of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ketasim.plots.layout import text_width
from ketasim.plots.style import (
    BLUE,
    FAINT,
    INK,
    PAGE,
    SKY,
    VERMILION,
    new_figure,
    provenance,
    settings,
)
from ketasim.plots.words import headed, in_lines
from ketasim.studies.indices import MAIN, order

Array = NDArray[np.float64]
BARS, ROWS = 10, 30  # factors shown of a read-out, and of all
LABELS = {
    "S1": "first order",
    "ST": "total order",
    "Sh": "Shapley effect (share of variance)",
    "mu_star": "mean absolute effect of a whole range",
    "PRCC": "partial rank correlation",
    "bound": "total order at most",
}
WORDS = {"sobol": "share of variance"}
LABELS_WIDE = 33.0  # of the longest names that are usually shown [mm]


def draw_tornado(found: xr.Dataset, *, top: int = BARS) -> Figure:
    """Return the factors that matter most to each read-out, longest bar first, with intervals.

    ``found`` is what :func:`ketasim.studies.sensitivity.analyse` returns. Bars whose interval
    holds 0 are pale.
    """
    return _page(found, min(top, found.sizes["factor"]), _indices)


def draw_gradient(found: xr.Dataset, *, top: int = BARS) -> Figure:
    """Return the names that move each read-out most, of what :func:`ketasim.gradient` found.

    A bar is an elasticity: by how many per cent the read-out moves for one per cent of the name.
    """
    return _page(found, min(top, found.sizes["by"]), _elasticities)


def _page(found: xr.Dataset, shown: int, draw: Callable[[Axes, xr.Dataset, int], None]) -> Figure:
    """Return a page with bars for every read-out, two side by side; ``draw`` draws one's."""
    names = found["readout"].to_numpy().tolist()
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    with settings(PAGE):
        figure = new_figure(PAGE.width, rows * (14.0 + 4.4 * shown) + 4.0)
        figure.set_label(provenance(found.attrs))
        grid: Any = figure.subplots(rows, columns, squeeze=False)
        told = found["factor" if "factor" in found.coords else "by"].to_numpy()
        widest = max(text_width(str(one), PAGE.text_size, PAGE.font) for one in told)
        room = PAGE.width / columns - min(widest, LABELS_WIDE) - 8.0
        for axes, name in zip(grid.flat, names, strict=False):
            title = in_lines(headed(str(name)), room, PAGE.title_size, bold=True)
            axes.set_title(title, fontsize=PAGE.title_size, fontweight="bold", loc="left")
            draw(axes, found.sel(readout=name), shown)
        for axes in list(grid.flat)[len(names) :]:
            axes.set_axis_off()
        figure.tight_layout(pad=0.6, h_pad=1.2, w_pad=1.4)
    return figure


def _frame(axes: Axes, names: NDArray[np.object_], nothing: str) -> Array:
    """Set axes up for bars of these names, the first on top; return the bars' heights."""
    heights = np.arange(len(names), dtype=float)[::-1]
    axes.axvline(0.0, color=INK, lw=0.6)
    axes.set_yticks(heights, names)
    axes.set_ylim(-0.6, max(len(names), 1) - 0.4)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0.0)
    if not len(names):
        axes.text(0.5, 0.5, nothing, transform=axes.transAxes, ha="center", color=FAINT)
    return heights


def _elasticities(axes: Axes, found: xr.Dataset, shown: int) -> None:
    sizes = found["elasticity"].to_numpy()
    chosen = [i for i in order(np.abs(sizes)) if sizes[i] != 0.0][:shown]
    heights = _frame(axes, found["by"].to_numpy()[chosen], "nothing moves it")
    colours = [BLUE if sizes[i] > 0.0 else VERMILION for i in chosen]
    axes.barh(heights, sizes[chosen], height=0.66, color=colours)
    axes.margins(x=0.08)
    axes.set_xlabel("elasticity (% per %)")


def _indices(axes: Axes, found: xr.Dataset, shown: int) -> None:
    method = str(found.attrs["method"])
    main = MAIN[method]
    chosen = order(found[main].to_numpy())[:shown]
    heights = _frame(axes, found["factor"].to_numpy()[chosen], "does not vary")
    bars = [(main, BLUE, 0.0, 0.66)]
    if method == "sobol":
        bars = [(main, SKY, 0.19, 0.36), ("S1", BLUE, -0.19, 0.36)]
    for key, colour, above, height in bars:
        _bar(axes, found, key, chosen, heights + above, colour, height)
    unit = str(found["unit"].to_numpy())
    tail = f" ({unit})" if method == "morris" and unit != "1" else ""
    axes.set_xlabel(WORDS.get(method, LABELS[main]) + tail)
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


def draw_heat_map(found: xr.Dataset, *, top: int = ROWS) -> Figure:
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
    names = found["readout"].to_numpy().tolist()
    signed = main == "PRCC"
    with settings(PAGE):
        height = 26.0 + 3.6 * len(chosen)
        figure = new_figure(min(PAGE.width, 62.0 + 13.0 * len(names)), height)
        figure.set_label(provenance(found.attrs))
        axes: Any = figure.subplots()
        shown = np.ma.masked_invalid(table[chosen])
        drawn = axes.imshow(
            shown, aspect="auto", cmap="RdBu_r" if signed else "viridis",
            vmin=-1.0 if signed else 0.0, vmax=1.0 if signed else _top(shown),
        )  # fmt: skip
        axes.set_facecolor("#D9D9D9")
        axes.set_yticks(range(len(chosen)), found["factor"].to_numpy()[chosen])
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
        axes.tick_params(length=0.0)
        bar = figure.colorbar(drawn, ax=axes, fraction=0.05, pad=0.03)
        tail = ", share of the largest" if main == "mu_star" else ""
        bar.set_label(LABELS[main] + tail)
        figure.tight_layout(pad=0.6)
    return figure


def _top(shown: Any) -> float:
    """Return the upper end of the colours."""
    return max(float(shown.max()), 1e-12) if shown.count() else 1.0
