"""A virtual trial in pictures: waterfall, spaghetti and bands, response over time, power curve."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.special import ndtr

from ketasim.core.scenario import clock
from ketasim.plots.grid import Cells, grid, room_for, write_words
from ketasim.plots.patients import DAY, LEFT, bars, by_arm, change_axes, courses
from ketasim.plots.style import FAINT, PAGE, PALETTE, Style, provenance, settings
from ketasim.plots.words import in_lines
from ketasim.studies.cautions import provenance as made_by
from ketasim.studies.trial.analyse import carried

if TYPE_CHECKING:
    from ketasim.verbs.virtual_trial import Trial

POWER = 110.0  # width of the power curve, at most [mm]


def of_trial(found: "Trial", *, style: Style = PAGE) -> Mapping[str, Figure]:
    """Return every figure of a trial, by name."""
    figures = {
        "waterfall": waterfall(found, style=style),
        "spaghetti": spaghetti(found, style=style),
        "response_over_time": response(found, style=style),
    }
    if found.powers:
        figures["power"] = power(found, style=style)
    for one in figures.values():
        one.set_label(provenance(made_by(found.setup.scenario)))
    return figures


def waterfall(found: "Trial", *, style: Style = PAGE) -> Figure:
    """Draw each patient's change at the last rating there is, sorted, an arm a panel."""
    last = carried(found.found.baseline, found.found.analysed("policy"))
    with settings(style):
        figure, panels = by_arm([arm.name for arm in found.plan.arms], style)
        for k, (axes, arm) in enumerate(zip(panels, found.plan.arms, strict=True)):
            mine = found.found.arm == k
            bars(axes, found.found.baseline[mine], last[mine], drugged=arm.drugged)
        change_axes(panels, "Change, last rating (%)")
    return figure


def spaghetti(found: "Trial", *, style: Style = PAGE) -> Figure:
    """Draw courses of the score by arm; who has left is carried on in the band."""
    times = [0.0, *found.plan.visits]
    ratings = found.found.analysed("policy")
    filled = ratings.copy()
    before = found.found.baseline
    for column in filled.T:
        column[:] = before = np.where(np.isnan(column), before, column)
    with settings(style):
        figure, panels = by_arm([arm.name for arm in found.plan.arms], style)
        for k, (axes, arm) in enumerate(zip(panels, found.plan.arms, strict=True)):
            mine = found.found.arm == k
            rating = np.column_stack([found.found.baseline[mine], filled[mine]])
            courses(axes, times, rating, arm.name, drugged=arm.drugged)
    return figure


def response(found: "Trial", *, style: Style = PAGE) -> Figure:
    """Draw the share of responders and of remitters at each visit, of those who are seen."""
    days = np.array(found.plan.visits) / DAY
    ratings = found.found.analysed("policy")
    key = _key([arm.name for arm in found.plan.arms])
    with settings(style):
        above = room_for([text for text, _ in key], style, LEFT)
        cells = Cells(2, 40.0 if style.columns > 1 else 34.0, LEFT, 3.0, 9.0)
        figure, grid_ = grid(["Response", "Remission"], style, cells, above=above)
        write_words(figure, key, style, LEFT)
        for k, (arm, (_, colour)) in enumerate(zip(found.plan.arms, key, strict=True)):
            mine = found.found.arm == k
            own, before = ratings[mine], found.found.baseline[mine][:, None]
            there = ~np.isnan(own)
            count = np.maximum(there.sum(axis=0), 1)
            for axes, limit in zip(grid_, (0.5 * before, found.plan.remission), strict=True):
                share = 100.0 * ((own <= limit) & there).sum(axis=0) / count
                axes.plot(days, share, "o-", color=colour, ms=2.6, lw=style.line, label=arm.name)
        for axes in grid_:
            axes.set_xlabel("Time (d)")
            axes.set_ylabel("Patients seen (%)")
            axes.set_ylim(0.0, 100.0)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


def _key(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the arms in words, each with its colour."""
    told = [one.replace("_", " ") for one in names]
    return [(one, PALETTE[k % len(PALETTE)]) for k, one in enumerate(told)]


def power(found: "Trial", *, style: Style = PAGE) -> Figure:
    """Draw power over size with its interval, the curve through it, and the sizes needed."""
    arms = list(dict.fromkeys(one.arm for one in found.powers))
    narrow = replace(style, width=min(style.width, POWER))
    told = f"Trials that show the arm better at {clock(found.plan.visits[-1])} (%)"
    key = _key(arms)
    with settings(style):
        above = room_for([text for text, _ in key], style, LEFT)
        cells = Cells(1, 56.0, LEFT, 3.0, 10.0)
        figure, (axes,) = grid([""], narrow, cells, above=above)
        write_words(figure, key, narrow, LEFT)
        for arm, (_, colour) in zip(arms, key, strict=True):
            _power(axes, found, arm, colour)
        for wanted in found.plan.wanted:
            axes.axhline(100.0 * wanted, color=FAINT, lw=0.6, ls=(0, (3, 2)))
        axes.set_ylim(0.0, 102.0)
        axes.set_xlabel("Patients, all arms together")
        axes.set_ylabel(in_lines(told, 54.0, style.text_size))
    return figure


def _power(axes: Axes, found: "Trial", arm: str, colour: str) -> None:
    own = [one for one in found.powers if one.arm == arm]
    sizes = np.array([one.patients for one in own])
    share = 100.0 * np.array([[one.low, one.share, one.high] for one in own]).T
    ends = np.abs([share[1] - share[0], share[2] - share[1]])
    axes.errorbar(
        sizes, share[1], yerr=ends, fmt="o", ms=3.2, color=colour, elinewidth=0.8, capsize=2.0,
        label=arm,
    )  # fmt: skip
    slope, edge = found.curve(arm)
    grid = np.linspace(1.0, 1.1 * sizes.max(), 200)
    axes.plot(grid, 100.0 * ndtr(slope * np.sqrt(grid) - edge), color=colour, lw=PAGE.line)
    for one in found.needed:
        if one.arm == arm and one.patients is not None and one.inside:
            axes.plot([one.patients] * 2, [0.0, 100.0 * one.power], color=colour, lw=0.6, ls=":")
