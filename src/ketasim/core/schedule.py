"""A protocol made exact: segments of constant input between breakpoints never skipped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.protocol import Bath, Dose, Event, Hold, Protocol
from ketasim.errors import ProtocolError, suggest
from ketasim.units import read, unit

SNAP = 1e-9  # breakpoints nearer than this [h] are one; 3.6 microseconds

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Given:
    """One dose as prescribed: its mass, its window, and the states it enters [umol]."""

    dose: Dose
    milligrams: float
    start: float
    stop: float
    into: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Schedule:
    """Inputs of a run, ready for any engine.

    ``edges`` (n_segments + 1,) [h]; ``rates`` (n_segments, n_states) [umol/h] are added to dy/dt;
    ``boluses`` (n_segments + 1, n_states) [umol] are added on reaching an edge; ``knobs``
    (n_segments, n_knobs) canonical. ``before`` (n_knobs,) are the conditions that have always held;
    ``settled`` says that the run starts at the fixed point under them.
    """

    edges: Array
    rates: Array
    boluses: Array
    knobs: Array
    before: Array
    given: tuple[Given, ...]
    settled: bool

    @property
    def prescribed(self) -> float:
        """Return the mass prescribed [mg]."""
        return sum(one.milligrams for one in self.given)

    @property
    def delivered(self) -> Array:
        """Return what the segments deliver into each state [umol], shape (n_states,)."""
        return delivered(self.edges, self.rates, self.boluses)


def delivered(edges: Array, rates: Array, boluses: Array) -> Array:
    """Return what segments deliver into each state [umol], (..., n_states).

    ``rates`` (..., n_segments, n_states) and ``boluses`` (..., n_segments + 1, n_states) are those
    of one schedule, or of many that share their ``edges``.
    """
    spread: Array = (rates * np.diff(edges)[:, None]).sum(axis=-2)
    total: Array = spread + boluses.sum(axis=-2)
    return total


def compile_schedule(
    protocol: Protocol, model: Model, *, weight: float, begin: float, end: float
) -> Schedule:
    """Turn a protocol into segments from ``begin`` (or its first event) to ``end`` [h].

    Raises
    ------
    ProtocolError
        When a knob is unknown or out of its bounds, two windows hold one knob at once, or a dose
        is not over by ``end``.
    ModelError
        When a drug or route is unknown.
    """
    holds = [one for event in protocol.events for one in _holds(event, model)]
    given = tuple(_give(one, model, weight) for one in protocol.doses)
    late = max((one.stop for one in given), default=end)
    if late > end + SNAP:
        raise ProtocolError(f"a dose stops at {late:g} h, after the run does ({end:g} h).")
    starts = [e.start for e in protocol.events if isfinite(e.start)]
    edges = _edges(min([begin, *starts]), end, [*given, *holds])
    names = {name: i for i, name in enumerate(model.states)}
    n = len(edges) - 1
    rates, boluses = np.zeros((n, len(names))), np.zeros((n + 1, len(names)))
    for one in given:
        _place(one, edges, names, rates, boluses)
    return Schedule(
        edges=edges,
        rates=rates,
        boluses=boluses,
        knobs=_knobs(holds, model, edges),
        before=_before(holds, model),
        given=given,
        settled=any(h.start == -inf for h in holds),
    )


def compile_schedules(
    base: Schedule,
    model: Model,
    *,
    protocol: Protocol,
    weight: "float | Array",
    amounts: Mapping[int, tuple[Array, bool]],
    levels: Mapping[int, Array],
    n: int,
) -> tuple[list[Schedule], Flags]:
    """Return the schedules of members that share every breakpoint, and who can have theirs.

    Parameters
    ----------
    base
        What ``protocol`` is for the model; its breakpoints hold for all.
    protocol
        The events; those at the places named in ``amounts`` and ``levels`` differ.
    weight
        Body weight [kg], one number or shape (n,).
    amounts
        Shape (n,) [mg, or mg/kg where the flag says so], by the place of a dose.
    levels
        Shape (n,) canonical, by the place of a held knob.
    n
        How many members.
    """
    states = {name: i for i, name in enumerate(model.states)}
    rates, boluses = np.zeros((n, *base.rates.shape)), np.zeros((n, *base.boluses.shape))
    knobs = np.repeat(base.knobs[None], n, axis=0)
    before = np.repeat(base.before[None], n, axis=0)
    possible = np.ones(n, dtype=bool)
    places = [i for i, event in enumerate(protocol.events) if isinstance(event, Dose)]
    with np.errstate(all="ignore"):
        for i, given in zip(places, base.given, strict=True):
            amount, per_weight = amounts.get(i, (given.dose.amount, given.dose.per_weight))
            _, into = _entering(given.dose, model, amount, weight if per_weight else 1.0)
            _place(replace(given, into=into), base.edges, states, rates, boluses)
            possible &= np.greater_equal(amount, 0.0)
            possible &= np.logical_and.reduce([np.isfinite(one) for _, one in into])
        for i, values in levels.items():
            possible &= _turn_many(protocol.events[i], model, base.edges, knobs, values)
            held = protocol.events[i]
            if isinstance(held, Hold) and held.start == -inf:
                before[:, list(model.knobs).index(held.knob)] = values
    many = zip(rates, boluses, knobs, before, strict=True)
    return [Schedule(base.edges, r, b, k, a, (), base.settled) for r, b, k, a in many], possible


def covering_schedule(base: Schedule, model: Model, *, protocol: Protocol) -> Schedule:
    """Return a schedule that feeds every state and turns every knob that any member's may."""
    rates, knobs = np.zeros_like(base.rates), base.knobs.copy()
    states, names = list(model.states), list(model.knobs)
    for one in base.given:
        rates[:, [states.index(state) for state, _ in one.into]] = 1.0
    for held in (h for event in protocol.events for h in _holds(event, model)):
        knobs[:, names.index(held.knob)] = np.nan  # unequal to any level, neutral or not
    return replace(base, rates=rates, knobs=knobs)


