"""A time axis in two parts: the first hours, then the days that follow, each at its own pace."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from matplotlib.axes import Axes

DAY = 24.0
FIRST = 6.0  # hours shown in full after the first event
LEAD = 1.0  # and before it
SINGLE = 12.0  # a run this short [h] needs no second part
FIRST_SHARE = 0.42  # of the width

_HOURS = (*(digit * 10.0**power for power in range(-5, 0) for digit in (1, 2, 5)), 1, 2, 3, 6, 12)
_DAYS = (1.0, 2.0, 7.0, 14.0, 28.0, 56.0, 91.0, 182.0, 364.0)


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
            axes.tick_params(left=False, labelleft=False)
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
