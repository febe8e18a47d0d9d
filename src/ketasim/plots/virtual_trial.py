"""A virtual trial in pictures: waterfall, spaghetti and bands, response over time, power curve."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtr

from ketasim.core.scenario import clock
from ketasim.plots.patients import DAY, bars, courses
from ketasim.plots.style import FAINT, PAGE, PALETTE, new_figure, provenance, settings
from ketasim.studies.cautions import provenance as made_by
from ketasim.studies.trial.analyse import carried

if TYPE_CHECKING:
    from ketasim.verbs.virtual_trial import Trial


def of_trial(found: "Trial") -> Mapping[str, Figure]:
    """Return every figure of a trial, by name."""
    figures = {
        "waterfall": waterfall(found),
        "spaghetti": spaghetti(found),
        "response_over_time": response(found),
    }
    if found.powers:
        figures["power"] = power(found)
    for one in figures.values():
        one.set_label(provenance(made_by(found.setup.scenario)))
    return figures


def _panels(found: "Trial", height: float) -> tuple[Figure, Any]:
    count = len(found.plan.arms)
    figure = new_figure(PAGE.width, height)
    return figure, figure.subplots(1, count, sharey=True, squeeze=False)


def waterfall(found: "Trial") -> Figure:
    """Draw each patient's change at the last rating there is, sorted, an arm a panel."""
    last = carried(found.found.baseline, found.found.analysed("policy"))
    with settings(PAGE):
        figure, grid = _panels(found, 60.0)
        for k, (axes, arm) in enumerate(zip(grid.flat, found.plan.arms, strict=True)):
            mine = found.found.arm == k
            bars(axes, found.found.baseline[mine], last[mine], arm.name, drugged=arm.drugged)
        grid[0, 0].set_ylabel("change of the score, last rating [%]")
        figure.tight_layout(pad=0.6, w_pad=1.0)
    return figure


def spaghetti(found: "Trial") -> Figure:
    """Draw courses of the score by arm; who has left is carried on in the band."""
    times = [0.0, *found.plan.visits]
    ratings = found.found.analysed("policy")
    filled = ratings.copy()
    before = found.found.baseline
    for column in filled.T:
        column[:] = before = np.where(np.isnan(column), before, column)
    with settings(PAGE):
        figure, grid = _panels(found, 62.0)
        for k, (axes, arm) in enumerate(zip(grid.flat, found.plan.arms, strict=True)):
            mine = found.found.arm == k
            rating = np.column_stack([found.found.baseline[mine], filled[mine]])
            courses(axes, times, rating, arm.name, drugged=arm.drugged)
        grid[0, 0].set_ylabel("score [points]")
        figure.tight_layout(pad=0.6, w_pad=1.0)
    return figure


def response(found: "Trial") -> Figure:
    """Draw the share of responders and of remitters at each visit, of those who are seen."""
    days = np.array(found.plan.visits) / DAY
    ratings = found.found.analysed("policy")
    with settings(PAGE):
        figure = new_figure(PAGE.width, 60.0)
        grid: Any = figure.subplots(1, 2, sharey=True)
        for k, arm in enumerate(found.plan.arms):
            mine = found.found.arm == k
            own, before = ratings[mine], found.found.baseline[mine][:, None]
            there = ~np.isnan(own)
            count = np.maximum(there.sum(axis=0), 1)
            for axes, limit in zip(grid, (0.5 * before, found.plan.remission), strict=True):
                share = 100.0 * ((own <= limit) & there).sum(axis=0) / count
                axes.plot(
                    days, share, "o-", color=PALETTE[k % 7], ms=2.6, lw=PAGE.line, label=arm.name
                )
        for axes, name in zip(grid, ("response", "remission"), strict=True):
            axes.set_title(name, fontsize=PAGE.title_size, loc="left")
            axes.set_xlabel("days")
            axes.set_ylim(0.0, 100.0)
            axes.spines[["top", "right"]].set_visible(False)
        grid[0].set_ylabel("patients seen [%]")
        grid[0].legend(frameon=False, fontsize=PAGE.text_size)
        figure.tight_layout(pad=0.6, w_pad=1.0)
    return figure


def power(found: "Trial") -> Figure:
    """Draw power over size with its interval, the curve through it, and the sizes needed."""
    with settings(PAGE):
        figure = new_figure(PAGE.width * 0.62, 72.0)
        axes: Axes = figure.subplots()
        for k, arm in enumerate(dict.fromkeys(one.arm for one in found.powers)):
            _power(axes, found, arm, PALETTE[k % 7])
        for wanted in found.plan.wanted:
            axes.axhline(100.0 * wanted, color=FAINT, lw=0.6, ls=(0, (3, 2)))
        axes.set_ylim(0.0, 102.0)
        axes.set_xlabel("patients, all arms together")
        axes.set_ylabel(f"trials that show the arm better at {clock(found.plan.visits[-1])} [%]")
        axes.legend(frameon=False, fontsize=PAGE.text_size, loc="lower right")
        axes.spines[["top", "right"]].set_visible(False)
        figure.tight_layout(pad=0.6)
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