def _edges(begin: float, end: float, windows: Iterable[Any]) -> Array:
    moments = sorted(
        {begin, end, *(m for w in windows for m in (w.start, w.stop) if begin <= m <= end)}
    )
    kept = moments[:1]
    for moment in moments[1:]:
        if moment - kept[-1] > SNAP:
            kept.append(moment)
    kept[-1] = max(kept[-1], end) if len(kept) > 1 else kept[-1]
    return np.array(kept)


def _nearest(edges: Array, moment: float) -> int:
    """Return the edge that a moment became, at most ``SNAP`` away (the ends, if outside)."""
    after = int(np.searchsorted(edges, moment).clip(1, len(edges) - 1))
    return after - 1 if moment - edges[after - 1] <= edges[after] - moment else after


def _place(
    one: Given, edges: Array, names: Mapping[str, int], rates: Array, boluses: Array
) -> None:
    """Add one dose to the inputs (..., n_segments, n_states) of a member, or of many at once."""
    first, last = _nearest(edges, one.start), _nearest(edges, one.stop)
    for state, amount in one.into:
        if first == last:
            boluses[..., first, names[state]] += amount
        else:
            rate = np.asarray(amount / (edges[last] - edges[first]))
            rates[..., first:last, names[state]] += rate[..., None]


def _give(one: Dose, model: Model, weight: float) -> Given:
    milligrams, into = _entering(one, model, one.amount, weight if one.per_weight else 1.0)
    if not all(isfinite(amount) for _, amount in into):
        raise ProtocolError(f"a dose of {one.amount:g} mg/kg is too large to compute with.")
    return Given(one, milligrams, one.start, one.stop, into)


def _entering(one: Dose, model: Model, amount: Any, weight: Any) -> tuple[Any, Any]:
    """Return the mass [mg] of a dose and what enters each state [umol], of one member or many."""
    drug = model.substance(one.drug)
    entries = model.entries(one.drug, one.route)
    if one.s_fraction is not None:
        if len(entries) != 2:
            raise ProtocolError(
                f'"{one.drug}" is a single enantiomer; s_fraction needs a racemic drug.'
            )
        entries = ((entries[0][0], one.s_fraction), (entries[1][0], 1.0 - one.s_fraction))
    milligrams = amount * weight
    micromoles = milligrams / (drug.molar_mass * unit("g/mol").factor)
    return milligrams, tuple((state, share * micromoles) for state, share in entries)


