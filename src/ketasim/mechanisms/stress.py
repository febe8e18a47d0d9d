"""Stress: a load that builds and wanes over days, and the resilience that keeps it off.

The stressor is an experimenter's input (or a life's); the load is what the animal carries of it.
New spines that have survived about a week, summed over months, make the same stressor weigh less:
one dose leaves little of this, months of treatment leave much, and it is lost as slowly as it was
gained. Without a stressor it is silent. It answers to spines at new sites, which stress does not
reach, so that it cannot hold itself up.

Left out: corticosterone and its rhythm, the kind of stressor, habituation, and any resilience that
is not a matter of spines.
"""

from ketasim.core.declare import (
    Flow,
    Knob,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    story_of,
)
from ketasim.core.evidence import Grounds, by_test, fitted, seen
from ketasim.core.maths import fold


def felt(stressor, resilience, most):
    """What is felt of the stressor: all of it at the usual resilience, nothing at the greatest."""
    return stressor * (most - resilience) / (most - 1)


def carry(felt, load, k_stress):
    """The load follows what is felt of the stressor."""
    return k_stress * (felt - load)


def standing(stable, stable_rest, most, steepness):
    """What spines that have stood for about a week make of resilience; 1 at rest."""
    return fold(stable / stable_rest, most, steepness)


def toughen(standing, resilience, k_resilience):
    """Resilience follows over months."""
    return k_resilience * (standing - resilience)


STRESS = Mechanism(
    name="stress",
    story=story_of(__doc__),
    states=(
        State("load", 0.0, "1", "stress load; 1 under chronic stress"),
        State("resilience", 1.0, "1", "resilience, relative to its usual level"),
    ),
    parameters=(
        Parameter("k_stress", 0.002131, "1/h", (0.002, 0.03), fitted("builds over several days to the three weeks of a chronic paradigm"), "pace of the load", grounds=Grounds(seen=seen(0.0014, 0.018, "immobility still there a month after stress ended, to behaviour full after seven days of restraint", "ChronicStress2017", "Prophylaxis2022"), low=by_test("was 0.004, so that the effect of one dose lasts for a week"))),
        Parameter("k_resilience", 0.0001949, "1/h", (1 / 6600, 1 / 2880), fitted("a median of 273 days to relapse after sixteen weeks of treatment, days after one dose", "Daly2019"), "pace of resilience", grounds=Grounds(low=by_test("was 1/4800, so that months of treatment outlast their end"))),
        Parameter("most", 14.46, "1", (1.5, 20.0), fitted("set by how long the effect outlasts months of treatment"), "greatest resilience, at which a stressor is not felt", grounds=Grounds(high=by_test("was 10, so that months of treatment outlast their end and one dose does not"))),
        Parameter("steepness", 6.077, "1", (1.5, 8.0), fitted("set by how long the effect outlasts months of treatment"), "steepness of resilience", role="exponent", grounds=Grounds(high=by_test("was 3, so that months of treatment outlast their end and one dose does not"))),
    ),
    reads=(
        Read("stable", "1", of="spines.stable"),
        Read("stable_rest", "1", of="spines.stable_rest"),
    ),
    knobs=(Knob("stressor", 0.0, "1", (0.0, 2.0), "intensity of stress; 1 for a chronic paradigm or a depressive episode", short=("stress",)),),
    quantities=(Quantity(felt, "1", "what is felt of the stressor"), Quantity(standing, "1", "what spines that have stood make of resilience"),),
    flows=(Flow(carry, into="load"), Flow(toughen, into="resilience")),
)  # fmt: skip
