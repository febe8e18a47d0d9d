"""Systems beside the chain: inflammation, opioids, monoamines, habenula, glia, regions, synapse.

Each is a module: its mechanisms, and what it changes in the chain. A change is 1 (or 0, where it is
added) at rest and under any stress that has lasted, and has a gain among the drivers, which is 0
for an account that is a rival of the default.
"""

from ketasim.core.declare import Parameter, Read
from ketasim.core.describe import Curve, Panel
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


def _panel(title: str, curves: dict[str, str], *, from_zero: bool = False) -> Panel:
    """Return a panel of curves relative to rest, or of shares of a whole; curves by label."""
    own = tuple(Curve(name, label) for label, name in curves.items())
    return Panel(title, "fraction" if from_zero else "× rest", "1", own, from_zero=from_zero)


def _reads(**sources: str) -> tuple[Read, ...]:
    """Return what a wrapped law reads of the module, plain numbers all of them."""
    return tuple(Read(name, "1", of=of) for name, of in sources.items())


IMMUNE = Module(
    "immune",
    "endotoxin, microglia, cytokines, TGF-b1, C3 and pruning; factors in blood, and sickness",
    (immune.IMMUNE, blood.BLOOD),
    (
        _gain("pruning", "stress empties sites by way of microglia and C3", 1.0, fitted("without C3 hardly a synapse is lost to stress", "StressC3")),
        _gain("sickness", "quinolinate costs function", 1.0, fitted("mice are low a day after endotoxin", "Walker2013")),
        _gain("damping", "the drug damps the surge of cytokines after endotoxin", why=assumed("sources disagree: unchanged in one laboratory, lower in another")),
        Coupling("spines", "lose", immune.pruned, "stress empties sites by way of microglia", {"pruning": "immune_pruning", "gain": "gain_pruning"}, reads=_reads(immune_pruning="immune.pruning", gain_pruning="drivers.pruning")),
        Coupling("outcome", "function", blood.sickened, using={"gain": "gain_sickness"}, reads=_reads(sickness="blood.sickness", gain_sickness="drivers.sickness")),
    ),
    (
        _panel("Cytokines", {"TNF": "immune.tnf", "IL-1b": "immune.il1b", "IL-6": "immune.il6", "GM-CSF": "blood.gmcsf"}),
        _panel("TGF-b1, C3 and pruning", {"TGF-b1": "immune.tgfb", "C3": "immune.c3", "pruning": "immune.pruning"}),
        _panel("Microglia and sickness", {"active microglia": "immune.microglia", "quinolinate": "blood.quinolinate"}, from_zero=True),
    ),
)  # fmt: skip
OPIOID = Module(
    "opioid",
    "endorphin, mu receptors, what the drug itself occupies of them, and tolerance",
    (mu.MU,),
    (
        _gain("mu", "mu receptors hold interneurons down"),
        Coupling("circuit", "interneuron_rate", mu.held_down, using={"gain": "gain_mu"}, reads=_reads(interneurons_left="mu.interneurons_left", gain_mu="drivers.mu")),
    ),
    (_panel("Mu receptors", {"endorphin": "mu.endorphin", "receptors": "mu.density", "signal": "mu.signal"}),),
)  # fmt: skip
MONOAMINES = Module(
    "monoamines",
    "dopamine cells, dopamine and its reserve, noradrenaline; a rival gate of calcium, off",
    (monoamines.MONOAMINES,),
    (
        _gain("d1", "calcium of D1 cells follows dopamine"),
        Coupling("bdnf", "calcium", monoamines.through_d1, using={"gain": "gain_d1"}, reads=_reads(d1_relative="monoamines.d1_relative", gain_d1="drivers.d1")),
    ),
    (_panel("Dopamine, noradrenaline", {"dopamine": "monoamines.dopamine", "active cells": "monoamines.vta", "noradrenaline": "monoamines.noradrenaline"}),),
)  # fmt: skip
HABENULA = Module(
    "habenula",
    "bursts of the lateral habenula, and block that its activity traps and frees; a rival lift, off",
    (habenula.HABENULA,),
    (
        _gain("bursting", "bursting that falls short of the usual lifts mood"),
        Coupling("outcome", "habenula", habenula.lifted, reads=_reads(lift="habenula.lift")),
    ),
    (_panel("Lateral habenula", {"bursts": "habenula.burst", "trapped block": "habenula.trapped"}),),
)  # fmt: skip
GLIA = Module(
    "glia",
    "GLT-1 and GFAP of astrocytes, D-serine with a sign that is disputed, mGluR5",
    (astro.ASTRO,),
    (
        _gain("uptake", "uptake of glutamate follows GLT-1"),
        _gain("d_serine", "the co-agonist site follows D-serine"),
        Coupling("glutamate", "uptake", astro.cleared, reads=_reads(clearing="astro.clearing")),
        Coupling("glutamate", "relative", astro.leaked, using={"blocked": "eaat_block"}),
        Coupling("glutamate", "coagonist", astro.filled, using={"added": "glycine_agonist"}, reads=_reads(site="astro.site", own="astro.site_rest")),
    ),
    (_panel("Astrocytes, D-serine, mGluR5", {"GLT-1": "astro.glt1", "GFAP": "astro.gfap", "D-serine": "astro.d_serine", "mGluR5": "astro.mglur5"}),),
)  # fmt: skip
REGIONS = Module(
    "regions",
    "spines of hippocampus and nucleus accumbens beside those of prefrontal cortex",
    (HIPPOCAMPUS, ACCUMBENS),
    panels=(_panel("Spines by region", {"cortex": "spines.density", "hippocampus": "hippocampus.density", "accumbens": "accumbens.density"}),),
)  # fmt: skip
SYNAPSE = Module(
    "synapse",
    "calcium before and behind the synapse, spontaneous release, paired pulses; a rival, off",
    (synapse.SYNAPSE,),
    (
        _gain("terminals", "release by spikes follows calcium in terminals"),
        Coupling("glutamate", "release", synapse.released, reads=_reads(probability="synapse.probability")),
    ),
    (_panel("Calcium at the synapse", {"terminals": "synapse.pre_calcium", "behind it": "synapse.post_calcium"}),),
)  # fmt: skip
ENSEMBLE = Module(
    "ensemble",
    "cells that fire together; as a rival, off, synapses return only where they do",
    (ensemble.ENSEMBLE,),
    (
        _gain("ensemble", "synapses return only where cells fire together"),
        Coupling("spines", "reform", ensemble.returned, reads=_reads(spent="ensemble.spent")),
    ),
    (_panel("Cells firing together", {"together": "ensemble.together"}),),
)  # fmt: skip

SYSTEMS = (IMMUNE, OPIOID, MONOAMINES, HABENULA, GLIA, REGIONS, SYNAPSE, ENSEMBLE)
