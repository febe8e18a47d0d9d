"""Many courses at once: the median with the middle nine tenths, or every single line."""

from typing import Literal

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ketasim.plots import members
from ketasim.plots.style import BLUE, COLUMN, FAINT, Style, new_figure, provenance, settings

Array = NDArray[np.float64]
Kind = Literal["fan", "spaghetti"]
HEIGHT = 55.0  # [mm]
MOST_LINES, MOST_MEMBERS = 200, 20_000
SHARES = (0.05, 0.5, 0.95)


def draw(
    dataset: xr.Dataset, name: str | None = None, *, kind: Kind = "fan", style: Style = COLUMN
) -> Figure:
    """Return a picture of one recorded name over time, for all members with values.

    ``'fan'`` shows the median and the range from 5 to 95 %, ``'spaghetti'`` up to 200 lines.

    Raises
    ------
    ConfigError
        When no such course was recorded.
    """
    chosen = members.chosen(name, members.courses(dataset), "time course")
    times = dataset["time"].to_numpy()
    values = some(dataset, chosen, MOST_LINES if kind == "spaghetti" else MOST_MEMBERS)
    with settings(style):
        figure = new_figure(style.width, HEIGHT)
        figure.set_label(provenance(dataset.attrs))
        axes = figure.add_axes((0.17, 0.2, 0.79, 0.72))
        if kind == "spaghetti":
            for i, line in enumerate(values):
                axes.plot(times, line, color=BLUE, linewidth=0.35, alpha=0.4, label=f"_{i}")
        elif len(values):
            low, middle, high = quantiles(values)
            axes.fill_between(times, low, high, color=BLUE, alpha=0.25, linewidth=0.0)
            axes.plot(times, low, color=BLUE, linewidth=0.3, label=f"{chosen} 5 %")
            axes.plot(times, middle, color=BLUE, linewidth=style.line, label=f"{chosen} median")
            axes.plot(times, high, color=BLUE, linewidth=0.3, label=f"{chosen} 95 %")
        axes.set_xlabel("Time (h)")
        axes.set_ylabel(members.label(dataset, chosen))
        axes.set_xlim(times[0], times[-1])
        shown = f"{len(values):,} lines of " if kind == "spaghetti" else "median, 5-95 % of "
        figure.text(
            0.96, 0.02, shown + members.counted(dataset), ha="right", color=FAINT,
            fontsize=style.text_size,
        )  # fmt: skip
        members.finish(axes)
    return figure


def some(dataset: xr.Dataset, name: str, most: int) -> Array:
    """Return the courses of at most so many members, evenly spread over those with values."""
    fine = np.flatnonzero(members.usable(dataset))
    if len(fine) > most:
        fine = fine[np.linspace(0, len(fine) - 1, most).astype(int)]
    found: Array = dataset[name].isel(member=fine).to_numpy()
    return found


def quantiles(values: Array) -> tuple[Array, Array, Array]:
    """Return the 5 %, 50 % and 95 % quantiles at each time."""
    low, middle, high = np.quantile(values, SHARES, axis=0)
    return low, middle, high
