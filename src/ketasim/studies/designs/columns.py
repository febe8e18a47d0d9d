"""Where the values of a design go: parameters, the subject's weight, doses, held knobs, baths."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Bath, Dose, Event, Hold, Protocol
from ketasim.core.scenario import Scenario
from ketasim.core.schedule import (
    Schedule,
    compile_schedule,
    compile_schedules,
    covering_schedule,
)
from ketasim.errors import ConfigError, KetasimError, ProtocolError, UnitError, suggest
from ketasim.models.subjects import traits
from ketasim.studies.designs.design import Design
from ketasim.units import dimension_name, unit

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_EVENT = re.compile(r"(dosing|intervention|bath)\[(\d{1,6})\]\.(\w{1,40})$")
_KINDS: dict[str, type[Event]] = {"dosing": Dose, "intervention": Hold, "bath": Bath}
_FIELDS = {
    "dosing": {"amount": "mg/kg", "at": "h", "duration": "h", "s_fraction": "1"},
    "intervention": {"level": "", "from": "h", "until": "h"},
    "bath": {"concentration": "uM", "from": "h", "until": "h"},
}


@dataclass(frozen=True)
class EventColumn:
    """One field of some events of a protocol, and the unit its values come in."""

    field: str
    events: tuple[int, ...]
    unit: str

    def applied(self, events: list[Event], value: float) -> None:
        """Change the events in place.

        Raises
        ------
        ProtocolError
            When the value is not possible there.
        """
        first = events[self.events[0]].start
        for i in self.events:
            events[i] = _changed(events[i], self.field, value, self.unit, first)


@dataclass(frozen=True)
class Columns:
    """A design's columns bound to a scenario, with units checked.

    Raises
    ------
    ConfigError, ModelError, UnitError
        When a name is not known, a unit is of another dimension, or an end of a range is outside
        what the model or protocol allows.
    """

    scenario: Scenario
    design: Design

    def __post_init__(self) -> None:
        """Refuse names, units and ranges before anything is integrated."""
        _ = self.events, self.weight
        for column, name in enumerate(self.design.names):
            if column not in self.events:
                self._factor(column, name)
            self._check_ends(column, name)

    @cached_property
    def base(self) -> Array:
        """Return the scenario's own parameter values, canonical, shape (n_parameters,)."""
        model = self.scenario.resolved_model
        return np.array([model.value(name) for name in model.parameters])

    @cached_property
    def events(self) -> Mapping[int, EventColumn]:
        """Return the columns that change the protocol."""
        found = {}
        for column, name in enumerate(self.design.names):
            match = _EVENT.match(name)
            if match:
                found[column] = self._event(match[1], int(match[2]), match[3], column)
        return found

    @cached_property
    def weight(self) -> int | None:
        """Return the column that holds the body weight, if any."""
        names, own = self.design.names, self.scenario.model.weight
        if "subject.weight" in names and own in names:
            raise ConfigError(f'"subject.weight" and "{own}" are the same; vary one.')
        alike = ["subject.weight", *([own] if own else [])]
        return next((names.index(one) for one in alike if one in names), None)

    @cached_property
    def _columns(self) -> list[tuple[int, int, float]]:
        """Return (column, parameter index, factor to canonical) of what sets parameters."""
        places = {name: i for i, name in enumerate(self.scenario.model.parameters)}
        found = []
        for column, name in enumerate(self.design.names):
            if column not in self.events:
                own = self.scenario.model.weight if name == "subject.weight" else name
                if own in places:
                    found.append((column, places[own], self._factor(column, name)))
        return found

    def _factor(self, column: int, name: str) -> float:
        have = self.design.units[column]
        if name == "subject.weight":
            return _factor(have, "kg", name)
        trait = traits(self.scenario.subject.species).get(name.removeprefix("subject."))
        if name.startswith("subject.") and trait is not None:
            raise ConfigError(
                f"{name}: it is drawn (--sample random:1000), not set; vary "
                f"{' and '.join(trait.scales[:2])} instead."
            )
        self.scenario.model.value(name)
        return _factor(have, self.scenario.model.parameters[name].unit, name)

    def parameters(self, rows: Array) -> tuple[Array, Flags]:
        """Return canonical parameters (n, n_parameters), and which rows are within their domain."""
        table = np.tile(self.base, (len(rows), 1))
        fine = np.logical_and.reduce(np.isfinite(rows), axis=1)
        if self._columns:
            columns, places, factors = map(list, zip(*self._columns, strict=True))
            known = list(self.scenario.model.parameters.values())
            signed = np.array([known[place].bounds[0] < 0.0 for place in places])
            values = table[:, places] = rows[:, columns] * factors
            fine &= np.logical_and.reduce(np.isfinite(values) & (signed | (values >= 0.0)), axis=1)
        if self.weight is not None:
            fine &= rows[:, self.weight] > 0.0
        return table, fine

    def schedules(self, rows: Array, fine: Flags) -> Schedule | list[Schedule]:
        """Return the schedule of each row, or the one they share; clears ``fine`` where none is."""
        moving = [*self.events, *([] if self.weight is None else [self.weight])]
        if not moving:
            return self.scenario.schedule
        if self._share_breakpoints:
            many, possible = self._at_once(rows)
            fine &= possible
            return many
        known: dict[bytes, Schedule | None] = {}
        found = []
        for i, row in enumerate(rows):
            key = row[moving].tobytes()
            if key not in known:
                known[key] = self._schedule(row) if fine[i] else None
            one = known[key]
            fine[i] &= one is not None
            found.append(one or self.scenario.schedule)
        return found

    @cached_property
    def _share_breakpoints(self) -> bool:
        """Say whether every member has the breakpoints of the scenario."""
        return all(one.field in ("amount", "level") for one in self.events.values())

    def _at_once(self, rows: Array) -> tuple[list[Schedule], Flags]:
        amounts: dict[int, tuple[Array, bool]] = {}
        levels: dict[int, Array] = {}
        for column, one in self.events.items():
            have = unit(one.unit)
            if one.field == "amount":
                per_weight = have.dimension == unit("mg/kg").dimension
                amounts.update(
                    dict.fromkeys(one.events, (rows[:, column] * have.factor, per_weight))
                )
            else:
                want = unit(self._held_unit(one.events[0]))
                factor = have.factor / want.factor
                levels.update(dict.fromkeys(one.events, rows[:, column] * factor * want.factor))
        weights = self._weights(rows)
        return compile_schedules(
            self.scenario.schedule,
            self.scenario.model,
            protocol=self.scenario.protocol,
            weight=self.scenario.subject.weight if weights is None else weights,
            amounts=amounts,
            levels=levels,
            n=len(rows),
        )

    def _held_unit(self, place: int) -> str:
        held = self.scenario.protocol.events[place]
        return self.scenario.model.unit(held.knob) if isinstance(held, Hold) else "1"

    def _weights(self, rows: Array) -> Array | None:
        if self.weight is None:
            return None
        weights: Array = rows[:, self.weight] * self._factor(self.weight, "subject.weight")
        return weights

    def _schedule(self, row: Array) -> Schedule | None:
        try:
            return self.schedule(row)
        except (ProtocolError, OverflowError):
            return None

    def schedule(self, row: Array) -> Schedule:
        """Return the schedule of one row of values, in the design's units.

        Raises
        ------
        ProtocolError
            When the protocol cannot be carried out with these values.
        """
        events = list(self.scenario.protocol.events)
        for column, one in self.events.items():
            one.applied(events, float(row[column]))
        weight = self.scenario.subject.weight
        if self.weight is not None:
            weight = float(row[self.weight] * self._factor(self.weight, "subject.weight"))
        return compile_schedule(
            Protocol(tuple(events)),
            self.scenario.model,
            weight=weight,
            begin=self.scenario.times[0],
            end=self.scenario.times[-1],
        )

    @cached_property
    def covering_schedule(self) -> Schedule:
        """Return a schedule that feeds every state and turns every knob that any member's may."""
        asked = self.scenario
        return covering_schedule(asked.schedule, asked.model, protocol=asked.protocol)

    def _event(self, kind: str, i: int, field: str, column: int) -> EventColumn:
        name = f"{kind}[{i}].{field}"
        fields = _FIELDS[kind]
        if field not in fields:
            here = ", ".join(fields)
            raise ConfigError(f"{name}: unknown key.{suggest(field, fields)} Keys here: {here}.")
        groups = event_groups(self.scenario.protocol)[kind]
        if i >= len(groups):
            raise ConfigError(
                f"{name}: there is no {kind}[{i}]; this scenario has {len(groups)} (events alike "
                "but for their time count as one)."
            )
        have, want = self.design.units[column], fields[field]
        if field == "level":
            want = self._held_unit(groups[i][0])
        if field == "amount" and unit(have).dimension == unit("mg").dimension:
            want = "mg"
        if have == "1" and any(unit(want).dimension):
            raise UnitError(f'{name}: a unit is needed, e.g. "{want}".')
        _factor(have, want, name)
        return EventColumn(field, groups[i], have)

    def _check_ends(self, column: int, name: str) -> None:
        """Refuse a range an end of which no member could have."""
        for value in self.design.limits[column] or ():
            if not isfinite(value):
                continue
            shown = f"{name} = {value:g} {self.design.units[column]}"
            if column in self.events:
                self._try_event(column, value, shown)
            elif value < 0.0 and self._lowest(name) >= 0.0:
                raise ConfigError(f"{shown}: must be >= 0.")
            elif column == self.weight and value <= 0.0:
                raise ConfigError(f"{shown}: must be > 0.")

    def _lowest(self, name: str) -> float:
        known = self.scenario.model.parameters
        return known[name].bounds[0] if name in known else 0.0

    def _try_event(self, column: int, value: float, shown: str) -> None:
        events = list(self.scenario.protocol.events)
        try:
            self.events[column].applied(events, value)
            compile_schedule(
                Protocol(tuple(events)),
                self.scenario.model,
                weight=self.scenario.subject.weight,
                begin=self.scenario.times[0],
                end=self.scenario.times[-1],
            )
        except KetasimError as error:
            raise ConfigError(f"{shown}: {error}") from None


