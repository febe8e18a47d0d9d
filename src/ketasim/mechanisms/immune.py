"""Microglia, cytokines, TGF-b1 and complement: inflammation of the brain, and what it prunes.

Stress activates microglia over days, endotoxin within hours. Activated microglia keep TNF, IL-1b
and IL-6 above rest; endotoxin lifts TNF within the hour, and TNF calls for IL-6, which is highest
an hour later. IL-1b and stress raise the complement protein C3, and microglia remove synapses that
C3 marks. TGF-b1 holds microglia down: stress lowers it, R-ketamine brings it back, S-ketamine does
not, and without microglia neither can. What stress does to synapses is stated by the spines; here
stands how far microglia and C3 go beyond, or fall short of, what the same stress usually brings
(``pruning``): 1 at rest, and 1 under any stress that has lasted.

Left out: T cells, C5a, three arms of complement, the inflammasome apart from IL-1b, corticosterone,
oxidative metabolism, pruning by endotoxin in an animal without stress. C3 does not activate
microglia in turn, so that inflammation cannot hold itself up.
"""

from ketasim.core.declare import (
    Flow,
    Knob,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    story_of,
)
from ketasim.core.evidence import Grounds, assumed, fitted


def aroused(lps, half_lps, drug, half_damp, gain):
    """What endotoxin calls for, of the most it can; less under the drug where that is switched on."""
    damped = gain * drug / (half_damp + drug)
    return lps / (half_lps + lps) * (1 - damped)


def activation(load, aroused, stress_part, lps_part, minocycline):
    """Activation of microglia by stress and endotoxin, in units of their calming at rest."""
    return (stress_part * load + lps_part * aroused) * (1 - minocycline)


def chronic(microglia, effect):
    """Level of a cytokine that microglia keep up, relative to rest."""
    return 1 + effect * microglia


def tnf_excess(tnf, kept, surge):
    """TNF beyond what microglia keep up, of the most that endotoxin calls for."""
    return (tnf - kept) / surge


def il6_excess(il6, kept):
    """IL-6 beyond what microglia keep up, in units of rest."""
    return il6 - kept


def made_tgfb(load, r_signal, fell, restored, depletion):
    """TGF-b1 called for: stress lowers it, R-ketamine restores it as long as there are microglia."""
    return 1 - fell * load * (1 - restored * r_signal * (1 - depletion))


def tgfb_aim(made_tgfb, neutraliser, recombinant):
    """Where TGF-b1 is heading."""
    return made_tgfb * (1 - neutraliser) + recombinant


def c3_aim(il1b, load, c3_il1b, c3_stress, c3_knockout):
    """Where C3 is heading: IL-1b and stress raise it."""
    return (1 + c3_il1b * (il1b - 1) + c3_stress * load) * (1 - c3_knockout)


def microglia_usual(load, stress_part, tgf_gain, fell):
    """Activated microglia where the load has lasted and nothing else was done."""
    return stress_part * load / (stress_part * load + 1 - tgf_gain * fell * load)


def c3_usual(load, microglia_usual, c3_il1b, il1b_chronic, c3_stress):
    """C3 where the load has lasted and nothing else was done."""
    return 1 + c3_il1b * il1b_chronic * microglia_usual + c3_stress * load


def marked(microglia, c3, block):
    """What microglia that find C3 take: the product of both."""
    return microglia * c3 * (1 - block)


def marked_usual(microglia_usual, c3_usual):
    """The same where the load has lasted and nothing else was done."""
    return microglia_usual * c3_usual


def pruning(marked, marked_usual, share, floor):
    """Loss of synapses over what this load usually brings; 1 at rest and under lasting stress."""
    return 1 - share + share * (marked + floor) / (marked_usual + floor)


def complement(load, effect):
    """C1q in blood, relative to rest: it goes with illness and has no course that is known."""
    return 1 + effect * load


def pruned(before, pruning, gain):
    """Stress empties sites by way of microglia."""
    return before * (1 + gain * (pruning - 1))


def given(endotoxin):
    """Endotoxin arrives."""
    return endotoxin


def cleared(level, k):
    """A level is cleared."""
    return k * level


def activate(activation, microglia, depletion, k_mic):
    """Quiet microglia become active."""
    return k_mic * activation * (1 - depletion - microglia)


def calm(microglia, tgfb, tgf_gain, k_mic):
    """TGF-b1 calms microglia."""
    return k_mic * (1 + tgf_gain * (tgfb - 1)) * microglia


