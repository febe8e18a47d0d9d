"""AMPA receptors: how many stand at the surface, and how hard they are driven.

The two are kept apart. Glutamate drives what is there, within the hour of the surge; insertion,
called for by TrkB and braked by phosphorylated eEF2, raises the number at the surface for about a
day: synapses that exist are strengthened first and carry the effect until new ones have formed. A
share of the receptors is held by scaffold proteins and follows them for days. Those that are added
stand away from the released glutamate and do not add to the current that it drives: so receptors do
not call for more receptors.

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
from ketasim.core.evidence import Grounds, assumed, derived, fitted, seen
from ketasim.core.maths import fold
from ketasim.mechanisms.anchors import called, ceiling, steepness


def number(surface, proteins, slots):
    """Receptors at synapses relative to rest: at the surface, and held there by scaffolds."""
    return surface * (1 - slots + slots * proteins)


def transmission(number, antagonist, potentiator):
    """Strength of AMPA transmission relative to rest, whatever the glutamate."""
    return number * (1 - antagonist) * (1 + potentiator)


def current(glutamate, antagonist, potentiator):
    """AMPA current that glutamate drives now, relative to rest, by receptors that face its release."""
    return glutamate * (1 - antagonist) * (1 + potentiator)


def insertion_drive(signal, relief, share, most, steepness, brake_eef2):
    """Insertion relative to rest, called for by TrkB and braked by phosphorylated eEF2."""
    asked = 1 - share + share * fold(signal, most, steepness)
    return asked * (1 + brake_eef2) / (1 + brake_eef2 * (1 - relief))


def exchange(insertion_drive, surface, k_remove):
    """Receptors come to the surface and are taken in."""
    return k_remove * (insertion_drive - surface)


AMPA = Mechanism(
    name="ampa",
    story=story_of(__doc__),
    states=(State("surface", 1.0, "1", "AMPA receptors at the surface, relative to rest"),),
    parameters=(
        Parameter("reached", 1.2, "1", (1.1, 1.3), assumed("a modest gain of strength carries the first day; size not in the evidence"), "surface receptors at the reference dose, relative to rest", grounds=Grounds(seen=seen(1.0, 1.4, "GluA1 and 2 not up at 1 h in synaptosomes, to field potential 140 % in slices (neither confirmed)"), least=1.0)),
        Parameter("share", 0.424, "1", (0.2, 0.9), assumed("the rest is constitutive"), "share of resting insertion that TrkB calls for", grounds=Grounds(most=1.0)),
        Parameter("k_remove", 0.0775, "1/h", (0.02, 0.3), derived("function stays up between the surge and the first spines", "Kishimoto2016"), "removal from the surface", grounds=Grounds(seen=seen(0.03, 4.2, "metabolic half-life 23 h (not confirmed) to synapses half emptied within 10 min of blocked exocytosis (in a model)", "Earnshaw2006"))),
        Parameter("brake_eef2", 2.0, "1", (0.0, 4.0), assumed("smaller than TrkB's in the default account"), "brake on insertion by phosphorylated eEF2 at rest"),
        Parameter("slots", 0.2161, "1", (0.1, 0.8), fitted("receptors up with scaffold proteins for days", "Li2010"), "share of receptors that follow scaffold proteins", grounds=Grounds(most=1.0)),
    ),
    reads=(
        Read("glutamate", "1", of="glutamate.synaptic"),
        Read("pulse", "h", of="circuit.pulse"),
        Read("headroom", "1", of="circuit.reserve"),
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
    flows=(Flow(exchange, into="surface"),),
)  # fmt: skip
