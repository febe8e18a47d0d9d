"""Dopamine and noradrenaline: cells of the ventral tegmentum, what they release, and the reserve.

Helplessness silences half of the dopamine cells; AMPA drive above rest rouses them within minutes,
and they stay roused for days. In cortex the same drive releases dopamine many times over. Both need
S-ketamine to be there, since R-ketamine leaves dopamine as it is. The release spends a reserve that
fills again over weeks, so that a week of daily doses leaves a high base and hardly a surge. Noradrenaline rises with the drug itself and more
gently. How far dopamine moves D1 receptors away from what the same stress usually leaves is told
(``d1_relative``), for an account in which calcium of D1 cells follows it.

Left out: firing and bursts of single cells, striatum, D2 receptors, reward, transporters as states,
direct binding (none up to 10 uM). Sources disagree on whether the drug itself changes dopamine
cells, and on release in people.
"""

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import Grounds, assumed, fitted
from ketasim.core.maths import hill


def rousing(current, half_vta):
    """How far AMPA current above rest rouses dopamine cells."""
    return hill(current - 1, half_vta, 2)


def released(current, half_da):
    """How far AMPA current above rest calls for a surge of dopamine."""
    return hill(current - 1, half_da, 2)


def permitted(s, r, s_half, weight_r):
    """How far S-ketamine lets the surge through; R counts little."""
    felt = s + weight_r * r
    return felt / (s_half + felt)


def vta_usual(load, lost):
    """Active dopamine cells as this load usually leaves them."""
    return 1 - lost * load


def vta_aim(load, roused, lost, gain_vta, silencing):
    """Where active dopamine cells are heading."""
    return (1 - lost * load * (1 - roused) + gain_vta * roused) * (1 - silencing)


def surge(released, reserve, permitted, gain_da):
    """Release of dopamine per active cell, relative to rest."""
    return 1 + gain_da * released * reserve * permitted


def dopamine_aim(vta, surge):
    """Where dopamine is heading."""
    return vta * surge


def noradrenaline_aim(drug, gain_na, half_na):
    """Where noradrenaline is heading, transporter open."""
    return 1 + gain_na * drug / (half_na + drug)


def d1(level, half_d1):
    """D1 signal relative to rest; it saturates with dopamine."""
    return (1 + half_d1) * level / (half_d1 + level)


def felt(dopamine, d1_agonist):
    """Dopamine and what acts as dopamine."""
    return dopamine + d1_agonist


def d1_relative(d1, d1_usual):
    """D1 signal over what this load usually leaves; 1 at rest and under lasting stress."""
    return d1 / d1_usual


def through_d1(before, current, lvdcc_block, d1_share, d1_block, d1_relative, gain):
    """Calcium of D1 cells follows dopamine, as far as that account is switched on."""
    carried = current * (1 - lvdcc_block) * d1_share * (1 - d1_block)
    return before + gain * carried * (d1_relative - 1)


def rouse(roused, rousing, permitted, k_rouse):
    """Cells are roused."""
    return k_rouse * rousing * permitted * (1 - roused)


def fade(level, k):
    """A level is lost."""
    return k * level


