"""What is allowed but probably not meant: said once, and the run goes on."""

from collections.abc import Iterable, Iterator

from ketasim.core.model import Model
from ketasim.core.protocol import Protocol
from ketasim.core.scenario import Subject
from ketasim.units import unit

USUAL = {"human": 0.5, "rat": 10.0, "mouse": 10.0}  # mg/kg
FAR = 5.0
RODENT = 5.0  # mg/kg; at or above, a dose is one that rodents get
_SHORT = {"im": "i.m.", "ip": "i.p.", "sc": "s.c."}


def unusual_doses(protocol: Protocol, subject: Subject) -> Iterator[str]:
    """Yield a warning for each kind of dose far from what the species usually gets."""
    usual = USUAL.get(subject.species)
    seen = set()
    for one in protocol.doses:
        size = one.amount if one.per_weight else one.amount / subject.weight
        if usual is None or size == 0.0 or (size, one.route) in seen:
            continue
        seen.add((size, one.route))
        if size >= FAR * usual and not usual >= RODENT:
            yield _too_much(size, one.route, usual, subject.species)
        elif size * 2 * FAR <= usual:
            yield (
                f'warning: {size:g} mg/kg {one.route} with subject = "{subject.species}" is '
                f"{usual / size:.3g} times less than the usual {usual:g} mg/kg; a human dose? "
                'Set subject = "human", or allow_unusual_dose = true.'
            )


def _too_much(size: float, route: str, usual: float, species: str) -> str:
    rodent = f"{size:g} mg/kg {_SHORT.get(route, 'i.p.')} is a rodent dose"
    return (
        f'warning: {size:g} mg/kg {route} with subject = "{species}" is {size / usual:.3g} times '
        f'the usual {usual:g} mg/kg; {rodent}. Set subject = "rat", or allow_unusual_dose = true.'
    )


def implausible_values(model: Model, names: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each named parameter whose value lies outside its plausible bounds."""
    for name in names:
        parameter = model.parameters[name]
        low, high = parameter.bounds
        value = model.value(name) / unit(parameter.unit).factor
        if not low <= value <= high:
            yield (
                f"warning: {name} = {value:g} {parameter.unit} lies outside its plausible bounds "
                f"{low:g} to {high:g} {parameter.unit}."
            )
