"""What a result says of itself: what identifies the run, and what was probably not meant.

A caution is said once, kept in the result, and the run goes on.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from ketasim import __version__
from ketasim.core.declare import Parameter
from ketasim.core.describe import told
from ketasim.core.model import Model
from ketasim.core.protocol import Dose, Hold
from ketasim.core.scenario import Scenario, clock
from ketasim.models.subjects import traits
from ketasim.units import convert, unit

if TYPE_CHECKING:
    from ketasim.studies.designs.columns import Columns

USUAL = {"human": 0.5, "monkey": 1.0, "rat": 10.0, "mouse": 10.0}  # mg/kg
FAR = 5.0
RODENT = 5.0  # mg/kg; at or above, a dose is one that rodents get
FAR_WEIGHT = 2.0
ROUNDING = 1e-9  # by which an end may pass its bound after a change of unit
PREFIX = "warning: "
DAY = 24.0  # [h]
_SHORT = {"im": "i.m.", "ip": "i.p.", "sc": "s.c."}
Range = tuple[float, float]


def cautions_of(
    scenario: Scenario, columns: "Columns | None" = None, *, doses: bool = True
) -> tuple[str, ...]:
    """Return a sentence for whatever is far from usual in a scenario or at the ends of a design.

    Parameters
    ----------
    scenario
        Its doses, weight and changed parameters; those that a design varies are judged there.
    columns
        A design's, bound to it; both ends of each count: doses per body weight, weights,
        parameters.
    doses
        False where unusual doses are meant.
    """
    varied = () if columns is None else columns.design.names
    told = [
        *(_unusual_doses(scenario, columns) if doses else ()),
        *_unusual_weights(scenario, columns),
        *_implausible_values(scenario.model, set(scenario.model.edits) - set(varied)),
        *(_implausible_ends(columns) if columns is not None else ()),
    ]
    return tuple(dict.fromkeys(told))


def kept(cautions: Iterable[str]) -> str:
    """Return cautions as a result keeps them: a sentence a line."""
    return "\n".join(one.removeprefix(PREFIX) for one in cautions)


def _unusual_doses(scenario: Scenario, columns: "Columns | None") -> Iterator[str]:
    """Yield a warning for each kind of dose far from what the species usually gets."""
    species = scenario.subject.species
    usual = USUAL.get(species)
    for size, route in dict.fromkeys(_sizes(scenario, columns)):
        if usual is None or size == 0.0 or not isfinite(size):
            continue
        if size >= FAR * usual and not usual >= RODENT:
            yield _too_much(size, route, usual, species)
        elif size * 2 * FAR <= usual:
            yield _too_little(size, route, usual, species)


def _sizes(scenario: Scenario, columns: "Columns | None") -> Iterator[tuple[float, str]]:
    """Yield the smallest and largest size [mg/kg] of each dose, with its route."""
    low, high = _weights(scenario, columns)
    varied = _amounts(columns)
    for i, one in enumerate(scenario.protocol.events):
        if isinstance(one, Dose):
            least, most, per_weight = varied.get(i, (one.amount, one.amount, one.per_weight))
            yield least / (1.0 if per_weight else high), one.route
            if per_weight or low > 0.0:
                yield most / (1.0 if per_weight else low), one.route


def _amounts(columns: "Columns | None") -> dict[int, tuple[float, float, bool]]:
    """Return the range of each varied dose by its place, and whether it is per body weight."""
    found = {}
    for column, one in columns.events.items() if columns is not None else ():
        ends = columns.design.reach[column] if columns is not None else None
        if one.field == "amount" and ends is not None:
            have = unit(one.unit)
            per_weight = have.dimension == unit("mg/kg").dimension
            low, high = (end * have.factor for end in ends)
            found.update(dict.fromkeys(one.events, (low, high, per_weight)))
    return found


def _weights(scenario: Scenario, columns: "Columns | None") -> Range:
    """Return the lightest and the heaviest subject [kg]."""
    alone = scenario.subject.weight
    if columns is None or columns.weight is None:
        return alone, alone
    ends = columns.design.reach[columns.weight]
    if ends is None:
        return alone, alone
    factor = unit(columns.design.units[columns.weight]).factor
    return ends[0] * factor, ends[1] * factor


def _too_much(size: float, route: str, usual: float, species: str) -> str:
    rodent = f"{size:g} mg/kg {_SHORT.get(route, 'i.p.')} is a rodent dose"
    return (
        f'{PREFIX}{size:g} mg/kg {route} with subject = "{species}" is {size / usual:.3g} times '
        f'the usual {usual:g} mg/kg; {rodent}. Set subject = "rat", or allow_unusual_dose = true.'
    )


def _too_little(size: float, route: str, usual: float, species: str) -> str:
    ask = '; a human dose? Set subject = "human", or' if usual >= RODENT else ". If meant, set"
    return (
        f'{PREFIX}{size:g} mg/kg {route} with subject = "{species}" is {usual / size:.3g} times '
        f"less than the usual {usual:g} mg/kg{ask} allow_unusual_dose = true."
    )


def _unusual_weights(scenario: Scenario, columns: "Columns | None") -> Iterator[str]:
    trait = traits(scenario.subject.species).get("weight")
    if trait is None:
        return
    low, high = trait.within
    for kilograms in dict.fromkeys(_weights(scenario, columns)):
        if not low / FAR_WEIGHT <= kilograms <= high * FAR_WEIGHT:
            yield (
                f"{PREFIX}subject.weight = {kilograms:g} kg is far from the usual {low:g} to "
                f'{high:g} kg of subject = "{scenario.subject.species}".'
            )


def _implausible_values(model: Model, names: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each named parameter whose value lies outside its plausible bounds."""
    for name in (name for name in model.edits if name in names):
        parameter = model.parameters[name]
        value = model.value(name) / unit(parameter.unit).factor
        yield from _outside(name, value, parameter, parameter.bounds)


