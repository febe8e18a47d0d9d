"""The matrix of a judgement: hypotheses across, findings down, agreement by colour and by mark.

Tints grow darker from agreement to contradiction, and every cell carries a mark besides, so that
the matrix reads in black and white and for every kind of colour vision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ketasim.plots.layout import text_width
from ketasim.plots.style import (
    FAINT,
    INK,
    PAGE,
    Style,
    new_figure,
    save,
    settings,
)
from ketasim.plots.words import in_lines
from ketasim.studies.judge.judgement import Judgement

LINE, ROOM, FOOT = 2.9, 1.0, 8.0  # heights: of a line, around a row's lines, of the key [mm]
LABEL, SEEN = 66.0, 23.0  # widths of titles and of what was observed [mm]
PAPER = 240.0  # height of a page that a picture may take [mm]
MORE = ", continued"
Groups = list[tuple[str, list[int]]]
SMALL = 7.0  # type [pt]
SOFT = {"hydroxynorketamine": "hydroxy-norketamine"}  # where a word may be broken


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
    """Draw the whole matrix, however tall, at the width of a page; write it when a path is given.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    (figure,) = sheets(judgement, np.inf)
    if path is not None:
        save(figure, path, style=style)
    return figure


def pages(judgement: Judgement, path: str | Path, *, style: Style = PAGE) -> list[Path]:
    """Draw the matrix on as many pages as it takes, each with its heads and the key.

    Parameters
    ----------
    path
        Where the first goes; the second goes beside it as ``judgement-2.png``, and so on.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ConfigError
        When a file cannot be written.
    """
    first, figures = Path(path), sheets(judgement, PAPER)
    places = [first, *(first.with_stem(f"{first.stem}-{k}") for k in range(2, len(figures) + 1))]
    return [one for pair in zip(figures, places, strict=True) for one in save(*pair, style=style)]


def sheets(judgement: Judgement, most: float = PAPER) -> list[Figure]:
    """Return the matrix in pictures of at most a height [mm]."""
    groups = grouped(judgement)
    titles = {i: _title_of(judgement, i) for _, rows in groups for i in rows}
    high = {
        i: LINE * (1 + max(text.count("\n"), _observed(judgement, i).count("\n"))) + ROOM
        for i, text in titles.items()
    }
    names = [_name_of(one.name, _wide(judgement)) for one in judgement.hypotheses]
    head = LINE * (1.1 * (1 + max(one.count("\n") for one in names)) + 4.2)
    cut = _paged(groups, high, most - head - FOOT)
    return [
        _drawn(judgement, part, titles, high, head, f"{k} of {len(cut)}" if len(cut) > 1 else "")
        for k, part in enumerate(cut, start=1)
    ]


def _paged(groups: Groups, high: Mapping[int, float], most: float) -> list[Groups]:
    """Return groups in pages of at most a height [mm]; a group that goes on says so."""
    found: list[Groups] = [[]]
    y = 0.0
    for title, rows in groups:
        own: list[int] = []
        for row in rows:
            if y + high[row] + (0.0 if own else LINE + ROOM) > most and y > 0.0:
                found[-1] += [(title, own)] * bool(own)
                title = title if not own or title.endswith(MORE) else f"{title}{MORE}"
                found.append([])
                own, y = [], 0.0
            y += high[row] + (0.0 if own else LINE + ROOM)
            own.append(row)
        found[-1].append((title, own))
    return found


def _drawn(
    judgement: Judgement,
    groups: Groups,
    titles: Mapping[int, str],
    high: Mapping[int, float],
    head: float,
    page: str,
) -> Figure:
    """Return one picture of these rows, beneath a head of a height [mm]."""
    body = sum(high[i] for _, rows in groups for i in rows)
    height = head + body + (LINE + ROOM) * len(groups) + FOOT
    with settings(PAGE):
        figure = new_figure(PAGE.width, height)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, PAGE.width)
        axes.set_ylim(height, 0.0)
        axes.set_axis_off()
        sheet = _Sheet(judgement, axes)
        sheet.heads(head, page)
        y = head
        for title, rows in groups:
            sheet.title(title, y)
            y += LINE + ROOM
            for row in rows:
                sheet.row(row, titles[row], y, high[row])
                y += high[row]
        sheet.key(y + 4.0)
        figure.set_label(f"ketasim judgement, model {judgement.about.get('model_digest', '')}")
    return figure


def _title_of(judgement: Judgement, i: int) -> str:
    """Return a finding's title in lines that fit, with its marks."""
    one = judgement.findings[i]
    marks = ("†" if one.contested else "") + ("" if judgement.held_out[i] else "°")
    return in_type(f"{one.title}{marks}", LABEL - 3.0)


def _observed(judgement: Judgement, i: int) -> str:
    """Return what was seen of a finding, in lines that fit."""
    one = judgement.findings[i]
    told = f"{one.observed.told}{_unit(one.unit)}".replace("-", "\u2212")
    return in_type(told, SEEN - 1.0)


def _wide(judgement: Judgement) -> float:
    """Return the width of a hypothesis's column [mm]."""
    return (PAGE.width - 2.0 - LABEL - SEEN) / len(judgement.hypotheses)


def _name_of(name: str, width: float) -> str:
    """Return a name in lines, broken between words or where a long word may be."""
    for whole, parts in SOFT.items():
        if text_width(whole, SMALL, PAGE.font, bold=True) > width - 1.0:
            name = name.replace(whole, parts)
    return in_type(name.replace("-", "- "), width - 1.0, bold=True).replace("- ", "-")


def in_type(text: str, width: float, *, bold: bool = False) -> str:
    """Return a text of the matrix's type in lines no wider than a width [mm]."""
    return in_lines(text, width, SMALL, bold=bold)


def grouped(judgement: Judgement) -> Groups:
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

    def heads(self, head: float, page: str) -> None:
        told = "Hypotheses before findings" + (f", {page}" if page else "")
        self.text(2.0, 3.0, told, fontsize=PAGE.title_size, weight="bold")
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
        self.text(LABEL, y + high / 2, _observed(self.judgement, i), linespacing=1.05)
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
