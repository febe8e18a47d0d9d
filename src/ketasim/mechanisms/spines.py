"""Dendritic spines at original and at new sites.

Stress empties original sites; a vacated site may be filled again "in the same configuration", and
how many are is kept apart (``reformed``) until they have aged into the original pool. A young spine
is easier to lose to stress than an old one. New sites are finite in number; they carry labile
spines, of which some stabilise. The drug raises formation only, half a day after transcripts and
proteins have risen together, because scaffolds must be assembled, filopodia must grow, and these must ripen first;
elimination is never touched. Repeated doses meet fewer and fewer free sites.

Left out: head size, spine types beyond labile and stable, and dendritic branches.
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
from ketasim.core.evidence import Grounds, assumed, by_test, fitted, seen
from ketasim.core.maths import fold, power
from ketasim.mechanisms.anchors import ceiling, steepness


def labile_loss(k_eliminate, k_stabilise):
    """All ways out of the labile pool."""
    return k_eliminate + k_stabilise


def stable_rest(labile_rest, k_stabilise, k_retire):
    """Stable new spines in balance with the labile ones at rest."""
    return labile_rest * k_stabilise / k_retire


def sites(labile_rest, stable_rest, room):
    """New sites in all: those taken at rest and the room that is left."""
    return (labile_rest + stable_rest) * (1 + room)


def k_form(labile_rest, labile_loss, stable_rest, room):
    """Formation at a free new site that balances loss at rest."""
    return labile_rest * labile_loss / ((labile_rest + stable_rest) * room)


def vacant(lost, labile_rest, stable_rest):
    """Original sites that are empty under lasting stress, of all."""
    return lost * (1 + labile_rest + stable_rest)


def k_reform(vacant, k_prune, k_prune_recent, k_consolidate):
    """Re-formation at a vacated site at rest, which leaves so many of them empty under stress."""
    turned = (k_consolidate + k_prune_recent) / (k_consolidate + k_prune)
    return k_prune * turned * (1 - vacant) / vacant


def pulse_height(k_mature, k_arc):
    """What three slow steps leave of a pulse of transcripts, per unit of it: near a quarter."""
    halved = power(k_mature / k_arc, 1 / 2)
    return halved * power(halved, 1 / 2) / (2 * 2)


def ripe_reached(arc_reached, local_reached, part_local, pulse_height):
    """Ripe filopodia at the reference dose: of the pulse of transcripts, and of lasting proteins."""
    proteins = 1 + part_local * (local_reached - 1)
    return 1 + pulse_height * proteins * (arc_reached - 1) + (proteins - 1) / 2


def called(reached, share):
    """Formation called for at the reference dose."""
    return 1 + (reached - 1) / share


def assembly_drive(arc, proteins):
    """Target of scaffold assembly: fresh transcripts and proteins are both needed."""
    return arc * proteins


def approach(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def formation(ripe, share, most, steepness, memory):
    """Formation at a free site relative to rest."""
    return 1 + memory * share * (fold(ripe, most, steepness) - 1)


def free_sites(labile, stable, sites):
    """New sites that no spine occupies, per original site."""
    return sites - labile - stable


def total(original, reformed, labile, stable):
    """All spines, in units of original sites."""
    return original + reformed + labile + stable


def density(total, labile_rest, stable_rest):
    """Spine density relative to rest."""
    return total / (1 + labile_rest + stable_rest)


def fidelity(reformed, vacated, floor):
    """Share of recently vacated sites that are filled again; 0 where none was vacated."""
    return reformed / (reformed + vacated + floor)


def lose(sites, k_prune, load):
    """Stress empties sites."""
    return k_prune * load * sites


def reform(vacated, k_reform, formation):
    """A spine forms again at a vacated site."""
    return k_reform * formation * vacated


def consolidate(reformed, k_consolidate):
    """A re-formed spine ages into the original pool."""
    return k_consolidate * reformed


def form(free_sites, k_form, formation):
    """A spine forms at a free new site."""
    return k_form * formation * free_sites


def eliminate(labile, k_eliminate):
    """A labile spine is lost."""
    return k_eliminate * labile


def stabilise(labile, k_stabilise):
    """A labile spine becomes stable."""
    return k_stabilise * labile


def retire(stable, k_retire):
    """A stable new spine is lost."""
    return k_retire * stable


def erase(recent, photo_erasure):
    """Light erases recent spines."""
    return photo_erasure * recent


SPINES = Mechanism(
    name="spines",
    story=story_of(__doc__),
    states=(
        State("assembly", 1.0, "1", "scaffold assembly, relative to rest"),
        State("filopodia", 1.0, "1", "filopodia, relative to rest"),
        State("ripe", 1.0, "1", "filopodia ready to become spines, relative to rest"),
        State("original", 1.0, "1", "occupied original sites, of all", within=(0.0, 1.0)),
        State("vacated", 0.0, "1", "original sites vacated by stress, of all", within=(0.0, 1.0)),
        State("reformed", 0.0, "1", "original sites filled again, of all", within=(0.0, 1.0)),
        State("labile", "labile_rest", "1", "labile spines at new sites, per original site", scale=0.1),
        State("stable", "stable_rest", "1", "stabilised spines at new sites, per original site", scale=0.1),
    ),
    parameters=(
        Parameter("reached", 11.61, "1", (5.0, 20.0), fitted("half of the sites lost to stress filled again within a day, of which few are without drug", "ModaSava2019"), "formation at the reference dose, relative to rest", grounds=Grounds(least=1.0)),
        Parameter("share", 0.6846, "1", (0.4, 0.95), fitted("part of formation goes on without activity"), "share of resting formation that ripe filopodia call for", grounds=Grounds(most=1.0)),
        Parameter("k_mature", 0.2588, "1/h", (0.12, 0.6), fitted("no formation at 3-6 h, marked at 12-24 h; three steps of this pace come to their height after three times its inverse", "ModaSava2019"), "pace of assembly, of filopodia and of their ripening", grounds=Grounds(seen=seen(0.023, 1.0, "three steps at their height by 132 h in one study (doses repeated), by 3 h in another ((R)-ketamine after defeat)", "Pryazhnikov2018", "RKetamineSpines", "Phoumthipphavong2016"))),
        Parameter("room", 1.41, "1", (0.5, 4.0), assumed("a dendrite has room for about a quarter more spines"), "free new sites at rest, relative to those taken"),
        Parameter("labile_rest", 0.0735, "1", (0.03, 0.18), assumed("a tenth of spines are days old"), "labile new spines at rest", grounds=Grounds(seen=seen(0.03, 1.0, "labile per stable: 3 % of adult spines formed over two weeks in one laboratory, half of all spines short-lived in another", "Zuo2005", "Holtmaat2005", "Trachtenberg2002", "Shao2021", "Phoumthipphavong2016"))),
        Parameter("k_eliminate", 0.005305, "1/h", (0.003, 0.015), fitted("density up for one to two weeks", "Phoumthipphavong2016"), "loss of labile spines", grounds=Grounds(seen=seen(0.003, 0.042, "mean life of two weeks (CA1, all spines of one kind) to one day (neocortex, new spines without PSD-95)", "Attardo2015", "Pfeiffer2018", "Cane2014", "Trachtenberg2002", "Holtmaat2005"))),
        Parameter("k_stabilise", 0.001422, "1/h", (0.001, 0.015), fitted("half of new spines stabilise"), "stabilisation of labile spines", grounds=Grounds(seen=seen(0.0, 0.0104, "none (CA1: one population of spines) to a quarter of new spines at a pace of a day, or half within six days (not confirmed)", "Attardo2015", "Cane2014"), low=by_test("was 0.002, so that the effect of one dose lasts for a week"))),
        Parameter("k_retire", 0.003598, "1/h", (0.003, 0.015), fitted("density up by a quarter at ten days and half of that at fifteen", "Phoumthipphavong2016"), "loss of stable new spines", grounds=Grounds(seen=seen(5.5e-4, 0.0046, "a third of new spines left 34 d after psilocybin, half at 7 d (not confirmed), to half of those beyond rest lost between days 10 and 15 after ketamine", "Phoumthipphavong2016"), low=by_test("was 0.004, so that the effect of one dose lasts for a week"))),
        Parameter("lost", 0.2884, "1", (0.1, 0.3), fitted("a tenth to a third of spines lost after weeks of stress", "Li2011", "ModaSava2019"), "spine density lost under lasting stress", grounds=Grounds(seen=seen(0.0, 0.33, "no change of density in some prefrontal studies, to a third of axospinous synapses after three weeks (not confirmed)", "Shansky2009", "Bloss2011"), most=1.0)),
        Parameter("k_prune", 0.004055, "1/h", (0.0008, 0.008), fitted("three weeks of stress lower spine number", "Li2011"), "loss of original sites at full stress"),
        Parameter("k_prune_recent", 0.004491, "1/h", (0.001, 0.02), fitted("a young spine is easier to lose than an old one"), "loss of re-formed spines at full stress"),
        Parameter("k_consolidate", 0.00346, "1/h", (0.001, 0.012), assumed("recent for about a week"), "ageing of re-formed spines"),
        Parameter("floor", 0.001, "1", (0.001, 0.001), assumed("keeps a ratio of two empty pools finite"), "smallest pool counted in the fidelity"),
    ),
    reads=(
        Read("arc", "1", of="translation.arc"),
        Read("arc_reached", "1", of="translation.arc_reached"),
        Read("local_reached", "1", of="translation.local_reached"),
        Read("part_local", "1", of="translation.part_local"),
        Read("k_arc", "1/h", of="translation.k_arc"),
        Read("headroom", "1", of="circuit.reserve"),
        Read("proteins", "1", of="translation.proteins"),
        Read("load", "1", of="stress.load"),
        Read("memory", "1", of="drivers.memory"),
    ),
    knobs=(Knob("photo_erasure", 0.0, "1/h", (0.0, 10.0), "rate at which light erases recent spines"),),
    derived=(
        Derived(labile_loss, "1/h", "all loss of labile spines"),
        Derived(stable_rest, "1", "stable new spines at rest"),
        Derived(sites, "1", "new sites in all, per original site"),
        Derived(k_form, "1/h", "formation at a free new site at rest"),
        Derived(vacant, "1", "original sites that are empty under lasting stress"),
        Derived(k_reform, "1/h", "re-formation at a vacated site at rest"),
        Derived(pulse_height, "1", "what three slow steps leave of a pulse"),
        Derived(ripe_reached, "1", "ripe filopodia at the reference dose"),
        Derived(called, "1", "formation called for at the reference dose"),
        Derived(ceiling, "1", "greatest formation that can be called for", "most"),
        Derived(steepness, "1", "steepness of formation", using={"ceiling": "most", "upstream": "ripe_reached"}),
    ),
    quantities=(
        Quantity(assembly_drive, "1", "target of scaffold assembly"),
        Quantity(formation, "1", "formation at a free site, relative to rest"),
        Quantity(free_sites, "1", "new sites that are free, per original site"),
        Quantity(total, "1", "all spines, per original site"),
        Quantity(density, "1", "spine density, relative to healthy rest", short="spines"),
        Quantity(fidelity, "1", "share of vacated sites filled again"),
    ),
    flows=(
        Flow(approach, into="assembly", using={"target": "assembly_drive", "level": "assembly", "k": "k_mature"}),
        Flow(approach, into="filopodia", using={"target": "assembly", "level": "filopodia", "k": "k_mature"}),
        Flow(approach, into="ripe", using={"target": "filopodia", "level": "ripe", "k": "k_mature"}),
        Flow(lose, out_of="original", into="vacated", using={"sites": "original"}),
        Flow(lose, out_of="reformed", into="vacated", using={"sites": "reformed", "k_prune": "k_prune_recent"}),
        Flow(reform, out_of="vacated", into="reformed"),
        Flow(consolidate, out_of="reformed", into="original"),
        Flow(erase, out_of="reformed", into="vacated", using={"recent": "reformed"}),
        Flow(form, into="labile"),
        Flow(eliminate, out_of="labile"),
        Flow(stabilise, out_of="labile", into="stable"),
        Flow(retire, out_of="stable"),
        Flow(erase, out_of="labile", using={"recent": "labile"}),
    ),
    conserved=(("original", "vacated", "reformed"),),
)  # fmt: skip
