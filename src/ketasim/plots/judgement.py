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
PAPER = 240.0  # height of a page that a picture may take [mm]
HEAD, KEY = -1, -2  # among the heights of rows: those of the head and of the key
NOTE = 9.0  # of a note that is turned [mm]
MORE = ", continued"
TOLD = "† contested", "° fitted to", "cells: posterior medians"
Groups = list[tuple[str, list[int]]]
SMALL = 7.0  # type [pt]
NARROW = 12.0  # of a hypothesis's column [mm]
SOFT = {"hydroxynorketamine": ("hydroxy-norketamine", "hydroxy-nor-ketamine")}  # may be broken


@dataclass(frozen=True)
class Look:
    """How a cell looks: fill, ink, mark, word."""

    fill: str
    ink: str
    mark: str
    word: str


@dataclass(frozen=True)
class _Columns:
    """Widths of titles, of what was observed, and of each hypothesis [mm].

    Where hypotheses are ``narrow``, their names are turned and cells hold a mark only.
    """

    width: float
    title: float
    seen: float
    each: float

    @property
    def left(self) -> float:
        return self.title + self.seen

    @property
    def narrow(self) -> bool:
        return self.each < NARROW


def _columns(judgement: Judgement, style: Style) -> _Columns:
    title, seen = (66.0, 23.0) if style.columns > 1 else (35.0, 16.5)
    rest = style.width - 2.0 - title - seen
    return _Columns(style.width, title, seen, rest / len(judgement.hypotheses))


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
    """Draw the whole matrix, however tall; write it when a path is given.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    (figure,) = sheets(judgement, np.inf, style=style)
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
    first, figures = Path(path), sheets(judgement, PAPER, style=style)
    places = [first, *(first.with_stem(f"{first.stem}-{k}") for k in range(2, len(figures) + 1))]
    return [one for pair in zip(figures, places, strict=True) for one in save(*pair, style=style)]


def sheets(judgement: Judgement, most: float = PAPER, *, style: Style = PAGE) -> list[Figure]:
    """Return the matrix in pictures of at most a height [mm]."""
    groups, columns = grouped(judgement), _columns(judgement, style)
    titles = {i: _title_of(judgement, i, columns) for _, rows in groups for i in rows}
    high = {
        i: LINE * (1 + max(text.count("\n"), _observed(judgement, i, columns).count("\n"))) + ROOM
        for i, text in titles.items()
    }
    head, foot = _head(judgement, columns), FOOT + 4.0 * _places_of_key(style.width)[-1][1]
    cut = _paged(groups, high, most - head - foot)
    heights = {**high, HEAD: head, KEY: foot}
    return [
        _drawn(
            judgement, part, titles, heights, f"{k} of {len(cut)}" if len(cut) > 1 else "", style
        )
        for k, part in enumerate(cut, start=1)
    ]


def _head(judgement: Judgement, columns: _Columns) -> float:
    """Return how tall names and notes of hypotheses are [mm]."""
    names = [_name_of(one.name, columns) for one in judgement.hypotheses]
    if columns.narrow:
        longest = max(text_width(one, SMALL, PAGE.font, bold=True) for one in names)
        return max(longest, LINE) + NOTE + LINE + 4.0
    return LINE * (1.1 * (1 + max(one.count("\n") for one in names)) + 3.2)


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
    page: str,
    style: Style,
) -> Figure:
    """Return one picture of these rows, of heights [mm], beneath a head and above a key."""
    body = sum(high[i] for _, rows in groups for i in rows)
    height = high[HEAD] + body + (LINE + ROOM) * len(groups) + high[KEY]
    with settings(style):
        figure = new_figure(style.width, height)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, style.width)
        axes.set_ylim(height, 0.0)
        axes.set_axis_off()
        sheet = _Sheet(judgement, axes, _columns(judgement, style))
        sheet.heads(high[HEAD], page)
        y = high[HEAD]
        for title, rows in groups:
            sheet.title(title, y)
            y += LINE + ROOM
            for row in rows:
                sheet.row(row, titles[row], y, high[row])
                y += high[row]
        sheet.key(y + 4.0)
        figure.set_label(f"ketasim judgement, model {judgement.about.get('model_digest', '')}")
    return figure


def _title_of(judgement: Judgement, i: int, columns: _Columns) -> str:
    """Return a finding's title in lines that fit, with its marks."""
    one = judgement.findings[i]
    marks = ("†" if one.contested else "") + ("" if judgement.held_out[i] else "°")
    return in_type(f"{one.title}{marks}", columns.title - 3.0)


def _observed(judgement: Judgement, i: int, columns: _Columns) -> str:
    """Return what was seen of a finding, in lines that fit."""
    one = judgement.findings[i]
    told = f"{one.observed.told}{_unit(one.unit)}".replace("-", "\u2212")
    return in_type(told, columns.seen - 1.0)


def _name_of(name: str, columns: _Columns) -> str:
    """Return a name in lines, broken between words or where a long word may be."""
    name, room = name.replace("_", " "), columns.each - 1.0
    if columns.narrow:
        return name
    for whole, broken in SOFT.items():
        name = name.replace(
            whole, next((one for one in (whole, *broken) if _fits(one, room)), broken[-1])
        )
    return in_type(name, room, bold=True)


def _fits(word: str, room: float) -> bool:
    """Return whether the parts of a word fit into a room [mm], each in a line."""
    parts = word.replace("-", "- ").split()
    return all(text_width(one, SMALL, PAGE.font, bold=True) <= room for one in parts)


