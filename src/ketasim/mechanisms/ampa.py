"""AMPA receptors: how many stand at the surface, and how hard they are driven.

The two are kept apart. Glutamate drives what is there, within the hour of the surge; insertion,
called for by TrkB and braked by phosphorylated eEF2, raises the number at the surface for about a
day: synapses that exist are strengthened first and carry the effect until new ones have formed. A
share of the receptors is held by scaffold proteins and follows them for days.

Left out: subunits, phosphorylation sites, and desensitisation.
"""

from ketasim.core.declare import (
    Derived,
    Flow,
    Knob,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    story_of,
)
from ketasim.core.evidence import Grounds, assumed, derived
from ketasim.core.maths import fold
from ketasim.mechanisms.anchors import called, ceiling, steepness


def k_insert(k_remove, surface_rest):
    """Insertion that balances removal at rest."""
    return k_remove * surface_rest / (1 - surface_rest)


def number(surface, surface_rest, proteins, slots):
    """Receptors at synapses relative to rest: at the surface, and held there by scaffolds."""
    return surface / surface_rest * (1 - slots + slots * proteins)


def transmission(number, antagonist, potentiator):
    """Strength of AMPA transmission relative to rest, whatever the glutamate."""
    return number * (1 - antagonist) * (1 + potentiator)


def current(glutamate, surface, surface_rest, weight, antagonist, potentiator):
    """AMPA current that glutamate drives now, relative to rest."""
    return (
        glutamate * (1 + weight * (surface - surface_rest)) * (1 - antagonist) * (1 + potentiator)
    )


def insertion_drive(signal, relief, share, most, steepness, brake_eef2):
    """Insertion relative to rest, called for by TrkB and braked by phosphorylated eEF2."""
    asked = 1 - share + share * fold(signal, most, steepness)
    return asked * (1 + brake_eef2) / (1 + brake_eef2 * (1 - relief))


def insert(surface, k_insert, insertion_drive):
    """Receptors come to the surface."""
    return k_insert * insertion_drive * (1 - surface)


def remove(surface, k_remove):
    """Receptors are taken in."""
    return k_remove * surface


AMPA = Mechanism(
    name="ampa",
    story=story_of(__doc__),
    states=(State("surface", "surface_rest", "1", "AMPA receptors at the surface, of all", within=(0.0, 1.0)),),
    parameters=(
        Parameter("surface_rest", 0.348, "1", (0.2, 0.6), assumed("a sizeable internal reserve"), "receptors at the surface at rest", grounds=Grounds(most=1.0)),
        Parameter("reached", 1.2, "1", (1.1, 1.3), assumed("a modest gain of strength carries the first day; size not in the evidence"), "surface receptors at the reference dose, relative to rest"),
        Parameter("headroom", 2.3, "1", (1.3, 4.0), assumed("how far above the reference dose insertion can be driven"), "greatest call over that at the reference dose"),
        Parameter("share", 0.453, "1", (0.2, 0.9), assumed("the rest is constitutive"), "share of resting insertion that TrkB calls for", grounds=Grounds(most=1.0)),
        Parameter("k_remove", 0.0722, "1/h", (0.02, 0.3), derived("function stays up between the surge and the first spines", "Kishimoto2016"), "removal from the surface"),
        Parameter("brake_eef2", 2.44, "1", (0.0, 4.0), assumed("smaller than TrkB's in the default account"), "brake on insertion by phosphorylated eEF2 at rest"),
        Parameter("slots", 0.155, "1", (0.1, 0.8), derived("receptors up with scaffold proteins for days", "Li2010"), "share of receptors that follow scaffold proteins", grounds=Grounds(most=1.0)),
        Parameter("weight", 0.0804, "1", (0.0, 0.15), assumed("few inserted receptors face the released glutamate"), "current gained if every receptor came to the surface"),
    ),
    reads=(
        Read("glutamate", "1", of="glutamate.synaptic"),
        Read("pulse", "h", of="circuit.pulse"),
        Read("proteins", "1", of="translation.proteins"),
        Read("signal", "1", of="trkb.signal"),
        Read("signal_reached", "1", of="trkb.signal_reached"),
        Read("relief", "1", of="translation.relief"),
    ),
    knobs=(
        Knob("antagonist", 0.0, "1", (0.0, 1.0), "AMPA antagonist (NBQX)", short=("nbqx",)),
        Knob("potentiator", 0.0, "1", (0.0, 2.0), "AMPA potentiator (CX546)"),
    ),
    derived=(
        Derived(k_insert, "1/h", "insertion at rest"),
        Derived(called, "1", "insertion called for at the reference dose", using={"k": "k_remove"}),
        Derived(ceiling, "1", "greatest insertion that can be called for", "most"),
        Derived(steepness, "1", "steepness of the call", using={"ceiling": "most", "upstream": "signal_reached"}),
    ),
    quantities=(
        Quantity(number, "1", "AMPA receptors at synapses, relative to rest"),
        Quantity(transmission, "1", "strength of AMPA transmission, relative to rest"),
        Quantity(current, "1", "AMPA current driven by glutamate, relative to rest", short="ampa"),
        Quantity(insertion_drive, "1", "insertion, relative to rest"),
    ),
    flows=(Flow(insert, into="surface"), Flow(remove, out_of="surface")),
)  # fmt: skip