def follow(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def rise(kept, level, called, surge, k):
    """A cytokine follows what microglia keep up and what endotoxin calls for."""
    return k * (kept + surge * called - level)


def start(r, r_half, r_signal, k_r):
    """R-ketamine sets the signal on that restores TGF-b1."""
    return k_r * r * r / (r_half * r_half + r * r) * (1 - r_signal)


_NO_SIZE = "direction known, size not in the evidence"
_SHARE = Grounds(most=1.0)

_LEDGER = (
    Parameter("k_lps", 0.9, "1/h", (0.3, 1.5), fitted("TNF in blood falls by a third from one hour to two", "MouseEndotoxin"), "clearance of endotoxin"),
    Parameter("half_lps", 0.3, "1", (0.1, 1.0), assumed("a reference dose acts nearly as far as endotoxin can"), "endotoxin of half its effect, in reference doses"),
    Parameter("k_mic", 0.05, "1/h", (0.02, 0.1), assumed("microglia change within a day"), "pace of activation and calming of microglia"),
    Parameter("stress_part", 0.4, "1", (0.2, 1.0), assumed(_NO_SIZE), "activation by stress, in units of calming at rest"),
    Parameter("lps_part", 4.0, "1", (1.0, 8.0), assumed(_NO_SIZE), "greatest activation by endotoxin, in units of calming at rest"),
    Parameter("tnf_chronic", 1.7, "1", (0.2, 4.0), assumed("raised in depression by 0.40 standard deviations; fold not in the evidence"), "TNF kept up by microglia, all of them active"),
    Parameter("il1b_chronic", 1.7, "1", (0.2, 4.0), assumed("raised in brain by stress; no difference in blood of patients"), "IL-1b kept up by microglia, all of them active"),
    Parameter("il6_chronic", 2.0, "1", (0.2, 4.0), assumed("raised in depression by 0.54 standard deviations; fold not in the evidence"), "IL-6 kept up by microglia, all of them active"),
    Parameter("tnf_surge", 8.0, "1", (3.0, 300.0), fitted("fivefold in people after 0.8 ng/kg", "Moieni2015"), "greatest rise of TNF by endotoxin"),
    Parameter("il1b_surge", 8.0, "1", (2.0, 50.0), assumed("taken as that of TNF"), "greatest rise of IL-1b by endotoxin"),
    Parameter("il6_surge", 22.0, "1", (8.0, 2000.0), fitted("tenfold in people after 0.8 ng/kg; in mice given 4 mg/kg more than a thousandfold, which is a value of that species and dose", "Moieni2015"), "greatest rise of IL-6 by endotoxin"),
    Parameter("k_tnf", 3.0, "1/h", (1.0, 6.0), fitted("TNF is first, at an hour", "MouseEndotoxin"), "pace of TNF"),
    Parameter("k_il1b", 1.0, "1/h", (0.3, 3.0), assumed("between TNF and IL-6"), "pace of IL-1b"),
    Parameter("k_il6", 0.9, "1/h", (0.3, 2.0), fitted("IL-6 is highest at two hours", "MouseEndotoxin", "RatEndotoxin2000"), "pace of IL-6"),
    Parameter("fell", 0.4, "1", (0.2, 0.6), assumed(_NO_SIZE), "TGF-b1 lost under lasting stress", grounds=_SHARE),
    Parameter("restored", 0.9, "1", (0.6, 1.0), fitted("Tgfb1 of stressed mice is back after R-ketamine", "Zhang2020"), "share of that loss which R-ketamine can restore", grounds=_SHARE),
    Parameter("tgf_gain", 0.6, "1", (0.2, 0.9), assumed(_NO_SIZE), "share of the calming of microglia that is owed to TGF-b1", grounds=_SHARE),
    Parameter("k_tgfb", 0.3, "1/h", (0.1, 1.0), assumed("protein follows its transcript within hours"), "pace of TGF-b1"),
    Parameter("r_half", 0.6, "uM", (0.2, 2.0), assumed("half of the peak after an effective dose in mice"), "half-effective R-ketamine in brain"),
    Parameter("k_r", 4.0, "1/h", (1.0, 8.0), fitted("one dose of R-ketamine restores Tgfb1 a day later", "Zhang2020"), "onset of the signal of R-ketamine"),
    Parameter("k_fade", 0.006, "1/h", (0.003, 0.02), fitted("effect of R-ketamine through TGF-b1 lasts for days", "Zhang2020"), "fading of the signal of R-ketamine"),
    Parameter("c3_il1b", 0.5, "1", (0.1, 1.0), assumed(_NO_SIZE), "rise of C3 per rise of IL-1b"),
    Parameter("c3_stress", 0.4, "1", (0.0, 1.0), assumed(_NO_SIZE), "rise of C3 under lasting stress by itself"),
    Parameter("k_c3", 0.03, "1/h", (0.01, 0.1), assumed("half a day to a day; not in the evidence"), "pace of C3"),
    Parameter("share", 0.85, "1", (0.6, 1.0), fitted("without C3 hardly a synapse is lost to stress", "StressC3"), "share of stress-born loss that is through microglia and C3", grounds=_SHARE),
    Parameter("floor", 0.01, "1", (0.01, 0.01), assumed("keeps a ratio of two small numbers finite"), "smallest amount counted in the ratio"),
    Parameter("c1q_stress", 0.15, "1", (0.05, 0.5), assumed("higher in patients with a correlation of 0.239; fold not in the evidence"), "rise of C1q in an episode"),
    Parameter("half_damp", 0.5, "uM", (0.1, 2.0), assumed("brain concentrations of an effective dose"), "ketamine that half damps the surge, where that is switched on"),
)  # fmt: skip

IMMUNE = Mechanism(
    name="immune",
    story=story_of(__doc__),
    states=(
        State("lps", 0.0, "1", "endotoxin, in reference doses"),
        State("microglia", 0.0, "1", "active microglia, of all", within=(0.0, 1.0), scale=0.3, short="microglia"),
        State("tnf", 1.0, "1", "TNF, relative to rest", short="tnf", identifiers=("uniprot/P01375",)),
        State("il1b", 1.0, "1", "IL-1b, relative to rest", identifiers=("uniprot/P01584",)),
        State("il6", 1.0, "1", "IL-6, relative to rest", short="il6", identifiers=("uniprot/P05231",)),
        State("tgfb", 1.0, "1", "TGF-b1, relative to rest", short="tgfb", identifiers=("uniprot/P01137",)),
        State("r_signal", 0.0, "1", "signal of R-ketamine to TGF-b1", within=(0.0, 1.0)),
        State("c3", 1.0, "1", "complement C3, relative to rest", short="c3", identifiers=("uniprot/P01024",)),
    ),
    parameters=_LEDGER,
    reads=(
        Read("load", "1", of="stress.load"),
        Read("r", "uM", of="pk_r.brain"),
        Read("drug", "uM", of="plasma.brain"),
        Read("gain", "1", of="drivers.damping", default=0.0),
    ),
    knobs=(
        Knob("endotoxin", 0.0, "1/h", (0.0, 100.0), "endotoxin given, in reference doses an hour", short=("lps",)),
        Knob("depletion", 0.0, "1", (0.0, 1.0), "microglia depleted (PLX3397)"),
        Knob("minocycline", 0.0, "1", (0.0, 1.0), "activation of microglia prevented"),
        Knob("neutraliser", 0.0, "1", (0.0, 1.0), "TGF-b1 neutralised"),
        Knob("recombinant", 0.0, "1", (0.0, 5.0), "TGF-b1 added, in units of rest"),
        Knob("c3_knockout", 0.0, "1", (0.0, 1.0), "C3 knocked out"),
        Knob("c3ar_block", 0.0, "1", (0.0, 1.0), "C3a receptors blocked"),
    ),
    quantities=(
        Quantity(aroused, "1", "what endotoxin calls for, of the most"),
        Quantity(activation, "1", "activation of microglia"),
        Quantity(chronic, "1", "TNF kept up by microglia", "tnf_kept", {"effect": "tnf_chronic"}),
        Quantity(chronic, "1", "IL-1b kept up by microglia", "il1b_kept", {"effect": "il1b_chronic"}),
        Quantity(chronic, "1", "IL-6 kept up by microglia", "il6_kept", {"effect": "il6_chronic"}),
        Quantity(tnf_excess, "1", "TNF beyond what microglia keep up, of the most", using={"kept": "tnf_kept", "surge": "tnf_surge"}),
        Quantity(il6_excess, "1", "IL-6 beyond what microglia keep up", using={"kept": "il6_kept"}),
        Quantity(made_tgfb, "1", "TGF-b1 called for"),
        Quantity(tgfb_aim, "1", "where TGF-b1 is heading"),
        Quantity(c3_aim, "1", "where C3 is heading"),
        Quantity(microglia_usual, "1", "active microglia as this load usually brings"),
        Quantity(c3_usual, "1", "C3 as this load usually brings"),
        Quantity(marked, "1", "what microglia that find C3 take", using={"block": "c3ar_block"}),
        Quantity(marked_usual, "1", "the same as this load usually brings"),
        Quantity(pruning, "1", "loss of synapses over what this load usually brings", short="pruning"),
        Quantity(complement, "1", "C1q in blood, relative to rest", "c1q", {"effect": "c1q_stress"}),
    ),
    flows=(
        Flow(given, into="lps"),
        Flow(cleared, out_of="lps", using={"level": "lps", "k": "k_lps"}),
        Flow(activate, into="microglia"),
        Flow(calm, out_of="microglia"),
        Flow(rise, into="tnf", using={"kept": "tnf_kept", "level": "tnf", "called": "aroused", "surge": "tnf_surge", "k": "k_tnf"}),
        Flow(rise, into="il1b", using={"kept": "il1b_kept", "level": "il1b", "called": "aroused", "surge": "il1b_surge", "k": "k_il1b"}),
        Flow(rise, into="il6", using={"kept": "il6_kept", "level": "il6", "called": "tnf_excess", "surge": "il6_surge", "k": "k_il6"}),
        Flow(start, into="r_signal"),
        Flow(cleared, out_of="r_signal", using={"level": "r_signal", "k": "k_fade"}),
        Flow(follow, into="tgfb", using={"target": "tgfb_aim", "level": "tgfb", "k": "k_tgfb"}),
        Flow(follow, into="c3", using={"target": "c3_aim", "level": "c3", "k": "k_c3"}),
    ),
)  # fmt: skip