def _places_of_key(width: float) -> list[tuple[float, int]]:
    """Return where each part of the key stands: from the left [mm], and in which row."""
    words = [
        *((how.word, 8.0) for how in (*LOOKS.values(), NOTHING)),
        *((one, 3.0) for one in TOLD),
    ]
    places, x, row = [], 2.0, 0
    for word, more in words:
        need = text_width(word, SMALL, PAGE.font) + more
        if x > 2.0 and x + need - 2.0 > width:
            x, row = 2.0, row + 1
        places.append((x, row))
        x += need
    return places


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

    def __init__(self, judgement: Judgement, axes: Axes, columns: _Columns) -> None:
        self.judgement, self.axes, self.columns = judgement, axes, columns
        self.order = list(judgement.ranking)
        self.hypotheses = [judgement.hypotheses[i] for i in self.order]

    def text(self, x: float, y: float, words: str, **how: object) -> None:
        options = {"fontsize": SMALL, "va": "center", "color": INK, **how}
        self.axes.text(x, y, words, **options)  # type: ignore[arg-type]

    def heads(self, head: float, page: str) -> None:
        told = in_type(f"Hypotheses before findings{f', {page}' if page else ''}",
                       self.columns.left - 3.0, bold=True)  # fmt: skip
        self.text(2.0, 1.4, told, fontsize=PAGE.title_size, weight="bold", va="top")
        self.text(2.0, head - 1.8, "finding", color=FAINT)
        self.text(self.columns.title, head - 1.8, "observed", color=FAINT)
        for k, i in enumerate(self.order):
            x = self.columns.left + (k + 0.5) * self.columns.each
            name = _name_of(self.hypotheses[k].name, self.columns)
            agree = int((self.judgement.agreement[:, i] == 2.0).sum())
            how: dict[str, object] = {"ha": "center", "va": "bottom"}
            if self.columns.narrow:
                low = head - 1.0 - LINE
                self.text(x, low - NOTE, name, weight="bold", rotation=90, **how)
                self.text(x, low, self._behind(i), color=FAINT, rotation=90, **how)
                self.text(x, head - 0.6, f"{agree}", color=FAINT, **how)
                continue
            told = f"{self._behind(i)}\n{agree} agree"
            self.text(x, 1.4, name, ha="center", va="top", weight="bold")
            self.text(x, head - 0.6, told, color=FAINT, **how)
        words = "ln evidence, and agree" if self.columns.narrow else "ln evidence"
        edge = self.columns.left - 1.0
        self.text(edge, head - 1.0 - LINE, words, ha="right", va="bottom", color=FAINT)

    def _behind(self, i: int) -> str:
        """Return how far a hypothesis is behind the first, in ln evidence."""
        if self.judgement.missing:
            return "open" if self.columns.narrow else "not settled"
        scores = self.judgement.scores
        behind = scores[self.order[0]].evidence - scores[i].evidence
        return f"\u2212{behind:.1f}" if behind >= 0.05 else "0"

    def title(self, words: str, y: float) -> None:
        if text_width(words, SMALL + 0.4, PAGE.font, bold=True) > self.columns.width - 4.0:
            words = words.replace(", most first", "")
        self.text(2.0, y + (LINE + ROOM) / 2, words, weight="bold", fontsize=SMALL + 0.4)

    def row(self, i: int, title: str, y: float, high: float) -> None:
        one = self.judgement.findings[i]
        self.text(2.0, y + high / 2, title, linespacing=1.05)
        seen = _observed(self.judgement, i, self.columns)
        self.text(self.columns.title, y + high / 2, seen, linespacing=1.05)
        for k, prepared in enumerate(self.hypotheses):
            value = float(prepared.predicted[i])
            how = look(float(one.observed.agreement(np.asarray(value))))
            self.cell(k, y, high, value, how)

    def cell(self, k: int, y: float, high: float, value: float, how: Look) -> None:
        wide = self.columns.each
        x = self.columns.left + k * wide
        box = Rectangle((x, y), wide, high, facecolor=how.fill, edgecolor="#FFFFFF", lw=0.5)
        self.axes.add_patch(box)
        if self.columns.narrow:
            middle = x + wide / 2
            self.text(middle, y + high / 2, how.mark, color=how.ink, weight="bold", ha="center")
            return
        self.text(x + 1.0, y + high / 2, how.mark, color=how.ink, weight="bold")
        self.text(x + wide - 0.8, y + high / 2, _short(value), color=how.ink, ha="right")

    def key(self, y: float) -> None:
        places = _places_of_key(self.columns.width)
        looks = [*LOOKS.values(), NOTHING]
        for how, (x, row) in zip(looks, places, strict=False):
            at = y + 4.0 * row
            frame = FAINT if how is NOTHING else how.fill
            box = Rectangle((x, at - 1.3), 4.0, 2.6, facecolor=how.fill, edgecolor=frame, lw=0.4)
            self.axes.add_patch(box)
            self.text(x + 2.0, at, how.mark, color=how.ink, ha="center", weight="bold")
            self.text(x + 5.0, at, how.word)
        for words, (x, row) in zip(TOLD, places[len(looks) :], strict=True):
            self.text(x, y + 4.0 * row, words, color=FAINT)


def _unit(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def _short(value: float) -> str:
    """Return a number in five characters or so; what is far below a thousandth is 0."""
    if isnan(value):
        return ""
    if abs(value) < 5e-4:
        return "0"
    told = f"{value:.0f}" if abs(value) >= 100.0 else f"{value:.2g}"
    if abs(value) < 0.01:
        told = f"{value:.3f}"
    return told.replace("-", "\u2212")
