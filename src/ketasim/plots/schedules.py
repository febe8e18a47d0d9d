"""A chosen schedule beside the usual one, what it does over time, and the front of two wishes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ketasim.plots.grid import LINE, write_words
from ketasim.plots.style import (
    BLUE,
    DOSE,
    FAINT,
    PAGE,
    PALETTE,
    VERMILION,
    Style,
    new_figure,
    provenance,
    settings,
)
from ketasim.plots.words import about, called, in_lines, printed, spoken
from ketasim.studies.cautions import provenance as made
from ketasim.studies.schedules.choose import Chosen
from ketasim.studies.schedules.front import Compromise
from ketasim.studies.schedules.goals import Goal, told_share
from ketasim.studies.schedules.plan import Visits
from ketasim.studies.schedules.runs import Runs
from ketasim.units import unit

Array = NDArray[np.float64]
COLOURS = {"best": BLUE, "usual": VERMILION}
BAND = (10.0, 90.0)  # per cent of patients
LEFT, RIGHT, FOOT, GAP = 17.0, 4.0, 9.0, 4.0  # [mm]
DOSES, COURSES, SQUARE = 26.0, 42.0, 62.0


@dataclass(frozen=True)
class Course:
    """A schedule and what a name does under it: ``values`` (n_members, n_times), canonical."""

    label: str
    visits: Visits
    times: Array
    values: Array
    name: str | None


def draw(chosen: Chosen, courses: Sequence[Course], *, style: Style = PAGE) -> Figure:
    """Return doses over days above, and the course of the first wish under them beneath.

    The line is the mean over patients, the band what 80 % of them lie in.
    """
    told = f"{chosen.searched.plan.label}, best of what was found"
    with settings(style):
        title = in_lines(told, style.width - LEFT - RIGHT, style.title_size, bold=True)
        key = [(one.label, COLOURS[one.label]) for one in courses]
        head = LINE * (2 + title.count("\n")) + 1.5
        height = head + DOSES + GAP + COURSES + FOOT
        figure = new_figure(style.width, height)
        figure.set_label(provenance(made(chosen.problem.scenario)))
        write_words(figure, key, style, LEFT)
        figure.text(
            LEFT / style.width, 1.0 - (1.0 + LINE) / height, title, va="top", fontweight="bold",
            fontsize=style.title_size,
        )  # fmt: skip
        wide = style.width - LEFT - RIGHT
        boxes = [(FOOT + COURSES + GAP, DOSES), (FOOT, COURSES)]
        above, beneath = (
            figure.add_axes((LEFT / style.width, y / height, wide / style.width, tall / height))
            for y, tall in boxes
        )
        _doses(above, chosen, courses, style)
        _courses(beneath, chosen, courses, style)
        for axes in (above, beneath):
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_xlim(chosen.problem.scenario.times[0] / 24.0 - 0.5, chosen.problem.end / 24.0)
    return figure


def _doses(axes: Axes, chosen: Chosen, courses: Sequence[Course], style: Style) -> None:
    for one in courses:
        days, amounts = one.visits.starts[0] / 24.0, one.visits.amounts[0]
        colour = COLOURS[one.label]
        width = 1.6 * style.line if one.label == "best" else style.line
        axes.vlines(days, 0.0, amounts, color=colour, linewidth=width, label=one.label)
        axes.plot(days, amounts, "o", color=colour, markersize=3.0, label=f"_{one.label}")
    mass = "mg/kg" if chosen.searched.plan.per_weight else "mg"
    for dose in chosen.problem.scenario.protocol.doses:  # given as they stand
        if dose.per_weight == chosen.searched.plan.per_weight:
            day = dose.start / 24.0
            axes.plot([day, day], [0.0, dose.amount], color=DOSE, linewidth=style.line,
                      label="_given anyway")  # fmt: skip
    axes.set_ylabel(f"Dose ({mass})")
    axes.set_ylim(bottom=0.0)
    axes.tick_params(labelbottom=False)


def _courses(axes: Axes, chosen: Chosen, courses: Sequence[Course], style: Style) -> None:
    weights = np.tile(chosen.problem.cohort.weights, chosen.problem.cohort.n_draws)
    for one in courses:
        if one.name is None or not one.values.size:
            continue
        of = chosen.problem.scenario.model.unit(one.name)
        values = one.values / unit(of).factor
        fine = np.isfinite(values).all(axis=1)
        mean = np.average(values[fine], axis=0, weights=weights[fine])
        low, high = np.percentile(values[fine], BAND, axis=0)
        days, colour = one.times / 24.0, COLOURS[one.label]
        if len(values) > 1:
            axes.fill_between(days, low, high, color=colour, alpha=0.15, linewidth=0.0)
        axes.plot(days, mean, color=colour, linewidth=style.line, label=one.label)
        said = about(one.name) + (f" ({printed(of)})" if of != "1" else "")
        axes.set_ylabel(in_lines(said[0].upper() + said[1:], COURSES, style.text_size))
    axes.set_xlabel("Time (d)")


def draw_front(chosen: Chosen, *, style: Style = PAGE) -> Figure:
    """Return the first wish over the second: schedules of which none is better in both, joined.

    Hollow points are bettered by another or pass a limit; the cross is the usual schedule.
    """
    first, second = chosen.problem.objectives
    height = LINE * (len(chosen.problem.plans) + 1) * 1.4 + 4.0 + SQUARE + FOOT + LINE
    with settings(style):
        width = min(style.width, LEFT + 1.4 * SQUARE + RIGHT)
        figure = new_figure(width, height)
        figure.set_label(provenance(made(chosen.problem.scenario)))
        wide = (width - LEFT - RIGHT) / width
        box = (LEFT / width, (FOOT + LINE) / height, wide, SQUARE / height)
        axes = figure.add_axes(box)
        axes.spines[["top", "right"]].set_visible(False)
        for k, plan in enumerate(chosen.problem.plans):
            mine = [one for one in chosen.front if one.plan == k]
            _line(axes, mine, PALETTE[k % len(PALETTE)], plan.label, (first, second), style)
        _usual(axes, chosen, (first, second))
        axes.set_xlabel(in_lines(_axis(second), SQUARE, style.text_size))
        axes.set_ylabel(in_lines(_axis(first), SQUARE, style.text_size))
        axes.legend(frameon=False, fontsize=style.text_size, loc="lower left",
                    bbox_to_anchor=(0.0, 1.0), borderaxespad=0.0)  # fmt: skip
    return figure


def _line(
    axes: Axes, mine: Sequence[Compromise], colour: str, label: str, wishes: tuple[Goal, Goal],
    style: Style,
) -> None:  # fmt: skip
    best = sorted((one for one in mine if one.is_best), key=lambda one: one.values[1])
    rest = [one for one in mine if not one.is_best]
    for some, mark, named in ((best, "o-", label), (rest, "o", f"_{label}, bettered")):
        if not some:
            continue
        x, y = (
            [one.values[k] / _per(wishes[k]) for one in some] for k in (1, 0)
        )  # fmt: skip
        fill = colour if some is best else "none"
        axes.plot(
            x, y, mark, color=colour, markerfacecolor=fill, markersize=3.6, linewidth=style.line,
            label=named,
        )  # fmt: skip


def _usual(axes: Axes, chosen: Chosen, wishes: tuple[Goal, Goal]) -> None:
    if chosen.usual is None or chosen.problem.usual is None:
        return
    owner = Runs.owners(chosen.problem, chosen.problem.usual)
    x, y = (
        float(chosen.usual.outputs[0, owner.index(wishes[k])]) / _per(wishes[k]) for k in (1, 0)
    )
    axes.plot([x], [y], "x", color=FAINT, markersize=5.0, label="usual", zorder=4)


def _per(goal: Goal) -> float:
    """Return by what values are divided: times are shown in days."""
    return 24.0 if goal.unit == "h" else 1.0


def _axis(goal: Goal) -> str:
    """Return what a wish is of, in words, over whom, and its unit."""
    shown = "d" if goal.unit == "h" else printed(goal.unit)
    told = called(goal.text) if goal.of_runs else f"{goal.text.capitalize()} of the schedule"
    told = spoken(told) if told == goal.text else told
    over = f"; {told_share(goal.share)} of patients" if goal.of_runs else ""
    return f"{told}{over}" + (f" ({shown})" if goal.unit != "1" else "")
