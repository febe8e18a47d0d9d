"""The matrix of a judgement: hypotheses across, findings down, agreement by colour and by mark.

Tints grow darker from agreement to contradiction, and every cell carries a mark besides, so that
the matrix reads in black and white and for every kind of colour vision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ketasim.plots.layout import text_width
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

LINE, ROOM, FOOT = 2.9, 1.0, 8.0  # heights: of a line, around a row's lines, of the key [mm]
LABEL, SEEN = 66.0, 23.0  # widths of titles and of what was observed [mm]
LONGEST = 66  # characters of a title on an axis
SMALL = 7.0  # type [pt]
SOFT = {"hydroxynorketamine": "hydroxy-norketamine"}  # where a word may be broken
TALL = 6.2  # a row of predictions [mm]
EDGE = 8.0  # errors beyond which a prediction is drawn at the edge


@dataclass(frozen=True)
class Look:
    """How a cell looks: fill, ink, mark, word."""

    fill: str
    ink: str
    mark: str
    word: str


LOOKS = {
    2.0: Look("#DCEBF5", INK, "+", "agrees"),
    1.0: Look("#F2C46B", INK, "~", "strained"),
    0.0: Look("#A63E00", "#FFFFFF", "x", "contradicted"),
}
NOTHING = Look("#FFFFFF", FAINT, "o", "nothing to read")


def look(grade: float) -> Look:
    """Return how a cell of a grade looks."""
    return NOTHING if isnan(grade) else LOOKS[grade]


def draw(judgement: Judgement, path: str | Path | None = None, *, style: Style = PAGE) -> Figure:
    """Draw the matrix at the width of a page; write the picture when a path is given.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    groups = grouped(judgement)
    titles = {i: _title_of(judgement, i) for _, rows in groups for i in rows}
    high = {i: LINE * (1 + text.count("\n")) + ROOM for i, text in titles.items()}
    body = sum(high[i] for _, rows in groups for i in rows)
    names = [_name_of(one.name, _wide(judgement)) for one in judgement.hypotheses]
    head = LINE * (1.1 * (1 + max(one.count("\n") for one in names)) + 4.2)
    height = head + body + (LINE + ROOM) * len(groups) + FOOT
    with settings(PAGE):
        figure = new_figure(PAGE.width, height)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, PAGE.width)
        axes.set_ylim(height, 0.0)
        axes.set_axis_off()
        sheet = _Sheet(judgement, axes)
        sheet.heads(head)
        y = head
        for title, rows in groups:
            sheet.title(title, y)
            y += LINE + ROOM
            for row in rows:
                sheet.row(row, titles[row], y, high[row])
                y += high[row]
        sheet.key(y + 4.0)
        figure.set_label(f"ketasim judgement, model {judgement.about.get('model_digest', '')}")
        if path is not None:
            save(figure, path, style=style)
    return figure


def _title_of(judgement: Judgement, i: int) -> str:
    """Return a finding's title in lines that fit, with its marks."""
    one = judgement.findings[i]
    marks = ("†" if one.contested else "") + ("" if judgement.held_out[i] else "°")
    return _in_lines(f"{one.title}{marks}", LABEL - 3.0)


def _wide(judgement: Judgement) -> float:
    """Return the width of a hypothesis's column [mm]."""
    return (PAGE.width - 2.0 - LABEL - SEEN) / len(judgement.hypotheses)


def _name_of(name: str, width: float) -> str:
    """Return a name in lines, broken between words or where a long word may be."""
    for whole, parts in SOFT.items():
        if text_width(whole, SMALL, PAGE.font, bold=True) > width - 1.0:
            name = name.replace(whole, parts)
    return _in_lines(name.replace("-", "- "), width - 1.0, bold=True).replace("- ", "-")


def _in_lines(text: str, width: float, *, bold: bool = False) -> str:
    """Return a text in lines no wider than a width [mm], broken between words."""
    return in_lines(text, width, SMALL, bold=bold)


def grouped(judgement: Judgement) -> list[tuple[str, list[int]]]:
    """Return findings in groups: those that separate (most first), those that do not, misses."""
    each = np.stack([one.each for one in judgement.scores], axis=1)
    order = [int(i) for i in np.argsort(-np.ptp(each, axis=1), kind="stable")]
    none, same = set(judgement.unexplained), set(judgement.undecided)
    groups = [
        (
            "Findings that separate hypotheses, most first",
            [i for i in order if i not in none | same],
        ),
        ("Explained about equally by all", [i for i in order if i in same - none]),
        ("Explained by none", [i for i in order if i in none]),
    ]
    return [(title, rows) for title, rows in groups if rows]


