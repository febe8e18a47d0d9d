"""A scenario or a model as SBML Level 3 Version 2 core, from the laws themselves.

Values stand in canonical units (h, umol, L, mg, kg, mV), whose system is coherent: no formula
needs a conversion factor, so that a tool can check every unit.
"""

from collections.abc import Iterator

from ketasim import __version__
from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.export import mathml, notes
from ketasim.export.events import events
from ketasim.export.formulas import function_names, initial_assignments, rules
from ketasim.export.laws import expression
from ketasim.export.names import CLOCK
from ketasim.export.source import Source, source
from ketasim.export.units import definitions
from ketasim.export.variables import parameters
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
    return written(_document(source(what)))


def _document(one: Source) -> Element:
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
    yield _function(mathml.POWER, mathml.power_function(), "0 for a base that is not positive")
    yield _function(mathml.HILL, mathml.hill_function(), "0 at or below rest, one half at half")
    flows = {wire.law for wire in model.flows}
    for law, name in function_names(model).items():
        traced = expression(law)
        term = notes.RATE_LAW if law in flows else notes.MATHS
        yield _function(name, mathml.of_law(traced), traced.story, term)


def _function(name: str, formula: Element, story: str, term: str = notes.MATHS) -> Element:
    return element("functionDefinition", notes.notes(story), formula, id=name, sboTerm=term)
