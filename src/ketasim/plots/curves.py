"""What every figure does with its axes: curves in each part, limits, measures, tick labels."""

from collections.abc import Iterable, Sequence
from math import floor, log10

import numpy as np
from matplotlib.ticker import Formatter, FuncFormatter, MaxNLocator, ScalarFormatter
from numpy.typing import NDArray

from ketasim.core.describe import Panel
from ketasim.plots.axis import Window, dress
from ketasim.plots.layout import LEFT, Parts, size
from ketasim.plots.panels import Dash

FLAT = 0.02  # the least height of an axis, relative to its values: rounding is no time course
HEADROOM = 0.06
MEASURE = 3.4  # where a measure ends, from the edge of the paper [mm]
SHORT = 16.0  # a panel lower than this [mm] has room for a few ticks only

Array = NDArray[np.float64]


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
