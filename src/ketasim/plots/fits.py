"""Pictures of a fit: the data with what the best values predict, the starts, the profiles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import nan

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ketasim.plots.grid import Cells, grid, room_for, write_words
from ketasim.plots.style import (
    BLUE,
    FAINT,
    INK,
    PAGE,
    PALETTE,
    VERMILION,
    Style,
    settings,
)
from ketasim.plots.words import about, factor, headed, in_lines, printed, study
from ketasim.studies.fit.data import Point, is_timed, readout_at
from ketasim.studies.fit.likelihood import Problem
from ketasim.studies.fit.profiles import Profile, limit
from ketasim.studies.fit.search import SAME, Found

Array = NDArray[np.float64]
Lines = Mapping[tuple[str, str], tuple[Array, Array]]
ACROSS, PANEL, LEFT = 3, 38.0, 15.5  # panels in a row; their height and left margin [mm]
BAND = (5.0, 50.0, 95.0)


def _grid(
    titles: Sequence[str], style: Style, about: str, *, above: float = 0.0, small: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel a title, as many in a row as its width has room for."""
    cells = Cells(ACROSS if style.columns > 1 else 1, PANEL, LEFT)
    figure, axes = grid(titles, style, cells, above=above, plain=small)
    figure.set_label(about)
    return figure, axes


def seen(axes: Axes, points: Iterable[Point], *, colour: str, label: str, per: float = 1.0) -> None:
    """Draw values with their errors, those beyond detection as triangles; times over ``per``."""
    many = list(points)
    for way, mark in ((0, "o"), (-1, "v"), (1, "^")):
        here = [p for p in many if p.censored == way]
        if not here:
            continue
        times = np.array([p.time / per for p in here])
        values = np.array([p.value for p in here])
        errors = [p.error for p in here]
        if way == 0:
            axes.errorbar(
                times, values, errors, fmt="none", ecolor=colour, elinewidth=0.6, zorder=3
            )
        axes.plot(
            times, values, mark, markersize=2.6, color=colour, markeredgewidth=0.4,
            markeredgecolor="white", zorder=4, label=label if way == 0 else f"{label}, beyond it",
        )  # fmt: skip


def data(problem: Problem, lines: Lines, *, style: Style = PAGE) -> Figure:
    """Return the data of a fit, a panel a read-out and a colour an arm, with what is predicted.

    Parameters
    ----------
    lines
        Times [h] and readings (n, n_times) by arm and read-out; of several the median and the
        range from 5 to 95 % are drawn.
    """
    texts = list(dict.fromkeys((p.assay, p.text) for p in problem.observations))
    more = [text for _, text in lines if text not in {one for _, one in texts}]
    texts += [("", text) for text in dict.fromkeys(more)]
    arms = list(dict.fromkeys(p.arm for p in problem.observations))
    colours = {arm: PALETTE[i % len(PALETTE)] for i, arm in enumerate(arms)}
    titles, told = _titles([text for _, text in texts]), f"ketasim fit, {problem.model.digest}"
    with settings(style):
        keys = [(arm.replace("_", " "), colour) for arm, colour in colours.items()]
        above = room_for([text for text, _ in keys], style, LEFT)
        figure, panels = _grid(titles, style, told, above=above)
        for axes, (assay, text) in zip(panels, texts, strict=True):
            mine = [p for p in problem.observations if (p.assay, p.text) == (assay, text)]
            own = {key: value for key, value in lines.items() if key[1] == text}
            (_over_time if is_timed(text) else _levels)(axes, mine, own, colours, style)
            of = (
                mine[0].readout.unit
                if mine
                else readout_at(text, 1.0 if is_timed(text) else nan, problem.model)[0].unit
            )
            scaled = bool(mine) and problem.assays[assay].scale
            axes.set_ylabel(assay if scaled else "" if of == "1" else printed(of))
        write_words(figure, keys, style, LEFT)
    return figure


