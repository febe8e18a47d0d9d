"""Panels on paper: headers of title and keys, a time axis in two parts, curves in each.

Every length is in millimetres. The first hours stand beside the days that follow, each at its own
pace.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil, floor, log10
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextToPath
from matplotlib.ticker import Formatter, FuncFormatter, MaxNLocator, ScalarFormatter
from numpy.typing import NDArray

from ketasim.core.describe import Panel
from ketasim.plots.style import INK, MM, Dash, Style, log_ticks, new_figure

DAY = 24.0
FIRST = 6.0  # hours shown in full after the first event
LEAD = 1.0  # and before it
SINGLE = 12.0  # a run this short [h] needs no second part
FIRST_SHARE = 0.42  # of the width
_HOURS = (*(digit * 10.0**power for power in range(-5, 0) for digit in (1, 2, 5)), 1, 2, 3, 6, 12)
_DAYS = (1.0, 2.0, 7.0, 14.0, 28.0, 56.0, 91.0, 182.0, 364.0)
LEFT, RIGHT, FOOT, TOP = 12.0, 2.0, 7.5, 1.2  # margins [mm]
TEAR, GUTTER = 1.4, 3.0  # between the parts of a panel, between columns of panels
LINE, GAP, AIR = 2.8, 0.7, 1.3  # a line of text, beneath a header, beneath a panel
HANDLE, SPACE = 3.0, 2.0  # a key's sample of line, the space between keys
ROW = 2.9  # of the strip
POINT = 1 / 72.0 / MM
REMARK = "#5A5A5A"
Parts = tuple[Axes, ...]
FLAT = 0.02  # the least height of an axis, relative to its values: rounding is no time course
HEADROOM = 0.06
MEASURE = 3.4  # where a measure ends, from the edge of the paper [mm]
SHORT = 16.0  # a panel lower than this [mm] has room for a few ticks only
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """A stretch of time [h], the unit it is labelled in and its share of the width."""

    start: float
    stop: float
    unit: str = "h"
    share: float = 1.0

    @property
    def size(self) -> float:
        """Return the length of one unit [h]."""
        return DAY if self.unit == "d" else 1.0

    def ticks(self) -> list[float]:
        """Return where the ticks stand [h]: round numbers of the unit, at most seven steps."""
        steps, most = (_DAYS, 7) if self.unit == "d" else (_HOURS, 6)
        length = (self.stop - self.start) / self.size
        step = next((s for s in steps if length / s <= most), length / most)
        low, high = self.start / self.size / step, self.stop / self.size / step
        return [i * step * self.size for i in range(ceil(low - 1e-9), floor(high + 1e-9) + 1)]

    def labels(self) -> list[str]:
        """Return the text of each tick, a number of the unit."""
        return [f"{tick / self.size:.10g}" for tick in self.ticks()]


def windows(start: float, end: float, *, onset: float | None = None) -> tuple[Window, ...]:
    """Return the parts of the time axis of a run from ``start`` to ``end`` [h].

    The first part holds the hours after ``onset``, the time of the first event (default: the
    start). The second takes over from there; when the event comes late, it shows the whole run.
    """
    if end - start <= SINGLE:
        return (Window(start, end),)
    event = min(max(start if onset is None else onset, start), end)
    early = Window(max(start, event - LEAD), min(event + FIRST, end), "h", FIRST_SHARE)
    rest = early.stop if early.start <= start else start
    unit = "d" if end - rest > 2 * DAY else "h"
    return early, Window(rest, end, unit, 1.0 - FIRST_SHARE)


def dress(parts: Sequence[Axes], shown: Sequence[Window], *, labelled: bool) -> None:
    """Set limits, ticks and (at the foot of a stack) labels of a panel's parts."""
    for i, (axes, window) in enumerate(zip(parts, shown, strict=True)):
        axes.set_xlim(window.start, window.stop)
        axes.set_xticks(window.ticks(), window.labels())
        _keep_on_paper(axes, window)
        axes.spines[["top", "right"]].set_visible(False)
        if i:
            axes.spines["left"].set_visible(False)
            axes.yaxis.set_visible(False)  # its ticks are those of the first part
            _tear(parts[i - 1], 1.0)
            _tear(axes, 0.0)
        if labelled:
            axes.set_xlabel(f"Time ({window.unit})", labelpad=1.5)
        else:
            axes.tick_params(labelbottom=False)


