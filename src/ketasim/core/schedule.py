"""A protocol made exact: segments of constant input between breakpoints never skipped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
        spread: Array = (self.rates * np.diff(self.edges)[:, None]).sum(axis=0)
        total: Array = spread + self.boluses.sum(axis=0)
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
    first, last = _nearest(edges, one.start), _nearest(edges, one.stop)
    for state, amount in one.into:
        if first == last:
            boluses[first, names[state]] += amount
        else:
            rates[first:last, names[state]] += amount / (edges[last] - edges[first])


def _give(one: Dose, model: Model, weight: float) -> Given:
    drug = model.substance(one.drug)
    entries = model.entries(one.drug, one.route)
    if one.s_fraction is not None:
        if len(entries) != 2:
            raise ProtocolError(
                f'"{one.drug}" is a single enantiomer; s_fraction needs a racemic drug.'
            )
        entries = ((entries[0][0], one.s_fraction), (entries[1][0], 1.0 - one.s_fraction))
    milligrams = one.amount * (weight if one.per_weight else 1.0)
    micromoles = milligrams / (drug.molar_mass * unit("g/mol").factor)
    if not isfinite(micromoles):
        raise ProtocolError(f"a dose of {one.amount:g} mg/kg is too large to compute with.")
    into = tuple((state, share * micromoles) for state, share in entries)
    return Given(one, milligrams, one.start, one.stop, into)


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
    index = {name: i for i, name in enumerate(model.knobs)}
    for one, following in pairwise(sorted(holds, key=lambda h: (h.knob, h.start))):
        if one.knob == following.knob and following.start < one.stop - SNAP:
            raise ProtocolError(
                f"two windows hold {one.knob} at once; give one window for each time."
            )
    for one in holds:
        value = _held(one, model)
        first, last = _nearest(edges, one.start), _nearest(edges, one.stop)
        table[first:last, index[one.knob]] = value
    return table


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
