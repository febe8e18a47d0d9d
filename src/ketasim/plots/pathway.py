"""The drawn pathway of an effect: boxes in the order of the chain, arrows as wide as their shares.

Arrows that follow the chain run straight or arch above it, those that go back run below. A share
that works against the effect is dashed, so that it reads without colour.
"""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from ketasim.plots.layout import text_width
from ketasim.plots.style import BLUE, INK, PAGE, VERMILION, new_figure, save, settings
from ketasim.plots.words import about
from ketasim.studies.mediation import DRUG, Explanation, Share

SEEN = 0.005  # a smaller share is not drawn
WIDEST = 3.2  # an arrow that carries the whole effect [pt]
WHOLE = 0.995  # a share that is told as the whole is told once, for all arrows of the chain
BOX, TALL, MARGIN = 14.4, 6.0, 2.0  # boxes and the margin at the sides [mm]
HEADS = 2.2  # how much wider than its line the head of an arrow is, at least [mm]


def draw(found: Explanation, order: Sequence[str], path: str | Path | None = None) -> Figure:
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
    step = (PAGE.width - 2 * MARGIN - BOX) / max(len(chain) - 1, 1)
    places = {name: MARGIN + BOX / 2 + k * step for k, name in enumerate(chain)}
    up, down = _reach(arrows, chain)
    low, high = -(TALL + 7.0 * down + 6.0), TALL + 7.0 * up + 9.0
    with settings(PAGE):
        figure = new_figure(PAGE.width, high - low)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, PAGE.width)
        axes.set_ylim(low, high)
        axes.set_axis_off()
        title = (
            f"What carries the effect on {about(found.readout)} ({found.effect:+.3g}{_unit(found)})"
        )
        axes.text(2.0, high - 3.0, title, fontsize=PAGE.title_size, weight="bold", va="center")
        for name, x in places.items():
            _box(axes, name, x)
        for one in sorted(arrows, key=lambda a: abs(a.share)):
            _arrow(axes, one, places, chain.index(one.into) - chain.index(one.source))
        told = "Number and width: share of the effect lost when that arrow is cut"
        told += _remarks(arrows)
        axes.text(2.0, low + 2.0, told, fontsize=PAGE.text_size, va="center")
        if path is not None:
            save(figure, path, style=PAGE)
    return figure


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
    return min(0.45 * span, 3.0)


def _box(axes: Axes, name: str, x: float) -> None:
    box = FancyBboxPatch(
        (x - BOX / 2, -TALL / 2), BOX, TALL, boxstyle="round,pad=0,rounding_size=1.2",
        facecolor="#FFFFFF", edgecolor=INK, lw=0.7, zorder=3,
    )  # fmt: skip
    axes.add_patch(box)
    axes.text(
        x, 0.0, _in_box(name), ha="center", va="center", fontsize=PAGE.text_size,
        linespacing=0.9, zorder=4,
    )  # fmt: skip


def _in_box(name: str) -> str:
    """Return a name, broken where it is wider than its box."""
    if text_width(name, PAGE.text_size, PAGE.font) <= BOX - 0.4:
        return name
    half = name.rfind("_", 0, 2 * len(name) // 3) + 1 or (len(name) + 1) // 2
    mark = "" if name[half - 1] == "_" else "-"
    return f"{name[:half].rstrip('_')}{mark}\n{name[half:]}"


def _arrow(axes: Axes, one: Share, places: dict[str, float], span: int) -> None:
    a, b = places[one.source], places[one.into]
    colour = BLUE if one.share > 0.0 else VERMILION
    wide = max(WIDEST * min(abs(one.share), 1.5), 0.4)
    side = 1.0 if span > 0 else -1.0
    straight = span == 1
    edge = 0.0 if straight else side * TALL / 2
    lift = 0.0 if straight else 7.0 * _height(abs(span)) * side
    ends = ((a + BOX / 2, 0.0), (b - BOX / 2, 0.0)) if straight else ((a, edge), (b, edge))
    bend = 0.0 if straight else -2.0 * lift / abs(b - a) * (1.0 if b > a else -1.0)
    patch = FancyArrowPatch(
        *ends, connectionstyle=f"arc3,rad={bend}", arrowstyle=_head(wide), mutation_scale=1.0,
        lw=wide, color=colour, linestyle="-" if one.share > 0.0 else (0, (2.0, 1.2)),
        shrinkA=0.0, shrinkB=1.0, zorder=2, joinstyle="miter", capstyle="butt",
    )  # fmt: skip
    axes.add_patch(patch)
    if one.share >= WHOLE:
        return
    above = TALL / 2 + 1.6 if straight else edge + lift + side * 1.6
    words = f"{one.share:.0%}".replace("-", "\u2212")
    axes.text(
        (a + b) / 2, above, words, ha="center", va="center", fontsize=PAGE.text_size, color=INK,
        zorder=5, bbox={"facecolor": "#FFFFFF", "edgecolor": "none", "pad": 0.4},
    )  # fmt: skip


def _head(wide: float) -> str:
    """Return an arrow's head: a triangle a little wider than its line."""
    half = wide / 2.0 + HEADS
    return f"-|>,head_length={1.6 * half:.2f},head_width={half:.2f}"
