"""The drawn pathway of an effect: boxes in the order of the chain, arrows as wide as their shares.

Arrows that follow the chain run straight or arch above it, those that go back run below. On a page
the chain runs to the right, in a column it runs down, and above is right. A share that works
against the effect is dashed, so that it reads without colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from ketasim.models.titles import titled
from ketasim.plots.layout import text_width
from ketasim.plots.style import BLUE, INK, PAGE, VERMILION, Style, new_figure, save, settings
from ketasim.plots.words import about, in_lines
from ketasim.studies.mediation import DRUG, Explanation, Share

SEEN = 0.005  # a smaller share is not drawn
WIDEST = 3.2  # an arrow that carries the whole effect [pt]
WHOLE = 0.995  # a share that is told as the whole is told once, for all arrows of the chain
HEADS = 2.2  # how much wider than its line the head of an arrow is, at least [mm]
MARGIN, LINE = 2.0, 3.0  # at the sides, and a line of text [mm]
ARCH = 7.0  # how far an arch of height 1 stands off, at most [mm]


@dataclass(frozen=True)
class _Way:
    """How a chain runs: to the right, or down the paper.

    ``box`` is a box's size along the chain, ``tall`` across it, ``off`` how far from its arrow a
    number stands [mm].
    """

    down: bool
    box: float
    tall: float
    off: float
    origin: tuple[float, float]
    arch: float = ARCH

    def at(self, along: float, across: float) -> tuple[float, float]:
        """Return where a point is on the paper [mm]."""
        x, y = self.origin
        return (x + across, y - along) if self.down else (x + along, y + across)


def draw(
    found: Explanation,
    order: Sequence[str],
    path: str | Path | None = None,
    *,
    style: Style = PAGE,
) -> Figure:
    """Draw the pathway; write the picture when a path is given.

    Parameters
    ----------
    order
        Mechanisms from drug to outcome; those without an arrow are left out.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    arrows = [one for one in found.arrows if abs(one.share) >= SEEN]
    used = {end for one in arrows for end in (one.source, one.into)}
    chain = [name for name in dict.fromkeys((DRUG, *order)) if name in used]
    title = f"What carries the effect on {about(found.readout)} ({found.effect:+.3g}{_unit(found)})"
    told = f"Number and width: share of the effect lost when that arrow is cut{_remarks(arrows)}"
    room = style.width - 2 * MARGIN
    title = in_lines(title.replace("-", "\u2212"), room, style.title_size, bold=True)
    told = in_lines(told, room, style.text_size)
    with settings(style):
        above, below = 4.0 + LINE * title.count("\n"), 4.5 + LINE * told.count("\n")
        way, step, height = _laid(arrows, chain, style, above, below)
        figure = new_figure(style.width, height)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, style.width)
        axes.set_ylim(0.0, height)
        axes.set_axis_off()
        axes.text(MARGIN, height - 1.5, title, fontsize=style.title_size, weight="bold", va="top")
        places = {name: k * step for k, name in enumerate(chain)}
        for name, along in places.items():
            _box(axes, name, along, way, style)
        for one in sorted(arrows, key=lambda a: abs(a.share)):
            _arrow(axes, one, places, chain.index(one.into) - chain.index(one.source), way)
        axes.text(MARGIN, 1.0, told, fontsize=style.text_size, va="bottom")
        if path is not None:
            save(figure, path, style=style)
    return figure


def _laid(
    arrows: Sequence[Share], chain: Sequence[str], style: Style, above: float, below: float
) -> tuple[_Way, float, float]:
    """Return how the chain runs, its step and the height of the paper [mm]."""
    up, down = _reach(arrows, chain)
    steps = max(len(chain) - 1, 1)
    if style.columns > 1:
        box, tall = 14.4, 6.0
        step = (style.width - 2 * MARGIN - box) / steps
        y = below + tall + ARCH * down
        way = _Way(False, box, tall, 2.2, (MARGIN + box / 2, y))  # noqa: FBT003
        return way, step, y + tall + ARCH * up + above
    box, tall, step = 7.0, 26.0, 13.0
    numbers = 8.0 * bool(up), 8.0 * bool(down)
    free = style.width - 2 * MARGIN - tall - sum(numbers)
    arch = min(ARCH, free / max(up + down, 1e-9))
    x = (style.width + arch * (down - up) + numbers[1] - numbers[0]) / 2
    height = above + below + steps * step + box + 4.0
    way = _Way(True, box, tall, 4.6, (x, height - above - 2.0 - box / 2), arch)  # noqa: FBT003
    return way, step, height


