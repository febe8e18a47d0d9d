"""From TrkB to synaptic proteins.

TrkB raises ERK and Akt, and both mTORC1, for an hour or two. S6 kinase, which follows mTORC1,
restrains eEF2 kinase, as block of resting NMDA receptors does in the rival account; so eEF2 loses
its phosphate either way. The short pulse of mTORC1 is handed on in two slower steps: transcripts
and Arc (hours), then synaptic proteins (days). Everything above rest counts, nothing below: a
blocker of the pathway takes the drug's effect and leaves resting synthesis alone.

Left out: Akt, S6K and 4E-BP as states (they follow mTORC1 within minutes), other translation
control, degradation by the proteasome.
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
from ketasim.core.evidence import Grounds, assumed, by_source, by_test, derived, fitted
from ketasim.core.maths import hill


def balance(eef2_rest):
    """Phosphorylation over dephosphorylation of eEF2 at rest."""
    return eef2_rest / (1 - eef2_rest)


def erk_drive(signal, mek_inhibitor, gain_erk, half_trkb, steepness):
    """Target of ERK: TrkB above rest, through MEK."""
    return 1 + gain_erk * (1 - mek_inhibitor) * hill(signal - 1, half_trkb, steepness)


def rapamycin_effect(local, systemic, penetration):
    """Share of mTORC1 out of action."""
    return 1 - (1 - local) * (1 - penetration * systemic)


def pathway(signal, erk, half_trkb, half_erk, gain_erk, erk_share, steepness):
    """Drive from TrkB through Akt and ERK onto mTORC1, 0 at rest and at most 1."""
    return (1 - erk_share) * hill(signal - 1, half_trkb, steepness) + erk_share * hill(
        (erk - 1) / gain_erk, half_erk, steepness
    )


def mtorc1_drive(pathway, inhibited, gsk3_inhibitor, gain_mtorc1, gsk3_effect):
    """Target of mTORC1."""
    return 1 + gain_mtorc1 * pathway * (1 - inhibited) * (1 + gsk3_effect * gsk3_inhibitor)


def silenced(resting_lost, inhibitor):
    """Share of synaptic eEF2 kinase silenced by loss of resting signal or by an inhibitor."""
    return 1 - (1 - resting_lost) * (1 - inhibitor)


def eef2_kinase(mtorc1, silenced, s6k_effect, half_s6k, steepness):
    """Activity of eEF2 kinase relative to rest."""
    return (1 - silenced) * (1 - s6k_effect * hill(mtorc1 - 1, half_s6k, steepness))


def relief(eef2, eef2_rest):
    """Fall of eEF2 phosphorylation, as a share of rest."""
    return 1 - eef2 / eef2_rest


def arc_drive(mtorc1, anisomycin, gain_arc, half_arc, steepness):
    """Target of Arc and primed transcripts."""
    return 1 + gain_arc * (1 - anisomycin) * hill(mtorc1 - 1, half_arc, steepness)


def protein_drive(arc, anisomycin, gain_proteins, half_proteins, steepness):
    """Target of synaptic proteins."""
    return 1 + gain_proteins * (1 - anisomycin) * hill(arc - 1, half_proteins, steepness)


def approach(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def phosphorylate(eef2, k_eef2, balance, eef2_kinase):
    """The kinase phosphorylates eEF2."""
    return k_eef2 * balance * eef2_kinase * (1 - eef2)


def dephosphorylate(eef2, k_eef2):
    """Phosphatase takes it off."""
    return k_eef2 * eef2


TRANSLATION = Mechanism(
    name="translation",
    story=story_of(__doc__),
    states=(
        State("erk", 1.0, "1", "ERK activity, relative to rest"),
        State("mtorc1", 1.0, "1", "mTORC1 activity, relative to rest", short="mtor", identifiers=("uniprot/P42345",)),
        State("eef2", "eef2_rest", "1", "phosphorylated eEF2, of all", within=(0.0, 1.0), identifiers=("uniprot/P13639",)),
        State("arc", 1.0, "1", "Arc and primed transcripts, relative to rest", identifiers=("uniprot/Q7LC44",)),
        State("proteins", 1.0, "1", "synaptic proteins, relative to rest", short="proteins"),
    ),
    parameters=(
        Parameter("half_trkb", 0.8, "1", (0.6, 1.6), assumed("half way up its usual excursion"), "excess TrkB signal for half the effect", grounds=Grounds(low=by_test("was 0.3, so that every draw is back within four weeks of a dose"), high=by_test("was 2.0, so that every draw is back within four weeks of a dose"))),
        Parameter("steepness", 2.0, "1", (2.0, 4.0), assumed("no slope at rest, so that rest is stable"), "steepness of each step", role="exponent", grounds=Grounds(low=by_test("no slope at rest, so that rest is stable in every draw"))),
        Parameter("gain_erk", 1.5, "1", (0.5, 5.0), derived("1.5- to 3-fold rise", "Li2010"), "greatest rise of ERK", grounds=Grounds(low=by_source("1.5-fold, the least rise", "Li2010"))),
        Parameter("half_erk", 0.5, "1", (0.2, 0.8), assumed("half of its greatest rise"), "share of ERK's greatest rise for half the effect", grounds=Grounds(most=1.0)),
        Parameter("k_erk", 6.0, "1/h", (2.0, 15.0), assumed("up within a quarter of an hour"), "pace of ERK"),
        Parameter("gain_mtorc1", 2.52, "1", (0.5, 4.0), fitted("1.5- to 3-fold rise at 30-60 min", "Li2010"), "greatest rise of mTORC1", grounds=Grounds(low=by_source("1.5-fold, the least rise", "Li2010"))),
        Parameter("k_mtorc1", 5.36, "1/h", (2.0, 12.0), fitted("peak at 0.5-1 h, back by 2 h", "Li2010"), "pace of mTORC1"),
        Parameter("erk_share", 0.4, "1", (0.2, 0.7), assumed("Akt and ERK both needed; shares not in the evidence"), "share of the drive through ERK", grounds=Grounds(most=1.0)),
        Parameter("gsk3_effect", 1.0, "1", (0.3, 2.0), assumed("lithium makes a subthreshold dose act like a full one"), "drive added by GSK3 inhibition"),
        Parameter("penetration", 0.9, "1", (0.1, 1.0), assumed("systemic rapamycin enters rodent brain; how far in humans is unknown"), "systemic rapamycin that acts in brain", grounds=Grounds(most=1.0)),
        Parameter("eef2_rest", 0.5, "1", (0.3, 0.7), assumed("half phosphorylated at rest"), "phosphorylated eEF2 at rest", grounds=Grounds(most=1.0)),
        Parameter("k_eef2", 30.0, "1/h", (10.0, 120.0), assumed("seconds to minutes"), "pace of eEF2"),
        Parameter("s6k_effect", 0.3, "1", (0.1, 0.4), assumed("S6 kinase restrains eEF2 kinase"), "kinase activity lost to S6 kinase", grounds=Grounds(most=1.0)),
        Parameter("half_s6k", 0.4, "1", (0.2, 1.0), assumed("half way up its usual excursion"), "excess mTORC1 for half that loss"),
        Parameter("gain_arc", 6.19, "1", (3.0, 7.0), fitted("Arc up at 2-6 h", "Li2010"), "greatest rise of Arc", grounds=Grounds(low=by_test("was 2, so that every draw is back within four weeks of a dose"), high=by_test("was 9, so that every draw is back within four weeks of a dose"))),
        Parameter("half_arc", 0.5, "1", (0.35, 1.0), assumed("half way up its usual excursion"), "excess mTORC1 for half the effect", grounds=Grounds(low=by_test("was 0.2, so that every draw is back within four weeks of a dose"), high=by_test("was 1.2, so that every draw is back within four weeks of a dose"))),
        Parameter("k_arc", 0.471, "1/h", (0.2, 0.8), fitted("Arc back within about six hours", "Li2010"), "pace of Arc", grounds=Grounds(low=by_test("was 0.15, with the tests of closed forms and solvers; why is not recorded"))),
        Parameter("gain_proteins", 8.5, "1", (3.0, 8.5), fitted("1.3- to 2-fold at 2-72 h", "Li2010"), "greatest rise of synaptic proteins", grounds=Grounds(high=by_test("was 12, so that every draw is back within four weeks of a dose"))),
        Parameter("half_proteins", 0.8, "1", (0.4, 1.6), assumed("half way up its usual excursion"), "excess Arc for half the effect"),
        Parameter("k_proteins", 0.0379, "1/h", (0.036, 0.07), fitted("still up at 72 h", "Li2010"), "turnover of synaptic proteins", grounds=Grounds(low=by_test("was 0.02, so that every draw is back within four weeks of a dose"))),
    ),
    reads=(
        Read("signal", "1", of="trkb.signal"),
        Read("resting_lost", "1", of="nmda.resting_loss"),
    ),
    knobs=(
        Knob("mek_inhibitor", 0.0, "1", (0.0, 1.0), "MEK inhibited"),
        Knob("rapamycin", 0.0, "1", (0.0, 1.0), "rapamycin given into cortex", short=("mtorc1", "rapamycin")),
        Knob("rapamycin_systemic", 0.0, "1", (0.0, 1.0), "rapamycin given systemically"),
        Knob("gsk3_inhibitor", 0.0, "1", (0.0, 1.0), "GSK3 inhibited (lithium)"),
        Knob("eef2k_inhibitor", 0.0, "1", (0.0, 1.0), "eEF2 kinase inhibited"),
        Knob("anisomycin", 0.0, "1", (0.0, 1.0), "translation blocked", short=("anisomycin",)),
    ),
    derived=(Derived(balance, "1", "phosphorylation over dephosphorylation at rest"),),
    quantities=(
        Quantity(erk_drive, "1", "target of ERK"),
        Quantity(rapamycin_effect, "1", "share of mTORC1 out of action", "inhibited", {"local": "rapamycin", "systemic": "rapamycin_systemic"}),
        Quantity(pathway, "1", "drive from TrkB onto mTORC1"),
        Quantity(mtorc1_drive, "1", "target of mTORC1"),
        Quantity(silenced, "1", "share of synaptic eEF2 kinase silenced", using={"inhibitor": "eef2k_inhibitor"}),
        Quantity(eef2_kinase, "1", "eEF2 kinase activity, relative to rest"),
        Quantity(relief, "1", "fall of eEF2 phosphorylation, share of rest"),
        Quantity(arc_drive, "1", "target of Arc"),
        Quantity(protein_drive, "1", "target of synaptic proteins"),
    ),
    flows=(
        Flow(approach, into="erk", using={"target": "erk_drive", "level": "erk", "k": "k_erk"}),
        Flow(approach, into="mtorc1", using={"target": "mtorc1_drive", "level": "mtorc1", "k": "k_mtorc1"}),
        Flow(phosphorylate, into="eef2"),
        Flow(dephosphorylate, out_of="eef2"),
        Flow(approach, into="arc", using={"target": "arc_drive", "level": "arc", "k": "k_arc"}),
        Flow(approach, into="proteins", using={"target": "protein_drive", "level": "proteins", "k": "k_proteins"}),
    ),
)  # fmt: skip
