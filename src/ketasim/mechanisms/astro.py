"""Astrocytes, D-serine and mGluR5: what the drug does to glia, and what glutamate does to mGluR5.

Stress lowers the glutamate transporter GLT-1 and the astrocytic protein GFAP; the BDNF pulse of a
dose brings both back within an hour and for days. D-serine outside cells moves with the drug; by
which sign is disputed: it falls in plasma and in culture, while one of the source documents says
that it rises, so the sign is a number of its own. A surge of glutamate takes mGluR5 in, which is
seen as less binding of a tracer for a day or more.

How GLT-1 lies against what the same stress usually leaves is told (``glt1_relative``), and a person
may have more or less D-serine than others (an input): both reach glutamate only where that is
switched on. A person has grown used to their own D-serine; where there is much of it the co-agonist
site is nearly full, so that the same change of it counts for less.

Left out: Kir4.1, ASCT2 and L-serine as states, lactate, protection from excitotoxicity.
"""

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import Grounds, assumed, fitted
from ketasim.core.maths import hill


def usual(load, lost):
    """A protein of astrocytes as this load usually leaves it."""
    return 1 - lost * load


def aim(load, lost, trace):
    """Where a protein of astrocytes is heading: stress lowers it, the trace of a dose lifts it."""
    return 1 - lost * load * (1 - trace)


def left(target, knockdown):
    """What a knock-down leaves."""
    return target * (1 - knockdown)


def relative(level, usual):
    """A level over what this load usually leaves; 1 at rest and under lasting stress."""
    return level / usual


def d_serine_aim(felt, half_s, sign, effect, level, daao):
    """Where D-serine is heading; the drug moves it by a sign that is disputed."""
    return level * (1 + sign * effect * felt / (half_s + felt)) * (1 - daao)


def isomers(s, r, weight_r):
    """Ketamine as far as it moves D-serine."""
    return s + weight_r * r


def site(level, gain):
    """D-serine that the co-agonist site sees, relative to what is usual among people."""
    return 1 + gain * (level - 1)


def clearing(glt1_relative, gain):
    """Uptake of glutamate over what this load usually leaves; 1 while that account is off."""
    return 1 + gain * (glt1_relative - 1)


def cleared(before, clearing):
    """Astrocytes take glutamate up as far as they have GLT-1."""
    return before * clearing


def leaked(before, part, blocked, clearing):
    """What a dialysate shows where GLT-1 holds the leak down."""
    return before + (1 - part) / (1 - blocked) * (1 / clearing - 1)


def filled(before, added, affinity_d_serine, site, own):
    """Filling of the co-agonist site relative to a person's own rest, at the D-serine there is."""
    usual = (1 + added) / (affinity_d_serine + 1 + added) * (affinity_d_serine + 1)
    rest = own / (affinity_d_serine + own)
    return before * (site + added) / (affinity_d_serine + site + added) / rest / usual


def surged(glutamate, half_m):
    """How far glutamate above rest takes mGluR5 in."""
    return hill(glutamate - 1, half_m, 2 * 2)


def remember(bdnf, trace, half_trace, k_on):
    """A pulse of BDNF leaves a trace in astrocytes."""
    return k_on * hill(bdnf - 1, half_trace, 2) * (1 - trace)


def forget(trace, k_off):
    """The trace fades."""
    return k_off * trace