def _remarks(arrows: Sequence[Share]) -> str:
    whole = any(one.share >= WHOLE for one in arrows)
    against = any(one.share < 0.0 for one in arrows)
    told = "; without a number: all of it" if whole else ""
    return f"{told}; dashed: works against it." if against else f"{told}."


def _unit(found: Explanation) -> str:
    return "" if found.unit == "1" else f" {found.unit}"


def _reach(arrows: Sequence[Share], chain: Sequence[str]) -> tuple[float, float]:
    """Return how high arches go above and below, in thirds of a span."""
    spans = [chain.index(one.into) - chain.index(one.source) for one in arrows]
    above = max((s for s in spans if s > 1), default=0)
    below = max((-s for s in spans if s < 0), default=0)
    return _height(above), _height(below)


def _height(span: int) -> float:
    return min(0.4 + 0.45 * span, 3.4) if span else 0.0


def _box(axes: Axes, name: str, along: float, way: _Way, style: Style) -> None:
    x, y = way.at(along, 0.0)
    wide, high = (way.tall, way.box) if way.down else (way.box, way.tall)
    box = FancyBboxPatch(
        (x - wide / 2, y - high / 2), wide, high, boxstyle="round,pad=0,rounding_size=1.2",
        facecolor="#FFFFFF", edgecolor=INK, lw=0.7, zorder=3,
    )  # fmt: skip
    axes.add_patch(box)
    axes.text(
        x, y, _in_box(name, wide - 0.4), ha="center", va="center", fontsize=style.text_size,
        linespacing=0.9, zorder=4,
    )  # fmt: skip


def _in_box(name: str, room: float) -> str:
    """Return what a step is called, in lines; a word that is wider than its box is broken."""
    words = []
    for word in titled(name).split(" "):
        if text_width(word, PAGE.text_size, PAGE.font) > room:
            half = (len(word) + 1) // 2
            word = f"{word[:half]}-{word[half:]}"
        words.append(word)
    return in_lines(" ".join(words), room, PAGE.text_size)


def _arrow(axes: Axes, one: Share, places: dict[str, float], span: int, way: _Way) -> None:
    a, b = places[one.source], places[one.into]
    colour = BLUE if one.share > 0.0 else VERMILION
    wide = max(WIDEST * min(abs(one.share), 1.5), 0.4)
    side = 1.0 if span > 0 else -1.0
    straight = span == 1
    edge = 0.0 if straight else side * way.tall / 2
    lift = 0.0 if straight else way.arch * _height(abs(span)) * side
    ends = ((a + way.box / 2, 0.0), (b - way.box / 2, 0.0)) if straight else ((a, edge), (b, edge))
    bend = 0.0 if straight else -2.0 * lift / abs(b - a) * (1.0 if b > a else -1.0)
    how: dict[str, Any] = {"arrowstyle": _head(wide), "lw": wide}
    if straight and one.share > 0.0:  # filled, as a stroked head would hide a short shaft
        how = {"arrowstyle": _block(wide), "lw": 0.0}
    elif one.share < 0.0:
        how["linestyle"] = (0, (2.0, 1.2))
    patch = FancyArrowPatch(
        way.at(*ends[0]), way.at(*ends[1]), connectionstyle=f"arc3,rad={bend}", color=colour,
        mutation_scale=1.0, shrinkA=0.0, shrinkB=1.0, zorder=2, joinstyle="miter",
        capstyle="butt", **how,
    )  # fmt: skip
    axes.add_patch(patch)
    if one.share >= WHOLE:
        return
    beside = way.off + 1.0 if way.down else way.tall / 2 + way.off
    across = beside if straight else edge + lift + side * way.off
    words = f"{100.0 * one.share:.0f} %".replace("-", "\u2212")
    axes.text(
        *way.at((a + b) / 2, across), words, ha="center", va="center", fontsize=PAGE.text_size,
        color=INK, zorder=5, bbox={"facecolor": "#FFFFFF", "edgecolor": "none", "pad": 0.4},
    )  # fmt: skip


def _head(wide: float) -> str:
    """Return an arrow's head: a triangle a little wider than its line."""
    half = wide / 2.0 + HEADS
    return f"-|>,head_length={1.2 * half:.2f},head_width={half:.2f}"


def _block(wide: float) -> str:
    """Return an arrow as one filled shape, its head little longer than its line is wide."""
    half = wide / 2.0 + HEADS
    return f"simple,head_length={half + 0.6:.2f},head_width={2 * half:.2f},tail_width={wide:.2f}"