def studies(points: Sequence[tuple[str, Point]], lines: Lines, *, style: Style = PAGE) -> Figure:
    """Return a panel a study and read-out: points with errors over the courses of their arms.

    Parameters
    ----------
    points
        Each with the study it is from.
    lines
        Times [h] and values (n, n_times) by arm and read-out.
    """
    panels: dict[tuple[str, str], list[Point]] = {}
    for whose, one in points:
        panels.setdefault((whose, one.text), []).append(one)
    with settings(style):
        figure, places = _grid([study(one) for one, _ in panels], style, "ketasim curves")
        for axes, ((_, text), mine) in zip(places, panels.items(), strict=True):
            arms = list(dict.fromkeys(p.arm for p in mine))
            colours = {arm: PALETTE[i % len(PALETTE)] for i, arm in enumerate(arms)}
            own = {(arm, text): lines[arm, text] for arm in arms}
            _over_time(axes, mine, own, colours, style)
            unit = "" if mine[0].readout.unit == "1" else f" ({mine[0].readout.unit})"
            said = in_lines(f"{_briefly(text)}{printed(unit)}", 38.0, style.text_size)
            axes.set_ylabel(said, fontsize=style.text_size)
            axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            if len(arms) > 1:
                _told(axes, colours, style)
    return figure


def _told(axes: Axes, colours: Mapping[str, str], style: Style) -> None:
    """Say within a panel which colour is which arm's."""
    shown = [
        Line2D([], [], color=colour, label=arm.replace("_", " ")) for arm, colour in colours.items()
    ]
    axes.legend(handles=shown, frameon=False, fontsize=style.text_size, handlelength=1.0)


def _titles(texts: Sequence[str]) -> list[str]:
    """Return what panels are of, in words; whose it is where two would be called the same."""
    told = [_said(text) for text in texts]
    whose = [factor(text.partition("@t")[0]) for text in texts]
    return [b if told.count(a) > 1 else a for a, b in zip(told, whose, strict=True)]


def _said(text: str) -> str:
    """Return what a panel is of, in words: a read-out, or a formula of one at a time."""
    told = headed(text.partition("@t")[0])
    if " / " in text:
        told = f"{told}, relative to its start"
    return f"{_briefly(text)}" if " - " in text or text.startswith("effect(") else told


def _briefly(text: str) -> str:
    """Return what a formula is of: its first name, and whether it is an effect or a change."""
    name = text.partition("@t")[0].rpartition("(")[2]
    said = "effect on" if text.startswith("effect(") else "change of" if " - " in text else ""
    return f"{said} {about(name)}".strip()


def _over_time(
    axes: Axes, mine: Sequence[Point], lines: Lines, colours: Mapping[str, str], style: Style
) -> None:
    """Draw courses, and over them what was seen."""
    last = max([*(times[-1] for times, _ in lines.values()), *(p.time for p in mine)])
    per, unit = (24.0, "d") if last > 72.0 else (1.0, "h")
    for (arm, text), (times, values) in lines.items():
        _course(axes, times, values, colours[arm], f"{arm}: {text}", per, style)
        here = [p for p in mine if p.arm == arm]
        seen(axes, here, colour=colours[arm], label=f"{arm}: {text}, seen", per=per)
    axes.set_xlabel(f"Time ({unit})")


def _levels(
    axes: Axes, mine: Sequence[Point], lines: Lines, colours: Mapping[str, str], style: Style
) -> None:
    """Draw read-outs of no time: side by side what was seen of an arm and what is predicted."""
    for k, ((arm, text), (_, values)) in enumerate(lines.items()):
        here = [replace(p, time=k - 0.12) for p in mine if p.arm == arm]
        seen(axes, here, colour=colours[arm], label=f"{arm}: {text}, seen")
        low, middle, high = np.nanpercentile(values[:, 0], BAND)
        at = [k + 0.12] * 2
        axes.plot(at, [low, high], color=colours[arm], linewidth=style.line, label="_range")
        axes.plot(at[:1], [middle], "s", color=colours[arm], markersize=2.6, fillstyle="none",
                  label=f"{arm}: {text}")  # fmt: skip
    axes.set_xticks(range(len(lines)), [arm.replace("_", " ") for arm, _ in lines])
    axes.set_xlim(-0.6, len(lines) - 0.4)