def _holds(event: Event, model: Model) -> tuple[Hold, ...]:
    if isinstance(event, Hold):
        return (event,)
    if isinstance(event, Bath):
        entries = model.entries(event.drug, "bath")
        return tuple(
            Hold(k, f"{event.concentration * s!r} uM", event.start, event.stop) for k, s in entries
        )
    return ()


def _before(holds: list[Hold], model: Model) -> Array:
    always = {one.knob: _held(one, model) for one in holds if one.start == -inf}
    neutral = {name: k.neutral * unit(k.unit).factor for name, k in model.knobs.items()}
    return np.array([always.get(name, value) for name, value in neutral.items()])


def _knobs(holds: list[Hold], model: Model, edges: Array) -> Array:
    knobs = np.array([k.neutral * unit(k.unit).factor for k in model.knobs.values()])
    table = np.tile(knobs, (len(edges) - 1, 1))
    for one, following in pairwise(sorted(holds, key=lambda h: (h.knob, h.start))):
        if one.knob == following.knob and following.start < one.stop - SNAP:
            raise ProtocolError(
                f"two windows hold {one.knob} at once; give one window for each time."
            )
    for one in holds:
        _turn(one, model, edges, table, _held(one, model))
    return table


def _turn(one: Hold, model: Model, edges: Array, knobs: Array, value: "float | Array") -> None:
    """Hold a knob at a value in the inputs (..., n_segments, n_knobs) of a member, or of many."""
    first, last = _nearest(edges, one.start), _nearest(edges, one.stop)
    knobs[..., first:last, list(model.knobs).index(one.knob)] = np.asarray(value)[..., None]


def _turn_many(event: Event, model: Model, edges: Array, knobs: Array, values: Array) -> Flags:
    """Hold a knob at every member's own level; returns whose level is possible."""
    if not isinstance(event, Hold):
        raise ProtocolError("only a held input has a level to vary.")
    _turn(event, model, edges, knobs, values)
    knob = model.knobs[event.knob]
    low, high = (bound * unit(knob.unit).factor for bound in knob.bounds)
    possible: Flags = (values >= low) & (values <= high)
    return possible


def _held(one: Hold, model: Model) -> float:
    if one.knob not in model.knobs:
        known = (*model.knobs, *model.short_inputs)
        raise ProtocolError(
            f'"{one.knob}": no such target.{suggest(one.knob, known)} '
            f'"ketasim list targets" shows all {len(model.knobs)}.'
        )
    knob = model.knobs[one.knob]
    value = read(one.value, knob.unit, one.knob)
    factor = unit(knob.unit).factor
    if not knob.bounds[0] * factor <= value <= knob.bounds[1] * factor:
        low, high = knob.bounds
        raise ProtocolError(
            f"{one.knob} = {one.value}: must lie between {low:g} and {high:g} {knob.unit}."
        )
    return value


def dose_into(
    amounts: Mapping[str, float], model: Model, *, start: float, over: float
) -> Dose | None:
    """Return the dose that puts amounts [umol] into states; None where no drug by any route does.

    Where the shares are no drug's own, it is a racemic drug with a share of its own.
    """
    total = sum(amounts.values())
    routes = sorted({route for _, route in model.inlets})
    ways = [(drug, route) for drug in model.substances for route in routes]
    for exact in (True, False):
        for drug, route in ways:
            into = [model.inlets.get((part, route), "") for part, _ in drug.parts]
            if not set(amounts) <= set(into) or (not exact and len(into) != 2):
                continue
            shares = np.array([amounts.get(state, 0.0) / total for state in into])
            if exact and not np.allclose(shares, [share for _, share in drug.parts], atol=1e-9):
                continue
            mass = total * drug.molar_mass * unit("g/mol").factor
            event = Dose(mass, False, route, drug.name, start, over)  # noqa: FBT003
            return event if exact else replace(event, s_fraction=float(shares[0]))
    return None


def windows(knob: str, steps: Sequence[tuple[float, float]], model: Model) -> Iterator[Hold]:
    """Yield the windows in which a knob is held, given the levels it goes to and when [h]."""
    declared = model.knobs[knob]
    neutral = declared.neutral * unit(declared.unit).factor
    for (start, level), (stop, _) in pairwise([*steps, (inf, neutral)]):
        if level != neutral:
            yield Hold(knob, f"{level!r} {unit(declared.unit).canonical}", start, stop)
