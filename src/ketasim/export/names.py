"""Names as other tools accept them: ``pk_s.central`` is ``pk_s__central``."""

from ketasim.core.laws import Wire
from ketasim.core.model import Model

CLOCK, BEGIN = "protocol.clock", "protocol.begin"


def identifier(full: str) -> str:
    """Return the SBML identifier of a full name."""
    return full.replace(".", "__")


def rate_id(state: str) -> str:
    """Return the full name of the rate at which a protocol feeds a state."""
    return f"input.{state}"


def flow_ids(model: Model) -> dict[str, Wire]:
    """Return each flow by an identifier, numbered where one law serves several flows."""
    labels = [wire.label for wire in model.flows]
    found = {}
    for i, wire in enumerate(model.flows):
        count = labels[: i + 1].count(wire.label)
        number = f"_{count}" if labels.count(wire.label) > 1 else ""
        found[f"flow__{identifier(wire.label)}{number}"] = wire
    return found
