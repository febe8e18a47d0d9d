"""The picture of a gradient: for each read-out, the names that move it most."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from ketasim.plots.style import BLUE, FAINT, INK, PAGE, VERMILION, new_figure, provenance, settings

BARS = 12


def draw_gradient(found: xr.Dataset, *, top: int = BARS) -> Figure:
    """Return a tornado for every read-out of what :func:`ketasim.gradient` found.

    A bar is an elasticity: by how many per cent the read-out moves for one per cent of the name.
    """
    names = found["readout"].to_numpy().tolist()
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    shown = min(top, found.sizes["by"])
    with settings(PAGE):
        figure = new_figure(PAGE.width, rows * (14.0 + 4.4 * shown) + 4.0)
        figure.set_label(provenance(found.attrs))
        grid: Any = figure.subplots(rows, columns, squeeze=False)
        for axes, name in zip(grid.flat, names, strict=False):
            sizes = found["elasticity"].sel(readout=name).to_numpy()
            known = np.flatnonzero(np.isfinite(sizes) & (sizes != 0.0))
            chosen = known[np.argsort(-np.abs(sizes[known]), kind="stable")][:shown]
            heights = np.arange(len(chosen))[::-1]
            colours = [BLUE if sizes[i] > 0.0 else VERMILION for i in chosen]
            axes.barh(heights, sizes[chosen], height=0.66, color=colours)
            axes.margins(x=0.08)
            axes.axvline(0.0, color=INK, lw=0.6)
            axes.set_yticks(heights, found["by"].to_numpy()[chosen])
            axes.set_ylim(-0.6, max(len(chosen), 1) - 0.4)
            axes.set_title(name, fontsize=PAGE.title_size, fontweight="bold", loc="left")
            axes.set_xlabel("elasticity (% per %)")
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.tick_params(axis="y", length=0.0)
            if not len(chosen):
                axes.text(
                    0.5, 0.5, "nothing moves it", transform=axes.transAxes, ha="center", color=FAINT
                )
        for axes in list(grid.flat)[len(names) :]:
            axes.set_axis_off()
        figure.tight_layout(pad=0.6, h_pad=1.2, w_pad=1.4)
    return figure
