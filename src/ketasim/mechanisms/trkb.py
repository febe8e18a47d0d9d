"""TrkB at the surface: switched on by BDNF, then taken in.

Receptors are inactive, active or internalised, and none is lost. An active receptor is taken in within
minutes, and internalisation is ten times faster than return, so a lasting rise of BDNF gives a signal that
peaks and sags. How much of a rise of BDNF the signal passes on is the number that is stated; the
share of receptors that is active at rest follows, since few active ones leave room to rise. Where that account is switched on, ketamine bound to TrkB strengthens activation.
Left out: p75, heterodimers, signalling from endosomes, synthesis of receptors.
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
from ketasim.core.evidence import Grounds, assumed, derived, seen
from ketasim.core.maths import hill


def signal_reached(bdnf_reached, passed):
    """TrkB signal at the reference dose relative to rest."""
    return 1 + passed * (bdnf_reached - 1)


def k_recycle(k_internalise, internal_ratio):
    """Return to the surface, slower than internalisation."""
    return k_internalise / internal_ratio


def active_rest(bdnf_reached, signal_reached, internal_ratio):
    """Active share at rest, which leaves as much room to rise as the signal takes."""
    saturated = (bdnf_reached - signal_reached) / (signal_reached * (bdnf_reached - 1))
    return saturated / (1 + internal_ratio)


def internal_rest(active_rest, internal_ratio):
    """Internalised receptors in balance with the active ones at rest."""
    return active_rest * internal_ratio


def k_activate(active_rest, internal_rest, k_internalise):
    """Activation by BDNF that balances at rest."""
    return k_internalise * active_rest / (1 - active_rest - internal_rest)


def inactive(active, internal):
    """Receptors that wait at the surface."""
    return 1 - active - internal


def signal(active, active_rest):
    """TrkB signal relative to rest."""
    return active / active_rest


def potentiation(ketamine, metabolite, gain, k_ketamine, k_metabolite, potentiation_max):
    """Activation strengthened by drug bound to TrkB; 1 without it."""
    return 1 + gain * potentiation_max * hill(
        ketamine / k_ketamine + metabolite / k_metabolite, 1.0, 1.0
    )


def activate(inactive, free, k_activate, potentiation, block):
    """BDNF switches receptors on."""
    return k_activate * free * potentiation * inactive * (1 - block)


def internalise(active, k_internalise):
    """Active receptors are taken in."""
    return k_internalise * active


def recycle(internal, k_recycle):
    """Receptors return to the surface."""
    return k_recycle * internal


TRKB = Mechanism(
    name="trkb",
    story=story_of(__doc__),
    states=(
        State("active", "active_rest", "1", "active TrkB at the surface, of all", scale=0.02, within=(0.0, 1.0), short="trkb", identifiers=("uniprot/Q16620",)),
        State("internal", "internal_rest", "1", "internalised TrkB, of all", scale=0.2, within=(0.0, 1.0), identifiers=("uniprot/Q16620",)),
    ),
    parameters=(
        Parameter("passed", 0.689, "1", (0.5, 0.95), assumed("a small share is active at rest, so most of a rise is passed on"), "share of the excess of BDNF that the signal shows", grounds=Grounds(most=1.0)),
        Parameter("k_internalise", 24.5, "1/h", (15.0, 40.0), derived("0.01 per second in a reduced pathway model", "HillTau"), "internalisation", grounds=Grounds(seen=seen(2.5, 36.0, "from the fall of active TrkB under constant BDNF (2.5, not confirmed) to 0.01 per second in a pathway model (36)", "ZapfColby1998"))),
        Parameter("internal_ratio", 5.66, "1", (2.0, 16.0), derived("0.01 and 0.001 per second in a reduced pathway model", "HillTau"), "internalised over active receptors at rest", grounds=Grounds(seen=seen(0.93, 10.0, "from sag of active TrkB to about half under constant BDNF (0.93, not confirmed) to 0.01 over 0.001 per second in a pathway model (10)"))),
        Parameter("k_ketamine", 12.3, "uM", (6.0, 25.0), assumed("Kd 12.3 uM; source not confirmed"), "affinity of ketamine for TrkB"),
        Parameter("k_metabolite", 1.8, "uM", (0.9, 3.6), assumed("Kd 1.8 uM of (2R,6R)-hydroxynorketamine; source not confirmed"), "affinity of hydroxynorketamine for TrkB"),
        Parameter("potentiation_max", 20.0, "1", (4.0, 60.0), assumed("set so that the account can reach a comparable signal"), "greatest strengthening"),
    ),
    reads=(
        Read("free", "1", of="bdnf.free"),
        Read("bdnf_reached", "1", of="bdnf.reached"),
        Read("ketamine", "uM", of="plasma.brain"),
        Read("metabolite", "uM", of="pk_r.brain_hydroxynorketamine"),
        Read("gain", "1", of="drivers.trkb"),
    ),
    knobs=(Knob("block", 0.0, "1", (0.0, 1.0), "TrkB blocked", short=("trkb",)),),
    derived=(
        Derived(signal_reached, "1", "TrkB signal at the reference dose"),
        Derived(k_recycle, "1/h", "return to the surface"),
        Derived(active_rest, "1", "active share at rest"),
        Derived(internal_rest, "1", "internalised share at rest"),
        Derived(k_activate, "1/h", "activation at rest"),
    ),
    quantities=(
        Quantity(inactive, "1", "TrkB waiting at the surface, of all"),
        Quantity(signal, "1", "TrkB signal, relative to rest"),
        Quantity(potentiation, "1", "activation strengthened by drug"),
    ),
    flows=(
        Flow(activate, into="active"),
        Flow(internalise, out_of="active", into="internal"),
        Flow(recycle, out_of="internal"),
    ),
)  # fmt: skip
