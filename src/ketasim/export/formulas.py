"""The wiring: what is computed once, what at every moment, and how each state changes."""

from collections.abc import Iterator

from ketasim.core.declare import Law, arguments
from ketasim.core.laws import Wire
from ketasim.core.model import Model
from ketasim.export import mathml
from ketasim.export.events import fed
from ketasim.export.laws import names_of
from ketasim.export.names import BEGIN, CLOCK, flow_ids, identifier, rate_id
from ketasim.export.source import Source
from ketasim.export.units import unit_id
from ketasim.export.xml import Element, element


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
            yield _initially(full, mathml.name(identifier(start)))


def rules(one: Source) -> Iterator[Element]:
    """Yield the clock, quantities, flows, and the rate of change of each state."""
    laws, flows = function_names(one.model), flow_ids(one.model)
    if one.schedule is not None:
        clock = mathml.apply("plus", mathml.now(), mathml.name(identifier(BEGIN)))
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
        yield element("rateRule", mathml.math(slope), variable=identifier(full))


def _initially(full: str, formula: Element) -> Element:
    return element("initialAssignment", mathml.math(formula), symbol=identifier(full))


def _always(variable: str, formula: Element) -> Element:
    return element("assignmentRule", mathml.math(formula), variable=variable)


def _slope(gains: list[str], losses: list[str], units: str) -> Element:
    """Return gains minus losses."""
    gained = _sum(gains) if gains else mathml.literal(0.0, units)
    if not losses:
        return gained
    lost = _sum(losses)
    return mathml.apply("minus", gained, lost) if gains else mathml.apply("minus", lost)


def _sum(names: list[str]) -> Element:
    parts = [mathml.name(one) for one in names]
    return parts[0] if len(parts) == 1 else mathml.apply("plus", *parts)


def _call(model: Model, wire: Wire, laws: dict[Law, str]) -> Element:
    """Return a law called on what it is wired to; an absent coupling is a number."""
    given = zip(wire.arguments, arguments(wire.law), strict=True)
    return mathml.call(
        laws[wire.law],
        [
            mathml.literal(one, _unit_of_absent(model, wire, argument, one))
            if isinstance(one, float)
            else mathml.name(identifier(one))
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
