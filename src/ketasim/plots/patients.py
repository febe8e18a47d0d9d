"""Virtual patients in pictures: forest, response over time, waterfall, spaghetti and bands."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from ketasim.core.scenario import clock
from ketasim.plots.grid import Cells, grid, room_for, write_words
from ketasim.plots.layout import size, text_width
from ketasim.plots.style import (
    BLUE,
    FAINT,
    INK,
    PAGE,
    VERMILION,
    WINDOW,
    Style,
    provenance,
    settings,
)
from ketasim.plots.words import study, trait
from ketasim.studies.cautions import provenance as made_by
from ketasim.studies.patients.crew import Crew
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
LEFT = 13.0  # [mm]
ARM = 44.0  # height of the panel of an arm [mm]
KEY = [("with the drug", DRUG), ("without", CONTROL), ("points: published, 95 %", INK)]


def of_population(found: "Population", *, style: Style = PAGE) -> Mapping[str, Figure]:
    """Return every figure of a population, by name."""
    from ketasim.plots.forest import forest

    figures = {"traits": traits(found, style=style)}
    trials = [*found.asked.match, *found.asked.predict]
    mean = found.further[0]
    if trials:
        own = [*found.settings, *(trial.held or mean for trial in found.asked.predict)]
        trial, setting, seed = found.asked.match[-1], found.settings[-1], found.asked.seed
        figures |= {
            "forest": forest(found, style=style),
            "response_over_time": response(found.crew, trials, own, seed, style=style),
            "waterfall": waterfall(found.crew, trial, setting, seed, style=style),
            "spaghetti": spaghetti(found.crew, trial, setting, seed, style=style),
        }
    for one in figures.values():
        one.set_label(provenance(made_by(found.asked.setup.scenario)))
    return figures


def traits(found: "Population", *, style: Style = PAGE) -> Figure:
    """Draw each trait's distribution: of plausible patients in grey, of the cohort as a line."""
    crowd, is_page = found.crowd, style.columns > 1
    before = crowd.people(0, min(crowd.size, SAMPLE))
    cells = Cells(5 if is_page else 3, 13.0, 3.0, 4.0, 5.0)
    key = [("line: the cohort", BLUE), ("grey: all plausible", FAINT)]
    with settings(style):
        above = room_for([text for text, _ in key], style, cells.left) + 1.0
        titles = [trait(name) for name in crowd.names]
        figure, panels = grid(titles, style, cells, above=above, plain=True)
        write_words(figure, key, style, cells.left)
        for axes, name, values in zip(panels, crowd.names, before.T, strict=True):
            ends = np.histogram_bin_edges(values, bins=24).tolist()
            axes.hist(values, bins=ends, density=True, color=WINDOW, lw=0)
            own = found.traits[name]
            axes.hist(own, bins=ends, density=True, histtype="step", color=BLUE, lw=0.8)
            axes.set_yticks([])
            _sparse_ticks(axes, ends[0], ends[-1], style)
            axes.spines["left"].set_visible(False)
    return figure


def _sparse_ticks(axes: Axes, low: float, high: float, style: Style) -> None:
    """Label round values beneath a small panel; the outer two where more have no room."""
    axes.set_xlim(low, high)
    room, _ = size(axes)
    ticks: list[float] = []
    for most in (4, 8, 16):
        every = MaxNLocator(most, steps=[1, 2, 5, 10], min_n_ticks=1).tick_values(low, high)
        ticks = [float(one) for one in every if low <= one <= high]
        if len(ticks) > 1:
            break
    words = [_short(one, None) for one in ticks]
    widest = max(text_width(one, style.text_size, style.font) for one in words)
    if (widest + 1.5) * (high - low) > min(np.diff(ticks), default=high - low) * room:
        ticks, words = ticks[:: len(ticks) - 1], words[:: len(ticks) - 1]
    axes.set_xticks(ticks, words)


def _short(value: float, _: int | None) -> str:
    return f"{value:g}".replace("-", "\u2212")


def _times(crew: Crew, trial: PublishedTrial) -> list[float]:
    """Return the times [h] at which every arm of a trial is known, up to its last visit."""
    last = trial.times[-1]
    own = [crew.courses[arm.protocol] for arm in trial.arms if arm.drugged]
    common = set.intersection(*(set(course) for course in own)) if own else set(trial.times)
    return sorted(time for time in common if 0.0 < time <= last)


def response(
    crew: Crew,
    trials: Sequence[PublishedTrial],
    own: Sequence[Setting],
    seed: int,
    *,
    style: Style = PAGE,
) -> Figure:
    """Draw the share of responders over time in each trial, published shares as points."""
    cells = Cells(3 if style.columns > 1 else 2, 32.0, LEFT, 2.0, 9.0)
    with settings(style):
        above = room_for([text for text, _ in KEY], style, LEFT)
        titles = [study(trial.name) for trial in trials]
        figure, panels = grid(titles, style, cells, above=above)
        write_words(figure, KEY, style, LEFT)
        for axes, trial, setting in zip(panels, trials, own, strict=True):
            _response(axes, crew, trial, setting, seed, style)
    return figure