def follow(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def refill(reserve, k_refill):
    """The reserve fills again."""
    return k_refill * (1 - reserve)


def spend(reserve, released, permitted, k_spend):
    """Release spends the reserve."""
    return k_spend * released * permitted * reserve


def take_up(level, desipramine, share, k):
    """Noradrenaline is taken up, in part through a transporter that desipramine blocks."""
    return k * (1 - share * desipramine) * level


def release(target, k):
    """Noradrenaline is released."""
    return k * target


_SHARE = Grounds(most=1.0)

MONOAMINES = Mechanism(
    name="monoamines",
    story=story_of(__doc__),
    states=(
        State("vta", 1.0, "1", "active dopamine cells, relative to health", short="vta"),
        State("roused", 0.0, "1", "arousal of dopamine cells by the drug", within=(0.0, 1.0)),
        State("dopamine", 1.0, "1", "dopamine in prefrontal cortex, relative to health", short="dopamine", identifiers=("chebi/CHEBI:18243",)),
        State("reserve", 1.0, "1", "dopamine that can surge, relative to rest", within=(0.0, 1.0)),
        State("noradrenaline", 1.0, "1", "noradrenaline in prefrontal cortex, relative to rest", short="noradrenaline", identifiers=("chebi/CHEBI:18357",)),
    ),
    parameters=(
        Parameter("lost", 0.5, "1", (0.3, 0.7), fitted("half of the dopamine cells silent in helpless rats", "Belujon2014"), "dopamine cells silenced under lasting stress", grounds=_SHARE),
        Parameter("gain_vta", 1.0, "1", (0.5, 2.0), fitted("62 to 180 % more active cells", "Kokkinou2018"), "dopamine cells gained when roused, relative to health"),
        Parameter("half_vta", 0.4, "1", (0.1, 1.5), assumed("well below the surge of an effective dose"), "AMPA current above rest that rouses at half the pace"),
        Parameter("k_rouse", 6.0, "1/h", (2.0, 20.0), fitted("restored within 20 min", "Belujon2014"), "pace of arousal"),
        Parameter("k_quiet", 0.02, "1/h", (0.01, 0.1), fitted("active cells still more a day later; base doubled after seven daily doses", "Kokkinou2018", "Lindefors1997"), "loss of arousal"),
        Parameter("k_vta", 6.0, "1/h", (2.0, 20.0), fitted("restored within 20 min", "Belujon2014"), "pace of dopamine cells"),
        Parameter("gain_da", 5.0, "1", (1.0, 12.0), fitted("fivefold after 25 mg/kg", "Lindefors1997"), "greatest rise of release per cell"),
        Parameter("half_da", 1.5, "1", (0.4, 4.0), assumed("about half of the surge of an effective dose"), "AMPA current above rest that releases half of it"),
        Parameter("s_half", 0.1, "uM", (0.02, 0.5), assumed("below what an effective dose of S-ketamine reaches"), "half-permissive S-ketamine in brain"),
        Parameter("weight_r", 0.0, "1", (0.0, 0.2), fitted("R-ketamine leaves dopamine of cortex as it is", "Bonaventura2021"), "what R-ketamine counts of S-ketamine"),
        Parameter("k_da", 10.0, "1/h", (4.0, 40.0), assumed("dialysates follow within ten minutes"), "pace of dopamine"),
        Parameter("k_spend", 1.5, "1/h", (0.3, 5.0), fitted("hardly a surge after seven daily doses", "Lindefors1997"), "spending of the reserve at full release"),
        Parameter("k_refill", 0.002, "1/h", (0.0005, 0.01), fitted("hardly a surge after seven daily doses", "Lindefors1997"), "filling of the reserve"),
        Parameter("gain_na", 0.75, "1", (0.3, 3.0), fitted("1.22 and 1.56 times saline after 1 and 10 mg/kg", "Kubota1999"), "greatest rise of noradrenaline"),
        Parameter("half_na", 0.3, "uM", (0.1, 10.0), fitted("1.22 and 1.56 times saline after 1 and 10 mg/kg", "Kubota1999"), "half-effective ketamine in brain"),
        Parameter("k_na", 6.0, "1/h", (2.0, 20.0), assumed("dialysates follow within ten minutes"), "pace of noradrenaline"),
        Parameter("net_share", 0.7, "1", (0.3, 0.9), assumed("most is taken up by its transporter"), "uptake of noradrenaline that desipramine can block", grounds=_SHARE),
        Parameter("half_d1", 0.5, "1", (0.2, 2.0), assumed("D1 receptors are more than half engaged at rest; not in the evidence"), "dopamine of half the D1 signal, relative to health"),
    ),
    reads=(
        Read("current", "1", of="ampa.current"),
        Read("load", "1", of="stress.load"),
        Read("s", "uM", of="pk_s.brain"),
        Read("r", "uM", of="pk_r.brain"),
        Read("drug", "uM", of="plasma.brain"),
    ),
    knobs=(
        Knob("da_silencing", 0.0, "1", (0.0, 1.0), "dopamine cells silenced"),
        Knob("d1_agonist", 0.0, "1", (0.0, 5.0), "D1 agonist, in units of resting dopamine"),
        Knob("desipramine", 0.0, "1", (0.0, 1.0), "noradrenaline transporter blocked"),
    ),
    quantities=(
        Quantity(rousing, "1", "how far AMPA current rouses dopamine cells"),
        Quantity(released, "1", "how far AMPA current calls for a surge of dopamine"),
        Quantity(permitted, "1", "how far S-ketamine lets it through"),
        Quantity(vta_usual, "1", "active dopamine cells as this load usually leaves them"),
        Quantity(vta_aim, "1", "where active dopamine cells are heading", using={"silencing": "da_silencing"}),
        Quantity(surge, "1", "release of dopamine per active cell, relative to rest"),
        Quantity(dopamine_aim, "1", "where dopamine is heading"),
        Quantity(noradrenaline_aim, "1", "where noradrenaline is heading"),
        Quantity(felt, "1", "dopamine and what acts as dopamine"),
        Quantity(d1, "1", "D1 signal, relative to rest", using={"level": "felt"}),
        Quantity(d1, "1", "D1 signal as this load usually leaves it", "d1_usual", {"level": "vta_usual"}),
        Quantity(d1_relative, "1", "D1 signal over what this load usually leaves"),
    ),
    flows=(
        Flow(rouse, into="roused"),
        Flow(fade, out_of="roused", using={"level": "roused", "k": "k_quiet"}),
        Flow(follow, into="vta", using={"target": "vta_aim", "level": "vta", "k": "k_vta"}),
        Flow(follow, into="dopamine", using={"target": "dopamine_aim", "level": "dopamine", "k": "k_da"}),
        Flow(refill, into="reserve"),
        Flow(spend, out_of="reserve"),
        Flow(release, into="noradrenaline", using={"target": "noradrenaline_aim", "k": "k_na"}),
        Flow(take_up, out_of="noradrenaline", using={"level": "noradrenaline", "share": "net_share", "k": "k_na"}),
    ),
)  # fmt: skip
