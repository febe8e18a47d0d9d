"""What is shown together: the panels a result's model declares, and what was done behind them.

Doses and held knobs are marks: a strip on top and shades behind.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ketasim.core.describe import Curve, Panel, read_panels
from ketasim.errors import ConfigError, suggest
from ketasim.models.antidepressant import PANELS
from ketasim.plots.layout import Window
from ketasim.plots.style import BLUE, COLOURS, DOSE, INK, PALETTE, WINDOW
from ketasim.plots.words import MEASURES, held, printed
from ketasim.results.summary import observables

if TYPE_CHECKING:
    from ketasim.studies.fit.data import Point

MOST_EXTRA = 24  # a run that records everything would bury the story under a hundred panels
NEGLIGIBLE = 1e-4  # ng/mL or uM; a drug below this was never given
SOLID, DASHED = "-", (0, (3.5, 1.5))
POINTER = 4.5  # pt


def panels(
    runs: Sequence[xr.Dataset], names: Sequence[str] = (), *, seen: Iterable[str] = ()
) -> tuple[Panel, ...]:
    """Return the panels that any of some results can fill, in the order from drug to mood.

    Parameters
    ----------
    names
        Recorded names to show (``'spines.density'``), or mechanisms (``'spines'``) for what the
        default figure shows of them; all by default. What belongs to no panel of the default
        figure gets one of its own, unless more than ``MOST_EXTRA`` such were recorded.
    seen
        Recorded names of which there are values to draw; they get a panel in any case.

    Raises
    ------
    ConfigError
        When a name was not recorded, or nothing was.
    """
    recorded = {name: run[name] for run in reversed(runs) for name in observables(run)}
    declared = declared_by(runs)
    wanted = _wanted(names, tuple(recorded), declared) if names else tuple(recorded)
    known = [_filled(panel, wanted, recorded) for panel in declared]
    known = [panel for panel in known if panel.curves]
    taken = {curve.name for panel in known for curve in panel.curves}
    extra = [name for name in wanted if name not in taken]
    if known and not names:
        known = _telling(known, runs) or known
        extra = list(extra) if len(extra) <= MOST_EXTRA else []
    if not known and not extra:
        raise ConfigError("nothing to draw: the run recorded no time course.")
    shown = {*extra, *(curve.name for panel in known for curve in panel.curves)}
    extra += [name for name in dict.fromkeys(seen) if name in recorded and name not in shown]
    return (*known, *(_own(name, recorded[name]) for name in extra))


def values_over(
    parts: Sequence[Axes], seen: Sequence["Point"], name: str, *, colour: str, label: str = ""
) -> list[NDArray[np.float64]]:
    """Draw the values seen of a course over it; return what they reach with their errors."""
    mine = [one for one in seen if one.curve == name]
    if not mine:
        return []
    from ketasim.plots.fits import seen as draw

    for axes in parts:
        draw(axes, mine, colour=colour, label=f"{label}{name}, seen")
    values, errors = (np.array([getattr(p, key) for p in mine]) for key in ("value", "error"))
    return [values - errors, values + errors]


def _filled(panel: Panel, wanted: Sequence[str], recorded: Mapping[str, xr.DataArray]) -> Panel:
    """Return a panel with those of its curves that are wanted, in the unit it is made for."""
    named = (curve for curve in panel.curves if curve.name in wanted)
    curves = tuple(c for c in named if unit_of(recorded[c.name]) == panel.unit)
    told = panel.measure or measure([recorded[c.name] for c in curves], panel.unit)
    return replace(panel, curves=curves, measure=told)


def declared_by(runs: Iterable[xr.Dataset]) -> tuple[Panel, ...]:
    """Return the panels that results carry, each title once, every curve with its own look.

    A result written before results carried any is shown as the packaged model is.
    """
    found: dict[str, Panel] = {}
    for run in runs:
        carried = read_panels(str(run.attrs["panels"])) if "panels" in run.attrs else PANELS
        for panel in carried:
            first = found.setdefault(panel.title, panel)
            more = tuple(c for c in panel.curves if c.name not in {d.name for d in first.curves})
            found[panel.title] = replace(first, curves=(*first.curves, *more))
    return tuple(_looking(panel) for panel in found.values())


def _looking(panel: Panel) -> Panel:
    """Return a panel with a colour and dashes for each curve, its own or those of its place."""
    curves = tuple(
        replace(
            curve,
            label=curve.label if len(panel.curves) > 1 else "",
            colour=COLOURS.get(curve.colour, curve.colour) or PALETTE[i % len(PALETTE)],
            dash=DASHED if curve.dash != SOLID or i >= len(PALETTE) else SOLID,
        )
        for i, curve in enumerate(panel.curves)
    )
    return replace(panel, curves=curves)


def _telling(found: Sequence[Panel], runs: Sequence[xr.Dataset]) -> list[Panel]:
    """Return panels without drugs that were never given and without human scales in animals."""
    animal = all(run.attrs.get("species", "human") != "human" for run in runs)
    told = []
    for panel in found:
        curves = tuple(c for c in panel.curves if not (panel.drug and _silent(c.name, runs)))
        if curves and not (panel.human and animal):
            told.append(replace(panel, curves=curves))
    return told


def _silent(name: str, runs: Sequence[xr.Dataset]) -> bool:
    """Return whether a drug stays at zero in every run; a failed run's NaN does not count."""
    return not any(float(abs(run[name]).max()) > NEGLIGIBLE for run in runs if name in run)