def _keep_on_paper(axes: Axes, window: Window) -> None:
    """Write a long label at the very end to the left of its tick."""
    ticks, labels = window.ticks(), window.labels()
    if (
        ticks
        and len(labels[-1]) > 2
        and window.stop - ticks[-1] < 0.02 * (window.stop - window.start)
    ):
        axes.xaxis.get_majorticklabels()[-1].set_horizontalalignment("right")


def _tear(axes: Axes, side: float) -> None:
    """Mark where the axis is interrupted."""
    axes.plot(
        [side], [0.0], marker=[(-0.5, -1.0), (0.5, 1.0)], markersize=4.0, linestyle="none",
        color=axes.spines["bottom"].get_edgecolor(), markeredgewidth=0.6, clip_on=False,
        transform=axes.transAxes, label="_tear",
    )  # fmt: skip


@dataclass(frozen=True)
class Key:
    """An entry of a header: a text and how its curve looks; without a colour, a remark."""

    text: str
    colour: str = ""
    dash: Dash = "-"


@dataclass(frozen=True)
class Header:
    """The title and the keys above a panel, and the share of height the panel takes."""

    title: str
    keys: tuple[Key, ...] = ()
    share: float = 1.0


@dataclass(frozen=True)
class Sheet:
    """A figure, the rows of each column's strip, its panels, and which of these stand at a foot."""

    figure: Figure
    strips: list[list[Parts]]
    panels: list[Parts]
    feet: tuple[int, ...]


@cache
def text_width(text: str, size: float, font: str, *, bold: bool = False) -> float:
    """Return the printed width of a text [mm]."""
    properties = FontProperties(family=font, size=size, weight="bold" if bold else "normal")
    width, _, _ = TextToPath().get_text_width_height_descent(text, properties, ismath=False)
    return float(width) * POINT


def place_keys(header: Header, width: float, style: Style) -> list[tuple[int, float]]:
    """Return for each key its line in the header and its distance from the left [mm].

    Keys stand behind the title, or beneath it when they do not all fit.
    """
    title = text_width(header.title, style.title_size, style.font, bold=True) if header.title else 0
    needs = [_key_width(key, style) for key in header.keys]
    begin = title + SPACE * bool(header.title)
    line, x = (0, begin) if begin + sum(needs) + SPACE * (len(needs) - 1) <= width else (1, 0.0)
    line = line if header.title else 0
    places = []
    for need in needs:
        if x > 0.0 and x + need > width:
            line, x = line + 1, 0.0
        places.append((line, x))
        x += need + SPACE
    return places


def _key_width(key: Key, style: Style) -> float:
    sample = HANDLE + 0.8 if key.colour else 0.0
    return sample + text_width(key.text, style.text_size, style.font)


def _shortened(header: Header, width: float, style: Style) -> Header:
    """Return a header of which no word runs off the paper."""
    title = _cut(header.title, width, style.title_size, style.font, bold=True)
    room = width - HANDLE - 0.8
    keys = (replace(k, text=_cut(k.text, room, style.text_size, style.font)) for k in header.keys)
    return replace(header, title=title, keys=tuple(keys))


def _cut(text: str, width: float, size: float, font: str, *, bold: bool = False) -> str:
    if text_width(text, size, font, bold=bold) <= width:
        return text
    while text and text_width(f"{text}…", size, font, bold=bold) > width:
        text = text[:-1].rstrip()
    return f"{text}…"


def lines_of(header: Header, width: float, style: Style) -> int:
    """Return how many lines a header takes."""
    return 1 + max((line for line, _ in place_keys(header, width, style)), default=0)


def panel_height(n: int, style: Style) -> float:
    """Return the height of each of ``n`` stacked panels [mm]; few panels may be taller."""
    return max(style.panel, min(2.4 * style.panel, 100.0 / n))


