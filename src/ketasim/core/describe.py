"""Models and scenarios in a few lines, as text and as tables for a notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ketasim.core.model import Model
    from ketasim.core.protocol import Event
    from ketasim.core.scenario import Scenario

MOST = 6  # events told one by one, edits named
WIDE = 76  # columns of a line

Row = tuple[str, str]


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

    lines = [title]
    for name, told in rows:
        first, *more = wrap(told, WIDE) or [""]
        lines += [f"  {name:<13}{first}", *(f"{'':<15}{line}" for line in more)]
    return "\n".join(lines)


def _html(title: str, rows: Iterable[Row]) -> str:
    return _table((title, ""), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
