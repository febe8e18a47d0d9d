"""What is shown together: the panels that a result's model declares, as far as it fills them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import xarray as xr

from ketasim.core.describe import Curve, Panel, read_panels
from ketasim.errors import ConfigError, suggest
from ketasim.models.antidepressant import PANELS
from ketasim.plots.style import BLUE, COLOURS, PALETTE
from ketasim.results.summary import observables

MOST_EXTRA = 24  # a run that records everything would bury the story under a hundred panels
NEGLIGIBLE = 1e-4  # ng/mL or uM; a drug below this was never given
SOLID, DASHED = "-", (0, (3.5, 1.5))
Dash = Any


# What a dimensionless variable is measured against, as its long name ends.
_MEASURES = {
    "relative to rest": "× rest",
    "relative to healthy rest": "× healthy",
    "in units of rest": "× rest",
    "of all": "fraction",
    "per original site": "per site",
}


def panels(runs: Sequence[xr.Dataset], names: Sequence[str] = ()) -> tuple[Panel, ...]:
    """Return the panels that any of some results can fill, in the order from drug to mood.

    Parameters
    ----------
    names
        Recorded names to show (``'spines.density'``), or mechanisms (``'spines'``) for what the
        default figure shows of them; all by default. What belongs to no panel of the default
        figure gets one of its own, unless more than ``MOST_EXTRA`` such were recorded.

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
        extra = extra if len(extra) <= MOST_EXTRA else []
    if not known and not extra:
        raise ConfigError("nothing to draw: the run recorded no time course.")
    return (*known, *(_own(name, recorded[name]) for name in extra))


def _filled(panel: Panel, wanted: Sequence[str], recorded: Mapping[str, xr.DataArray]) -> Panel:
    """Return a panel with those of its curves that are wanted, in the unit it is made for."""
    named = (curve for curve in panel.curves if curve.name in wanted)
    curves = tuple(c for c in named if unit_of(recorded[c.name]) == panel.unit)
    measure = panel.measure or _measure([recorded[c.name] for c in curves], panel.unit)
    return replace(panel, curves=curves, measure=measure)


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
    measure = _measure([variable], unit)
    return Panel(title[:1].upper() + title[1:], measure, unit, (Curve(name, name, BLUE),))


def _ending(told: str) -> str | None:
    return next((end for end in _MEASURES if told.endswith(f", {end}")), None)


def _measure(variables: Sequence[xr.DataArray], unit: str) -> str:
    """Return what an axis says: a unit, or what numbers without one are measured against."""
    if unit != "1":
        return pretty(unit)
    endings = {_ending(str(one.attrs.get("long_name", ""))) for one in variables}
    known = endings.pop() if len(endings) == 1 else None
    return _MEASURES[known] if known else "no unit"


def pretty(unit: str) -> str:
    """Return a unit as it is printed."""
    return re.sub(r"\bu(?=(mol|[MLg])\b)", "µ", unit)
