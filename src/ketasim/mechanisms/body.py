"""The body that carries the drug.

A small animal clears drug faster for its size than a large one: clearance is taken to grow with
body weight to the power three quarters, volume in proportion to it. Everything is quoted for an
adult of 70 kg and scaled from there. Left out: age, sex, liver disease, and genetics of the
metabolising enzymes, beyond one knob for their common activity.
"""

from ketasim.core.declare import Derived, Knob, Mechanism, Parameter, story_of
from ketasim.core.evidence import assumed, derived
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
        Parameter("exponent", 0.75, "1", (0.65, 0.85), assumed("standard allometry of clearance"), "allometric exponent", role="body"),
    ),
    knobs=(
        Knob("cyp_activity", 1.0, "1", (0.0, 10.0), "activity of the metabolising enzymes; below 1 inhibited, above 1 induced"),
        Knob("deuteration", 0.0, "1", (0.0, 1.0), "share by which deuteration slows formation of hydroxynorketamine"),
    ),
    derived=(
        Derived(clearance_scale, "1", "clearance relative to 70 kg"),
        Derived(volume_scale, "1", "volume relative to 70 kg"),
    ),
)  # fmt: skip
