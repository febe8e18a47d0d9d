"""What the default is measured by: its reference effect, and the course of one dose."""

from ketasim.core.protocol import dose, hold

EFFECT = "outcome.mood"  # 24 h after the dose, drug minus control
STRESS = hold("stress.stressor", 1.0, start="always")
TREATED = dose("10 mg/kg", route="ip") + STRESS

COURSE_NAMES = (
    "glutamate.relative",
    "trkb.signal",
    "translation.mtorc1",
    "translation.proteins",
    "spines.density",
    "outcome.function",
)