def event_groups(protocol: Protocol) -> dict[str, list[tuple[int, ...]]]:
    """Return the places of ``dosing[i]``, ``intervention[i]`` and ``bath[i]`` among the events.

    Doses that follow one another and differ only in their time count as one, as in a file.
    """
    found: dict[str, list[tuple[int, ...]]] = {}
    for kind, type_ in _KINDS.items():
        places = [i for i, one in enumerate(protocol.events) if isinstance(one, type_)]
        if kind == "dosing":
            alike = groupby(places, key=lambda i: replace(protocol.events[i], start=0.0))
            found[kind] = [tuple(group) for _, group in alike]
        else:
            found[kind] = [(i,) for i in places]
    return found


def _factor(have: str, want: str, where: str) -> float:
    if unit(have, where).dimension != unit(want).dimension:
        if have == "1":
            raise UnitError(f'{where}: a unit is needed, e.g. "{want}".')
        told = f'a {dimension_name(unit(want))} ("{want}") is needed'
        raise UnitError(f'{where}: "{have}" is a {dimension_name(unit(have))}; {told}.')
    return unit(have).factor


def _changed(event: Event, field: str, value: float, have: str, first: float) -> Event:
    if not isfinite(value):
        raise ProtocolError(f"{field} = {value}: a finite number is needed.")
    canonical = value * unit(have).factor
    if field in ("amount", "duration", "concentration") and value < 0.0:
        raise ProtocolError(f"{field} = {value:g} {have}: must be >= 0.")
    if isinstance(event, Dose):
        return _dose(event, field, canonical, have, first)
    if isinstance(event, Hold) and field == "level":
        return replace(event, value=f"{value!r} {have}")
    if isinstance(event, Bath) and field == "concentration":
        return replace(event, concentration=canonical)
    start, stop = (canonical, event.stop) if field == "from" else (event.start, canonical)
    moved = replace(event, start=start, stop=stop)
    if not moved.start < moved.stop:
        raise ProtocolError(f"{field} = {value:g} {have}: its window is empty.")
    return moved


def _dose(event: Dose, field: str, value: float, have: str, first: float) -> Dose:
    if field == "amount":
        per_weight = unit(have).dimension == unit("mg/kg").dimension
        return replace(event, amount=value, per_weight=per_weight)
    if field == "at":
        return replace(event, start=value + (event.start - first))
    if field == "duration":
        return replace(event, over=value)
    if not 0.0 <= value <= 1.0:
        raise ProtocolError(f"s_fraction = {value:g}: must lie between 0 and 1.")
    return replace(event, s_fraction=value)
