"""What is shown together: the panels of the default figure, from drug to mood."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import xarray as xr

from ketasim.errors import ConfigError, suggest
from ketasim.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from ketasim.results.summary import observables

MOST_EXTRA = 24  # a run that records everything would bury the story under a hundred panels
NEGLIGIBLE = 1e-4  # ng/mL or uM; a drug below this was never given
SOLID, DASHED = "-", (0, (3.5, 1.5))
Dash = Any


@dataclass(frozen=True)
class Curve:
    """A recorded name, what the reader calls it, its colour and dashes."""

    name: str
    label: str
    colour: str
    dash: Dash = SOLID


@dataclass(frozen=True)
class Panel:
    """Curves on one axis: what they are, the measure on the axis, and their declared unit.

    The curves of a ``drug`` are left out while they stay at zero, a ``human`` scale in animals;
    ``share`` is the height relative to other panels. A curve without a label is named by the title.
    """

    title: str
    measure: str
    unit: str
    curves: tuple[Curve, ...]
    from_zero: bool = False
    drug: bool = False
    human: bool = False
    share: float = 1.0


PANELS = (
    Panel("Ketamine in plasma", "ng/mL", "ng/mL", (
        Curve("plasma.venous", "venous", BLUE),
        Curve("plasma.arterial", "arterial", VERMILION),
    ), from_zero=True, drug=True),
    Panel("Unbound in brain", "µM", "uM", (
        Curve("pk_s.brain", "S-ketamine", BLUE),
        Curve("pk_r.brain", "R-ketamine", VERMILION, DASHED),
        Curve("pk_s.brain_hydroxynorketamine", "S-HNK", SKY),
        Curve("pk_r.brain_hydroxynorketamine", "R-HNK", ORANGE, DASHED),
    ), from_zero=True, drug=True),
    Panel("NMDA block", "fraction", "1", (
        Curve("nmda.interneuron_block", "interneurons", BLUE),
        Curve("nmda.pyramidal_block", "pyramidal", VERMILION),
        Curve("nmda.resting_block", "resting", GREEN),
        Curve("nmda.trapped", "trapped", PURPLE),
    ), from_zero=True),
    Panel("GABA and firing", "× rest", "1", (
        Curve("circuit.gaba", "GABA", BLUE),
        Curve("circuit.pyramidal_rate", "pyramidal firing", VERMILION),
    )),
    Panel("Extracellular glutamate", "µM", "uM", (Curve("glutamate.extracellular", "", BLUE),)),
    Panel("AMPA", "× rest", "1", (
        Curve("ampa.current", "current", BLUE),
        Curve("ampa.number", "surface", VERMILION),
    )),
    Panel("BDNF and TrkB", "× rest", "1", (
        Curve("bdnf.extracellular", "BDNF", BLUE),
        Curve("trkb.signal", "TrkB signal", VERMILION),
    )),
    Panel("mTORC1 and translation", "× rest", "1", (
        Curve("translation.mtorc1", "mTORC1", BLUE),
        Curve("translation.proteins", "proteins", VERMILION),
        Curve("translation.arc", "Arc", GREEN),
    )),
    Panel("Phosphorylated eEF2", "fraction", "1", (Curve("translation.eef2", "", BLUE),)),
    Panel("Spines", "per site", "1", (
        Curve("spines.total", "all", BLACK),
        Curve("spines.reformed", "re-formed", GREEN),
        Curve("spines.original", "original", BLUE),
        Curve("spines.labile", "labile", ORANGE),
        Curve("spines.stable", "stable", VERMILION),
    ), from_zero=True, share=1.6),
    Panel("Outcome", "× healthy", "1", (
        Curve("outcome.function", "function", BLUE),
        Curve("outcome.mood", "mood", VERMILION, DASHED),
    )),
    Panel("Depression score (MADRS)", "points", "points", (
        Curve("outcome.score", "", BLUE),
    ), human=True),
)  # fmt: skip

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
    wanted = _wanted(names, tuple(recorded)) if names else tuple(recorded)
    known = [_filled(panel, wanted, recorded) for panel in PANELS]
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
    return replace(panel, curves=tuple(c for c in named if unit_of(recorded[c.name]) == panel.unit))


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


def _wanted(names: Sequence[str], recorded: Sequence[str]) -> tuple[str, ...]:
    """Return full names for names and mechanisms, in the order asked for."""
    full: dict[str, None] = {}
    for name in names:
        usual = [c.name for panel in PANELS for c in panel.curves]
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
    title, measure = told, pretty(unit)
    if unit == "1":
        known = next((end for end in _MEASURES if told.endswith(f", {end}")), None)
        measure = _MEASURES[known] if known else "no unit"
        title = told.removesuffix(f", {known}")
    return Panel(title[:1].upper() + title[1:], measure, unit, (Curve(name, name, BLUE),))


def pretty(unit: str) -> str:
    """Return a unit as it is printed."""
    return re.sub(r"\bu(?=(mol|[MLg])\b)", "µ", unit)
