"""Synapses of hippocampus and nucleus accumbens, each in two numbers.

Prefrontal cortex is the chain itself. Elsewhere two numbers stand for it: original synapses that
stress took (``lost``), and synapses gained at new sites (``gained``). What formation the chain calls
for in cortex reaches hippocampus (CA3 and dentate gyrus) nearly as far, and the accumbens not at
all: there neither isomer changed spine density in one laboratory; another saw dendrites restored.

Left out: dendrite length, own receptors and circuits of either region, and CA1; ventral pallidum
goes with the accumbens.
"""

from ketasim.core.declare import (
    Derived,
    Flow,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    story_of,
)
from ketasim.core.evidence import Evidence, Grounds, assumed, fitted


def k_reform(k_prune, lost_rest):
    """Re-formation at rest, which leaves so many synapses lost under lasting stress."""
    return k_prune * (1 - lost_rest) / lost_rest


def formation(called, driven):
    """Formation in this region relative to rest, as far as cortex drives it."""
    return 1 + driven * (called - 1)


def density(lost, gained):
    """Spine density of this region, relative to rest."""
    return 1 - lost + gained


def lose(lost, load, pruning, k_prune):
    """Stress takes synapses."""
    return k_prune * load * pruning * (1 - lost)


def reform(lost, formation, k_reform):
    """Lost synapses form again."""
    return k_reform * formation * lost


def gain(formation, k_form):
    """Synapses form at new sites beyond what is lost there at rest."""
    return k_form * (formation - 1)


def retire(gained, k_retire):
    """Gained synapses are lost."""
    return k_retire * gained


def _region(name: str, where: str, driven: tuple[float, Evidence], lost: Evidence) -> Mechanism:
    """Return one region, told by how far the chain of cortex drives its formation."""
    share = Grounds(most=1.0)
    return Mechanism(
        name=name,
        story=story_of(__doc__),
        states=(
            State("lost", 0.0, "1", f"original synapses of {where} lost to stress, of all", within=(0.0, 1.0), scale=0.3),
            State("gained", 0.0, "1", f"synapses gained at new sites in {where}, of all", within=(-1.0, 10.0), scale=0.1),
        ),
        parameters=(
            Parameter("driven", driven[0], "1", (0.0, 1.0), driven[1], f"share of the formation of cortex that {where} sees", grounds=share),
            Parameter("lost_rest", 0.2, "1", (0.05, 0.4), lost, f"synapses of {where} lost under lasting stress", grounds=share),
            Parameter("k_prune", 0.004, "1/h", (0.001, 0.02), assumed("as in cortex"), "loss of synapses at full stress"),
            Parameter("k_form", 0.0005, "1/h", (0.0001, 0.002), assumed("as in cortex"), "formation at new sites at rest"),
            Parameter("k_retire", 0.005, "1/h", (0.002, 0.015), assumed("as in cortex"), "loss of gained synapses"),
        ),
        reads=(
            Read("called", "1", of="spines.formation"),
            Read("load", "1", of="stress.load"),
            Read("pruning", "1", of="immune.pruning", default=1.0),
        ),
        derived=(Derived(k_reform, "1/h", "re-formation at rest"),),
        quantities=(
            Quantity(formation, "1", f"formation in {where}, relative to rest"),
            Quantity(density, "1", f"spine density of {where}, relative to rest", short=name),
        ),
        flows=(
            Flow(lose, into="lost"),
            Flow(reform, out_of="lost"),
            Flow(gain, into="gained"),
            Flow(retire, out_of="gained"),
        ),
    )  # fmt: skip


_LOST = assumed("a tenth to a third in cortex; not in the evidence for this region")

HIPPOCAMPUS = _region(
    "hippocampus",
    "CA3 and dentate gyrus",
    (0.8, fitted("spine density rescued in CA3 and dentate gyrus as in cortex", "Yang2015")),
    _LOST,
)
ACCUMBENS = _region(
    "accumbens",
    "nucleus accumbens",
    (0.0, fitted("spine density unchanged by either isomer", "Yang2015")),
    _LOST,
)
