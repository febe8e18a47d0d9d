"""What further experiments would tell apart: by read-out, and by the size of a group."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ketasim.plots.judgement import SMALL
from ketasim.plots.layout import size, text_width
from ketasim.plots.style import FAINT, INK, MM, PAGE, Style, new_figure, save, settings
from ketasim.plots.words import headed, in_lines, spoken
from ketasim.studies.judge.decide import Designs

LINE, GAP = 2.9, 3.0  # a line of text, and what is between the two parts [mm]
PAGES = 20  # arms shown on a page
HEAT = 0.55  # share of the width beside labels that colours take
BELOW, BAR = 18.0, 5.0  # beneath: names of read-outs at least, and the scale of colours [mm]


def _most_bits(designs: Designs, arms: list[int], shown: list[int]) -> NDArray[np.float64]:
    """Return what the best time and group of each arm and read-out would tell [bits]."""
    most = np.full((len(arms), len(shown)), np.nan)
    for row, arm in enumerate(arms):
        for column, readout in enumerate(shown):
            own = designs.bits[(designs.arm == arm) & (designs.readout == readout)]
            most[row, column] = own.max() if len(own) else np.nan
    return most


def _sizes_of_groups(axes: Axes, designs: Designs, best: Mapping[int, float]) -> None:
    """Draw, beside each of the best arms, what groups of several sizes would tell."""
    room = size(axes)[0] + 2.0
    for i, row in best.items():
        same = (designs.arm == designs.arm[i]) & (designs.readout == designs.readout[i])
        same &= designs.time == designs.time[i]
        groups, bits = designs.group[same], designs.bits[same]
        axes.plot(bits, np.full(len(bits), row), "-", color=FAINT, lw=0.7)
        for group, x in zip(groups.tolist(), bits.tolist(), strict=True):
            axes.plot(x, row, "o", color=INK, ms=1.2 + 0.6 * np.sqrt(group), alpha=0.6)
    axes.set_yticks([])
    axes.set_xlim(0.0, 1.05 * float(designs.bits.max()))
    sizes = ", ".join(map(str, sorted(set(designs.group.tolist()))))
    axes.xaxis.set_major_locator(MaxNLocator(2 if room < 26.0 else 5))
    axes.set_xlabel(in_lines(f"bits of the best reading; dots: groups of {sizes}", room, SMALL))


def _upright(names: Sequence[str], room: float) -> list[str]:
    """Return names in as many lines as stand side by side, turned, in a room [mm]."""
    most = max(int(room / LINE), 1)
    for long in range(20, 80, 4):
        told = [in_lines(one, float(long), SMALL) for one in names]
        if all(one.count("\n") < most for one in told):
            break
    return told


def draw_designs(
    designs: Designs,
    path: str | Path | None = None,
    *,
    top: int | None = None,
    style: Style = PAGE,
) -> Figure:
    """Draw what the best arms would tell: by read-out as a heat map, and by the size of a group.

    ``top`` of them are drawn: on a page 20, in a column 10, unless you say so.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    best = designs.best(top or (PAGES if style.columns > 1 else PAGES // 2))
    arms = [int(designs.arm[i]) for i in best]
    shown = sorted({int(designs.readout[i]) for i in np.flatnonzero(np.isin(designs.arm, arms))})
    label = 0.45 * style.width
    across = style.width - label - 4.0 - GAP
    named = [in_lines(spoken(designs.arms[i].name), label - 4.0, SMALL) for i in arms]
    told = _upright([headed(designs.readouts[i]) for i in shown], HEAT * across / len(shown))
    lines = [line for one in told for line in one.split("\n")]
    below = BAR + max(BELOW, 6.0 + max(text_width(one, SMALL, PAGE.font) for one in lines))
    rows = np.array([2.4 + LINE * (1 + one.count("\n")) for one in named])
    ends = np.concatenate([[0.0], np.cumsum(rows)])
    between = " and ".join(designs.names[i].replace("_", " ") for i in designs.among)
    with settings(style):
        title = in_lines(f"What would tell {between} apart", style.width - 4.0, style.title_size,
                         bold=True)  # fmt: skip
        height = 3.0 + LINE * (1 + title.count("\n")) + float(ends[-1]) + below
        figure = new_figure(style.width, height)
        figure.text(2.0 / style.width, 1.0 - 1.5 / height, title, va="top", fontweight="bold",
                    fontsize=style.title_size)  # fmt: skip
        left, right = (
            figure.add_axes((x / style.width, below / height, w / style.width, ends[-1] / height))
            for x, w in (
                (label, HEAT * across), (label + HEAT * across + GAP, (1.0 - HEAT) * across)
            )
        )  # fmt: skip
        _heat(figure, left, _most_bits(designs, arms, shown), ends, label - 4.0)
        left.set_xticks(range(len(shown)), told, rotation=90, linespacing=1.0)
        middles = ends[1:] - rows / 2
        left.set_yticks(middles, named, linespacing=1.0)
        _sizes_of_groups(right, designs, dict(zip(best, middles.tolist(), strict=True)))
        for axes in (left, right):
            axes.set_ylim(ends[-1], 0.0)
        if path is not None:
            save(figure, path, style=style)
    return figure


def _heat(
    figure: Figure, axes: Axes, most: NDArray[np.float64], ends: NDArray[np.float64], room: float
) -> None:
    """Draw bits as colours, rows between ``ends`` [mm], and their scale at the foot."""
    places = np.arange(most.shape[1] + 1) - 0.5
    top = float(np.nanmax(most))
    drawn = axes.pcolormesh(places, ends, most, vmin=0.0, vmax=top, cmap="Blues")
    width, height = (float(one) / MM for one in figure.get_size_inches())
    inside = figure.add_axes((4.0 / width, 12.5 / height, 0.38, 2.0 / height))
    bar = figure.colorbar(drawn, cax=inside, orientation="horizontal", ticks=MaxNLocator(3))
    bar.set_label(in_lines("bits, of the best time and group", room, SMALL))
