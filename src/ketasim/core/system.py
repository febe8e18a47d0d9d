"""A model's equations as a call: each law is called, by position, on a list of values.

Nothing here writes code. ``values`` is one flat list: states, parameters, derived parameters,
knobs, constants, quantities. An entry may be a float or an array over members, so the same system
serves one run and a vectorised right-hand side.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.laws import Term, Wire
from ketasim.core.model import Model
from ketasim.core.shared import shared
from ketasim.units import unit

Array = NDArray[Any]
Values = list[Any]


def _picker(slots: tuple[int, ...]) -> Callable[[Values], tuple[Any, ...]]:
    if len(slots) == 0:
        return lambda _: ()
    if len(slots) == 1:
        only = slots[0]
        return lambda values: (values[only],)
    return itemgetter(*slots)


@dataclass(frozen=True)
class System:
    """The callable form of a model.

    ``parameters`` arrays are canonical, in the order of ``model.parameters``; ``knobs`` likewise.
    """

    model: Model

    @property
    def mechanisms(self) -> object:
        """Return what its wiring follows from."""
        return self.model.mechanisms

    @shared
    def state_names(self) -> tuple[str, ...]:
        """Return the states in the order of the state vector."""
        return tuple(self.model.states)

    @shared
    def slots(self) -> Mapping[Term, int]:
        """Return the position of every name (and constant) in the list of values."""
        wires = (*self.model.derived, *self.model.quantities, *self.model.flows)
        constants = dict.fromkeys(a for w in wires for a in w.arguments if isinstance(a, float))
        names: list[Term] = [*self.model.states, *self.model.parameters]
        names += [str(w.name) for w in self.model.derived]
        names += [*self.model.knobs, *constants]
        names += [str(w.name) for w in self.model.quantities]
        return {name: slot for slot, name in enumerate(names)}

    def _steps(self, wires: Iterable[Wire]) -> list[tuple[int, Any, Any]]:
        return [(self.slots[str(w.name)], w.law, self._pick(w)) for w in wires]

    def _pick(self, wire: Wire) -> Callable[[Values], tuple[Any, ...]]:
        return _picker(tuple(self.slots[a] for a in wire.arguments))

    @shared
    def _derived(self) -> list[tuple[int, Any, Any]]:
        return self._steps(self.model.derived)

    @shared
    def _split_quantities(self) -> tuple[list[Wire], list[Wire]]:
        """Part quantities into those fixed within a segment and those that move with states."""
        moving: set[Term | None] = set(self.model.states)
        still, live = [], []
        for wire in self.model.quantities:
            if moving.isdisjoint(wire.arguments):
                still.append(wire)
            else:
                live.append(wire)
                moving.add(wire.name)
        return still, live

    @shared
    def _still(self) -> list[tuple[int, Any, Any]]:
        return self._steps(self._split_quantities[0])

    @shared
    def _live(self) -> list[tuple[int, Any, Any]]:
        return self._steps(self._split_quantities[1])

    @shared
    def _flows(self) -> list[tuple[Any, Any, int, int]]:
        nowhere = len(self.state_names)
        where = {name: i for i, name in enumerate(self.state_names)}
        return [
            (
                w.law,
                self._pick(w),
                where.get(str(w.into), nowhere),
                where.get(str(w.out_of), nowhere),
            )
            for w in self.model.flows
        ]

    @cached_property
    def default_parameters(self) -> Array:
        """Return the model's parameter values, canonical, shape (n_parameters,)."""
        return np.array(self.model.numbers)

    @shared
    def neutral_knobs(self) -> Array:
        """Return the neutral knob values, canonical, shape (n_knobs,)."""
        return np.array([k.neutral * unit(k.unit).factor for k in self.model.knobs.values()])

    @shared
    def scales(self) -> Array:
        """Return the size at which a change of each state matters, shape (n_states,)."""
        return np.array([s.scale * unit(s.unit).factor for s in self.model.states.values()])

    @shared
    def within(self) -> tuple[Array, Array]:
        """Return the interval that each state cannot leave, canonical, each (n_states,)."""
        states = self.model.states.values()
        factors = np.array([unit(s.unit).factor for s in states])
        low, high = np.array([s.within for s in states], dtype=float).reshape(-1, 2).T * factors
        return low, high

    def prepare(self, parameters: Array, knobs: Array) -> Values:
        """Return the list of values with everything filled that states do not move.

        ``parameters`` has shape (n_parameters,) or (n_parameters, n_members).
        """
        values: Values = [0.0] * len(self.slots)
        n = len(self.state_names)
        values[n : n + len(parameters)] = _entries(parameters)
        for slot, law, pick in self._derived:
            values[slot] = law(*pick(values))
        for name, slot in self.slots.items():
            if isinstance(name, float):
                values[slot] = name
        self.turn(values, knobs)
        return values

    def turn(self, values: Values, knobs: Array) -> None:
        """Set the knobs, in place, and the quantities that depend on nothing that moves."""
        for name, knob in zip(self.model.knobs, _entries(knobs), strict=True):
            values[self.slots[name]] = knob
        for slot, law, pick in self._still:
            values[slot] = law(*pick(values))

    def rest(self, values: Values) -> Array:
        """Return the drug-free steady state, shape (n_states,) or (n_states, n_members)."""
        sources = (self.model.initial(name) for name in self.state_names)
        found = [values[self.slots[s]] if isinstance(s, str) else s for s in sources]
        return np.array(np.broadcast_arrays(*found)) if found else np.empty(0)

    def slopes(self, values: Values, states: Array) -> list[Any]:
        """Return the derivatives [canonical unit/h], one a state; fills quantities in place."""
        n = len(self.state_names)
        values[:n] = _entries(states)
        for slot, law, pick in self._live:
            values[slot] = law(*pick(values))
        slopes: list[Any] = [0.0] * (n + 1)
        for law, pick, into, out_of in self._flows:
            rate = law(*pick(values))
            slopes[into] = slopes[into] + rate
            slopes[out_of] = slopes[out_of] - rate
        del slopes[n]
        return slopes

    def evaluated(
        self, parameters: Array, knobs: Array, states: Array | None = None, seen: Iterable[str] = ()
    ) -> tuple[Array, Array, Array]:
        """Return rest, slopes and named values of members that have nothing to do with each other.

        Parameters
        ----------
        parameters, knobs
            Canonical, (n_parameters, n_members) and (n_knobs, n_members).
        states
            Where slopes and values are wanted, (n_states, n_members); by default at rest.

        Returns
        -------
        rest, slopes, values
            (n_states, n_members) twice, and (n_seen, n_members); not a number where a law has no
            value. One member is computed with plain numbers, which is several times faster.
        """
        n, names = parameters.shape[1], tuple(seen)
        if n == 1:
            alone = None if states is None else states[:, 0]
            try:
                found = self._evaluated(parameters[:, 0], knobs[:, 0], alone, names)
            except ArithmeticError:  # a plain number divided by zero or overflowed
                found = None
            if found is not None:
                return found
        with np.errstate(all="ignore"):
            whole = np.ascontiguousarray(parameters, dtype=float)
            try:
                return self._evaluated(whole, knobs, states, names)
            except ArithmeticError:  # between constants, so that it is so for every member
                blank = (len(self.state_names), len(self.state_names), len(names))
                none = [np.full((rows, n), np.nan) for rows in blank]
                return none[0], none[1], none[2]

    def _evaluated(
        self, parameters: Array, knobs: Array, states: Array | None, names: tuple[str, ...]
    ) -> tuple[Array, Array, Array]:
        values = self.prepare(parameters, knobs)
        n = parameters.shape[1] if parameters.ndim == 2 else 1
        rest = _level(list(self.rest(values)), n)
        at = states if states is not None else rest if parameters.ndim == 2 else rest[:, 0]
        slopes = _level(self.slopes(values, at), n)
        return rest, slopes, _level([values[self.slots[name]] for name in names], n)

    def jacobian(self, values: Values, states: Array) -> Array:
        """Return d(dy/dt)/dy by complex step, exact to rounding; shape (n_states, n_states)."""
        n = len(states)
        step = 1e-40
        columns = np.repeat(states.astype(complex)[:, None], n, axis=1)
        columns[np.arange(n), np.arange(n)] += 1j * step
        slopes = self.slopes(list(values), columns)
        out = np.empty((n, n))
        for i, one in enumerate(slopes):
            out[i] = np.imag(one) / step
        return out

    @property
    def ends(self) -> list[tuple[int, int]]:
        """Return the states, by number, into and out of which each flow goes; n_states is none."""
        return [(into, out_of) for _, _, into, out_of in self._flows]

    def flow_slopes(self, values: Values, states: Array) -> Array:
        """Return how the rate of each flow changes with each state, by complex step.

        The shape is (n_flows, n_states); see :attr:`ends`. A slope that no float can hold is inf or
        nan, as the values are from which it follows.
        """
        n = len(states)
        step = 1e-40
        columns = np.repeat(states.astype(complex)[:, None], n, axis=1)
        columns[np.arange(n), np.arange(n)] += 1j * step
        held = list(values)
        with np.errstate(all="ignore"):
            self.slopes(held, columns)
            rates = [np.imag(law(*pick(held))) / step for law, pick, _, _ in self._flows]
        return np.array([np.broadcast_to(one, n) for one in rates])

    def observe(self, values: Values, states: Array, names: Iterable[str]) -> dict[str, Array]:
        """Return named values for states of shape (n_states, n_times), in canonical units."""
        seen = list(values)
        self.slopes(seen, states)
        length = states.shape[1:]
        return {
            name: np.broadcast_to(seen[self.slots[name]], length).astype(float) for name in names
        }


def _entries(values: Array) -> list[Any]:
    return values.tolist() if values.ndim == 1 and values.dtype == float else list(values)


def _level(rows: list[Any], n: int) -> Array:
    """Return rows of numbers, or of n numbers, as an array (n_rows, n)."""
    out = np.empty((len(rows), n))
    for row, value in zip(out, rows, strict=True):
        row[:] = value
    return out
