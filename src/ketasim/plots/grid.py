"""Panels of one size in rows, each beneath its title; every length in millimetres."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ketasim.plots.layout import text_width
from ketasim.plots.style import INK, MM, Style, new_figure
from ketasim.plots.words import in_lines

TITLE, LINE, EDGE = 3.3, 3.0, 3.0  # a line of a title, of text, and what is left above [mm]


@dataclass(frozen=True)
class Cells:
    """How many panels stand in a row, how tall they are, and the margins of each [mm]."""

    across: int
    body: float
    left: float = 15.5
    right: float = 3.0
    foot: float = 13.0


def grid(
    titles: Sequence[str], style: Style, cells: Cells, *, above: float = 0.0, plain: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel a title, at the style's width and as tall as it takes.

    Parameters
    ----------
    above
        What is left free at the top [mm].
    plain
        Whether titles are in plain type of the size of labels.
    """
    across = min(cells.across, len(titles))
    pitch = style.width / across
    wide = pitch - cells.left - cells.right
    size, weight = (style.text_size, "normal") if plain else (style.title_size, "bold")
    lines = [in_lines(one, wide + cells.right - 1.0, size, bold=not plain) for one in titles]
    rows = [lines[k : k + across] for k in range(0, len(lines), across)]
    heads = [EDGE + TITLE * (1 + max(one.count("\n") for one in row)) for row in rows]
    height = above + sum(heads) + (cells.body + cells.foot) * len(rows)
    figure = new_figure(style.width, height)
    axes: list[Axes] = []
    y = height - above
    for row, head in zip(rows, heads, strict=True):
        y -= head + cells.body
        for k, title in enumerate(row):
            left = (k * pitch + cells.left) / style.width
            box = (left, y / height, wide / style.width, cells.body / height)
            axes.append(figure.add_axes(box))
            axes[-1].spines[["top", "right"]].set_visible(False)
            axes[-1].set_title(title, fontsize=size, loc="left", fontweight=weight, color=INK)
        y -= cells.foot
    return figure, axes


def place_words(words: Iterable[str], style: Style, left: float) -> list[tuple[float, int]]:
    """Return where each of some words goes: from the left [mm], and in which row from the top."""
    places, x, row = [], left, 0
    for one in words:
        wide = text_width(one, style.text_size, style.font) + 4.0
        if x > left and x + wide > style.width:
            x, row = left, row + 1
        places.append((x, row))
        x += wide
    return places


def room_for(words: Sequence[str], style: Style, left: float) -> float:
    """Return the height that words above all panels take [mm]."""
    return LINE * (1 + max(row for _, row in place_words(words, style, left)))


def write_words(
    figure: Figure, words: Sequence[tuple[str, str]], style: Style, left: float
) -> None:
    """Write words, each in its colour, above all panels: a key to their curves."""
    places = place_words([text for text, _ in words], style, left)
    for (text, colour), (x, row) in zip(words, places, strict=True):
        y = 1.0 - (1.0 + row * LINE) * MM / figure.get_figheight()
        figure.text(
            x / style.width, y, text, color=colour, va="top", fontsize=style.text_size
        )  # fmt: skip
