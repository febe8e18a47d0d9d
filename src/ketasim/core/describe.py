"""What a model says of itself: in a few lines, in a notebook's table, in panels of a figure."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from math import inf
from typing import TYPE_CHECKING, Any

from ketasim.core.shared import remembered

if TYPE_CHECKING:
    from ketasim.core.declare import Mechanism
    from ketasim.core.model import Model
    from ketasim.core.protocol import Event
    from ketasim.core.scenario import Scenario

MOST = 6  # events told one by one, edits named
WIDE = 76  # columns of a line

Row = tuple[str, str]


class Described(ABC):
    """What tells itself in a few lines, and in a notebook as a table, however much it holds."""

    @abstractmethod
    def _told(self) -> tuple[str, Iterable[Row]]:
        """Return a title and rows of what and how much."""

    def __repr__(self) -> str:
        """Return it in a few lines."""
        return _text(*self._told())

    def _repr_html_(self) -> str:
        return _html(*self._told())


def some(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    return _some(names, MOST)


def model_text(model: Model) -> str:
    """Return a model in a few lines: its mechanisms, evidence, states and inputs."""
    return _text(f"Model {model.name}", _model_rows(model))


def model_html(model: Model) -> str:
    """Return a model as two tables: the whole, and a row for each mechanism."""
    head = ("mechanism", "states", "quantities", "parameters", "inputs", "about")
    rows = [
        (
            m.name,
            *(str(len(group)) for group in (m.states, m.quantities, m.parameters, m.knobs)),
            m.story.partition("\n")[0],
        )
        for m in model.mechanisms
    ]
    return _html(f"Model {model.name}", _model_rows(model)) + _table(head, rows)


def scenario_text(scenario: Scenario) -> str:
    """Return a scenario in a few lines: who, what is done, when, and what is recorded."""
    return _text(f"Scenario {scenario.name}", _scenario_rows(scenario))


def scenario_html(scenario: Scenario) -> str:
    """Return a scenario as a table."""
    return _html(f"Scenario {scenario.name}", _scenario_rows(scenario))


def _model_rows(model: Model) -> list[Row]:
    kinds = Counter(one.evidence.kind for one in model.parameters.values())
    evidence = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    n_quantities = len(model.recordable) - len(model.states)
    rows = [
        ("mechanisms", _some([m.name for m in model.mechanisms], len(model.mechanisms))),
        ("parameters", f"{len(model.parameters)}: {evidence}" if evidence else "none"),
        ("time courses", f"{len(model.states)} states, {n_quantities} quantities"),
        ("short names", _some(list(model.short_names), len(model.short_names)) or "none"),
        ("inputs", f"{len(model.knobs)}" + _bracketed(list(model.short_inputs))),
        ("drugs", _some([one.name for one in model.substances], len(model.substances)) or "none"),
    ]
    if model.edits:
        told = [f"{name} = {value:g} {unit}" for name, (value, unit) in model.edits.items()]
        rows.append(("changed", _some(told, MOST)))
    return rows


def _scenario_rows(scenario: Scenario) -> list[Row]:
    from ketasim.core.scenario import clock

    subject, times, model = scenario.subject, scenario.times, scenario.model
    events = scenario.protocol.events
    shorts = {full: short for short, full in model.short_names.items()}
    recorded = [shorts.get(name, name) for name in scenario.record]
    changed = [f"{name} = {value}" for name, value in subject.values.items()]
    everything = f"everything ({len(model.recordable)} time courses)"
    return [
        ("model", f"{model.name}, {len(model.mechanisms)} mechanisms"),
        ("subject", f"{subject.species}, {subject.weight:g} kg" + _bracketed(changed)),
        *(("done" if not i else "", _event(one)) for i, one in enumerate(events[:MOST])),
        *([("", f"and {len(events) - MOST} more events")] if len(events) > MOST else []),
        *([] if events else [("done", "nothing")]),
        ("times", f"{len(times)} from {clock(times[0])} to {clock(times[-1])}"),
        ("recorded", _some(recorded, 2 * MOST) or everything),
    ]


def _event(one: Event) -> str:
    from ketasim.core.protocol import Bath, Dose
    from ketasim.core.scenario import clock

    if isinstance(one, Dose):
        unit = "mg/kg" if one.per_weight else "mg"
        over = f" over {clock(one.over)}" if one.over else ""
        return f"{one.amount:g} {unit} {one.drug} {one.route} at {clock(one.start)}{over}"
    begin = "always" if one.start == -inf else f"from {clock(one.start)}"
    end = "" if one.stop == inf else f" until {clock(one.stop)}"
    if isinstance(one, Bath):
        return f"{one.concentration:g} uM {one.drug} around the tissue, {begin}{end}"
    return f"{one.knob} held at {one.value}, {begin}{end}"


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _bracketed(names: Sequence[str]) -> str:
    return f" ({_some(names, 2 * MOST)})" if names else ""


def _text(title: str, rows: Iterable[Row]) -> str:
    from textwrap import wrap

    lines, known = [title], list(rows)
    room = max(13, *(len(name) + 2 for name, _ in known)) if known else 13
    for name, told in known:
        first, *more = wrap(told, WIDE) or [""]
        lines += [f"  {name:<{room}}{first}", *(f"{'':<{room + 2}}{line}" for line in more)]
    return "\n".join(lines)


def _html(title: str, rows: Iterable[Row]) -> str:
    return _table((title, ""), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


CURVES = 7  # curves that a reader can tell apart in one default panel


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
        for start in range(0, len(alike), CURVES):
            some = alike[start : start + CURVES]
            told = f": {some[0].meaning.partition(',')[0]}" if len(some) == 1 else ""
            measured = f", {unit}" if len(units) > 1 and unit != "1" and not told else ""
            more = f" ({start // CURVES + 1})" if start and not told else ""
            curves = (
                Curve(f"{mechanism.name}.{one.name}", one.short or one.name.replace("_", " "))
                for one in some
            )
            title = f"{name}{told}{measured}{more}"
            yield Panel(title, "", unit, tuple(curves), drug=mechanism.role == "drug")


def told(model: Model) -> Mapping[str, str]:
    """Return what a result has to say of its model to be shown: its panels and its headlines."""

    def text() -> str:
        return json.dumps([asdict(panel) for panel in panels_of(model)], separators=(",", ":"))

    panels = remembered(model.mechanisms, ("panels", model.panels), text)
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
