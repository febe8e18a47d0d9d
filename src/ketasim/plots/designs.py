"""What further experiments would tell apart: by read-out, and by the size of a group."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ketasim.plots.judgement import SMALL
from ketasim.plots.style import FAINT, INK, PAGE, new_figure, save, settings
from ketasim.plots.words import headed, in_lines
from ketasim.studies.judge.decide import Designs


def _most_bits(designs: Designs, arms: list[int], shown: list[int]) -> NDArray[np.float64]:
    """Return what the best time and group of each arm and read-out would tell [bits]."""
    most = np.full((len(arms), len(shown)), np.nan)
    for row, arm in enumerate(arms):
        for column, readout in enumerate(shown):
            own = designs.bits[(designs.arm == arm) & (designs.readout == readout)]
            most[row, column] = own.max() if len(own) else np.nan
    return most


def _sizes_of_groups(axes: Axes, designs: Designs, best: Iterable[int]) -> None:
    """Draw, beside each of the best arms, what groups of several sizes would tell."""
    rows = [int(i) for i in best]
    for row, i in enumerate(rows):
        same = (designs.arm == designs.arm[i]) & (designs.readout == designs.readout[i])
        same &= designs.time == designs.time[i]
        groups, bits = designs.group[same], designs.bits[same]
        axes.plot(bits, np.full(len(bits), row), "-", color=FAINT, lw=0.7)
        for group, x in zip(groups.tolist(), bits.tolist(), strict=True):
            axes.plot(x, row, "o", color=INK, ms=1.2 + 0.6 * np.sqrt(group), alpha=0.6)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xlim(0.0, 1.05 * float(designs.bits.max()))
    sizes = ", ".join(map(str, sorted(set(designs.group.tolist()))))
    axes.set_xlabel(
        in_lines(f"bits of the best reading; dots: groups of {sizes}", 48.0, SMALL),
        fontsize=SMALL,
    )


def draw_designs(designs: Designs, path: str | Path | None = None, *, top: int = 20) -> Figure:
    """Draw what the best arms would tell: by read-out as a heat map, and by the size of a group.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    best = designs.best(top)
    arms = [int(designs.arm[i]) for i in best]
    shown = sorted({int(designs.readout[i]) for i in np.flatnonzero(np.isin(designs.arm, arms))})
    most = _most_bits(designs, arms, shown)
    named = [in_lines(designs.arms[i].name, 0.4 * PAGE.width - 5.0, SMALL) for i in arms]
    row = 1.5 + 2.9 * (1 + max(one.count("\n") for one in named))
    with settings(PAGE):
        high = 34.0 + row * len(arms)
        figure = new_figure(PAGE.width, high)
        grid = figure.add_gridspec(
            1, 2, left=0.4, right=0.97, bottom=28.0 / high, top=1.0 - 5.0 / high,
            width_ratios=[1.2, 1.0], wspace=0.08,
        )  # fmt: skip
        left, right = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
        seen_as = left.imshow(most, vmin=0.0, vmax=float(np.nanmax(most)), cmap="Blues",
                              aspect="auto")  # fmt: skip
        told = [in_lines(headed(designs.readouts[i]), 25.0, SMALL) for i in shown]
        left.set_xticks(range(len(shown)), told, rotation=90, linespacing=1.0)
        left.set_yticks(range(len(arms)), named, linespacing=1.0)
        _sizes_of_groups(right, designs, best)
        left.tick_params(labelsize=SMALL)
        right.tick_params(labelsize=SMALL)
        inside = figure.add_axes((0.03, 12.0 / high, 0.2, 2.0 / high))
        bar = figure.colorbar(seen_as, cax=inside, orientation="horizontal")
        bar.ax.tick_params(labelsize=SMALL)
        bar.set_label("bits, of the best time and group", fontsize=SMALL)
        between = " and ".join(designs.names[i] for i in designs.among)
        right.set_title(f"between {between}", fontsize=SMALL + 0.4)
        if path is not None:
            save(figure, path, style=PAGE)
    return figure