def sheet(
    headers: Sequence[Header], shown: Sequence[Window], style: Style, *, top: Header, rows: int
) -> Sheet:
    """Lay out panels below a strip of ``rows`` rows, filling column after column.

    Columns end on one line, so that their time axes can be read across.
    """
    columns = min(style.columns, len(headers))
    pitch = (style.width + GUTTER) / columns
    width, across = pitch - GUTTER - LEFT - RIGHT, style.width - LEFT - RIGHT
    stacks = _stacks([_shortened(header, width, style) for header in headers], columns)
    top = _shortened(top, across, style)
    heads = [[lines_of(h, width, style) * LINE + GAP for h in stack] for stack in stacks]
    fixed = [sum(some) + AIR * (len(some) - 1) for some in heads]
    each = panel_height(len(stacks[0]), style)
    shares = [sum(h.share for h in stack) for stack in stacks]
    body = max(f + share * each for f, share in zip(fixed, shares, strict=True))
    crown = TOP + lines_of(top, across, style) * LINE * bool(top.title or top.keys)
    start = crown + rows * ROW + (0.8 if rows else 0.0)
    paper = _Paper(new_figure(style.width, start + body + FOOT), style, shown)
    paper.header(top, LEFT, TOP, across)
    strips, panels = [], []
    for column, (stack, some) in enumerate(zip(stacks, heads, strict=True)):
        x, y = LEFT + column * pitch, start
        strips.append([paper.parts(x, crown + i * ROW, width, ROW - 0.7) for i in range(rows)])
        unit = (body - fixed[column]) / shares[column]
        for header, head in zip(stack, some, strict=True):
            paper.header(header, x, y, width)
            panels.append(paper.parts(x, y + head, width, unit * header.share))
            y += head + unit * header.share + AIR
    feet = tuple(np.cumsum([len(stack) for stack in stacks]) - 1)
    return Sheet(paper.figure, strips, panels, feet)


def _stacks(headers: Sequence[Header], columns: int) -> list[Sequence[Header]]:
    """Deal panels to columns, the first ones taking what is left over."""
    size = ceil(len(headers) / columns)
    return [headers[i : i + size] for i in range(0, len(headers), size)]


@dataclass(frozen=True)
class _Paper:
    """Places things on a figure by their distance from its top left corner [mm]."""

    figure: Figure
    style: Style
    shown: Sequence[Window]

    @property
    def height(self) -> float:
        return float(self.figure.get_figheight()) / MM

    def parts(self, x: float, y: float, width: float, height: float) -> Parts:
        """Add the axes of a panel, a part for each window; the first holds the measure."""
        free = width - TEAR * (len(self.shown) - 1)
        axes: list[Axes] = []
        for window in self.shown:
            wide = free * window.share
            at = (x / self.style.width, 1.0 - (y + height) / self.height)
            box = (*at, wide / self.style.width, height / self.height)
            axes.append(self.figure.add_axes(box, sharey=axes[0] if axes else None))
            x += wide + TEAR
        return tuple(axes)

    def header(self, header: Header, x: float, y: float, width: float) -> None:
        """Write a title and its keys."""
        base = y + 0.75 * LINE
        if header.title:
            self.text(x, base, header.title, INK, size=self.style.title_size, weight="bold")
        for key, (line, across) in zip(
            header.keys, place_keys(header, width, self.style), strict=True
        ):
            self.key(key, x + across, base + line * LINE)

    def key(self, key: Key, x: float, y: float) -> None:
        """Draw a sample of a curve and its name, or a remark without a sample."""
        if not key.colour:
            self.text(x, y, key.text, REMARK, size=self.style.text_size)
            return
        level = 1.0 - (y - 0.75) / self.height
        ends = [x / self.style.width, (x + HANDLE) / self.style.width]
        sample = Line2D(
            ends, [level, level], color=key.colour, linestyle=key.dash,
            linewidth=self.style.line, label="_key", transform=self.figure.transFigure,
        )  # fmt: skip
        self.figure.add_artist(sample)
        self.text(x + HANDLE + 0.8, y, key.text, INK, size=self.style.text_size)

    def text(
        self, x: float, y: float, text: str, colour: str, *, size: float, weight: str = "normal"
    ) -> None:
        """Write a line of text on a base line."""
        self.figure.text(
            x / self.style.width, 1.0 - y / self.height, text, color=colour, fontsize=size,
            fontweight=weight, ha="left", va="baseline", parse_math=False,
        )  # fmt: skip


