"""What is exported: a model, the state it starts from, and a protocol as events.

Nothing else in a document depends on time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ketasim.core.model import Model
from ketasim.core.protocol import Dose
from ketasim.core.scenario import Scenario, clock
from ketasim.core.schedule import SNAP, Given, Schedule
from ketasim.core.system import System
from ketasim.engines.run import steady_state
from ketasim.export import xml
from ketasim.export.names import identifier, rate_id, unit_id
from ketasim.export.notes import notes
from ketasim.export.xml import Element, element, group, number
from ketasim.units import unit

# What a fixed point holds below this share of a scale is rounding. It must not be written: engines
# that multiply their absolute tolerance by the initial value would crawl (libRoadRunner, COPASI).
ROUNDING = 1e-12


@dataclass(frozen=True)
class Source:
    """A model with its subject's values, and the schedule of a scenario if there is one.

    Without a scenario a file may be left open to a protocol that others carry out (PEtab):
    ``feeds`` are states with a rate of their own, ``turns`` knobs that are moved, ``starts`` names
    whose value at the start is kept.
    """

    model: Model
    scenario: Scenario | None = None
    feeds: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the scenario's name, or the model's."""
        return self.scenario.name if self.scenario else self.model.name

    @property
    def schedule(self) -> Schedule | None:
        """Return the scenario's inputs."""
        return self.scenario.schedule if self.scenario else None

    @property
    def begin(self) -> float:
        """Return the moment [h] of the scenario that is time 0 of the file."""
        return float(self.schedule.edges[0]) if self.schedule else 0.0

    @cached_property
    def knobs(self) -> Mapping[str, float]:
        """Return the value at which each knob has always been held, canonical."""
        knobs = self.model.knobs
        if self.schedule is not None:
            return dict(zip(knobs, self.schedule.before.tolist(), strict=True))
        return {name: one.neutral * unit(one.unit).factor for name, one in knobs.items()}

    def start(self, state: str) -> str | float:
        """Return a state's initial value, or the full name of the parameter that holds it."""
        return self.settled[state] if state in self.settled else self.model.initial(state)

    @cached_property
    def settled(self) -> Mapping[str, float]:
        """Return the initial states of a run that starts under old conditions, else nothing.

        Raises
        ------
        SolverError
            When there is no fixed point.
        """
        if self.schedule is None or not self.schedule.settled:
            return {}
        system = System(self.model)
        state = steady_state(system, self.schedule.before)
        state[np.abs(state) < ROUNDING * system.scales] = 0.0
        return dict(zip(system.state_names, state.tolist(), strict=True))


def source(what: Scenario | Model) -> Source:
    """Return what is to be exported."""
    if isinstance(what, Scenario):
        return Source(what.resolved_model, what)
    return Source(what)


def fed(source: Source) -> tuple[str, ...]:
    """Return the states that a protocol feeds at a rate."""
    if source.schedule is None:
        return source.feeds
    ever = np.abs(source.schedule.rates).max(axis=0) > 0.0
    return tuple(name for name, yes in zip(source.model.states, ever, strict=True) if yes)


def turned(source: Source) -> tuple[str, ...]:
    """Return the knobs that a protocol moves after the start."""
    if source.schedule is None:
        return source.turns
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
            given = xml.literal(amount, unit)
            yield _assign(identifier(state), xml.apply("plus", xml.name(identifier(state)), given))
        before = float(schedule.rates[i - 1, j]) if i else 0.0
        after = 0.0 if last else float(schedule.rates[i, j])
        if before != after:
            unit = unit_id(source.model.unit(state), per_hour=True)
            yield _assign(identifier(rate_id(state)), xml.literal(after, unit))
    for j, (knob, declared) in enumerate(source.model.knobs.items()):
        held = float(schedule.knobs[i - 1, j] if i else schedule.before[j])
        if not last and held != float(schedule.knobs[i, j]):
            value = xml.literal(float(schedule.knobs[i, j]), unit_id(declared.unit))
            yield _assign(identifier(knob), value)


def _assign(variable: str, value: Element) -> Element:
    return element("eventAssignment", xml.math(value), variable=variable)


def _event(
    source: Source, schedule: Schedule, count: int, edge: float, assignments: list[Element]
) -> Element:
    moment = xml.literal(edge - source.begin, "h")
    condition = xml.math(xml.apply("geq", xml.now(), moment))
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
