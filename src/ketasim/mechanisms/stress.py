"""Stress: a load that builds and wanes over days.

The stressor is an experimenter's input (or a life's); the load is what the animal carries of it.
Left out: corticosterone and its rhythm, the kind of stressor, habituation, and resilience.
"""

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, State, story_of
from ketasim.core.evidence import assumed


def carry(stressor, load, k_stress):
    """The load follows the stressor."""
    return k_stress * (stressor - load)


STRESS = Mechanism(
    name="stress",
    story=story_of(__doc__),
    states=(State("load", 0.0, "1", "stress load; 1 under chronic stress"),),
    parameters=(Parameter("k_stress", 0.01, "1/h", (0.004, 0.03), assumed("builds over several days of daily stress"), "pace of the load"),),
    knobs=(Knob("stressor", 0.0, "1", (0.0, 2.0), "intensity of stress; 1 for a chronic paradigm or a depressive episode", short=("stress",)),),
    flows=(Flow(carry, into="load"),),
)  # fmt: skip
