"""Names and units as SBML has them: ``pk_s.central`` is ``pk_s__central``, uM ``umol_per_L``."""

from collections.abc import Iterable

from ketasim.core.laws import Wire
from ketasim.core.model import Model
from ketasim.export.xml import Element, element, group, number
from ketasim.units import Unit
from ketasim.units import unit as parsed

CLOCK, BEGIN = "protocol.clock", "protocol.begin"
_KINDS: dict[str, tuple[str, int, float]] = {
    "h": ("second", 0, 3600.0), "umol": ("mole", -6, 1.0), "L": ("litre", 0, 1.0),
    "mg": ("gram", -3, 1.0), "kg": ("kilogram", 0, 1.0), "mV": ("volt", -3, 1.0),
    "points": ("item", 0, 1.0), "mmHg": ("pascal", 0, 133.322387415),
}  # fmt: skip
ALWAYS = ("h", "umol", "L")  # the model's own units of time, substance and volume


def identifier(full: str) -> str:
    """Return the SBML identifier of a full name."""
    return full.replace(".", "__")


def rate_id(state: str) -> str:
    """Return the full name of the rate at which a protocol feeds a state."""
    return f"input.{state}"


def start_id(name: str) -> str:
    """Return the full name under which the value of a time course at the start is kept."""
    return f"start.{name}"


def flow_ids(model: Model) -> dict[str, Wire]:
    """Return each flow by an identifier, numbered where one law serves several flows."""
    labels = [wire.label for wire in model.flows]
    found = {}
    for i, wire in enumerate(model.flows):
        count = labels[: i + 1].count(wire.label)
        number = f"_{count}" if labels.count(wire.label) > 1 else ""
        found[f"flow__{identifier(wire.label)}{number}"] = wire
    return found


def unit_id(text: str, *, per_hour: bool = False) -> str:
    """Return the identifier of the canonical unit of a dimension: ``umol_per_L_per_h``."""
    one = rate(parsed(text)) if per_hour else parsed(text)
    if not any(one.dimension):
        return "dimensionless"
    over, *under = one.canonical.split("/")
    words = [over] if over != "1" else []
    text = "_".join([*words, *(f"per_{part}" for part in under)])
    return text.replace("*", "_").replace("^", "")


def rate(one: Unit) -> Unit:
    """Return the unit of a quantity's change in an hour."""
    return one / parsed("h")


def canonical(text: str) -> str:
    """Return the text of the canonical unit of a dimension, ``'1'`` for a pure number."""
    return parsed(text).canonical


def definitions(texts: Iterable[str]) -> Element | None:
    """Return the definition of every unit that is used, in order of first use."""
    wanted = {unit_id(text): parsed(text) for text in (*ALWAYS, *texts)}
    wanted.pop("dimensionless", None)
    return group("listOfUnitDefinitions", (_definition(i, one) for i, one in wanted.items()))


def _definition(identifier: str, one: Unit) -> Element:
    axes = zip(_KINDS.values(), one.dimension, strict=True)
    parts = [
        element(
            "unit", kind=kind, exponent=str(power), scale=str(scale), multiplier=number(multiplier)
        )
        for (kind, scale, multiplier), power in axes
        if power
    ]
    name = one.canonical.replace("L", "l")
    return element("unitDefinition", element("listOfUnits", *parts), id=identifier, name=name)