def follow(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def renew(mglur5, k_return):
    """Receptors come back."""
    return k_return * (1 - mglur5)


def take_in(surged, mglur5, k_take):
    """Glutamate takes receptors in."""
    return k_take * surged * mglur5


_SHARE = Grounds(most=1.0)

ASTRO = Mechanism(
    name="astro",
    story=story_of(__doc__),
    states=(
        State("glt1", 1.0, "1", "glutamate transporter GLT-1, relative to health", short="glt1", identifiers=("uniprot/P43004",)),
        State("gfap", 1.0, "1", "GFAP, relative to health", identifiers=("uniprot/P14136",)),
        State("trace", 0.0, "1", "trace of a pulse of BDNF in astrocytes", within=(0.0, 1.0)),
        State("d_serine", 1.0, "1", "D-serine outside cells, relative to rest", short="d_serine", identifiers=("chebi/CHEBI:16523",)),
        State("mglur5", 1.0, "1", "mGluR5 at the surface, relative to rest", within=(0.0, 1.0), short="mglur5", identifiers=("uniprot/P41594",)),
    ),
    parameters=(
        Parameter("lost_glt1", 0.3, "1", (0.1, 0.5), assumed("low in stressed rodents and in depression; fold not in the evidence"), "GLT-1 lost under lasting stress", grounds=_SHARE),
        Parameter("lost_gfap", 0.3, "1", (0.1, 0.5), assumed("low in stressed rodents and in depression; fold not in the evidence"), "GFAP lost under lasting stress", grounds=_SHARE),
        Parameter("half_trace", 0.8, "1", (0.3, 2.0), assumed("well below the pulse of an effective dose"), "BDNF above rest that leaves a trace at half the pace"),
        Parameter("k_on", 4.0, "1/h", (0.5, 8.0), fitted("GLT-1 and GFAP normal an hour after a dose", "ZhangX2022"), "pace at which a trace is left"),
        Parameter("k_off", 0.006, "1/h", (0.003, 0.02), assumed("lasts for days, as behaviour does"), "fading of the trace"),
        Parameter("k_glia", 4.0, "1/h", (1.0, 8.0), fitted("GLT-1 and GFAP normal an hour after a dose", "ZhangX2022"), "pace of GLT-1 and GFAP"),
        Parameter("effect", 0.3, "1", (0.05, 0.6), assumed("falls in plasma after an infusion; size not in the evidence"), "greatest change of D-serine", grounds=_SHARE),
        Parameter("sign", -1.0, "1", (-1.0, 1.0), fitted("falls in plasma and in culture; a source document says that it rises", "Hashimoto2014", "Singh2015"), "direction in which the drug moves D-serine", role="gain"),
        Parameter("half_s", 1.0, "uM", (0.3, 3.0), assumed("about 0.8 uM on its transporter; source not confirmed"), "half-effective S-ketamine in brain"),
        Parameter("weight_r", 0.5, "1", (0.0, 1.0), assumed("both isomers lower it outside cells; shares not in the evidence"), "what R-ketamine counts of S-ketamine", grounds=_SHARE),
        Parameter("k_dser", 1.0, "1/h", (0.2, 4.0), fitted("falls within hours of an infusion", "Hashimoto2014"), "pace of D-serine"),
        Parameter("half_m", 0.2, "1", (0.05, 0.5), assumed("half of what a dialysate shows at an effective dose"), "glutamate above rest that takes mGluR5 in at half the pace"),
        Parameter("k_take", 0.27, "1/h", (0.05, 1.0), fitted("14 % less binding during an infusion in patients, 19 % in volunteers", "Esterlis2018"), "uptake of mGluR5 under a surge"),
        Parameter("k_return", 0.012, "1/h", (0.004, 0.04), fitted("binding still lower a day later", "Esterlis2018"), "return of mGluR5"),
    ),
    reads=(
        Read("load", "1", of="stress.load"),
        Read("bdnf", "1", of="bdnf.extracellular"),
        Read("glutamate", "1", of="glutamate.relative"),
        Read("s", "uM", of="pk_s.brain"),
        Read("r", "uM", of="pk_r.brain"),
        Read("gain_uptake", "1", of="drivers.uptake", default=0.0),
        Read("gain_site", "1", of="drivers.d_serine", default=0.0),
    ),
    knobs=(
        Knob("glt1_knockdown", 0.0, "1", (0.0, 0.95), "GLT-1 knocked down"),
        Knob("daao", 0.0, "1", (0.0, 1.0), "D-serine removed"),
        Knob("d_serine_level", 1.0, "1", (0.1, 5.0), "a person's own D-serine, relative to others"),
    ),
    quantities=(
        Quantity(usual, "1", "GLT-1 as this load usually leaves it", "glt1_usual", {"lost": "lost_glt1"}),
        Quantity(aim, "1", "GLT-1 called for", "glt1_called", {"lost": "lost_glt1"}),
        Quantity(left, "1", "where GLT-1 is heading", "glt1_aim", {"target": "glt1_called", "knockdown": "glt1_knockdown"}),
        Quantity(aim, "1", "where GFAP is heading", "gfap_aim", {"lost": "lost_gfap"}),
        Quantity(relative, "1", "GLT-1 over what this load usually leaves", "glt1_relative", {"level": "glt1", "usual": "glt1_usual"}),
        Quantity(clearing, "1", "uptake of glutamate over what this load usually leaves", using={"gain": "gain_uptake"}),
        Quantity(isomers, "uM", "ketamine as far as it moves D-serine"),
        Quantity(d_serine_aim, "1", "where D-serine is heading", using={"felt": "isomers", "level": "d_serine_level"}),
        Quantity(site, "1", "D-serine that the co-agonist site sees", using={"level": "d_serine", "gain": "gain_site"}),
        Quantity(site, "1", "D-serine that it sees at a person's own rest", "site_rest", {"level": "d_serine_level", "gain": "gain_site"}),
        Quantity(surged, "1", "how far glutamate takes mGluR5 in"),
    ),
    flows=(
        Flow(remember, into="trace"),
        Flow(forget, out_of="trace"),
        Flow(follow, into="glt1", using={"target": "glt1_aim", "level": "glt1", "k": "k_glia"}),
        Flow(follow, into="gfap", using={"target": "gfap_aim", "level": "gfap", "k": "k_glia"}),
        Flow(follow, into="d_serine", using={"target": "d_serine_aim", "level": "d_serine", "k": "k_dser"}),
        Flow(renew, into="mglur5"),
        Flow(take_in, out_of="mglur5"),
    ),
)  # fmt: skip
