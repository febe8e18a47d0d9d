"""Opioid tone, which may be permissive for the change of mood.

Ketamine's own affinity for the mu receptor is tens of micromolar; what matters here is tone that is
already there and that naltrexone removes. Left out: kappa and delta receptors, release of opioids
by the drug, tolerance.
"""

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, State, story_of
from ketasim.core.evidence import Grounds, assumed, seen


def settle(tone, naltrexone, k_tone):
    """Tone follows what the antagonist leaves."""
    return k_tone * (1 - naltrexone - tone)


OPIOID = Mechanism(
    name="opioid",
    story=story_of(__doc__),
    states=(State("tone", 1.0, "1", "mu-opioid tone, relative to rest", within=(0.0, 1.0)),),
    parameters=(Parameter("k_tone", 4.2, "1/h", (0.5, 6.0), assumed("full reversal within an hour of naloxone, in the middle of what the bounds leave of what sources say"), "pace of the tone", grounds=Grounds(seen=seen(3.0, 12.0, "full reversal within 60 min of naloxone, to a peak of naloxone in rat brain within 15 min; half-life 6.5 min in between", "Yassen2007", "vanDorp2006", "Berkowitz1975"))),),
    knobs=(Knob("naltrexone", 0.0, "1", (0.0, 1.0), "mu-opioid receptors blocked", short=("naltrexone",)),),
    flows=(Flow(settle, into="tone"),),
)  # fmt: skip
