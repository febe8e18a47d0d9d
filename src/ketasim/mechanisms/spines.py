"""Dendritic spines at original and at new sites.

Stress empties original sites; a vacated site may be filled again "in the same configuration", and
how many are is kept apart (``reformed``) until they have aged into the original pool. New sites
carry labile spines, of which some stabilise. The drug raises formation only, half a day after the
proteins rise, because scaffolds must be assembled and filopodia must mature first; elimination is
never touched. Old and new spines are lost again at their own constant rates.

Left out: head size, spine types beyond labile and stable, dendritic branches, and competition for
sites.
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
from ketasim.core.evidence import Grounds, assumed, by_test, fitted
from ketasim.core.maths import hill


def labile_loss(k_eliminate, k_stabilise):
    """All ways out of the labile pool."""
    return k_eliminate + k_stabilise


def stable_rest(labile_rest, k_stabilise, k_retire):
    """Stable new spines in balance with the labile ones at rest."""
    return labile_rest * k_stabilise / k_retire


def assembly_drive(proteins, gain_formation, half_formation, steepness):
    """Target of scaffold assembly: proteins above rest."""
    return 1 + gain_formation * hill(proteins - 1, half_formation, steepness)


def approach(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def formation(filopodia, new_share):
    """Formation at new sites relative to rest."""
    return 1 + new_share * (filopodia - 1)


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


def reform(vacated, k_reform, filopodia):
    """A spine forms again at a vacated site."""
    return k_reform * filopodia * vacated


def consolidate(reformed, k_consolidate):
    """A re-formed spine ages into the original pool."""
    return k_consolidate * reformed


def form(labile_rest, labile_loss, formation):
    """A spine forms at a new site."""
    return labile_rest * labile_loss * formation


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
        State("filopodia", 1.0, "1", "filopodia ready to become spines, relative to rest"),
        State("original", 1.0, "1", "occupied original sites, of all", within=(0.0, 1.0)),
        State("vacated", 0.0, "1", "original sites vacated by stress, of all", within=(0.0, 1.0)),
        State("reformed", 0.0, "1", "original sites filled again, of all", within=(0.0, 1.0)),
        State("labile", "labile_rest", "1", "labile spines at new sites, per original site", scale=0.1),
        State("stable", "stable_rest", "1", "stabilised spines at new sites, per original site", scale=0.1),
    ),
    parameters=(
        Parameter("gain_formation", 10.4, "1", (8.0, 15.5), fitted("half of lost sites regained; density up", "ModaSava2019"), "greatest rise of formation", grounds=Grounds(low=by_test("was 5, so that every draw is back within four weeks of a dose"), high=by_test("was 25, so that every draw is back within four weeks of a dose"))),
        Parameter("half_formation", 0.458, "1", (0.3, 0.6), fitted("spines at 24 h", "ModaSava2019"), "excess protein for half the effect", grounds=Grounds(low=by_test("was 0.2, so that every draw is back within four weeks of a dose"), high=by_test("was 0.8, so that every draw is back within four weeks of a dose"))),
        Parameter("steepness", 3.0, "1", (2.0, 4.0), assumed("several proteins are needed together; no slope at rest"), "steepness of formation", role="exponent", grounds=Grounds(low=by_test("no slope at rest, so that rest is stable in every draw"))),
        Parameter("k_assembly", 0.266, "1/h", (0.12, 0.5), fitted("no formation at 3-6 h, marked at 12-24 h", "ModaSava2019"), "pace of scaffold assembly"),
        Parameter("k_filopodia", 0.328, "1/h", (0.15, 0.6), fitted("no formation at 3-6 h, marked at 12-24 h", "ModaSava2019"), "pace of filopodia"),
        Parameter("new_share", 0.334, "1", (0.25, 0.45), fitted("density in unstressed animals", "Phoumthipphavong2016"), "formation at new sites relative to vacated ones", grounds=Grounds(low=by_test("was 0.3, so that every draw is back within four weeks of a dose"), high=by_test("was 1.0, so that every draw is back within four weeks of a dose"))),
        Parameter("labile_rest", 0.12, "1", (0.08, 0.18), assumed("a tenth of spines are days old, so that a modest rise of formation suffices"), "labile new spines at rest", grounds=Grounds(low=by_test("was 0.03, so that every draw is back within four weeks of a dose"), high=by_test("was 0.1, so that every draw is back within four weeks of a dose"))),
        Parameter("k_eliminate", 0.0043, "1/h", (0.0043, 0.008), fitted("density up for one to two weeks", "Phoumthipphavong2016"), "loss of labile spines", grounds=Grounds(low=by_test("was 0.003, so that every draw is back within four weeks of a dose"), high=by_test("was 0.015, so that every draw is back within four weeks of a dose"))),
        Parameter("k_stabilise", 0.0045, "1/h", (0.0043, 0.008), assumed("half of new spines stabilise"), "stabilisation of labile spines", grounds=Grounds(low=by_test("was 0.001, so that every draw is back within four weeks of a dose"), high=by_test("was 0.006, so that every draw is back within four weeks of a dose"))),
        Parameter("k_retire", 0.0101, "1/h", (0.0095, 0.015), fitted("density up for one to two weeks, every pool back by four", "Phoumthipphavong2016"), "loss of stable new spines", grounds=Grounds(low=by_test("was 0.004, so that every draw is back within four weeks of a dose"), high=by_test("was 0.012, so that every draw is back within four weeks of a dose"))),
        Parameter("k_prune", 0.0025, "1/h", (0.0017, 0.0026), fitted("three weeks of stress lower spine number", "Li2011"), "loss of original sites at full stress", grounds=Grounds(low=by_test("was 0.0008, so that every draw is back within four weeks of a dose"), high=by_test("was 0.003, so that every draw is back within four weeks of a dose"))),
        Parameter("k_reform", 0.00623, "1/h", (0.0052, 0.008), fitted("half of lost sites regained after a dose", "ModaSava2019"), "re-formation at vacated sites at rest", grounds=Grounds(low=by_test("was 0.0025, so that every draw is back within four weeks of a dose"), high=by_test("was 0.01, so that every draw is back within four weeks of a dose"))),
        Parameter("k_consolidate", 0.005, "1/h", (0.0045, 0.009), assumed("recent for about a week"), "ageing of re-formed spines", grounds=Grounds(low=by_test("was 0.001, so that every draw is back within four weeks of a dose"), high=by_test("was 0.01, so that every draw is back within four weeks of a dose"))),
        Parameter("floor", 0.001, "1", (0.001, 0.001), assumed("keeps a ratio of two empty pools finite"), "smallest pool counted in the fidelity"),
    ),
    reads=(
        Read("proteins", "1", of="translation.proteins"),
        Read("load", "1", of="stress.load"),
    ),
    knobs=(Knob("photo_erasure", 0.0, "1/h", (0.0, 10.0), "rate at which light erases recent spines"),),
    derived=(
        Derived(labile_loss, "1/h", "all loss of labile spines"),
        Derived(stable_rest, "1", "stable new spines at rest"),
    ),
    quantities=(
        Quantity(assembly_drive, "1", "target of scaffold assembly"),
        Quantity(formation, "1", "formation at new sites, relative to rest"),
        Quantity(total, "1", "all spines, per original site"),
        Quantity(density, "1", "spine density, relative to healthy rest", short="spines"),
        Quantity(fidelity, "1", "share of vacated sites filled again"),
    ),
    flows=(
        Flow(approach, into="assembly", using={"target": "assembly_drive", "level": "assembly", "k": "k_assembly"}),
        Flow(approach, into="filopodia", using={"target": "assembly", "level": "filopodia", "k": "k_filopodia"}),
        Flow(lose, out_of="original", into="vacated", using={"sites": "original"}),
        Flow(lose, out_of="reformed", into="vacated", using={"sites": "reformed"}),
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
