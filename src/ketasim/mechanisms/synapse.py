"""Before and behind the synapse: what NMDA block does to calcium on either side.

Behind it, calcium enters through NMDA receptors as glutamate and co-agonist open them and the drug
blocks them. Before it, terminals have NMDA receptors of their own: block lowers calcium there for a
given firing, and with it what is released spontaneously. That release by spikes falls too is a
rival to disinhibition, in which release rises; it is switched off, and how the second of two pulses
compares with the first (``paired_pulse``) tells them apart, since it rises as release per spike
falls.

Left out: calcium itself as a state, stores, plasticity rules, kainate receptors.
"""

from ketasim.core.declare import Mechanism, Parameter, Quantity, Read, story_of
from ketasim.core.evidence import Grounds, assumed


def spontaneous(resting_block, weight):
    """Spontaneous release relative to rest: less as receptors of terminals are blocked."""
    return 1 - weight * resting_block


def pre_calcium(rate, spontaneous):
    """Calcium in terminals relative to rest."""
    return rate * spontaneous


def post_calcium(glutamate, coagonist, block):
    """Calcium through NMDA receptors of pyramidal cells relative to rest."""
    return glutamate * coagonist * (1 - block)


def probability(spontaneous, gain):
    """Release per spike relative to rest; 1 while that account is off."""
    return 1 + gain * (spontaneous - 1)


def paired_pulse(probability):
    """Second response over the first relative to rest: it rises as release per spike falls."""
    return 1 / probability


def released(before, probability):
    """Vesicles empty with firing and with release per spike."""
    return before * probability


SYNAPSE = Mechanism(
    name="synapse",
    story=story_of(__doc__),
    parameters=(
        Parameter("weight", 0.3, "1", (0.05, 0.8), assumed("a minority of calcium in terminals; size not in the evidence"), "share of calcium in terminals that NMDA receptors there let in", grounds=Grounds(most=1.0)),
    ),
    reads=(
        Read("gain", "1", of="drivers.terminals", default=0.0),
        Read("rate", "1", of="circuit.pyramidal_rate"),
        Read("resting_block", "1", of="nmda.resting_block"),
        Read("glutamate", "1", of="glutamate.synaptic"),
        Read("coagonist", "1", of="glutamate.coagonist"),
        Read("block", "1", of="nmda.pyramidal_block"),
    ),
    quantities=(
        Quantity(spontaneous, "1", "spontaneous release, relative to rest"),
        Quantity(pre_calcium, "1", "calcium in terminals, relative to rest"),
        Quantity(post_calcium, "1", "calcium through NMDA receptors behind the synapse, relative to rest", short="post_calcium"),
        Quantity(probability, "1", "release per spike, relative to rest"),
        Quantity(paired_pulse, "1", "second response over the first, relative to rest"),
    ),
)  # fmt: skip
