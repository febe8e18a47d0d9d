"""A scenario or a model as SBML Level 3 Version 2 core, from the laws themselves.

Values stand in canonical units (h, umol, L, mg, kg, mV), whose system is coherent: no formula
needs a conversion factor, so that a tool can check every unit.
"""

from collections.abc import Iterator

from ketasim import __version__
from ketasim.core.declare import Law, arguments
from ketasim.core.laws import Wire
from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.export import notes, xml
from ketasim.export.expression import (
    HILL,
    POWER,
    expression,
    hill_function,
    names_of,
    of_law,
    power_function,
)
from ketasim.export.names import (
    BEGIN,
    CLOCK,
    definitions,
    flow_ids,
    identifier,
    rate_id,
    start_id,
    unit_id,
)
from ketasim.export.source import Source, events, fed, source, turned
from ketasim.export.xml import SBML, Element, element, group, number, written


def sbml(what: Scenario | Model) -> str:
    """Return a scenario (with its doses as events) or a bare model as SBML text.

    Raises
    ------
    ModelError
        When a law cannot be written down.
    SolverError
        When the scenario starts from a fixed point that does not exist.
    """
    return written(document(source(what)))


def document(one: Source) -> Element:
    """Return what is exported as an SBML document; see :func:`sbml`."""
    species = one.scenario.subject.species if one.scenario else ""
    model = element(
        "model",
        _story(one),
        notes.taxon("model", species),
        group("listOfFunctionDefinitions", _functions(one.model)),
        definitions(_units(one.model)),
        group("listOfParameters", parameters(one)),
        group("listOfInitialAssignments", initial_assignments(one)),
        group("listOfRules", rules(one)),
        events(one),
        id="model",
        metaid="model",
        name=one.name,
        sboTerm=notes.FRAMEWORK,
        substanceUnits="umol",
        timeUnits="h",
        volumeUnits="L",
        extentUnits="umol",
    )
    return element("sbml", model, xmlns=SBML, level="3", version="2")


def _story(one: Source) -> Element | None:
    about = f'Model "{one.model.name}" ({one.model.digest}), written by ketasim {__version__}.'
    told = [f"{m.name}: {part}" for m in one.model.mechanisms for part in m.story.split("\n\n")]
    clock = f"Time 0 of this file is {number(one.begin)} h of the scenario; {CLOCK} shows its time."
    return notes.notes(about, clock if one.schedule else "", *(" ".join(t.split()) for t in told))


def _units(model: Model) -> Iterator[str]:
    named = (*model.states, *model.parameters, *model.knobs)
    for full in (*named, *(str(w.name) for w in (*model.derived, *model.quantities))):
        yield model.unit(full)
    yield from (f"{model.unit(state)}/h" for state in model.states)


def _functions(model: Model) -> Iterator[Element]:
    yield _function(POWER, power_function(), "0 for a base that is not positive")
    yield _function(HILL, hill_function(), "0 at or below rest, one half at half")
    flows = {wire.law for wire in model.flows}
    for law, name in function_names(model).items():
        traced = expression(law)
        term = notes.RATE_LAW if law in flows else notes.MATHS
        yield _function(name, of_law(traced), traced.story, term)


def _function(name: str, formula: Element, story: str, term: str = notes.MATHS) -> Element:
    return element("functionDefinition", notes.notes(story), formula, id=name, sboTerm=term)


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
    if one.schedule is not None:
        yield _parameter(BEGIN, "h", value=number(one.begin), constant="true")
        yield _parameter(CLOCK, "h", constant="false")
    for full in one.starts:
        yield _parameter(start_id(full), unit_id(one.model.unit(full)), constant="false")
    for state in fed(one):
        units = unit_id(one.model.unit(state), per_hour=True)
        yield _parameter(rate_id(state), units, value=number(0.0), constant="false")


def function_names(model: Model) -> dict[Law, str]:
    """Return the identifier of each law's function definition."""
    return names_of((*model.derived, *model.quantities, *model.flows))


def initial_assignments(one: Source) -> Iterator[Element]:
    """Yield derived parameters, and initial states that follow a parameter."""
    laws = function_names(one.model)
    for wire in one.model.derived:
        yield _initially(str(wire.name), _call(one.model, wire, laws))
    for full in one.model.states:
        start = one.start(full)
        if isinstance(start, str):
            yield _initially(full, xml.name(identifier(start)))
    for full in one.starts:
        yield _initially(start_id(full), xml.name(identifier(full)))


def rules(one: Source) -> Iterator[Element]:
    """Yield the clock, quantities, flows, and the rate of change of each state."""
    laws, flows = function_names(one.model), flow_ids(one.model)
    if one.schedule is not None:
        clock = xml.apply("plus", xml.now(), xml.name(identifier(BEGIN)))
        yield _always(identifier(CLOCK), clock)
    for wire in one.model.quantities:
        yield _always(identifier(str(wire.name)), _call(one.model, wire, laws))
    for name, wire in flows.items():
        yield _always(name, _call(one.model, wire, laws))
    inputs = fed(one)
    for full in one.model.states:
        gains = [name for name, wire in flows.items() if wire.into == full]
        gains += [identifier(rate_id(full))] if full in inputs else []
        losses = [name for name, wire in flows.items() if wire.out_of == full]
        slope = _slope(gains, losses, unit_id(one.model.unit(full), per_hour=True))
        yield element("rateRule", xml.math(slope), variable=identifier(full))


def _initially(full: str, formula: Element) -> Element:
    return element("initialAssignment", xml.math(formula), symbol=identifier(full))


def _always(variable: str, formula: Element) -> Element:
    return element("assignmentRule", xml.math(formula), variable=variable)


def _slope(gains: list[str], losses: list[str], units: str) -> Element:
    """Return gains minus losses."""
    gained = _sum(gains) if gains else xml.literal(0.0, units)
    if not losses:
        return gained
    lost = _sum(losses)
    return xml.apply("minus", gained, lost) if gains else xml.apply("minus", lost)


def _sum(names: list[str]) -> Element:
    parts = [xml.name(one) for one in names]
    return parts[0] if len(parts) == 1 else xml.apply("plus", *parts)


def _call(model: Model, wire: Wire, laws: dict[Law, str]) -> Element:
    """Return a law called on what it is wired to; an absent coupling is a number."""
    given = zip(wire.arguments, arguments(wire.law), strict=True)
    return xml.call(
        laws[wire.law],
        [
            xml.literal(one, _unit_of_absent(model, wire, argument, one))
            if isinstance(one, float)
            else xml.name(identifier(one))
            for one, argument in given
        ],
    )


def _unit_of_absent(model: Model, wire: Wire, argument: str, value: float) -> str:
    """Return the unit of a coupling whose other end is not in this model."""
    mechanism = next(one for one in model.mechanisms if one.name == wire.mechanism)
    absent = [one for one in mechanism.reads if one.default is not None]
    named = [one for one in absent if one.name == argument]
    alike = [one for one in absent if one.default == value]
    return unit_id((named or alike or absent)[0].unit)