def size(axes: Axes) -> tuple[float, float]:
    """Return width and height [mm]."""
    figure: Any = axes.get_figure()
    box = axes.get_position()
    width, height = figure.get_size_inches() / MM
    return float(box.width * width), float(box.height * height)


def curve(
    parts: Parts, times: Array, values: Array, *, label: str, colour: str, dash: Dash, width: float
) -> None:
    """Draw a curve in every part of a panel, and where it started as a dotted line."""
    start = values[np.isfinite(values)][:1]
    for axes in parts:
        for level in start:
            axes.axhline(
                level, color=colour, linestyle=(0, (1, 2)), linewidth=0.5, alpha=0.7, zorder=1,
                label="_start",
            )  # fmt: skip
        axes.plot(times, values, color=colour, linestyle=dash, linewidth=width, label=label)


def limits(parts: Parts, values: Iterable[Array], *, from_zero: bool) -> None:
    """Set the height of a panel so that nothing is cut off and rounding stays invisible."""
    joined = np.concatenate([v[np.isfinite(v)] for v in values] or [np.zeros(1)])
    low, high = (float(joined.min()), float(joined.max())) if joined.size else (0.0, 1.0)
    if from_zero:
        low = min(low, 0.0) if low < -FLAT * abs(high) else 0.0
    least = FLAT * max(abs(low), abs(high)) or 1.0
    if high - low < least:
        middle = (low + high) / 2.0
        low, high = (low, low + least) if from_zero else (middle - least, middle + least)
    room = HEADROOM * (high - low)
    parts[0].set_ylim(low - (0.0 if from_zero and low == 0.0 else room), high + room)


WIDE = 5.0  # ratio of values from which a logarithm shows more
DECADES = 4  # of a logarithmic axis, from the top
NEGLIGIBLE = 1e-9  # of the largest value: what is left of rounding below 0


def logarithmic(parts: Parts, values: Iterable[Array]) -> None:
    """Give a panel of positive values over a wide range a logarithmic axis, labelled 0.1 0.3 1."""
    many = list(values)
    joined = np.concatenate([v[np.isfinite(v) & (v > 0.0)] for v in many] or [np.zeros(0)])
    high = float(joined.max()) if joined.size else 0.0
    if not high or any((v < -NEGLIGIBLE * high).any() for v in many):
        return
    low = max(float(joined.min()), high / 10.0**DECADES)
    if high < WIDE * low:
        return
    parts[0].set_yscale("log")
    parts[0].set_ylim(low / 1.2, high * 1.2)
    log_ticks(parts[0].yaxis)


def finish(parts: Parts, panel: Panel, shown: Sequence[Window], *, foot: bool) -> None:
    """Give a panel its measure, its ticks and, at the foot of a stack, its time labels."""
    first = parts[0]
    width, height = size(first)
    first.yaxis.set_major_locator(MaxNLocator(3 if height < SHORT else 5, steps=[1, 2, 5, 10]))
    power = _power(*first.get_ylim())
    first.yaxis.set_major_formatter(_formatter(power))
    first.set_ylabel(f"{panel.measure}{_factor(power)}", linespacing=1.0)
    edge = LEFT - MEASURE * (1.7 if power else 1.0)
    first.yaxis.set_label_coords(-edge / width, 0.5)
    dress(parts, shown, labelled=foot)


def _power(low: float, high: float) -> int:
    """Return the power of ten to take out of the numbers, 0 where they are short as they are."""
    largest = max(abs(low), abs(high))
    return 0 if 1e-2 <= largest < 1e5 else 3 * floor(log10(largest) / 3)


def _formatter(power: int) -> Formatter:
    if power:
        return FuncFormatter(lambda value, _: f"{value / 10.0**power:.4g}".replace("-", "\u2212"))
    plain = ScalarFormatter(useOffset=False)
    plain.set_scientific(False)
    return plain


def _factor(power: int) -> str:
    """Return the factor as it stands beneath a measure."""
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"\n×10{raised}" if power else ""
