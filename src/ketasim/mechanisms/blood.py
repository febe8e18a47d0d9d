"""What inflammation shows in blood, and the kynurenine limb that it opens in brain.

GM-CSF stands for a dozen factors that are raised in depression and fall together over weeks of
infusions: it follows the stress load, and each dose damps it a little for weeks. IL-6 beyond what
lasting inflammation keeps up opens the kynurenine pathway for a day or two; its product,
quinolinate, costs function (sickness after endotoxin). Lasting inflammation has been got used to.

Left out: the other factors one by one, T cells, soluble receptors, CRP, glucocorticoids, tryptophan
and serotonin. What a single dose does to IL-6 in blood (a rise, seen for three days) follows from
nothing here and stays unexplained.
"""

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import Grounds, assumed, fitted


def gmcsf_aim(load, damped, gm_stress):
    """Where GM-CSF is heading: up with stress, down with damping."""
    return (1 + gm_stress * load) * (1 - damped)


def opened(excess, anti_il6, half_kyn):
    """How far IL-6 opens the kynurenine pathway; smooth at rest."""
    felt = excess * (1 - anti_il6)
    return felt * felt / (half_kyn * half_kyn + felt * felt)


def sickness(quinolinate, weight):
    """Function that quinolinate costs."""
    return weight * quinolinate


def sickened(before, sickness, gain):
    """Function, less what quinolinate costs."""
    return before - gain * sickness


def follow(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def damp(drug, damp_half, damped, most, k_damp):
    """A dose damps the factors."""
    return k_damp * drug / (damp_half + drug) * (most - damped)


def recover(damped, k_recover):
    """Damping is lost over weeks."""
    return k_recover * damped


BLOOD = Mechanism(
    name="blood",
    story=story_of(__doc__),
    states=(
        State("gmcsf", 1.0, "1", "GM-CSF in blood, relative to health", short="gmcsf", identifiers=("uniprot/P04141",)),
        State("damped", 0.0, "1", "damping of blood factors by doses", within=(0.0, 1.0)),
        State("quinolinate", 0.0, "1", "quinolinate above rest, of the most", within=(0.0, 1.0)),
    ),
    parameters=(
        Parameter("gm_stress", 0.6, "1", (0.2, 1.5), assumed("higher in depression; fold not in the evidence"), "rise of GM-CSF in an episode"),
        Parameter("k_gm", 2.0, "1/h", (0.3, 6.0), fitted("GM-CSF is down an hour and a half after a dose", "Nikkheslat"), "pace of GM-CSF"),
        Parameter("k_damp", 0.6, "1/h", (0.1, 2.0), fitted("GM-CSF is down an hour and a half after one dose, and after six", "Nikkheslat", "Zhan2020"), "pace of damping under the drug"),
        Parameter("damp_half", 1.0, "uM", (0.2, 4.0), assumed("brain concentrations of an effective dose"), "ketamine that damps at half the pace"),
        Parameter("most", 0.6, "1", (0.2, 0.95), assumed("part of these factors stays; size not in the evidence"), "greatest damping", grounds=Grounds(most=1.0)),
        Parameter("k_recover", 0.0021, "1/h", (0.0008, 0.006), fitted("still down two weeks after the last of six doses", "Zhan2020"), "recovery from damping"),
        Parameter("half_kyn", 3.0, "1", (1.0, 10.0), assumed("several times the resting IL-6"), "IL-6 beyond the usual that half opens the pathway"),
        Parameter("k_kyn", 0.06, "1/h", (0.03, 0.2), fitted("mice are low a day after endotoxin and not for long", "Walker2013"), "pace of quinolinate"),
        Parameter("weight", 0.6, "1", (0.1, 1.0), assumed("endotoxin makes an animal about as low as a milder episode does; size not in the evidence"), "function lost at the most quinolinate"),
    ),
    reads=(
        Read("load", "1", of="stress.load"),
        Read("drug", "uM", of="plasma.brain"),
        Read("excess", "1", of="immune.il6_excess", default=0.0),
    ),
    knobs=(Knob("anti_il6", 0.0, "1", (0.0, 1.0), "IL-6 neutralised"),),
    quantities=(
        Quantity(gmcsf_aim, "1", "where GM-CSF is heading"),
        Quantity(opened, "1", "how far the kynurenine pathway is open"),
        Quantity(sickness, "1", "function that quinolinate costs"),
    ),
    flows=(
        Flow(follow, into="gmcsf", using={"target": "gmcsf_aim", "level": "gmcsf", "k": "k_gm"}),
        Flow(damp, into="damped"),
        Flow(recover, out_of="damped"),
        Flow(follow, into="quinolinate", using={"target": "opened", "level": "quinolinate", "k": "k_kyn"}),
    ),
)  # fmt: skip
