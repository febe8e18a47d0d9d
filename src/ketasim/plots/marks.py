"""What was done, in the picture: doses and held knobs, as a strip on top and shades behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ketasim.plots.axis import Window
from ketasim.plots.style import DOSE, INK, WINDOW

POINTER = 4.5  # pt


@dataclass(frozen=True)
class Mark:
    """A span of time [h] in which something was done; a bolus starts and stops at once."""

    start: float
    stop: float

    def within(self, window: Window) -> bool:
        """Return whether any of it is seen in a window."""
        return self.start <= window.stop and self.stop >= window.start

    def fills(self, window: Window) -> bool:
        """Return whether it lasts throughout a window."""
        return self.start <= window.start and self.stop >= window.stop


@dataclass(frozen=True)
class Held:
    """Knobs held over the same spans."""

    name: str
    spans: tuple[Mark, ...]


@dataclass(frozen=True)
class Marks:
    """Doses and held knobs of a run."""

    doses: tuple[Mark, ...]
    holds: tuple[Held, ...]
    sentence: str

    @property
    def onset(self) -> float | None:
        """Return when the first thing is done [h]; None when nothing is."""
        starts = [one.start for one in self.doses] or [
            span.start for hold in self.holds for span in hold.spans if isfinite(span.start)
        ]
        return min(starts, default=None)

    def passing(self, run: Window) -> "Marks":
        """Return these marks without what is held throughout a run."""
        spans = [tuple(span for span in hold.spans if not span.fills(run)) for hold in self.holds]
        kept = (Held(h.name, some) for h, some in zip(self.holds, spans, strict=True) if some)
        return replace(self, holds=tuple(kept))


def marks(attributes: Mapping[str, Any]) -> Marks:
    """Read the doses and held knobs from the attributes of a result, where it carries them."""
    doses = tuple(Mark(*one) for one in _spans(attributes, "dose"))
    named = _words(attributes.get("hold_names", ()))
    by_name: dict[str, tuple[Mark, ...]] = {}
    for name, span in zip(named, _spans(attributes, "hold"), strict=False):
        by_name[name] = (*by_name.get(name, ()), Mark(*span))
    joined: dict[tuple[Mark, ...], list[str]] = {}
    for name, spans in by_name.items():
        joined.setdefault(spans, []).append(name)
    holds = tuple(Held(", ".join(names), spans) for spans, names in joined.items())
    return Marks(doses, holds, _sentence(attributes))


def _spans(attributes: Mapping[str, Any], what: str) -> list[tuple[float, float]]:
    starts = _numbers(attributes.get(f"{what}_starts_h"), -inf)
    stops = _numbers(attributes.get(f"{what}_stops_h"), inf)
    return list(zip(starts, stops, strict=False))


def _numbers(values: Any, instead: float) -> list[float]:
    """Return a list of numbers; a file keeps a list of one as a number."""
    found = np.atleast_1d(np.asarray([] if values is None else values, dtype=float)).tolist()
    return [instead if np.isnan(one) else one for one in found]


def _words(values: Any) -> list[str]:
    """Return a list of names; a file may keep it as one text."""
    if isinstance(values, str):
        return values.replace(";", " ").replace(",", " ").split()
    return [str(one) for one in values]


def _sentence(attributes: Mapping[str, Any]) -> str:
    """Say who was given how much."""
    weight = float(attributes.get("weight_kg", "nan"))
    species = str(attributes.get("species", ""))
    who = f"{species}, {_weight(weight)}" if species and isfinite(weight) else species
    return "  ·  ".join(part for part in (who, _amounts(attributes, species, weight)) if part)


def _weight(kilograms: float) -> str:
    return f"{kilograms:.3g} kg" if kilograms >= 1.0 else f"{kilograms * 1000:.3g} g"


def _amounts(attributes: Mapping[str, Any], species: str, weight: float) -> str:
    amounts = _numbers(attributes.get("dose_mg"), 0.0)
    if not amounts:
        return ""
    if len({round(one, 9) for one in amounts}) > 1:
        return f"{len(amounts)} doses, {sum(amounts):.3g} mg in all"
    times = f"{len(amounts)} × " if len(amounts) > 1 else ""
    each = amounts[0]
    per_weight = f"{each / weight:.3g} mg/kg" if isfinite(weight) else ""
    if not per_weight:
        return f"{times}{each:.3g} mg"
    return f"{times}{each:.3g} mg ({per_weight})" if species == "human" else f"{times}{per_weight}"


def shade(axes: Axes, window: Window, found: Marks) -> None:
    """Shade doses and held knobs behind the curves."""
    for span in (span for hold in found.holds for span in hold.spans):
        if span.within(window):
            _span(axes, span, window, WINDOW, 0)
    for dose in found.doses:
        if dose.within(window):
            _span(axes, dose, window, DOSE, 0.5)


def _span(axes: Axes, mark: Mark, window: Window, colour: str, edge: float) -> None:
    start, stop = max(mark.start, window.start), min(mark.stop, window.stop)
    axes.axvspan(start, stop, facecolor=colour, edgecolor=colour, linewidth=edge, zorder=0)


def strip(axes: Axes, window: Window, spans: Sequence[Mark], *, colour: str) -> None:
    """Draw spans as bars and boluses as pointers, on axes of nothing else."""
    axes.set(xlim=(window.start, window.stop), ylim=(0.0, 1.0))
    axes.set_axis_off()
    for one in spans:
        if not one.within(window):
            continue
        start, stop = max(one.start, window.start), min(one.stop, window.stop)
        if one.start == one.stop:
            axes.plot(
                [start], [0.5], marker="v", markersize=POINTER, color=colour, clip_on=False,
                markeredgewidth=0.0, label="_dose",
            )  # fmt: skip
        else:
            axes.axvspan(start, stop, facecolor=colour, edgecolor=colour, linewidth=0.6)


def strip_name(axes: Axes, text: str, at: float) -> None:
    """Write the name of a row of the strip from a time on."""
    axes.text(
        at, 0.46, f" {text}", ha="left", va="center", color=INK, clip_on=False, zorder=5,
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip
