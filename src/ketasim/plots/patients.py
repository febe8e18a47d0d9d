"""Virtual patients in pictures: forest, response over time, waterfall, spaghetti and bands."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ketasim.core.scenario import clock
from ketasim.plots.style import (
    BLUE,
    FAINT,
    INK,
    PAGE,
    VERMILION,
    WINDOW,
    new_figure,
    provenance,
    settings,
)
from ketasim.studies.cautions import provenance as made_by
from ketasim.studies.patients.crew import Crew, Goal, goals_of
from ketasim.studies.patients.published import PublishedArm, PublishedTrial, Statistic
from ketasim.studies.patients.reading import Setting

if TYPE_CHECKING:
    from ketasim.verbs.population import Population

Array = NDArray[np.float64]
LINES = 60  # patients whose own course is drawn
SAMPLE = 20_000  # plausible patients whose traits are drawn
DAY = 24.0
Z = 1.96
DRUG, CONTROL = BLUE, VERMILION
KEY = "circles: published, 95 %   diamonds: cohort   bars: predicted, 95 %   * not used"
GROUPS = (
    ("change of the score, or the score itself (mean) [points]", ("mean", "change")),
    ("share", ("response", "remission")),
)


def of_population(found: "Population") -> Mapping[str, Figure]:
    """Return every figure of a population, by name."""
    figures = {"traits": traits(found)}
    trials = [*found.asked.match, *found.asked.predict]
    mean = found.further[0]
    if not trials:
        return _labelled(figures, found)
    own = [*found.settings, *(trial.held or mean for trial in found.asked.predict)]
    figures |= {
        "forest": forest(found),
        "response_over_time": response(found.crew, trials, own, found.asked.seed),
    }
    trial, setting = found.asked.match[-1], found.settings[-1]
    figures["waterfall"] = waterfall(found.crew, trial, setting, found.asked.seed)
    figures["spaghetti"] = spaghetti(found.crew, trial, setting, found.asked.seed)
    return _labelled(figures, found)


def _labelled(figures: dict[str, Figure], found: "Population") -> Mapping[str, Figure]:
    for one in figures.values():
        one.set_label(provenance(made_by(found.asked.setup.scenario)))
    return figures


def traits(found: "Population") -> Figure:
    """Draw each trait's distribution: of plausible patients in grey, of the cohort as a line."""
    crowd, columns = found.crowd, 5
    before = crowd.people(0, min(crowd.size, SAMPLE))
    rows = -(-len(crowd.names) // columns)
    with settings(PAGE):
        figure = new_figure(PAGE.width, 24.0 * rows)
        grid: Any = figure.subplots(rows, columns, squeeze=False)
        for axes, name, values in zip(grid.flat, crowd.names, before.T, strict=False):
            ends = np.histogram_bin_edges(values, bins=24)
            axes.hist(values, bins=ends, density=True, color=WINDOW, lw=0)
            own = found.traits[name]
            axes.hist(own, bins=ends, density=True, histtype="step", color=BLUE, lw=0.8)
            axes.set_title(name, fontsize=PAGE.text_size - 1.0, loc="left", pad=2.0)
            axes.set_yticks([])
            axes.tick_params(labelsize=PAGE.text_size - 1.6)
            axes.spines[["top", "right", "left"]].set_visible(False)
        for axes in list(grid.flat)[len(crowd.names) :]:
            axes.set_axis_off()
        figure.tight_layout(pad=0.5, h_pad=0.6, w_pad=0.6)
    return figure


def forest(found: "Population") -> Figure:
    """Draw published numbers with their 95 % intervals over those of the cohort, trial by trial."""
    goals = [one.goal for one in found.cohort.matches]
    shown: dict[Any, Any] = {o.goal.label: (o.cohort, None) for o in found.cohort.matches}
    further = [found.further[0]] * len(found.asked.predict)
    goals += goals_of(found.asked.predict, further)
    for one in found.predictions:
        shown[one.trial, one.arm, one.at, one.kind] = (one.interval[1], one.interval)
    used = {trial.name for trial in found.asked.match}
    with settings(PAGE):
        columns = [[g for g in goals if _worth(g, kinds)] for _, kinds in GROUPS]
        figure = new_figure(PAGE.width, 24.0 + 4.2 * max(map(len, columns)))
        axes: Any = figure.subplots(1, 2)
        for one, (label, _), rows in zip(axes, GROUPS, columns, strict=True):
            _forest(one, rows, shown, used, label)
        axes[0].set_title(KEY, fontsize=PAGE.text_size, loc="left", x=-1.0)
        figure.tight_layout(pad=0.6, w_pad=1.4)
    return figure


def _worth(goal: Goal, kinds: Sequence[str]) -> bool:
    """Say whether a number belongs in the forest: changes, shares, and means without a change."""
    one = goal.statistic
    if one.kind == "mean":
        changed = {(o.at, o.kind) for o in goal.arm.seen}
        return one.at > 0.0 and (one.at, "change") not in changed and "mean" in kinds
    return one.kind in kinds


def _forest(
    axes: Axes, rows: Sequence[Goal], shown: Mapping[Any, Any], used: set[str], label: str
) -> None:
    for y, goal in enumerate(rows):
        one = goal.statistic
        value, interval = shown[goal.label]
        axes.errorbar(
            one.value, y, xerr=Z * one.error, fmt="o", ms=3.2, color=INK, elinewidth=0.8, zorder=3
        )
        if interval is not None:
            axes.plot([interval[0], interval[2]], [y + 0.25] * 2, color=BLUE, lw=2.2, alpha=0.35)
        axes.plot(value, y + 0.25, "D", ms=3.4, color=BLUE, zorder=4)
    names = [
        f"{g.trial.name}{'' if g.trial.name in used else ' *'}, {g.arm.name}, "
        f"{clock(g.statistic.at)}, {g.statistic.kind}"
        for g in rows
    ]
    axes.set_yticks(range(len(rows)), names, fontsize=PAGE.text_size - 1.2)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(label)
    if "share" in label:
        axes.set_xlim(-0.02, 1.02)
    axes.spines[["top", "right"]].set_visible(False)


def _times(crew: Crew, trial: PublishedTrial) -> list[float]:
    """Return the times [h] at which every arm of a trial is known, up to its last visit."""
    last = trial.times[-1]
    own = [crew.courses[arm.protocol] for arm in trial.arms if arm.drugged]
    common = set.intersection(*(set(course) for course in own)) if own else set(trial.times)
    return sorted(time for time in common if 0.0 < time <= last)


def response(
    crew: Crew, trials: Sequence[PublishedTrial], own: Sequence[Setting], seed: int
) -> Figure:
    """Draw the share of responders over time in each trial, published shares as points."""
    columns = min(3, len(trials))
    rows = -(-len(trials) // columns)
    with settings(PAGE):
        figure = new_figure(PAGE.width, 50.0 * rows)
        grid: Any = figure.subplots(rows, columns, squeeze=False)
        for axes, trial, setting in zip(grid.flat, trials, own, strict=False):
            _response(axes, crew, trial, setting, seed)
        for axes in list(grid.flat)[len(trials) :]:
            axes.set_axis_off()
        figure.tight_layout(pad=0.6, h_pad=1.2, w_pad=1.2)
    return figure


def _response(axes: Axes, crew: Crew, trial: PublishedTrial, setting: Setting, seed: int) -> None:
    times = _times(crew, trial)
    for arm in trial.arms:
        colour = DRUG if arm.drugged else CONTROL
        rating = _let_in(crew, trial, arm, setting, seed, times)
        share = (rating[:, 2:] <= 0.5 * rating[:, 1:2]).mean(axis=0)
        axes.plot(np.array(times) / DAY, 100 * share, color=colour, lw=PAGE.line, label=arm.name)
        for one in arm.seen:
            if one.kind == "response":
                axes.errorbar(
                    one.at / DAY, 100 * one.value, yerr=100 * Z * one.error, fmt="o", ms=3.0,
                    color=colour, elinewidth=0.8, capsize=2.0,
                )  # fmt: skip
    axes.set_ylim(0.0, 100.0)
    axes.set_xlabel("days")
    axes.set_ylabel("responders [%]")
    axes.set_title(trial.name, fontsize=PAGE.title_size, loc="left")
    axes.legend(frameon=False, fontsize=PAGE.text_size - 0.6, handlelength=1.4)
    axes.spines[["top", "right"]].set_visible(False)


def _let_in(
    crew: Crew,
    trial: PublishedTrial,
    arm: PublishedArm,
    setting: Setting,
    seed: int,
    times: Sequence[float],
) -> Array:
    rating = crew.ratings(trial, arm, setting, seed, times=times)
    inside = (rating[:, 0] >= trial.least) & (rating[:, 0] <= trial.most)
    return rating[inside]


def waterfall(crew: Crew, trial: PublishedTrial, setting: Setting, seed: int) -> Figure:
    """Draw each patient's change at the last visit, sorted, an arm a panel."""
    last = trial.times[-1]
    with settings(PAGE):
        figure = new_figure(PAGE.width, 60.0)
        grid: Any = figure.subplots(1, len(trial.arms), sharey=True, squeeze=False)
        for axes, arm in zip(grid.flat, trial.arms, strict=True):
            rating = _let_in(crew, trial, arm, setting, seed, [last])
            bars(axes, rating[:, 1], rating[:, 2], arm.name, drugged=arm.drugged)
        grid[0, 0].set_ylabel(f"change of the score at {clock(last)} [%]")
        figure.tight_layout(pad=0.6, w_pad=1.0)
    return figure


def bars(axes: Axes, baseline: Array, rating: Array, name: str, *, drugged: bool) -> None:
    """Draw sorted changes [%] of the patients of an arm, responders told from the others."""
    change = np.sort(100.0 * (rating / np.maximum(baseline, 1.0) - 1.0))[::-1]
    place, responded = np.arange(len(change)), change <= -50.0
    colour = DRUG if drugged else CONTROL
    axes.bar(place[~responded], change[~responded], width=1.0, color=FAINT, lw=0)
    axes.bar(place[responded], change[responded], width=1.0, color=colour, lw=0)
    axes.axhline(-50.0, color=INK, lw=0.5, ls=(0, (3, 2)))
    axes.axhline(0.0, color=INK, lw=0.6)
    axes.set_ylim(-102.0, 102.0)
    axes.set_xlabel(f"{len(change):,} patients, {responded.mean():.0%} respond")
    axes.set_title(name, fontsize=PAGE.title_size, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def spaghetti(crew: Crew, trial: PublishedTrial, setting: Setting, seed: int) -> Figure:
    """Draw courses of the score: single patients, median and 5 to 95 %, published means."""
    times = _times(crew, trial)
    with settings(PAGE):
        figure = new_figure(PAGE.width, 62.0)
        grid: Any = figure.subplots(1, len(trial.arms), sharey=True, squeeze=False)
        for axes, arm in zip(grid.flat, trial.arms, strict=True):
            rating = _let_in(crew, trial, arm, setting, seed, times)
            courses(axes, [0.0, *times], rating[:, 1:], arm.name, drugged=arm.drugged)
            for one in arm.seen:
                _seen(axes, one, float(rating[:, 1].mean()))
        grid[0, 0].set_ylabel("score [points]")
        figure.tight_layout(pad=0.6, w_pad=1.0)
    return figure


def courses(axes: Axes, times: Sequence[float], rating: Array, name: str, *, drugged: bool) -> None:
    """Draw courses (n, n_times): up to 60 patients, their median, 5 to 95 % of all."""
    colour, days = (DRUG if drugged else CONTROL), np.array(times) / DAY
    for k, line in enumerate(rating[:LINES]):
        axes.plot(days, line, color=colour, lw=0.3, alpha=0.35, label=f"_{k}")
    low, middle, high = np.quantile(rating, (0.05, 0.5, 0.95), axis=0)
    axes.fill_between(days, low, high, color=colour, alpha=0.18, lw=0)
    axes.plot(days, middle, color=colour, lw=PAGE.line + 0.4, label=f"{name} median")
    axes.set_ylim(0.0, 60.0)
    axes.set_xlabel("days")
    axes.set_title(name, fontsize=PAGE.title_size, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _seen(axes: Axes, one: Statistic, baseline: float) -> None:
    """Draw a published mean, or a change from the mean baseline."""
    if one.kind not in ("mean", "change"):
        return
    value = one.value + (baseline if one.kind == "change" else 0.0)
    axes.errorbar(
        one.at / DAY, value, yerr=Z * one.error, fmt="o", ms=3.0, color=INK, elinewidth=0.8,
        capsize=2.0, zorder=5,
    )  # fmt: skip