def _implausible_ends(columns: "Columns") -> Iterator[str]:
    """Yield a warning for each end of a parameter's range outside its plausible bounds."""
    design, known = columns.design, columns.scenario.model.parameters
    for column, name in enumerate(design.names):
        ends = design.reach[column]
        if ends is None or name not in known or column == columns.weight:
            continue
        bounds = _of_a_subject(columns, name)
        for end in dict.fromkeys(ends):
            value = convert(end, design.units[column], known[name].unit, name)
            yield from _outside(name, value, known[name], bounds)


def _of_a_subject(columns: "Columns", name: str) -> Range:
    """Return plausible bounds, wider where a draw lets single subjects differ from the usual."""
    low, high = columns.scenario.model.parameters[name].bounds
    if any(name in group for group in columns.design.together):
        for trait in traits(columns.scenario.subject.species).values():
            if name in trait.scales:
                low, high = low * trait.within[0], high * trait.within[1]
    return low, high


def _outside(name: str, value: float, parameter: Parameter, bounds: Range) -> Iterator[str]:
    low, high = bounds
    slack = ROUNDING * abs(value)
    if not low - slack <= value <= high + slack:
        yield (
            f"{PREFIX}{name} = {value:g} {parameter.unit} lies outside its plausible bounds "
            f"{low:g} to {high:g} {parameter.unit}."
        )


def condition_of(scenario: Scenario) -> str:
    """Return the condition a subject is in: what was held for a day before the drug, else healthy.

    What is held about a dose, such as an antagonist half an hour before, is a treatment.
    """
    first = min((one.start for one in scenario.protocol.doses), default=0.0) - DAY
    held = [one for one in scenario.protocol.events if isinstance(one, Hold) and one.start <= first]
    told = (
        f"{one.knob} {one.value} {'always' if one.start == -inf else f'from {clock(one.start)}'}"
        + ("" if one.stop == inf else f" to {clock(one.stop)}")
        for one in held
    )
    return ", ".join(dict.fromkeys(told)) or "healthy"


def differing(scenarios: Iterable[Scenario]) -> tuple[str, ...]:
    """Return a caution where compared scenarios differ in species or condition.

    It says how, and what else differs, so that nobody takes for an effect of the drug what is one
    of the subject.
    """
    many = list(scenarios)
    told = {"species": [one.subject.species for one in many],
            "condition": [condition_of(one) for one in many]}  # fmt: skip
    unlike = [f"{what} ({'; '.join(v)})" for what, v in told.items() if len(set(v)) > 1]
    if not unlike:
        return ()
    others: dict[str, list[Any]] = {
        "what is given": [one.protocol.doses for one in many],
        "weight": [one.subject.weight for one in many],
        "parameters": [sorted(one.model.edits.items()) for one in many],
        "model": [one.model.name for one in many],
    }
    also = [what for what, values in others.items() if any(v != values[0] for v in values)]
    beside = f" They also differ in {', '.join(also)}." if also else ""
    return (
        f"{PREFIX}{', '.join(one.name for one in many)} differ in {' and in '.join(unlike)}: "
        f"not all between them is the drug's doing.{beside}",
    )


def identified(scenario: Scenario) -> dict[str, str]:
    """Return what decides the numbers of a scenario's runs, as names and plain text."""
    known = provenance(scenario)
    names = ("ketasim_version", "model", "model_digest", "parameter_changes")
    return {
        **{name: str(known[name]) for name in names},
        "subject": f"{scenario.subject.species}, {scenario.subject.weight!r} kg",
        "protocol": "; ".join(map(repr, scenario.protocol.events)),
    }


def provenance(scenario: Scenario) -> Mapping[str, Any]:
    """Return what identifies a run: version, model and digest, subject, name, and cautions."""
    model = scenario.resolved_model
    edits = {name: f"{value:g} {text}" for name, (value, text) in model.edits.items()}
    return {
        "ketasim_version": __version__,
        "model": model.name,
        "model_digest": model.digest,
        "parameter_changes": "; ".join(f"{name} = {text}" for name, text in edits.items()),
        "scenario_name": scenario.name,
        "species": scenario.subject.species,
        "weight_kg": scenario.subject.weight,
        "condition": condition_of(scenario),
        "cautions": kept(cautions_of(scenario)),
        **told(model),
    }
