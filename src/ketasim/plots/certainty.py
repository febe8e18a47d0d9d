"""How sure a judgement is: evidence with its error bars, and what each hypothesis predicts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ketasim.plots.judgement import SMALL, in_type
from ketasim.plots.style import (
    FAINT,
    INK,
    PAGE,
    PALETTE,
    WINDOW,
    Style,
    new_figure,
    save,
    settings,
)
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.observed import TWO_SIDED, Number, seen
from ketasim.studies.judge.judgement import Judgement

TALL = 6.2  # a row of predictions [mm]
EDGE = 8.0  # errors beyond which a prediction is drawn at the edge


def draw_evidence(
    judgement: Judgement, path: str | Path | None = None, *, style: Style = PAGE
) -> Figure:
    """Draw evidence with its error bars, what leaving a paper out does, and model recovery.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    with settings(PAGE):
        figure = new_figure(PAGE.width, 85.0)
        grid = figure.add_gridspec(1, 3, left=0.2, right=0.98, bottom=0.33, top=0.9, wspace=0.45)
        order = list(judgement.ranking)
        names = [judgement.names[i] for i in order]
        rows = np.arange(len(order))
        left, middle, right = (figure.add_subplot(grid[0, k]) for k in range(3))
        _bars(left, judgement, order)
        best = judgement.scores[order[0]].evidence
        for row, i in zip(rows, order, strict=True):
            without = judgement.scores[i].without
            first = judgement.scores[order[0]].without
            middle.plot(without - first, np.full(len(without), row), "|", color=INK, ms=4)
        right.imshow(judgement.recovery.named[np.ix_(order, order)], vmin=0, vmax=1, cmap="Greys")
        for axes, title in zip(
            (left, middle, right),
            ("ln evidence, 95 %", "without one paper", "model recovery"),
            strict=True,
        ):
            axes.set_title("not settled" if judgement.missing else title, fontsize=SMALL + 1)
            axes.set_yticks(rows, names if axes is left else [""] * len(names), fontsize=SMALL)
            axes.tick_params(labelsize=SMALL)
        for axes in (left, middle):
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.set_xlabel("behind the first", fontsize=SMALL)
        right.set_xticks(rows, names, rotation=90, fontsize=SMALL)
        figure.set_label(f"evidence {best:.6g}, model {judgement.about.get('model_digest', '')}")
        if path is not None:
            save(figure, path, style=style)
    return figure


def draw_predictions(
    judgement: Judgement, path: str | Path | None = None, *, style: Style = PAGE
) -> Figure:
    """Draw what each hypothesis predicts of each finding, in errors of what was seen.

    Lines reach from 5 to 95 % of the posterior, dots are medians; the band is where two errors are
    not exceeded, or for a direction where it is the likely report. What lies beyond is drawn at the
    edge.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    rows, order = len(judgement.findings), list(judgement.ranking)
    with settings(PAGE):
        figure = new_figure(PAGE.width, 20.0 + TALL * rows)
        bottom = 10.0 / (20.0 + TALL * rows)
        axes = figure.add_axes((0.42, bottom, 0.56, 1.0 - 2.0 * bottom))
        for y, one in enumerate(judgement.findings):
            low, high = _likely(one)
            axes.barh(y, high - low, left=low, height=0.9, color=WINDOW, lw=0)
            for k, i in enumerate(order):
                ends = _in_errors(one, judgement.hypotheses[i].drawn[y])
                at = y + 0.7 * ((k + 0.5) / len(order) - 0.5)
                colour = PALETTE[k % len(PALETTE)]
                axes.plot(ends[[0, 2]], [at, at], "-", color=colour, lw=0.7)
                axes.plot(ends[1], at, ".", color=colour, ms=2)
        titles = [in_type(one.title, 0.42 * PAGE.width - 5.0) for one in judgement.findings]
        axes.set_yticks(range(rows), titles, fontsize=SMALL, linespacing=1.0)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.set_xlim(-EDGE - 0.3, EDGE + 0.3)
        axes.tick_params(axis="x", labelsize=SMALL)
        axes.set_xlabel("prediction less what was seen [errors]; directions: [standard errors]",
                        fontsize=SMALL)  # fmt: skip
        handles = [Line2D([], [], color=PALETTE[k % len(PALETTE)], lw=1, label=judgement.names[i])
                   for k, i in enumerate(order)]  # fmt: skip
        axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False,
                    ncols=min(len(order), 6), fontsize=SMALL)  # fmt: skip
        if judgement.missing:
            figure.text(0.01, 1.0 - 0.4 * bottom, "not settled", fontsize=SMALL + 1, va="center")
        figure.set_label(f"predictions, model {judgement.about.get('model_digest', '')}")
        if path is not None:
            save(figure, path, style=style)
    return figure


def _likely(one: Finding) -> tuple[float, float]:
    """Return where predictions agree with a finding, in errors."""
    what = one.observed
    if isinstance(what, Number):
        return -2.0, 2.0
    ends = {"up": (TWO_SIDED, EDGE), "down": (-EDGE, -TWO_SIDED)}
    return ends.get(str(what.observed), (-TWO_SIDED, TWO_SIDED))


def _in_errors(one: Finding, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 5, 50 and 95 % of predictions, in errors, kept within the picture."""
    what, known = one.observed, drawn[np.isfinite(drawn)]
    if not len(known):
        return np.full(3, np.nan)
    ends = np.percentile(known, [5.0, 50.0, 95.0])
    if isinstance(what, Number):
        size = (ends - seen(what)) / what.error
    else:
        size = TWO_SIDED * ends / what.least
    return np.asarray(np.clip(size, -EDGE, EDGE))


def _bars(axes: Axes, judgement: Judgement, order: Sequence[int]) -> None:
    best = judgement.scores[order[0]].evidence
    for row, i in enumerate(order):
        score = judgement.scores[i]
        low, high = (end - best for end in score.interval)
        if np.isfinite(low):
            axes.plot([low, high], [row, row], "-", color=FAINT, lw=1.0)
        axes.plot(
            score.found.each - best, np.full(len(score.found.each), row), ".", color=INK, ms=2
        )
