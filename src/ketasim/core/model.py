"""A model: mechanisms wired by name, with every unit checked once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from ketasim.core.code import source_of
from ketasim.core.declare import (
    Derived,
    Flow,
    Knob,
    Law,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    Substance,
    arguments,
)
from ketasim.core.describe import Panel, model_html, model_text
from ketasim.core.laws import (
    Term,
    Wire,
    check_ledger,
    check_number,
    check_short_names,
    check_value,
    in_order,
    with_law,
)
from ketasim.core.shared import shared
from ketasim.errors import ModelError, UnitError, suggest
from ketasim.units import read as read_unit
from ketasim.units import split, unit

Role = Literal["state", "parameter", "derived", "knob", "quantity"]


@dataclass(frozen=True)
class Model:
    """Mechanisms that together form one system of equations.

    Attributes named in the plural map full names (``'nmda.k_bind'``) to declarations.

    Raises
    ------
    ModelError
        When a law asks for an undeclared name, a read has no source, quantities form a loop, or a
        parameter's value is not finite or outside its domain.
    UnitError
        When a declared unit is unknown, or a read's unit differs in dimension from its source's.

    ``panels`` say how a figure shows it (:func:`ketasim.core.describe.panels_of`), nothing else.
    """

    mechanisms: tuple[Mechanism, ...]
    substances: tuple[Substance, ...] = ()
    name: str = "model"
    edits: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()

    def __post_init__(self) -> None:
        """Build the wiring once, so that a faulty model cannot exist."""
        _ = self._sound
        for name in self.edits:
            check_value(name, self.value(name), self.parameters[name])

    @shared
    def _sound(self) -> bool:
        _ = self._owners, self.derived, self.quantities, self.flows, self.conserved
        check_short_names(self)
        for name, parameter in self.parameters.items():
            check_ledger(name, parameter)
        for name in self.states:
            _ = self.initial(name)
        for (substance, route), into in self.inlets.items():
            self._check_inlet(f"{substance} by the route {route} enters {into}", into)
        return True

    def _collect(self, group: str) -> dict[str, object]:
        return {f"{m.name}.{one.name}": one for m in self.mechanisms for one in getattr(m, group)}

    @shared
    def states(self) -> Mapping[str, State]:
        """Return every state by full name, in order."""
        return self._collect("states")  # type: ignore[return-value]

    @shared
    def parameters(self) -> Mapping[str, Parameter]:
        """Return every parameter by full name, as its ledger declares it."""
        return self._collect("parameters")  # type: ignore[return-value]

    @shared
    def knobs(self) -> Mapping[str, Knob]:
        """Return every knob by full name."""
        return self._collect("knobs")  # type: ignore[return-value]

    @shared
    def inlets(self) -> Mapping[tuple[str, str], str]:
        """Return the state (or bath knob) that a (substance, route) enters."""
        return {
            (one.substance, one.route): f"{m.name}.{one.into}"
            for m in self.mechanisms
            for one in m.inlets
        }

    @shared
    def recordable(self) -> tuple[str, ...]:
        """Return the full names of everything with a time course: states, then quantities."""
        return (*self.states, *(str(one.name) for one in self.quantities))

    @shared
    def short_names(self) -> Mapping[str, str]:
        """Return what people call time courses, and the full name of each, in reading order."""
        found: dict[str, str] = {}
        for m in self.mechanisms:
            own = {one.name: one.short for one in m.courses if one.short}
            first = [name for name in m.reading if name in own]
            found |= {own[name]: f"{m.name}.{name}" for name in dict.fromkeys([*first, *own])}
        return found

    @shared
    def short_inputs(self) -> Mapping[str, str]:
        """Return what people call inputs, and the full name of each."""
        return {short: full for full, one in self.knobs.items() for short in one.short}

    @shared
    def weight(self) -> str | None:
        """Return the parameter that follows the subject's weight, when there is one."""
        own = (name for name, one in self.parameters.items() if one.role == "weight")
        return next(own, None)

    @shared
    def carriers(self) -> frozenset[str]:
        """Return the mechanisms that carry the drug rather than answer to it."""
        return frozenset(m.name for m in self.mechanisms if m.role == "drug")

    def full_name(self, name: str) -> str:
        """Return the full name of a time course, given it or its short name."""
        return name if name in self.recordable else self.short_names.get(name, name)

    def input_name(self, name: str) -> str:
        """Return the full name of an input, given it or a short name of it."""
        return name if name in self.knobs else self.short_inputs.get(name, name)

    @shared
    def conserved(self) -> tuple[tuple[str, ...], ...]:
        """Return groups of states whose sum never changes."""
        groups = tuple(
            tuple(f"{m.name}.{state}" for state in pool)
            for m in self.mechanisms
            for pool in m.conserved
        )
        for name in (name for pool in groups for name in pool):
            if name not in self.states:
                raise ModelError(f'conserved pool names "{name}", which is not a state.')
        return groups

    @shared
    def _owners(self) -> dict[str, tuple[Role, object]]:
        owners: dict[str, tuple[Role, object]] = {}
        roles: tuple[tuple[Role, str], ...] = (
            ("state", "states"), ("parameter", "parameters"), ("derived", "derived"),
            ("knob", "knobs"), ("quantity", "quantities"),
        )  # fmt: skip
        if len({m.name for m in self.mechanisms}) < len(self.mechanisms):
            raise ModelError("two mechanisms of this model have the same name.")
        for role, group in roles:
            for full, one in self._collect(group).items():
                owners[full] = (role, one)
                unit(one.unit, full)  # type: ignore[attr-defined]
        return owners

    def role(self, full: str) -> Role:
        """Return whether a full name is a state, parameter, derived, knob or quantity.

        Raises
        ------
        ModelError
            When nothing has that name; the message suggests the nearest.
        """
        if full not in self._owners:
            raise ModelError(f"{full}: no such name in this model.{suggest(full, self._owners)}")
        return self._owners[full][0]

    def unit(self, full: str) -> str:
        """Return the declared unit of any named thing."""
        self.role(full)
        return self._owners[full][1].unit  # type: ignore[attr-defined,no-any-return]

    def meaning(self, full: str) -> str:
        """Return the one-line meaning of any named thing."""
        self.role(full)
        return self._owners[full][1].meaning  # type: ignore[attr-defined,no-any-return]

    def _source(
        self, mechanism: Mechanism, law: Law, argument: str, using: Mapping[str, str]
    ) -> Term:
        own = using.get(argument, argument)
        if own not in mechanism.names:
            raise ModelError(
                f"{mechanism.name}.{law.__name__} asks for undeclared '{own}'."
                + suggest(own, mechanism.names)
            )
        reading = next((one for one in mechanism.reads if one.name == own), None)
        return f"{mechanism.name}.{own}" if reading is None else self._follow(mechanism, reading)

    def _follow(self, mechanism: Mechanism, reading: Read) -> Term:
        where = f"{mechanism.name} reads '{reading.name}' of {reading.of}"
        if reading.of not in self._owners:
            if reading.default is not None:
                return reading.default * unit(reading.unit).factor
            raise ModelError(
                f"{where}: no mechanism here has it.{suggest(reading.of, self._owners)}"
            )
        have, want = unit(self.unit(reading.of)), unit(reading.unit)
        if have.dimension != want.dimension:
            raise UnitError(f'{where} as "{reading.unit}", but it is declared in "{have.text}".')
        return reading.of

    def _wire(self, m: Mechanism, one: Derived | Quantity | Flow, **ends: str | None) -> Wire:
        unknown = set(one.using) - set(arguments(one.law))
        if unknown:
            raise ModelError(f"{m.name}.{one.law.__name__} has no argument '{min(unknown)}'.")
        sources = tuple(self._source(m, one.law, a, one.using) for a in arguments(one.law))
        return Wire(one.law, sources, m.name, **ends)

    @shared
    def derived(self) -> tuple[Wire, ...]:
        """Return derived parameters in an order in which each finds its arguments ready."""
        wires = [
            self._wire(m, d, name=f"{m.name}.{d.name}") for m in self.mechanisms for d in m.derived
        ]
        for wire in wires:
            for asked in (a for a in wire.arguments if isinstance(a, str)):
                role = self.role(asked)
                if role not in ("parameter", "derived"):
                    raise ModelError(
                        f"{wire.label} is a derived parameter but asks for the {role} {asked}."
                    )
        return in_order(wires)

    @shared
    def quantities(self) -> tuple[Wire, ...]:
        """Return quantities in an order in which each finds its arguments ready."""
        return in_order(
            self._wire(m, q, name=f"{m.name}.{q.name}")
            for m in self.mechanisms
            for q in m.quantities
        )

    @shared
    def flows(self) -> tuple[Wire, ...]:
        """Return every flow with its ends resolved to states."""
        return tuple(
            self._wire(m, f, into=self._end(m, f.into), out_of=self._end(m, f.out_of))
            for m in self.mechanisms
            for f in m.flows
        )

    def _end(self, mechanism: Mechanism, name: str | None) -> str | None:
        if name is None:
            return None
        own = [one.name for one in mechanism.states]
        if name not in own:
            raise ModelError(
                f"{mechanism.name}: a flow names the state '{name}'.{suggest(name, own)}"
            )
        return f"{mechanism.name}.{name}"

    def initial(self, full: str) -> Term:
        """Return the resting value of a state: a canonical number, or the full name holding it."""
        state = self.states[full]
        if not isinstance(state.initial, str):
            return float(state.initial) * unit(state.unit).factor
        source = f"{full.rpartition('.')[0]}.{state.initial}"
        if self.role(source) not in ("parameter", "derived"):
            raise ModelError(f"{full}: its initial value {source} is not a parameter.")
        if unit(self.unit(source)).dimension != unit(state.unit).dimension:
            raise UnitError(
                f'{full} is in "{state.unit}", but its initial value {source} is in '
                f'"{self.unit(source)}".'
            )
        return source

    def _check_inlet(self, where: str, into: str) -> None:
        role = self.role(into)
        want = {"state": "umol", "knob": "uM"}.get(role)
        if want is None:
            raise ModelError(f"{where}, which is a {role}; a state or a bath knob is needed.")
        if unit(self.unit(into)).dimension != unit(want).dimension:
            raise UnitError(f'{where}, which is in "{self.unit(into)}"; "{want}" is needed.')

    def value(self, full: str) -> float:
        """Return a parameter's value in the canonical unit of its dimension."""
        parameter = self.parameters[self._parameter(full)]
        number, text = self.edits.get(full, (parameter.value, parameter.unit))
        return number * unit(text).factor

    def _parameter(self, full: str) -> str:
        if full not in self.parameters:
            raise ModelError(f"{full}: no such parameter.{self._hint(full)}")
        return full

    def _hint(self, full: str) -> str:
        near = suggest(full, self.parameters)
        if near:
            name = near.split('"')[1]
            one = self.parameters[name]
            near = f' Did you mean "{name}" ({one.value:g} {one.unit})?'
        return f'{near} "ketasim list parameters" shows all {len(self.parameters)}.'

    def with_values(self, values: Mapping[str, "str | float"]) -> "Model":
        """Return a model with some parameters changed; values carry units, ``'5 1/uM/s'``.

        Raises
        ------
        ModelError
            When a name is not a parameter, or a value is outside its domain.
        UnitError
            When a unit is missing or of another dimension.
        """
        edits = dict(self.edits)
        for full, text in values.items():
            parameter = self.parameters[self._parameter(full)]
            number, have = split(text, full)
            check_number(full, number)
            read_unit(text, parameter.unit, full)
            edits[full] = (number, have)
        return replace(self, edits=edits)

    def with_law(self, name: str, law: Law) -> "Model":
        """Return a model with one law replaced, ``model.with_law("nmda.bind", my_bind)``.

        The new law asks by name for what it needs, as any law of that mechanism; what the old one
        called by another name keeps that name.

        Raises
        ------
        ModelError
            When there is no such law, or the new one asks for an undeclared name.
        """
        return replace(self, mechanisms=with_law(self.mechanisms, name, law))

    def __repr__(self) -> str:
        """Return the model in a few lines."""
        return model_text(self)

    def _repr_html_(self) -> str:
        """Return the model as a table, for a notebook."""
        return model_html(self)

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """Return every parameter's value in the canonical unit of its dimension, in order."""
        return tuple(self.value(name) for name in self.parameters)

    @cached_property
    def digest(self) -> str:
        """Return a short hash of every law (and what it calls), every wire and every number."""
        parts = [repr((n, p.unit, self.value(n))) for n, p in self.parameters.items()]
        parts += [repr((n, s.unit, self.initial(n), s.scale)) for n, s in self.states.items()]
        parts += [repr((n, k.unit, k.neutral)) for n, k in self.knobs.items()]
        parts += [repr((s.name, s.molar_mass, s.parts)) for s in self.substances]
        parts += [repr(inlet) for inlet in self.inlets.items()]
        wires = (*self.derived, *self.quantities, *self.flows)
        parts += [repr((w.name, w.arguments, w.into, w.out_of)) + source_of(w.law) for w in wires]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def entries(self, substance: str, route: str) -> tuple[tuple[str, float], ...]:
        """Return the states a dose enters and the mole share each receives.

        Raises
        ------
        ModelError
            When the drug or its route is not in the model.
        """
        parts = self.substance(substance).parts
        routes = sorted({r for _, r in self.inlets})
        if route not in routes:
            here = ", ".join(routes)
            raise ModelError(
                f'"{route}": no such route.{suggest(route, routes)} Routes here: {here}.'
            )
        missing = [part for part, _ in parts if (part, route) not in self.inlets]
        if missing:
            raise ModelError(f'"{substance}" cannot be given by the route "{route}".')
        return tuple((self.inlets[part, route], share) for part, share in parts)

    def substance(self, name: str) -> Substance:
        """Return a drug by name; raises ModelError when there is none."""
        known = {one.name: one for one in self.substances}
        if name not in known:
            here = ", ".join(known)
            raise ModelError(f'"{name}": no such drug.{suggest(name, known)} Drugs here: {here}.')
        return known[name]
