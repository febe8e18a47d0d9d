"""Schedules of many members at once, where only amounts, levels or the weight differ.

The same operations in the same order as :func:`ketasim.core.schedule.compile_schedule`, over arrays
of members, so that a member has the same bits either way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Dose, Event, Hold
from ketasim.core.scenario import Scenario
from ketasim.core.schedule import Schedule
from ketasim.units import unit

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Change:
    """New values (n_members,) for a field of some events, in a unit."""

    field: str
    events: tuple[int, ...]
    unit: str
    values: Array


def is_simple(scenario: Scenario, changes: Sequence[tuple[str, tuple[int, ...]]]) -> bool:
    """Say whether these (field, events) leave every breakpoint and resting state where it is."""
    events = scenario.protocol.events
    return all(
        field == "amount" or (field == "level" and np.isfinite(events[touched[0]].start))
        for field, touched in changes
    )


def schedules(
    scenario: Scenario, changes: Sequence[Change], weights: Array | None, fine: Flags
) -> list[Schedule]:
    """Return one schedule a member; clears ``fine`` where a value is not possible.

    ``weights`` (n_members,) [kg] replace the subject's own.
    """
    base, n = scenario.schedule, len(fine)
    rates = np.zeros((n, *base.rates.shape))
    boluses = np.zeros((n, *base.boluses.shape))
    knobs = np.repeat(base.knobs[None], n, axis=0)
    amounts = {i: one for one in changes if one.field == "amount" for i in one.events}
    weight: Array | float = scenario.subject.weight if weights is None else weights
    places = [i for i, e in enumerate(scenario.protocol.events) if isinstance(e, Dose)]
    with np.errstate(all="ignore"):
        for i, one in zip(places, base.given, strict=True):
            fine &= _place(scenario, one.dose, amounts.get(i), weight, rates, boluses)
        for change in changes:
            if change.field == "level":
                fine &= _turn(scenario, change, knobs)
    return [
        Schedule(base.edges, r, b, k, base.before, (), base.settled)
        for r, b, k in zip(rates, boluses, knobs, strict=True)
    ]


def _place(
    scenario: Scenario,
    one: Dose,
    change: Change | None,
    weight: Array | float,
    rates: Array,
    boluses: Array,
) -> Flags:
    """Add one dose to the inputs of every member; returns who can have it."""
    model, edges = scenario.model, scenario.schedule.edges
    amount: Array | float = one.amount
    per_weight = one.per_weight
    if change is not None:
        have = unit(change.unit)
        amount = change.values * have.factor
        per_weight = have.dimension == unit("mg/kg").dimension
    milligrams = amount * (weight if per_weight else 1.0)
    micromoles = milligrams / (model.substance(one.drug).molar_mass * unit("g/mol").factor)
    first, last = _nearest(edges, one.start), _nearest(edges, one.stop)
    states = {name: i for i, name in enumerate(model.states)}
    for state, share in _shares(scenario, one):
        given = np.broadcast_to(share * micromoles, len(rates))
        if first == last:
            boluses[:, first, states[state]] += given
        else:
            rates[:, first:last, states[state]] += (given / (edges[last] - edges[first]))[:, None]
    possible = np.isfinite(micromoles) & (np.asarray(amount) >= 0.0)
    return np.broadcast_to(possible, len(rates))


def _shares(scenario: Scenario, one: Dose) -> tuple[tuple[str, float], ...]:
    entries = scenario.model.entries(one.drug, one.route)
    if one.s_fraction is None:
        return entries
    return ((entries[0][0], one.s_fraction), (entries[1][0], 1.0 - one.s_fraction))


def _nearest(edges: Array, moment: float) -> int:
    after = int(np.searchsorted(edges, moment).clip(1, len(edges) - 1))
    return after - 1 if moment - edges[after - 1] <= edges[after] - moment else after


def _turn(scenario: Scenario, change: Change, knobs: Array) -> Flags:
    """Hold one knob at every member's own level; returns whose level is possible."""
    events: Mapping[int, Event] = dict(enumerate(scenario.protocol.events))
    held = events[change.events[0]]
    if not isinstance(held, Hold):
        raise TypeError("only a held knob has a level.")
    model, edges = scenario.model, scenario.schedule.edges
    knob, column = model.knobs[held.knob], list(model.knobs).index(held.knob)
    want, have = unit(knob.unit), unit(change.unit)
    values = change.values * (have.factor / want.factor) * want.factor
    first, last = _nearest(edges, held.start), _nearest(edges, held.stop)
    knobs[:, first:last, column] = values[:, None]
    low, high = (bound * want.factor for bound in knob.bounds)
    possible: Flags = (values >= low) & (values <= high)
    return possible
