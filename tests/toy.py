"""A model small enough to solve by hand, with one of everything a mechanism can declare."""

from ketasim.core.declare import (
    Derived,
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

WHY = assumed("a toy")


def clear(amount, k_el):
    """Drug leaves in proportion to what is there."""
    return k_el * amount


def concentration(amount, volume):
    """Amount over volume."""
    return amount / volume


def seen(plasma, bath_drug):
    """Tissue sees plasma and bath."""
    return plasma + bath_drug


def bind(drug, bound, k_on, openness):
    """Drug enters free receptors."""
    return k_on * openness * drug * (1 - bound)


def unbind(bound, k_off):
    """Drug leaves receptors."""
    return k_off * bound


def k_off(k_on, affinity):
    """Balance at half occupancy."""
    return k_on * affinity


def half(k_off, k_on):
    """Affinity, computed back."""
    return k_off / k_on


def body(**changes):
    """Return the mechanism that holds the drug."""
    parts = {
        "name": "body",
        "story": "One compartment for each enantiomer.",
        "states": (
            State("s", 0.0, "nmol", "S enantiomer", scale=100.0),
            State("r", 0.0, "umol", "R enantiomer", scale=0.1),
            State("gut", 0.0, "umol", "drug waiting in the gut"),
        ),
        "parameters": (
            Parameter("k_el", 0.25, "1/h", (0.01, 2.0), WHY),
            Parameter("volume", 2000.0, "mL", (10.0, 1e5), WHY),
        ),
        "quantities": (
            Quantity(concentration, "uM", "S in plasma", name="plasma", using={"amount": "s"}),
        ),
        "flows": (
            Flow(clear, out_of="s", using={"amount": "s"}),
            Flow(clear, out_of="r", using={"amount": "r"}),
            Flow(clear, into="s", out_of="gut", using={"amount": "gut"}),
        ),
        "inlets": (
            Inlet("s_drug", "iv", "s"),
            Inlet("r_drug", "iv", "r"),
            Inlet("s_drug", "oral", "gut"),
        ),
    }
    return Mechanism(**{**parts, **changes})


def receptor(**changes):
    """Return the mechanism that the drug acts on."""
    parts = {
        "name": "receptor",
        "story": "One site.",
        "states": (State("bound", 0.0, "1", "share of receptors that hold drug"),),
        "parameters": (
            Parameter("k_on", 0.002, "1/uM/s", (1e-4, 1.0), WHY),
            Parameter("affinity", 500.0, "nM", (1.0, 1e4), WHY),
        ),
        "reads": (
            Read("plasma", "nM", of="body.plasma"),
            Read("openness", "1", of="circuit.openness", default=1.0),
        ),
        "knobs": (
            Knob("bath_drug", 0.0, "uM", (0.0, 100.0), "drug around the tissue"),
            Knob("blocker", 0.0, "%", (0.0, 100.0), "share of receptors shut"),
        ),
        "derived": (Derived(k_off, "1/h", "leaving"), Derived(half, "uM", "half occupancy")),
        "quantities": (Quantity(seen, "uM", "drug at the receptor", name="drug"),),
        "flows": (Flow(bind, into="bound"), Flow(unbind, out_of="bound")),
        "inlets": (Inlet("s_drug", "bath", "bath_drug"),),
    }
    return Mechanism(**{**parts, **changes})


SUBSTANCES = (
    Substance("drug", 200.0, (("s_drug", 0.5), ("r_drug", 0.5)), "a racemic drug"),
    Substance("s_drug", 200.0, (("s_drug", 1.0),), "its S enantiomer"),
)


def model(*mechanisms):
    """Return the toy model, or the toy substances with other mechanisms."""
    return Model(mechanisms or (body(), receptor()), SUBSTANCES, name="toy")
