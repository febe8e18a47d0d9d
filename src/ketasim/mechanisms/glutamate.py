"""The glutamate cycle: three pools that lose nothing.

Pyramidal firing releases glutamate from vesicles; astrocytes take it up (GLT-1, known in humans as
EAAT2) and return it. Firing above rest therefore raises the glutamate that receptors feel at once
and runs the vesicular pool down over an hour or so: one reason why the surge is short. What a
dialysate or a spectrometer shows is mostly not vesicular: it leaks from cells and is held down by
uptake alone, so that a third more in the dialysate stands for a two- to fourfold rise where
receptors are. Release is braked by mGlu2/3 autoreceptors, and raised by hydroxynorketamine where
that account is switched on. D-serine and glycine fill the co-agonist site of NMDA receptors.

Left out: the single cleft (transients of a millisecond), glutamine as a separate pool, synthesis
from glucose, and a weaker uptake under stress, whose size is not in the evidence. Uptake is lumped
to about a minute, far faster than anything it drives.
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
from ketasim.core.evidence import Grounds, assumed, by_source, fitted, seen, unsourced
from ketasim.core.maths import hill


def extracellular_rest(ambient, part):
    """Glutamate from vesicles that is outside at rest."""
    return ambient * part


def turnover(k_clear, extracellular_rest, pool):
    """Rate of a pool that balances uptake at rest."""
    return k_clear * extracellular_rest / pool


def astrocytic_rest(vesicular_rest):
    """Glutamate on its way back at rest: it returns twice as fast as it is released."""
    return vesicular_rest / 2


def synaptic(extracellular, extracellular_rest):
    """Glutamate from vesicles, which receptors feel, relative to rest."""
    return extracellular / extracellular_rest


def relative(synaptic, blocked, part):
    """What a dialysate shows, relative to rest: glutamate from vesicles, and what leaks from cells."""
    return part * synaptic + (1 - part) / (1 - blocked)


def brake(synaptic, agonist, antagonist, k_brake, agonist_effect):
    """Release left by mGlu2/3 autoreceptors, 1 at rest; the antagonist opposes the agonist too."""
    felt = (k_brake * synaptic + agonist_effect * agonist) * (1 - antagonist)
    return (1 + k_brake) / (1 + felt)


def facilitation(metabolite, gain, facilitation_max, half):
    """Release probability under (2R,6R)-hydroxynorketamine; 1 without it."""
    return 1 + gain * facilitation_max * hill(metabolite, half, 2)


def coagonist(added, affinity_d_serine):
    """Filling of the NMDA co-agonist site relative to rest, when D-serine stands at 1."""
    return (1 + added) * (affinity_d_serine + 1) / (affinity_d_serine + 1 + added)


def release(vesicular, k_release, rate, brake, facilitation):
    """Vesicles empty with firing."""
    return vesicular * k_release * rate * brake * facilitation


def uptake(extracellular, k_clear, blocked):
    """Astrocytes take glutamate up, far from saturation."""
    return k_clear * extracellular * (1 - blocked)


def refill(astrocytic, k_refill):
    """Astrocytes return glutamate to the vesicles, as glutamine."""
    return k_refill * astrocytic


GLUTAMATE = Mechanism(
    name="glutamate",
    story=story_of(__doc__),
    states=(
        State("vesicular", "vesicular_rest", "uM", "glutamate in vesicles, per extracellular volume", scale=40.0, identifiers=("chebi/CHEBI:29985",)),
        State("extracellular", "extracellular_rest", "uM", "extracellular glutamate from vesicles", scale=0.1, identifiers=("chebi/CHEBI:29985",)),
        State("astrocytic", "astrocytic_rest", "uM", "glutamate on its way back, per extracellular volume", scale=20.0),
    ),
    parameters=(
        Parameter("ambient", 0.3, "uM", (0.05, 0.9), assumed("interstitial glutamate lies below 1 uM; nanomolar in slice"), "extracellular glutamate at rest", grounds=Grounds(high=by_source("below 1 uM in interstitial fluid", "BioNumbers"), seen=seen(0.025, 1.0, "about 25 nM in slice (not confirmed) to below 1 uM in interstitial fluid", "BioNumbers"))),
        Parameter("vesicular_rest", 40.0, "uM", (20.0, 80.0), assumed("emptied in about two hours at the resting rate"), "vesicular pool at rest"),
        Parameter("k_clear", 84.9, "1/h", (30.0, 240.0), assumed("uptake lumped to a minute, far faster than what it drives"), "clearance of ambient glutamate"),
        Parameter("part", 0.1653, "1", (0.1, 0.5), fitted("most ambient glutamate does not come from vesicles"), "share of ambient glutamate that vesicles supply at rest", grounds=Grounds(seen=seen(0.0, 0.5, "no fall of dialysate with TTX or calcium-channel block, to 50 % fall with conotoxin at a microelectrode, prefrontal rat", "Melendez2005", "Hascup2010"), most=1.0)),
        Parameter("k_brake", 0.158, "1", (0.05, 0.5), assumed("modest tonic brake"), "strength of mGlu2/3 autoreceptors", grounds=Grounds(seen=seen(0.0, 1.0, "mGlu2/3 antagonist raises prefrontal glutamate by 40 % at a microelectrode and not at all in dialysate", "Hascup2010", "Melendez2005"))),
        Parameter("agonist_effect", 2.0, "1", (0.5, 5.0), assumed("a full agonist cuts release to about a third"), "brake by a full mGlu2/3 agonist", grounds=Grounds(seen=seen(0.0, 2.5, "mGlu2/3 agonist lowers prefrontal glutamate by 20 % at a microelectrode and not at all in dialysate", "Hascup2010", "Melendez2005"))),
        Parameter("facilitation_max", 3.0, "1", (1.0, 5.0), assumed("set so that the account can reach a comparable surge"), "greatest rise of release by hydroxynorketamine", grounds=Grounds(low=unsourced("moved with its value, so that the account can reach a comparable effect"), high=unsourced("moved with its value, so that the account can reach a comparable effect"))),
        Parameter("half", 3.5, "uM", (0.3, 5.0), assumed("half-effective on slices of rat hippocampus, through a review; fluid there reaches about 8 uM at an effective dose"), "half-effective hydroxynorketamine", grounds=Grounds(seen=seen(3.3, 3.8, "EC50 of field potential and IC50 of paired-pulse ratio, rat CA1 slice, one paper, through a review (not confirmed)"), low=unsourced("moved with an earlier value, so that the account can reach a comparable effect"), high=unsourced("moved with an earlier value, so that the account can reach a comparable effect"))),
        Parameter("affinity_d_serine", 0.5, "1", (0.1, 2.0), assumed("site about two thirds full at rest"), "D-serine that half fills the site, in units of its usual level", grounds=Grounds(seen=seen(0.025, 0.57, "EC50 0.16 (GluN2D) to 1.3 uM (2A) (not confirmed) over 6.5 uM in dialysate or 2.3 by biosensor (not confirmed)", "Matsui1995"))),
    ),
    reads=(
        Read("rate", "1", of="circuit.pyramidal_rate"),
        Read("metabolite", "uM", of="pk_r.brain_hydroxynorketamine"),
        Read("gain", "1", of="drivers.hydroxynorketamine"),
    ),
    knobs=(
        Knob("mglu23_agonist", 0.0, "1", (0.0, 1.0), "mGlu2/3 agonist"),
        Knob("mglu23_antagonist", 0.0, "1", (0.0, 1.0), "mGlu2/3 antagonist"),
        Knob("eaat_block", 0.0, "1", (0.0, 0.95), "uptake blocked"),
        Knob("glycine_agonist", 0.0, "1", (0.0, 10.0), "agonist at the co-agonist site, in units of resting D-serine"),
    ),
    derived=(
        Derived(extracellular_rest, "uM", "glutamate from vesicles outside at rest"),
        Derived(astrocytic_rest, "uM", "glutamate on its way back at rest"),
        Derived(turnover, "1/h", "release rate at rest", "k_release", {"pool": "vesicular_rest"}),
        Derived(turnover, "1/h", "refill rate at rest", "k_refill", {"pool": "astrocytic_rest"}),
    ),
    quantities=(
        Quantity(synaptic, "1", "glutamate from vesicles, relative to rest"),
        Quantity(relative, "1", "glutamate as a dialysate shows it, relative to rest", using={"blocked": "eaat_block"}, short="glutamate"),
        Quantity(brake, "1", "release left by autoreceptors", using={"agonist": "mglu23_agonist", "antagonist": "mglu23_antagonist"}),
        Quantity(facilitation, "1", "release probability, relative to rest"),
        Quantity(coagonist, "1", "filling of the co-agonist site, relative to rest", using={"added": "glycine_agonist"}),
    ),
    flows=(
        Flow(release, out_of="vesicular", into="extracellular"),
        Flow(uptake, out_of="extracellular", into="astrocytic", using={"blocked": "eaat_block"}),
        Flow(refill, out_of="astrocytic", into="vesicular"),
    ),
    conserved=(("vesicular", "extracellular", "astrocytic"),),
)  # fmt: skip
