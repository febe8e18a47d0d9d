"""Three mechanisms of one's own: a drug in one compartment, a receptor, and a response."""

from ketasim.core.declare import (
    Flow,
    Inlet,
    Knob,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    Substance,
)
from ketasim.core.evidence import assumed
from ketasim.core.model import Model

GUESS = assumed("an example, not a claim")


# 1. The drug: what is given is cleared.


def clear(amount, clearance, volume):
    """Drug leaves in proportion to its concentration."""
    return clearance * amount / volume


def concentration(amount, volume):
    """Amount over the volume it fills."""
    return amount / volume


COMPARTMENT = Mechanism(
    name="compartment",
    role="drug",
    story="One compartment that a bolus or an infusion fills and clearance empties.",
    states=(State("amount", 0.0, "umol", "drug in the body"),),
    parameters=(
        Parameter("volume", 50.0, "L", (20.0, 100.0), GUESS, "volume of distribution"),
        Parameter("clearance", 25.0, "L/h", (5.0, 80.0), GUESS, "clearance"),
    ),
    quantities=(Quantity(concentration, "uM", "drug in plasma", short="drug"),),
    flows=(Flow(clear, out_of="amount"),),
    inlets=(Inlet("testamine", "iv", "amount"),),
)


# 2. The receptor: the drug binds and leaves.


def bind(drug, bound, k_on):
    """Drug enters free receptors."""
    return k_on * drug * (1 - bound)


def unbind(bound, k_off):
    """Drug leaves receptors."""
    return k_off * bound


RECEPTOR = Mechanism(
    name="receptor",
    story="One site, bound and left at constant rates.",
    states=(
        State("bound", 0.0, "1", "receptors that hold drug, of all", within=(0.0, 1.0),
              short="occupancy", panel="Occupancy"),
    ),
    parameters=(
        Parameter("k_on", 2.0, "1/uM/h", (0.2, 20.0), GUESS, "binding"),
        Parameter("k_off", 1.0, "1/h", (0.1, 10.0), GUESS, "leaving"),
    ),
    reads=(Read("drug", "uM", of="compartment.concentration"),),
    flows=(Flow(bind, into="bound"), Flow(unbind, out_of="bound")),
)  # fmt: skip


# 3. The response: it follows the receptor, unless an antagonist is held.


def aim(bound, antagonist, gain):
    """What the response is on its way to."""
    return 1 + gain * bound * (1 - antagonist)


def follow(aim, level, k):
    """The response moves to its aim."""
    return k * (aim - level)


RESPONSE = Mechanism(
    name="response",
    story="A response that follows occupancy within hours.",
    states=(
        State("level", 1.0, "1", "response, relative to rest", short="response", panel="Response"),
    ),
    parameters=(
        Parameter("gain", 2.0, "1", (0.5, 5.0), GUESS, "rise at full occupancy"),
        Parameter("k", 0.5, "1/h", (0.1, 2.0), GUESS, "pace"),
    ),
    reads=(Read("bound", "1", of="receptor.bound"),),
    knobs=(Knob("antagonist", 0.0, "1", (0.0, 1.0), "share blocked", short="blocker"),),
    quantities=(
        Quantity(aim, "1", "what it is on its way to, relative to rest", panel="Response"),
    ),
    flows=(Flow(follow, into="level"),),
)

MODEL = Model(
    (COMPARTMENT, RECEPTOR, RESPONSE),
    (Substance("testamine", 250.0, (("testamine", 1.0),), "a drug of one's own"),),
    name="three_mechanisms",
)
