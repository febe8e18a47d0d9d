"""From TrkB to synaptic proteins.

TrkB raises ERK and Akt, and both together mTORC1, for an hour or two. S6 kinase, which follows
mTORC1, restrains eEF2 kinase, as block of resting NMDA receptors does in the rival account; so eEF2
loses its phosphate either way. New transcripts and proteins need three things at once: mTORC1 to
translate, ERK, and calcium at the synapse. That coincidence is why a short pulse is enough, and why
no single step need be steep. Arc and primed transcripts last for hours. Synaptic proteins stand in
two pools: one made in dendrites, which follows the pulse and lasts for days, and one made in the
soma, which lasts for weeks, hardly notices a pulse, and slowly falls when translation is held down.

Every coupling is two-sided: less of a signal lowers what it keeps up, as more of it raises that.

Left out: ERK, Akt, S6K, 4E-BP and phosphorylation of eEF2 as states (minutes), other translation control, degradation by the proteasome.
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
from ketasim.core.evidence import Grounds, assumed, by_source, derived, fitted, seen
from ketasim.core.maths import fold, power
from ketasim.mechanisms.anchors import called, ceiling, steepness


def erk_reached(signal_reached, most_erk):
    """ERK at the reference dose relative to rest."""
    return fold(signal_reached, most_erk, 1)


def pathway_reached(signal_reached, erk_reached, erk_share):
    """Drive onto mTORC1 at the reference dose relative to rest."""
    return power(signal_reached, 1 - erk_share) * power(erk_reached, erk_share)


def joint_reached(mtorc1_reached, erk_reached, surge):
    """What makes transcripts and proteins at the reference dose, relative to rest."""
    return mtorc1_reached * erk_reached * surge


def erk(signal, mek_inhibitor, most_erk):
    """ERK relative to rest: TrkB through MEK, within a quarter of an hour."""
    return fold(signal, most_erk, 1) * (1 - mek_inhibitor)


def rapamycin_effect(local, systemic, penetration):
    """Share of mTORC1 out of action."""
    return 1 - (1 - local) * (1 - penetration * systemic)


def pathway(signal, erk, erk_share, steep_mtorc1, gsk3_inhibitor, gsk3_effect):
    """Drive from TrkB onto mTORC1: Akt and ERK are both needed; without GSK3 a change counts more."""
    slope = steep_mtorc1 * (1 + gsk3_effect * gsk3_inhibitor)
    return power(signal, (1 - erk_share) * slope) * power(erk, erk_share * slope)


def mtorc1_drive(pathway, inhibited, share_mtorc1, most_mtorc1):
    """Target of mTORC1, in part constitutive."""
    urged = 1 - share_mtorc1 + share_mtorc1 * fold(pathway, most_mtorc1, 1)
    return urged * (1 - inhibited)


def silenced(resting_lost, inhibitor):
    """Share of synaptic eEF2 kinase silenced by loss of resting signal or by an inhibitor."""
    return 1 - (1 - resting_lost) * (1 - inhibitor)


def eef2_kinase(mtorc1, silenced, s6k_effect):
    """Activity of eEF2 kinase relative to rest."""
    return (1 - silenced) * (1 + s6k_effect) / (1 + s6k_effect * mtorc1)


def eef2(eef2_kinase):
    """Phosphorylated eEF2 relative to rest; it follows its kinase within minutes."""
    return eef2_kinase


def relief(eef2):
    """Fall of eEF2 phosphorylation, as a share of rest."""
    return 1 - eef2


def joint(mtorc1, erk, calcium):
    """What makes transcripts and proteins: mTORC1, ERK and calcium are needed together."""
    return mtorc1 * erk * calcium


def arc_drive(joint, anisomycin, share_made, most_arc, steep_arc):
    """Target of Arc and primed transcripts."""
    return (1 - share_made + share_made * fold(joint, most_arc, steep_arc)) * (1 - anisomycin)


def local_drive(joint, anisomycin, share_made, most_local, steep_local, memory):
    """Target of the proteins made in dendrites."""
    asked = 1 + memory * share_made * (fold(joint, most_local, steep_local) - 1)
    return asked * (1 - anisomycin)


def somatic_drive(mtorc1, anisomycin, share_somatic):
    """Target of the proteins made in the soma."""
    return (1 - share_somatic + share_somatic * fold(mtorc1, 2, 1)) * (1 - anisomycin)


def proteins(local, somatic, part_local):
    """Synaptic proteins relative to rest."""
    return part_local * local + (1 - part_local) * somatic


def approach(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def _anchor(stage: str, upstream: str, k: str, share: str) -> tuple[Derived, ...]:
    """Return the ceiling and the slope of a stage from the fold it reaches at the reference dose."""
    asked, most = f"called_{stage}", f"most_{stage}"
    using = {"reached": f"{stage}_reached", "k": k, "share": share}
    return (
        Derived(called, "1", f"{stage} called for at the reference dose", asked, using),
        Derived(ceiling, "1", f"greatest {stage} that can be called for", most, {"called": asked}),
        Derived(steepness, "1", f"steepness of {stage}", f"steep_{stage}", {"called": asked, "ceiling": most, "upstream": upstream}),
    )  # fmt: skip


TRANSLATION = Mechanism(
    name="translation",
    story=story_of(__doc__),
    states=(
        State("mtorc1", 1.0, "1", "mTORC1 activity, relative to rest", short="mtor", identifiers=("uniprot/P42345",)),
        State("arc", 1.0, "1", "Arc and primed transcripts, relative to rest", identifiers=("uniprot/Q7LC44",)),
        State("local", 1.0, "1", "synaptic proteins made in dendrites, relative to rest"),
        State("somatic", 1.0, "1", "synaptic proteins made in the soma, relative to rest"),
    ),
    parameters=(
        Parameter("most_erk", 4.9, "1", (2.0, 12.0), derived("1.5- to 3-fold rise", "Li2010"), "greatest rise of ERK", grounds=Grounds(seen=seen(4.5, 6.7, "phospho-ERK 5.6-fold (error 0.55) after 15 min of 1 nM BDNF on cultured neurons, +-2 errors (not confirmed)"), least=1.0, low=by_source("above 1.5-fold, the least rise", "Li2010"))),
        Parameter("erk_share", 0.374, "1", (0.2, 0.7), assumed("Akt and ERK both needed; shares not in the evidence"), "share of the drive through ERK", grounds=Grounds(most=1.0)),
        Parameter("mtorc1_reached", 2.12, "1", (1.5, 3.0), derived("1.5- to 3-fold rise at 30-60 min", "Li2010"), "mTORC1 at the reference dose, relative to rest", grounds=Grounds(seen=seen(1.5, 3.0, "1.5- to 3-fold over the phosphoproteins of the pathway at 30-60 min (not confirmed)"), least=1.0, low=by_source("1.5-fold, the least rise", "Li2010"), high=by_source("threefold, the greatest rise", "Li2010"))),
        Parameter("share_mtorc1", 0.534, "1", (0.3, 0.95), assumed("amino acids and insulin keep the rest"), "share of resting mTORC1 that the pathway keeps up", grounds=Grounds(most=1.0)),
        Parameter("k_mtorc1", 8.998, "1/h", (2.0, 12.0), fitted("peak at 0.5-1 h, back by 2 h", "Li2010"), "pace of mTORC1", grounds=Grounds(seen=seen(2.2, 55.0, "from fall of p-mTOR after a tetanus (2.2, not confirmed) to S6 kinase in a pathway model, 66 s (55)", "HillTau"))),
        Parameter("gsk3_effect", 1.0, "1", (0.3, 2.0), assumed("lithium makes a subthreshold dose act like a full one"), "slope added by GSK3 inhibition"),
        Parameter("penetration", 0.9, "1", (0.1, 1.0), assumed("systemic rapamycin enters rodent brain; how far in humans is unknown"), "systemic rapamycin that acts in brain", grounds=Grounds(most=1.0)),
        Parameter("s6k_effect", 0.316, "1", (0.1, 1.0), assumed("S6 kinase restrains eEF2 kinase"), "restraint of eEF2 kinase by S6 kinase at rest"),
        Parameter("share_made", 0.534, "1", (0.3, 0.95), assumed("part of what is made at rest needs no signal from TrkB"), "share of resting Arc and dendritic proteins that the signal calls for", grounds=Grounds(most=1.0)),
        Parameter("arc_reached", 2.935, "1", (2.0, 4.0), fitted("Arc up two- to fourfold at 2-6 h", "Li2010"), "Arc at the reference dose, relative to rest", grounds=Grounds(least=1.0)),
        Parameter("k_arc", 0.346, "1/h", (0.15, 0.8), derived("Arc back within about six hours", "Li2010"), "pace of Arc", grounds=Grounds(seen=seen(0.3, 1.12, "from Arc still up 6 h after ketamine (0.30) to the half-life of Arc protein in culture, 37 min (1.1); both not confirmed"))),
        Parameter("local_reached", 1.97, "1", (1.3, 3.0), derived("synaptic proteins 1.3- to 2-fold at 2-72 h, part of which are made in dendrites", "Li2010"), "dendritic proteins at the reference dose, relative to rest", grounds=Grounds(least=1.0, low=by_source("1.3-fold, the least rise of all", "Li2010"))),
        Parameter("k_local", 0.01583, "1/h", (0.01, 0.07), fitted("still up at 72 h", "Li2010"), "turnover of dendritic proteins", grounds=Grounds(seen=seen(0.0025, 0.0231, "from PSD-95 in the living cortex, lifetime 16.5 days (0.0025), to AMPA receptors in culture, half-life 30 h (0.023, not confirmed)", "Mohar2025", "Cohen2013"))),
        Parameter("part_local", 0.4, "1", (0.2, 0.8), assumed("both pools matter; shares not in the evidence"), "share of synaptic proteins made in dendrites", grounds=Grounds(most=1.0)),
        Parameter("share_somatic", 0.265, "1", (0.1, 0.7), assumed("most somatic translation does not follow mTORC1 of the synapse"), "share of somatic synthesis that mTORC1 keeps up", grounds=Grounds(most=1.0)),
        Parameter("k_somatic", 0.00559, "1/h", (0.0026, 0.012), assumed("PSD-95 lives 10 to 16 days in cortex, other synaptic proteins a few days; source not confirmed"), "turnover of somatic proteins", grounds=Grounds(seen=seen(0.0025, 0.0144, "from PSD-95 in the living cortex, lifetime 16.5 days (0.0025), to synaptic proteins in culture, half-life 2 days (0.014)", "Mohar2025", "Cohen2013"))),
    ),
    reads=(
        Read("signal", "1", of="trkb.signal"),
        Read("signal_reached", "1", of="trkb.signal_reached"),
        Read("surge", "1", of="circuit.surge"),
        Read("pulse", "h", of="circuit.pulse"),
        Read("headroom", "1", of="circuit.reserve"),
        Read("calcium", "1", of="bdnf.calcium"),
        Read("memory", "1", of="drivers.memory"),
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
    derived=(
        Derived(erk_reached, "1", "ERK at the reference dose"),
        Derived(pathway_reached, "1", "drive onto mTORC1 at the reference dose"),
        Derived(joint_reached, "1", "what makes transcripts and proteins at the reference dose"),
        *_anchor("mtorc1", "pathway_reached", "k_mtorc1", "share_mtorc1"),
        *_anchor("arc", "joint_reached", "k_arc", "share_made"),
        *_anchor("local", "joint_reached", "k_local", "share_made"),
    ),
    quantities=(
        Quantity(erk, "1", "ERK activity, relative to rest"),
        Quantity(rapamycin_effect, "1", "share of mTORC1 out of action", "inhibited", {"local": "rapamycin", "systemic": "rapamycin_systemic"}),
        Quantity(pathway, "1", "drive from TrkB onto mTORC1"),
        Quantity(mtorc1_drive, "1", "target of mTORC1"),
        Quantity(silenced, "1", "share of synaptic eEF2 kinase silenced", using={"inhibitor": "eef2k_inhibitor"}),
        Quantity(eef2_kinase, "1", "eEF2 kinase activity, relative to rest"),
        Quantity(eef2, "1", "phosphorylated eEF2, relative to rest", identifiers=("uniprot/P13639",)),
        Quantity(relief, "1", "fall of eEF2 phosphorylation, share of rest"),
        Quantity(joint, "1", "what makes transcripts and proteins, relative to rest"),
        Quantity(arc_drive, "1", "target of Arc"),
        Quantity(local_drive, "1", "target of dendritic proteins"),
        Quantity(somatic_drive, "1", "target of somatic proteins"),
        Quantity(proteins, "1", "synaptic proteins, relative to rest", short="proteins"),
    ),
    flows=(
        Flow(approach, into="mtorc1", using={"target": "mtorc1_drive", "level": "mtorc1", "k": "k_mtorc1"}),
        Flow(approach, into="arc", using={"target": "arc_drive", "level": "arc", "k": "k_arc"}),
        Flow(approach, into="local", using={"target": "local_drive", "level": "local", "k": "k_local"}),
        Flow(approach, into="somatic", using={"target": "somatic_drive", "level": "somatic", "k": "k_somatic"}),
    ),
)  # fmt: skip
