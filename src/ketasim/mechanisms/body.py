"""The body that carries the drug.

A small animal clears drug faster for its size than a large one: clearance grows with body weight to
a power near two thirds, as body surface does, volume in proportion to weight. Everything is quoted
for an adult of 70 kg and scaled from there. Sex and copies of the slow form of CYP2B6 are told here,
as is what was put into the nose; what they do is told under disposition. Left out: age and liver
disease.
"""

from ketasim.core.declare import Derived, Knob, Mechanism, Parameter, story_of
from ketasim.core.evidence import assumed, derived, fitted
from ketasim.core.maths import power


def clearance_scale(weight, reference_weight, exponent):
    """Clearance relative to that of a 70 kg adult."""
    return power(weight / reference_weight, exponent)


def volume_scale(weight, reference_weight):
    """Volumes relative to those of a 70 kg adult."""
    return weight / reference_weight


BODY = Mechanism(
    name="body",
    role="drug",
    story=story_of(__doc__),
    parameters=(
        Parameter("weight", 70.0, "kg", (0.01, 200.0), assumed("an adult; set by the subject"), "body weight", role="weight"),
        Parameter("reference_weight", 70.0, "kg", (70.0, 70.0), derived("the sources quote 70 kg"), "weight the sources quote", role="setting"),
        Parameter("exponent", 0.675, "1", (0.6, 0.85), fitted("half-life of 13 min in mice against three hours in people; growth with body surface", "Ma2023"), "power of body weight with which clearance grows", role="body"),
    ),
    knobs=(
        Knob("cyp_activity", 1.0, "1", (0.0, 10.0), "activity of the metabolising enzymes; below 1 inhibited, above 1 induced"),
        Knob("female", 0.5, "1", (0.0, 1.0), "0 a man, 1 a woman, between a mixed group"),
        Knob("slow_alleles", 0.0, "1", (0.0, 2.0), "copies of CYP2B6*6"),
        Knob("nasal_drops", 0.0, "1", (0.0, 1.0), "0 a metered nasal spray, 1 drops of a solution"),
        Knob("deuteration", 0.0, "1", (0.0, 1.0), "share by which deuteration slows formation of hydroxynorketamine"),
    ),
    derived=(
        Derived(clearance_scale, "1", "clearance relative to 70 kg"),
        Derived(volume_scale, "1", "volume relative to 70 kg"),
    ),
)  # fmt: skip
