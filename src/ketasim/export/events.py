"""A protocol as events: what changes at each breakpoint, and nothing of time anywhere else."""

from collections.abc import Iterator

import numpy as np

from ketasim.core.protocol import Dose
from ketasim.core.scenario import clock
from ketasim.core.schedule import SNAP, Given, Schedule
from ketasim.export import mathml
from ketasim.export.names import identifier, rate_id
from ketasim.export.notes import notes
from ketasim.export.source import Source
from ketasim.export.units import unit_id
from ketasim.export.xml import Element, element, group, number


def fed(source: Source) -> tuple[str, ...]:
    """Return the states that a protocol feeds at a rate."""
    if source.schedule is None:
        return ()
    ever = np.abs(source.schedule.rates).max(axis=0) > 0.0
    return tuple(name for name, yes in zip(source.model.states, ever, strict=True) if yes)


def turned(source: Source) -> tuple[str, ...]:
    """Return the knobs that a protocol moves after the start."""
    if source.schedule is None:
        return ()
    moves = (source.schedule.knobs != source.schedule.before).any(axis=0)
    return tuple(name for name, yes in zip(source.model.knobs, moves, strict=True) if yes)


def events(source: Source) -> Element | None:
    """Return one event for each breakpoint at which anything changes."""
    schedule = source.schedule
    if schedule is None:
        return None
    made: list[Element] = []
    for i, edge in enumerate(schedule.edges):
        assignments = list(_changes(source, schedule, i))
        if assignments:
            made.append(_event(source, schedule, len(made) + 1, float(edge), assignments))
    return group("listOfEvents", made)


def _changes(source: Source, schedule: Schedule, i: int) -> Iterator[Element]:
    """Yield what an event assigns at edge ``i``: boluses, rates and knobs that differ."""
    last = i == len(schedule.edges) - 1
    for j, state in enumerate(source.model.states):
        amount = float(schedule.boluses[i, j])
        if amount:
            unit = unit_id(source.model.unit(state))
            given = mathml.literal(amount, unit)
            yield _assign(
                identifier(state), mathml.apply("plus", mathml.name(identifier(state)), given)
            )
        before = float(schedule.rates[i - 1, j]) if i else 0.0
        after = 0.0 if last else float(schedule.rates[i, j])
        if before != after:
            unit = unit_id(source.model.unit(state), per_hour=True)
            yield _assign(identifier(rate_id(state)), mathml.literal(after, unit))
    for j, (knob, declared) in enumerate(source.model.knobs.items()):
        held = float(schedule.knobs[i - 1, j] if i else schedule.before[j])
        if not last and held != float(schedule.knobs[i, j]):
            value = mathml.literal(float(schedule.knobs[i, j]), unit_id(declared.unit))
            yield _assign(identifier(knob), value)


def _assign(variable: str, value: Element) -> Element:
    return element("eventAssignment", mathml.math(value), variable=variable)


def _event(
    source: Source, schedule: Schedule, count: int, edge: float, assignments: list[Element]
) -> Element:
    moment = mathml.literal(edge - source.begin, "h")
    condition = mathml.math(mathml.apply("geq", mathml.now(), moment))
    told = [line for one in schedule.given for line in _said(one, edge)]
    return element(
        "event",
        notes(*told),
        element("trigger", condition, initialValue="false", persistent="true"),
        element("listOfEventAssignments", *assignments),
        id=f"event_{count}",
        name=f"at {clock(edge)}",
        useValuesFromTriggerTime="true",
    )


def _said(one: Given, edge: float) -> Iterator[str]:
    """Say which doses begin or end at a breakpoint."""
    if abs(one.start - edge) <= SNAP:
        yield f"{_dose(one.dose, one.milligrams)} {'begins' if one.dose.over else 'is given'}"
    elif abs(one.stop - edge) <= SNAP:
        yield f"{_dose(one.dose, one.milligrams)} ends"


def _dose(dose: Dose, milligrams: float) -> str:
    per = f" ({number(dose.amount)} mg/kg)" if dose.per_weight else ""
    over = f" over {clock(dose.over)}" if dose.over else ""
    return f"{milligrams:.6g} mg{per} {dose.drug} {dose.route}{over}"
