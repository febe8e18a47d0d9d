"""What a figure shows together: declared panels, joined names, and a default for every model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ketasim.core.declare import Mechanism
    from ketasim.core.model import Model

MOST = 7  # curves that a reader can tell apart in one default panel


@dataclass(frozen=True)
class Curve:
    """A recorded name, what the reader calls it, and its colour and dashes, given or by its place.

    ``colour`` is a word of the palette (``'blue'``, ``'vermilion'``) or any colour of matplotlib.
    """

    name: str
    label: str = ""
    colour: str = ""
    dash: Any = "-"


@dataclass(frozen=True)
class Panel:
    """Curves on one axis: what they are, the measure on the axis, and their declared unit.

    The curves of a ``drug`` are left out while they stay at zero, a ``human`` scale in animals;
    ``share`` is the height relative to other panels. A curve without a label is named by the title;
    without a measure the axis says the unit.
    """

    title: str
    measure: str
    unit: str
    curves: tuple[Curve, ...] = ()
    from_zero: bool = False
    drug: bool = False
    human: bool = False
    share: float = 1.0


def panels_of(model: Model) -> tuple[Panel, ...]:
    """Return a model's panels: those it declares, and those its names ask for with ``panel=``.

    A model that declares none shows each of its other mechanisms in one panel a unit: what has a
    short name, or else every state and quantity.
    """
    named = _joined(model, model.panels)
    if model.panels:
        return named
    asked: dict[str, list[Panel]] = {m.name: [] for m in model.mechanisms}
    for panel in named:
        asked[panel.curves[0].name.partition(".")[0]].append(panel)
    taken = {curve.name.partition(".")[0] for panel in named for curve in panel.curves}
    for mechanism in model.mechanisms:
        if mechanism.name not in taken:
            asked[mechanism.name] += _usual(mechanism)
    return tuple(panel for some in asked.values() for panel in some)


def _joined(model: Model, declared: Iterable[Panel]) -> tuple[Panel, ...]:
    """Return declared panels with the curves that ask to be in them, and new ones at the end."""
    found = {panel.title: panel for panel in declared}
    known = {curve.name for panel in found.values() for curve in panel.curves}
    for mechanism in model.mechanisms:
        for one in mechanism.courses:
            full = f"{mechanism.name}.{one.name}"
            if one.panel and full not in known:
                panel = found.get(one.panel, Panel(one.panel, "", one.unit))
                curve = Curve(full, one.short or one.name)
                found[one.panel] = replace(panel, curves=(*panel.curves, curve))
    return tuple(panel for panel in found.values() if panel.curves)


def _usual(mechanism: Mechanism) -> Iterable[Panel]:
    """Yield the default panels of one mechanism."""
    shown = [one for one in mechanism.courses if one.short] or list(mechanism.courses)
    units = list(dict.fromkeys(one.unit for one in shown))
    name = mechanism.name.replace("_", " ")
    name = name[:1].upper() + name[1:]
    for unit in units:
        alike = [one for one in shown if one.unit == unit]
        for start in range(0, len(alike), MOST):
            some = alike[start : start + MOST]
            told = f": {some[0].meaning.partition(',')[0]}" if len(some) == 1 else ""
            measured = f", {unit}" if len(units) > 1 and unit != "1" and not told else ""
            more = f" ({start // MOST + 1})" if start and not told else ""
            curves = (
                Curve(f"{mechanism.name}.{one.name}", one.short or one.name.replace("_", " "))
                for one in some
            )
            title = f"{name}{told}{measured}{more}"
            yield Panel(title, "", unit, tuple(curves), drug=mechanism.role == "drug")


def told(model: Model) -> Mapping[str, str]:
    """Return what a result has to say of its model to be shown: its panels and its headlines."""
    panels = json.dumps([asdict(panel) for panel in panels_of(model)], separators=(",", ":"))
    return {"panels": panels, "headlines": ";".join(model.short_names.values())}


def read_panels(text: str) -> tuple[Panel, ...]:
    """Return panels from the text that :func:`told` wrote; none where it is not readable."""
    try:
        rows = json.loads(text)
        return tuple(
            Panel(**{**row, "curves": tuple(Curve(**curve) for curve in row["curves"])})
            for row in rows
        )
    except (ValueError, TypeError, KeyError):
        return ()