def _course(
    axes: Axes, times: Array, values: Array, colour: str, label: str, per: float, style: Style
) -> None:
    low, middle, high = np.nanpercentile(values, BAND, axis=0)
    if len(values) > 1:
        axes.fill_between(times / per, low, high, color=colour, alpha=0.25, linewidth=0.0)
        axes.plot(times / per, low, color=colour, linewidth=0.3, label=f"{label}, 5 %")
        axes.plot(times / per, high, color=colour, linewidth=0.3, label=f"{label}, 95 %")
    axes.plot(times / per, middle, color=colour, linewidth=style.line, label=label)


def waterfall(found: Found, *, style: Style = PAGE) -> Figure:
    """Return the losses of all starts in order, those at the best optimum filled.

    Losses are drawn above the best, so that plateaus (other optima) can be told apart; starts that
    failed are told beneath.
    """
    ranked = found.ranked
    best = ranked[0].loss or 0.0 if ranked else 0.0
    rises = np.array([(one.loss or 0.0) - best for one in ranked])
    failed = len(found.starts) - len(ranked)
    told = f"{found.again} of {len(found.starts)} starts at the best optimum, {failed} failed"
    with settings(style):
        figure, (axes,) = _grid([told], style, "ketasim fit, starts", small=True)
        axes.axhspan(0.0, SAME, color=FAINT, alpha=0.2, linewidth=0.0)
        order = np.arange(1, len(ranked) + 1)
        axes.plot(order, rises, color=FAINT, linewidth=0.6, label="_line", zorder=1)
        moving = np.array([one.status != "converged" for one in ranked], dtype=bool)
        for which, colour, label in ((~moving, BLUE, "arrived"), (moving, VERMILION, "cut short")):
            if which.any():
                axes.plot(
                    order[which], rises[which], "o", markersize=2.6, color=colour, label=label
                )
        axes.set_yscale("symlog", linthresh=SAME)
        axes.set_ylim(0.0, max(10.0, 2.0 * float(rises.max(initial=0.0))))
        axes.set_xlabel("Start, the best first")
        axes.set_ylabel("Loss above the best")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.legend(frameon=False, fontsize=style.text_size, loc="upper left")
    return figure


def profiles(
    found: Sequence[Profile], problem: Problem, level: float, *, style: Style = PAGE
) -> Figure:
    """Return one panel a profile: what the loss rises by, and where an interval ends."""
    free = {one.name: one for one in problem.free}
    most = limit(level)
    with settings(style):
        figure, panels = _grid([one.verdict for one in found], style, "ketasim fit, profiles")
        room = panels[0].get_position().width * style.width + 8.0
        for axes, one in zip(panels, found, strict=True):
            number = free[one.name]
            x = number.value(np.array(one.x))
            axes.axhline(most, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)), label="_limit")
            axes.plot(
                x, one.rise, "-o", color=BLUE, markersize=1.8, linewidth=style.line, label=one.name
            )
            axes.axvline(one.best, color=INK, linewidth=0.5, label="_best")
            for end in (one.low, one.high):
                if end is not None:
                    axes.axvline(end, color=VERMILION, linewidth=0.5, label="_end")
            if number.log and x.max() > 5.0 * x.min():
                axes.set_xscale("log")
            axes.set_ylim(0.0, 2.0 * most)
            unit = "" if number.unit == "1" else f" ({printed(number.unit)})"
            axes.set_xlabel(in_lines(f"{factor(one.name)}{unit}", room, style.text_size))
            axes.set_ylabel("Rise of the loss")
    return figure
