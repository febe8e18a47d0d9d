"""How sure a judgement is: evidence with its error bars, and what each hypothesis predicts."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ketasim.plots.grid import room_for, write_words
from ketasim.plots.judgement import SMALL, in_type
from ketasim.plots.layout import size, text_width
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
from ketasim.plots.words import in_lines
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.observed import TWO_SIDED, Number, seen
from ketasim.studies.judge.judgement import Judgement

TALL, LINE = 6.2, 2.9  # a row of predictions, and a line of text [mm]
EDGE = 8.0  # errors beyond which a prediction is drawn at the edge
NAME, ROW, HEAD, FOOT, APART = 26.0, 4.0, 5.5, 10.0, 8.0  # of evidence: names, heights, gap [mm]
TITLES = "ln evidence, 95 %", "without one paper", "model recovery (%)"
CELL = 5.0  # the width from which a cell holds its number [mm]
AXIS = "prediction less what was seen (errors); directions: standard errors"


def draw_evidence(
    judgement: Judgement, path: str | Path | None = None, *, style: Style = PAGE
) -> Figure:
    """Draw evidence with its error bars, what leaving a paper out does, and model recovery.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    order = list(judgement.ranking)
    with settings(style):
        names = [_name(judgement.names[i]) for i in order]
        turned = max(text_width(line, SMALL, style.font) for one in names for line in _lines(one))
        label = turned + 4.0
        tall = max(ROW * (1 + sum(map(_extra, names)) + len(names)), 14.0)
        figure, axes = _three(style, label, tall, turned + 4.0)
        best = judgement.scores[order[0]].evidence
        _bars(axes[0], judgement, order)
        _without(axes[1], judgement, order)
        _recovered(axes[2], judgement.recovery.named[np.ix_(order, order)])
        rows = np.arange(len(order))
        for k, (one, title) in enumerate(zip(axes, TITLES, strict=True)):
            told = "not settled" if judgement.missing else title
            one.set_title(told, fontsize=style.title_size, loc="left")
            shown = names if k == 0 or style.columns == 1 else [""] * len(names)
            one.set_yticks(rows, shown, linespacing=1.0)
            one.set_ylim(len(rows) - 0.5, -0.5)
        for one in axes[:2]:
            one.set_xlabel("ln evidence behind the first")
            one.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes[2].set_xticks(rows, names, rotation=90, linespacing=1.0)
        figure.set_label(f"evidence {best:.6g}, model {judgement.about.get('model_digest', '')}")
        if path is not None:
            save(figure, path, style=style)
    return figure


def _name(name: str) -> str:
    """Return a hypothesis's name in lines of at most NAME [mm]."""
    return in_type(name.replace("_", " "), NAME)


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _extra(text: str) -> int:
    return text.count("\n")


def _three(style: Style, label: float, tall: float, foot: float) -> tuple[Figure, list[Axes]]:
    """Return three axes of a height [mm]: side by side on a page, else one above the other.

    ``label`` is left free at the left for names, ``foot`` beneath the last for the same, turned.
    """
    is_page = style.columns > 1
    foots = [FOOT, FOOT, foot]
    height = HEAD + tall + max(foots) if is_page else sum(foots) + 3.0 * (HEAD + tall)
    figure = new_figure(style.width, height)
    wide = (style.width - label - 3.0 - 2.0 * APART) / 3.0 if is_page else style.width - label - 4.0
    axes, top = [], height - HEAD
    for k in range(3):
        left = label + k * (wide + APART) if is_page else label
        box = (left / style.width, (top - tall) / height, wide / style.width, tall / height)
        axes.append(figure.add_axes(box))
        if not is_page:
            top -= tall + foots[k] + HEAD
    return figure, axes


def _without(axes: Axes, judgement: Judgement, order: Sequence[int]) -> None:
    """Mark how far each hypothesis is behind when any one paper is left out."""
    first = judgement.scores[order[0]].without
    for row, i in enumerate(order):
        without = judgement.scores[i].without
        axes.plot(without - first, np.full(len(without), row), "|", color=INK, ms=4)


def _recovered(axes: Axes, named: NDArray[np.float64]) -> None:
    """Draw how often (across) each hypothesis is named when another, or it (down), is true [%]."""
    axes.imshow(named, vmin=0, vmax=1, cmap="Greys", aspect="auto")
    if size(axes)[0] / len(named) < CELL:
        return
    for (row, column), share in np.ndenumerate(named):
        if np.isfinite(share):
            ink = "#FFFFFF" if share > 0.5 else INK
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=ink)


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
    order = list(judgement.ranking)
    keys = [(judgement.names[i].replace("_", " "), PALETTE[k % len(PALETTE)])
            for k, i in enumerate(order)]  # fmt: skip
    keys += [("not settled", INK)] * bool(judgement.missing)
    label = 0.42 * style.width
    with settings(style):
        titles = [in_type(one.title, label - 4.0) for one in judgement.findings]
        rows = np.array([max(TALL, LINE * (1 + _extra(one)) + 1.0) for one in titles])
        told = in_lines(AXIS, style.width - label - 2.0, SMALL)
        head, foot = room_for([one for one, _ in keys], style, 2.0) + 2.0, 9.0 + LINE * _extra(told)
        height = head + float(rows.sum()) + foot + 3.0
        figure = new_figure(style.width, height)
        wide = style.width - label - 3.0
        box = (label / style.width, foot / height, wide / style.width, rows.sum() / height)
        axes = figure.add_axes(box)
        write_words(figure, keys, style, 2.0)
        middles = np.cumsum(rows) - rows / 2
        for one, y, high, k in zip(judgement.findings, middles, rows, count(), strict=False):
            drawn = [judgement.hypotheses[i].drawn[k] for i in order]
            _prediction(axes, one, drawn, float(y), 0.9 * float(high))
        axes.set_yticks(middles, titles, linespacing=1.0)
        axes.set_ylim(rows.sum(), 0.0)
        axes.set_xlim(-EDGE - 0.3, EDGE + 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[2, 4, 10]))
        axes.set_xlabel(told)
        figure.set_label(f"predictions, model {judgement.about.get('model_digest', '')}")
        if path is not None:
            save(figure, path, style=style)
    return figure


def _prediction(
    axes: Axes, one: Finding, drawn: Sequence[NDArray[np.float64]], y: float, high: float
) -> None:
    """Draw a finding's band and, in it, each hypothesis's prediction."""
    low, most = _likely(one)
    axes.barh(y, most - low, left=low, height=high, color=WINDOW, lw=0)
    for k, each in enumerate(drawn):
        ends = _in_errors(one, each)
        at = y + 0.8 * high * ((k + 0.5) / len(drawn) - 0.5)
        colour = PALETTE[k % len(PALETTE)]
        axes.plot(ends[[0, 2]], [at, at], "-", color=colour, lw=0.9)
        axes.plot(ends[1], at, ".", color=colour, ms=3)


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
