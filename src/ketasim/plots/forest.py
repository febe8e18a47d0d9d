"""Published numbers of trials over those of a cohort, a row each, trial by trial."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ketasim.core.scenario import clock
from ketasim.plots.style import BLUE, INK, PAGE, Style, new_figure, settings
from ketasim.plots.words import in_lines, study
from ketasim.studies.patients.crew import Goal, goals_of

if TYPE_CHECKING:
    from ketasim.verbs.population import Population

Z = 1.96
KEY = "circles: published, 95 %; diamonds: cohort; bars: predicted, 95 %; * not used"
GROUPS = (
    ("Change, or mean of the score (points)", ("mean", "change")),
    ("Share of patients (%)", ("response", "remission")),
)
LABEL, ROW, FOOT, RIGHT = 38.0, 3.6, 11.0, 4.0  # [mm]
SHARES = "response", "remission"
Rows = list[tuple[str, Goal | None]]


def forest(found: "Population", *, style: Style = PAGE) -> Figure:
    """Draw published numbers with their 95 % intervals over those of the cohort, trial by trial."""
    goals = [one.goal for one in found.cohort.matches]
    shown: dict[Any, Any] = {o.goal.label: (o.cohort, None) for o in found.cohort.matches}
    goals += goals_of(found.asked.predict, [found.further[0]] * len(found.asked.predict))
    for one in found.predictions:
        shown[one.trial, one.arm, one.at, one.kind] = (one.interval[1], one.interval)
    used = {trial.name for trial in found.asked.match}
    groups = [_rows([g for g in goals if _worth(g, kinds)], used) for _, kinds in GROUPS]
    across = 2 if style.columns > 1 else 1
    with settings(style):
        told = in_lines(KEY, style.width - 4.0, style.text_size)
        head = 3.0 + 3.0 * (1 + told.count("\n"))
        bodies = [ROW * len(rows) for rows in groups]
        height = head + (max(bodies) + FOOT if across > 1 else sum(bodies) + 2 * FOOT)
        figure = new_figure(style.width, height)
        figure.text(
            2.0 / style.width, 1.0 - 1.5 / height, told, va="top", fontsize=style.text_size
        )  # fmt: skip
        pitch, y = style.width / across, height - head
        wide = pitch - LABEL - RIGHT
        for k, ((label, _), rows, body) in enumerate(zip(GROUPS, groups, bodies, strict=True)):
            left = (pitch * k if across > 1 else 0.0) + LABEL
            top = y if across > 1 else y - k * (bodies[0] + FOOT)
            box = (left / style.width, (top - body) / height, wide / style.width, body / height)
            axes = figure.add_axes(box)
            _draw(axes, rows, shown, body / ROW)
            _label(axes, rows, -(LABEL - 2.0) / wide)
            axes.set_xlabel(in_lines(label, wide + 8.0, style.text_size))
    return figure


def _worth(goal: Goal, kinds: Sequence[str]) -> bool:
    """Say whether a number belongs in the forest: changes, shares, and means without a change."""
    one = goal.statistic
    if one.kind == "mean":
        changed = {(o.at, o.kind) for o in goal.arm.seen}
        return one.at > 0.0 and (one.at, "change") not in changed and "mean" in kinds
    return one.kind in kinds


def _rows(goals: Sequence[Goal], used: set[str]) -> Rows:
    """Return the rows of a panel: a heading for each trial, and its numbers beneath."""
    rows: Rows = []
    for name in dict.fromkeys(goal.trial.name for goal in goals):
        rows.append((f"{study(name)}{'' if name in used else ' *'}", None))
        for goal in (one for one in goals if one.trial.name == name):
            seen = goal.statistic
            arm = goal.arm.name.replace("_", " ")
            rows.append((f"{arm}, {clock(seen.at)}, {seen.kind}", goal))
    return rows


def _draw(axes: Axes, rows: Rows, shown: Mapping[Any, Any], count: float) -> None:
    for y, (_, goal) in enumerate(rows):
        if goal is None:
            continue
        one, (value, interval) = goal.statistic, shown[goal.label]
        per = 100.0 if one.kind in SHARES else 1.0
        axes.errorbar(
            per * one.value, y, xerr=per * Z * one.error, fmt="o", ms=3.0, color=INK,
            elinewidth=0.8, zorder=3,
        )  # fmt: skip
        if interval is not None:
            ends = [per * interval[0], per * interval[2]]
            axes.plot(ends, [y + 0.3] * 2, color=BLUE, lw=2.0, alpha=0.35, solid_capstyle="butt")
        axes.plot(per * value, y + 0.3, "D", ms=3.0, color=BLUE, zorder=4)
    if any(goal is not None and goal.statistic.kind in SHARES for _, goal in rows):
        axes.set_xlim(-2.0, 102.0)
    axes.set_ylim(count - 0.4, -0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _label(axes: Axes, rows: Rows, left: float) -> None:
    """Write what each row is of, its trial's name above in bold."""
    axes.set_yticks([])
    for y, (words, goal) in enumerate(rows):
        weight = "bold" if goal is None else "normal"
        axes.text(
            left, y, words, transform=axes.get_yaxis_transform(), va="center", weight=weight
        )  # fmt: skip
