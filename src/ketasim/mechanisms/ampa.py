"""AMPA receptors: how many stand at the surface, and how hard they are driven.

The two are kept apart. Glutamate drives what is there, within the hour of the surge; insertion,
asked for by TrkB and by the release of eEF2 from its kinase, raises the number at the surface for
most of a day. Left out: subunits, phosphorylation sites, and desensitisation.
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
from ketasim.core.evidence import Grounds, assumed, by_test, fitted
from ketasim.core.maths import hill


def k_insert(k_remove, surface_rest):
    """Insertion that balances removal at rest."""
    return k_remove * surface_rest / (1 - surface_rest)


def number(surface, surface_rest):
    """Receptors at the surface relative to rest."""
    return surface / surface_rest


def transmission(number, antagonist, potentiator):
    """Strength of AMPA transmission relative to rest, whatever the glutamate."""
    return number * (1 - antagonist) * (1 + potentiator)


def current(glutamate, surface, surface_rest, weight, antagonist, potentiator):
    """AMPA current that glutamate drives now, relative to rest."""
    return (
        glutamate * (1 + weight * (surface - surface_rest)) * (1 - antagonist) * (1 + potentiator)
    )


def insertion_drive(signal, relief, gain_trkb, half_trkb, gain_eef2, half_eef2, steepness):
    """Insertion relative to rest."""
    by_trkb = gain_trkb * hill(signal - 1, half_trkb, steepness)
    return 1 + by_trkb + gain_eef2 * hill(relief, half_eef2, steepness)


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
        Parameter("surface_rest", 0.4, "1", (0.2, 0.6), assumed("a sizeable internal reserve"), "receptors at the surface at rest", grounds=Grounds(most=1.0)),
        Parameter("k_remove", 0.1, "1/h", (0.05, 0.3), assumed("added receptors last most of a day"), "removal from the surface"),
        Parameter("weight", 0.1, "1", (0.0, 0.15), assumed("few inserted receptors face the released glutamate; small, so that the loop through BDNF cannot hold itself up"), "current gained if every receptor came to the surface", grounds=Grounds(high=by_test("so that the loop through BDNF cannot hold itself up in any draw"))),
        Parameter("gain_trkb", 4.75, "1", (1.0, 8.0), fitted("function recovers within hours", "ModaSava2019"), "insertion added by TrkB"),
        Parameter("half_trkb", 1.0, "1", (0.4, 2.0), assumed("half way up its usual excursion"), "excess TrkB signal for half the effect"),
        Parameter("gain_eef2", 2.0, "1", (0.0, 4.0), assumed("smaller than TrkB's in the default account"), "insertion added by relief of eEF2"),
        Parameter("half_eef2", 0.4, "1", (0.2, 0.8), assumed("a 40 % fall of phosphorylation"), "relief of eEF2 for half the effect"),
        Parameter("steepness", 2.0, "1", (2.0, 4.0), assumed("no slope at rest, so that rest is stable"), "steepness of both", role="exponent", grounds=Grounds(low=by_test("no slope at rest, so that rest is stable in every draw"))),
    ),
    reads=(
        Read("glutamate", "1", of="glutamate.relative"),
        Read("signal", "1", of="trkb.signal"),
        Read("relief", "1", of="translation.relief"),
    ),
    knobs=(
        Knob("antagonist", 0.0, "1", (0.0, 1.0), "AMPA antagonist (NBQX)", short=("nbqx",)),
        Knob("potentiator", 0.0, "1", (0.0, 2.0), "AMPA potentiator (CX546)"),
    ),
    derived=(Derived(k_insert, "1/h", "insertion at rest"),),
    quantities=(
        Quantity(number, "1", "AMPA receptors at the surface, relative to rest"),
        Quantity(transmission, "1", "strength of AMPA transmission, relative to rest"),
        Quantity(current, "1", "AMPA current driven by glutamate, relative to rest", short="ampa"),
        Quantity(insertion_drive, "1", "insertion, relative to rest"),
    ),
    flows=(Flow(insert, into="surface"), Flow(remove, out_of="surface")),
)  # fmt: skip