class _Sheet:
    """Draws rows at heights [mm]; it lives no longer than one picture."""

    def __init__(self, judgement: Judgement, axes: Axes) -> None:
        self.judgement, self.axes = judgement, axes
        order = list(judgement.ranking)
        self.columns = [judgement.hypotheses[i] for i in order]
        self.titles = [one.name for one in self.columns]
        self.notes = [self._note(i) for i in order]
        self.left = LABEL + SEEN
        self.wide = _wide(judgement)

    def _note(self, i: int) -> str:
        best = self.judgement.scores[self.judgement.ranking[0]].evidence
        behind = best - self.judgement.scores[i].evidence
        agrees = int((self.judgement.agreement[:, i] == 2.0).sum())
        told = "not settled" if self.judgement.missing else f"ln evidence\n−{behind:.1f}"
        return f"{told}\n{agrees} agree"

    def text(self, x: float, y: float, words: str, **how: object) -> None:
        options = {"fontsize": SMALL, "va": "center", "color": INK, **how}
        self.axes.text(x, y, words, **options)  # type: ignore[arg-type]

    def heads(self, head: float) -> None:
        self.text(2.0, 3.0, "Hypotheses before findings", fontsize=PAGE.title_size, weight="bold")
        self.text(2.0, head - 1.8, "finding", color=FAINT)
        self.text(LABEL, head - 1.8, "observed", color=FAINT)
        for k, (title, note) in enumerate(zip(self.titles, self.notes, strict=True)):
            x = self.left + (k + 0.5) * self.wide
            name = _name_of(title, self.wide)
            self.text(x, 1.4, name, ha="center", va="top", weight="bold")
            self.text(x, head - 0.6, note, ha="center", va="bottom", color=FAINT)

    def title(self, words: str, y: float) -> None:
        self.text(2.0, y + (LINE + ROOM) / 2, words, weight="bold", fontsize=SMALL + 0.4)

    def row(self, i: int, title: str, y: float, high: float) -> None:
        one = self.judgement.findings[i]
        self.text(2.0, y + high / 2, title, linespacing=1.05)
        observed = f"{one.observed.told}{_unit(one.unit)}".replace("-", "\u2212")
        self.text(LABEL, y + high / 2, _in_lines(observed, SEEN - 1.0), linespacing=1.05)
        for k, prepared in enumerate(self.columns):
            value = float(prepared.predicted[i])
            how = look(float(one.observed.agreement(np.asarray(value))))
            self.cell(k, y, high, value, how)

    def cell(self, k: int, y: float, high: float, value: float, how: Look) -> None:
        x = self.left + k * self.wide
        box = Rectangle((x, y), self.wide, high, facecolor=how.fill, edgecolor="#FFFFFF", lw=0.5)
        self.axes.add_patch(box)
        self.text(x + 1.0, y + high / 2, how.mark, color=how.ink, weight="bold")
        self.text(x + self.wide - 0.8, y + high / 2, _short(value), color=how.ink, ha="right")

    def key(self, y: float) -> None:
        x = 2.0
        for how in (*LOOKS.values(), NOTHING):
            frame = FAINT if how is NOTHING else how.fill
            box = Rectangle((x, y - 1.3), 4.0, 2.6, facecolor=how.fill, edgecolor=frame, lw=0.4)
            self.axes.add_patch(box)
            self.text(x + 2.0, y, how.mark, color=how.ink, ha="center", weight="bold")
            self.text(x + 5.0, y, how.word)
            x += 8.0 + text_width(how.word, SMALL, PAGE.font)
        told = "† contested   ° fitted to   cells: posterior medians"
        self.text(x + 1.0, y, told, color=FAINT)


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
        titles = [_in_lines(one.title, 0.42 * PAGE.width - 5.0) for one in judgement.findings]
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


def _unit(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def _short(value: float) -> str:
    """Return a number in five characters or so; what is far below a thousandth is 0."""
    if isnan(value):
        return ""
    if abs(value) < 5e-4:
        return "0"
    told = f"{value:.0f}" if abs(value) >= 100.0 else f"{value:.2g}"
    return told.replace("-", "\u2212")