def unit_of(variable: xr.DataArray) -> str:
    """Return the declared unit of a variable."""
    return str(variable.attrs.get("units", "1"))


def _wanted(
    names: Sequence[str], recorded: Sequence[str], declared: Sequence[Panel]
) -> tuple[str, ...]:
    """Return full names for names and mechanisms, in the order asked for."""
    full: dict[str, None] = {}
    for name in names:
        usual = [c.name for panel in declared for c in panel.curves]
        own = [one for one in usual if one.startswith(f"{name}.") and one in recorded]
        if name not in recorded and not own:
            known = (*recorded, *(one.split(".")[0] for one in recorded))
            raise ConfigError(f'panel "{name}": not recorded.{suggest(name, set(known))}')
        full.update(dict.fromkeys([name] if name in recorded else own))
    return tuple(full)


def _own(name: str, variable: xr.DataArray) -> Panel:
    """Return a panel for a variable that belongs to no other."""
    unit = unit_of(variable)
    told = str(variable.attrs.get("long_name", name))
    title = told.removesuffix(f", {_ending(told)}") if unit == "1" else told
    told_as = measure([variable], unit)
    return Panel(title[:1].upper() + title[1:], told_as, unit, (Curve(name, "", BLUE),))


def _ending(told: str) -> str | None:
    return next((end for end in MEASURES if told.endswith(f", {end}")), None)


def measure(variables: Sequence[xr.DataArray], unit: str) -> str:
    """Return what an axis says: a unit, or what numbers without one are measured against."""
    if unit != "1":
        return printed(unit)
    endings = {_ending(str(one.attrs.get("long_name", ""))) for one in variables}
    known = endings.pop() if len(endings) == 1 else None
    return MEASURES[known] if known else "no unit"


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
    given: str = ""  # which drugs by which routes, each once

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


NOTHING = Marks((), (), "")


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
    holds = tuple(
        Held(", ".join(held(one, attributes) for one in names), spans)
        for spans, names in joined.items()
    )
    given = dict.fromkeys(str(attributes.get("dose_drugs", "")).split(";"))
    return Marks(doses, holds, _sentence(attributes), ", ".join(given))


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
    """Say who was given how much, and what is taken off."""
    weight = float(attributes.get("weight_kg", "nan"))
    species = str(attributes.get("species", ""))
    who = f"{species}, {_weight(weight)}" if species and isfinite(weight) else species
    less = str(attributes.get("difference", ""))
    return "  ·  ".join(p for p in (who, _amounts(attributes, species, weight), less) if p)


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
