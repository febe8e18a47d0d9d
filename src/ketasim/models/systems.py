"""Systems beside the chain: inflammation, opioids, monoamines, habenula, glia, regions, synapse.

Each is a module: its mechanisms, and what it changes in the chain. A change is 1 (or 0, where it is
added) at rest and under any stress that has lasted, and has a gain among the drivers, which is 0
for an account that is a rival of the default.
"""

from ketasim.core.declare import Parameter, Read
from ketasim.core.evidence import Evidence, assumed, fitted
from ketasim.core.module import Coupling, Module
from ketasim.mechanisms import astro, blood, ensemble, habenula, immune, monoamines, mu, synapse
from ketasim.mechanisms.regions import ACCUMBENS, HIPPOCAMPUS

_RIVAL = assumed("a rival account, off by default")


def _gain(name: str, meaning: str, value: float = 0.0, why: Evidence = _RIVAL) -> Coupling:
    """Return a gain among the drivers."""
    return Coupling(
        into="drivers",
        parameters=(Parameter(name, value, "1", (0.0, 1.0), why, meaning, role="gain"),),
    )


def _reads(**sources: str) -> tuple[Read, ...]:
    """Return what a wrapped law reads of the module, plain numbers all of them."""
    return tuple(Read(name, "1", of=of) for name, of in sources.items())


IMMUNE = Module(
    "immune",
    "Endotoxin, microglia, cytokines, TGF-b1 and C3, which prune synapses; factors in blood and sickness.",
    (immune.IMMUNE, blood.BLOOD),
    (
        _gain("pruning", "stress empties sites by way of microglia and C3", 1.0, fitted("without C3 hardly a synapse is lost to stress", "StressC3")),
        _gain("sickness", "quinolinate costs function", 1.0, fitted("mice are low a day after endotoxin", "Walker2013")),
        _gain("damping", "the drug damps the surge of cytokines after endotoxin", why=assumed("sources disagree: unchanged in one laboratory, lower in another")),
        Coupling("spines", "lose", immune.pruned, "stress empties sites by way of microglia", {"pruning": "immune_pruning", "gain": "gain_pruning"}, reads=_reads(immune_pruning="immune.pruning", gain_pruning="drivers.pruning")),
        Coupling("outcome", "function", blood.sickened, using={"gain": "gain_sickness"}, reads=_reads(sickness="blood.sickness", gain_sickness="drivers.sickness")),
    ),
)  # fmt: skip
OPIOID = Module(
    "opioid",
    "Endorphin, mu receptors, what the drug itself occupies of them, and tolerance.",
    (mu.MU,),
    (
        _gain("mu", "mu receptors hold interneurons down"),
        Coupling("circuit", "interneuron_rate", mu.held_down, using={"gain": "gain_mu"}, reads=_reads(interneurons_left="mu.interneurons_left", gain_mu="drivers.mu")),
    ),
)  # fmt: skip
MONOAMINES = Module(
    "monoamines",
    "Dopamine cells, dopamine and its reserve, noradrenaline.",
    (monoamines.MONOAMINES,),
    (
        _gain("d1", "calcium of D1 cells follows dopamine"),
        Coupling("bdnf", "calcium", monoamines.through_d1, using={"gain": "gain_d1"}, reads=_reads(d1_relative="monoamines.d1_relative", gain_d1="drivers.d1")),
    ),
)  # fmt: skip
HABENULA = Module(
    "habenula",
    "Bursts of the lateral habenula, and block that its activity traps and frees.",
    (habenula.HABENULA,),
    (
        _gain("bursting", "bursting that falls short of the usual lifts mood"),
        Coupling("outcome", "habenula", habenula.lifted, reads=_reads(lift="habenula.lift")),
    ),
)  # fmt: skip
GLIA = Module(
    "glia",
    "GLT-1 and GFAP of astrocytes, D-serine, mGluR5.",
    (astro.ASTRO,),
    (
        _gain("uptake", "uptake of glutamate follows GLT-1"),
        _gain("d_serine", "the co-agonist site follows D-serine"),
        Coupling("glutamate", "uptake", astro.cleared, reads=_reads(clearing="astro.clearing")),
        Coupling("glutamate", "relative", astro.leaked, using={"blocked": "eaat_block"}),
        Coupling("glutamate", "coagonist", astro.filled, using={"added": "glycine_agonist"}, reads=_reads(site="astro.site", own="astro.site_rest")),
    ),
)  # fmt: skip
REGIONS = Module(
    "regions",
    "Spines of hippocampus and nucleus accumbens beside those of prefrontal cortex.",
    (HIPPOCAMPUS, ACCUMBENS),
)
SYNAPSE = Module(
    "synapse",
    "Calcium before and behind the synapse, spontaneous release, paired pulses.",
    (synapse.SYNAPSE,),
    (
        _gain("terminals", "release by spikes follows calcium in terminals"),
        Coupling("glutamate", "release", synapse.released, reads=_reads(probability="synapse.probability")),
    ),
)  # fmt: skip
ENSEMBLE = Module(
    "ensemble",
    "Cells that fire together; as a rival, synapses return only where they do.",
    (ensemble.ENSEMBLE,),
    (
        _gain("ensemble", "synapses return only where cells fire together"),
        Coupling("spines", "reform", ensemble.returned, reads=_reads(spent="ensemble.spent")),
    ),
)  # fmt: skip

SYSTEMS = (IMMUNE, OPIOID, MONOAMINES, HABENULA, GLIA, REGIONS, SYNAPSE, ENSEMBLE)
