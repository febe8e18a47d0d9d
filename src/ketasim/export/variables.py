"""Everything that has a value, as SBML parameters with units, notes and sources."""

from collections.abc import Iterator

from ketasim.core.laws import Wire
from ketasim.core.model import Model
from ketasim.export import notes
from ketasim.export.events import fed, turned
from ketasim.export.names import BEGIN, CLOCK, flow_ids, identifier, rate_id
from ketasim.export.source import Source
from ketasim.export.units import unit_id
from ketasim.export.xml import Element, element, number


def parameters(one: Source) -> Iterator[Element]:
    """Yield the ledger, states, knobs, quantities, flows and the protocol's own inputs."""
    yield from _ledger(one)
    yield from _states(one)
    yield from _knobs(one)
    for wire in one.model.quantities:
        yield _computed(one.model, str(wire.name), constant="false")
    for name, wire in flow_ids(one.model).items():
        yield _flow(one.model, name, wire)
    yield from _protocol(one)


def _parameter(full: str, units: str, *inside: Element | None, **more: str) -> Element:
    more = {"id": identifier(full), "name": full, "units": units, **more}
    return element("parameter", *inside, **more)


def _ledger(one: Source) -> Iterator[Element]:
    for full, parameter in one.model.parameters.items():
        meta = f"meta_{identifier(full)}"
        yield _parameter(
            full,
            unit_id(parameter.unit),
            notes.notes(*notes.ledger_note(parameter)),
            notes.described_by(meta, parameter),
            metaid=meta,
            value=number(one.model.value(full)),
            constant="true",
            **notes.kind_of(parameter.unit),
        )
    for wire in one.model.derived:
        yield _computed(one.model, str(wire.name), constant="true")


def _computed(model: Model, full: str, *, constant: str) -> Element:
    text = model.unit(full)
    told = notes.notes(model.meaning(full))
    return _parameter(full, unit_id(text), told, constant=constant, **notes.kind_of(text))


def _states(one: Source) -> Iterator[Element]:
    for full, state in one.model.states.items():
        meta = f"meta_{identifier(full)}"
        start = one.start(full)
        value = {} if isinstance(start, str) else {"value": number(start)}
        yield _parameter(
            full,
            unit_id(state.unit),
            notes.notes(state.meaning),
            notes.meant_by(meta, state),
            metaid=meta,
            constant="false",
            **value,
            **notes.kind_of(state.unit),
        )


def _knobs(one: Source) -> Iterator[Element]:
    moved = turned(one)
    for full, knob in one.model.knobs.items():
        low, high = knob.bounds
        told = notes.notes(knob.meaning, f"target, {low:g} to {high:g} {knob.unit}")
        constant = "false" if full in moved else "true"
        value = number(one.knobs[full])
        yield _parameter(full, unit_id(knob.unit), told, value=value, constant=constant)


def _flow(model: Model, name: str, wire: Wire) -> Element:
    ends = f"{wire.out_of or 'outside'} to {wire.into or 'outside'}"
    units = unit_id(model.unit(str(wire.into or wire.out_of)), per_hour=True)
    about = {"id": name, "name": name.replace("__", "."), "units": units, "constant": "false"}
    return element("parameter", notes.notes(ends), **about)


def _protocol(one: Source) -> Iterator[Element]:
    if one.schedule is None:
        return
    yield _parameter(BEGIN, "h", value=number(one.begin), constant="true")
    yield _parameter(CLOCK, "h", constant="false")
    for state in fed(one):
        units = unit_id(one.model.unit(state), per_hour=True)
        yield _parameter(rate_id(state), units, value=number(0.0), constant="false")