def _response(
    axes: Axes, crew: Crew, trial: PublishedTrial, setting: Setting, seed: int, style: Style
) -> None:
    times = _times(crew, trial)
    for arm in trial.arms:
        colour = DRUG if arm.drugged else CONTROL
        rating = _let_in(crew, trial, arm, setting, seed, times)
        share = (rating[:, 2:] <= 0.5 * rating[:, 1:2]).mean(axis=0)
        axes.plot(np.array(times) / DAY, 100 * share, color=colour, lw=style.line, label=arm.name)
        for one in arm.seen:
            if one.kind == "response":
                axes.errorbar(
                    one.at / DAY, 100 * one.value, yerr=100 * Z * one.error, fmt="o", ms=3.0,
                    color=colour, elinewidth=0.8, capsize=2.0,
                )  # fmt: skip
    axes.set_ylim(0.0, 100.0)
    axes.set_xlim(left=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 7, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.set_xlabel("Time (d)")
    axes.set_ylabel("Responders (%)")


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


def by_arm(names: Sequence[str], style: Style) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel an arm: side by side on a page, else one above the other."""
    across = len(names) if style.columns > 1 else 1
    titles = [name.replace("_", " ") for name in names]
    return grid(titles, style, Cells(across, ARM, LEFT, 3.0, 9.0))


def waterfall(
    crew: Crew, trial: PublishedTrial, setting: Setting, seed: int, *, style: Style = PAGE
) -> Figure:
    """Draw each patient's change at the last visit, sorted, an arm a panel."""
    last = trial.times[-1]
    with settings(style):
        figure, panels = by_arm([arm.name for arm in trial.arms], style)
        seen = [_let_in(crew, trial, arm, setting, seed, [last])[:, 1:] for arm in trial.arms]
        for axes, arm, rating in zip(panels, trial.arms, seen, strict=True):
            bars(axes, rating[:, 0], rating[:, 1], drugged=arm.drugged)
        change_axes(panels, f"Change at {clock(last)} (%)")
    return figure


def bars(axes: Axes, baseline: Array, rating: Array, *, drugged: bool) -> None:
    """Draw sorted changes [%] of the patients of an arm, responders told from the others."""
    change = np.sort(100.0 * (rating / np.maximum(baseline, 1.0) - 1.0))[::-1]
    place, responded = np.arange(len(change)), change <= -50.0
    colour = DRUG if drugged else CONTROL
    axes.bar(place[~responded], change[~responded], width=1.0, color=FAINT, lw=0)
    axes.bar(place[responded], change[responded], width=1.0, color=colour, lw=0)
    axes.axhline(-50.0, color=INK, lw=0.5, ls=(0, (3, 2)))
    axes.axhline(0.0, color=INK, lw=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    share = f"{100.0 * responded.mean():.0f} %" if len(change) else "none"
    axes.set_xlabel(f"{len(change):,} patients, {share} respond")


def change_axes(panels: Sequence[Axes], label: str) -> None:
    """Give panels of changes [%] one height, which holds the largest of them."""
    most = max(50.0, *(float(axes.dataLim.y1) for axes in panels))
    for axes in panels:
        axes.set_ylim(-102.0, 1.04 * most)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.set_ylabel(label)


def spaghetti(
    crew: Crew, trial: PublishedTrial, setting: Setting, seed: int, *, style: Style = PAGE
) -> Figure:
    """Draw courses of the score: single patients, median and 5 to 95 %, published means."""
    times = _times(crew, trial)
    with settings(style):
        figure, panels = by_arm([arm.name for arm in trial.arms], style)
        for axes, arm in zip(panels, trial.arms, strict=True):
            rating = _let_in(crew, trial, arm, setting, seed, times)
            courses(axes, [0.0, *times], rating[:, 1:], arm.name, drugged=arm.drugged)
            for one in arm.seen:
                _seen(axes, one, float(rating[:, 1].mean()))
    return figure


def courses(axes: Axes, times: Sequence[float], rating: Array, name: str, *, drugged: bool) -> None:
    """Draw courses (n, n_times): up to 60 patients, their median, 5 to 95 % of all."""
    colour, days = (DRUG if drugged else CONTROL), np.array(times) / DAY
    for k, line in enumerate(rating[:LINES]):
        axes.plot(days, line, color=colour, lw=0.3, alpha=0.35, label=f"_{k}")
    low, middle, high = np.quantile(rating, (0.05, 0.5, 0.95), axis=0)
    axes.fill_between(days, low, high, color=colour, alpha=0.18, lw=0)
    axes.plot(days, middle, color=colour, lw=1.5, label=f"{name} median")
    axes.set_ylim(0.0, 60.0)
    axes.set_xlabel("Time (d)")
    axes.set_ylabel("Score (points)")


def _seen(axes: Axes, one: Statistic, baseline: float) -> None:
    """Draw a published mean, or a change from the mean baseline."""
    if one.kind not in ("mean", "change"):
        return
    value = one.value + (baseline if one.kind == "change" else 0.0)
    axes.errorbar(
        one.at / DAY, value, yerr=Z * one.error, fmt="o", ms=3.0, color=INK, elinewidth=0.8,
        capsize=2.0, zorder=5,
    )  # fmt: skip
