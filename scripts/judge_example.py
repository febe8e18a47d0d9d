"""From a question to a figure: does poor entry into the brain explain the rapamycin trial.

In rats, rapamycin put into cortex abolishes ketamine's effect; in patients, rapamycin by mouth left
it untouched. One reading is that the tablets hardly reach the brain. That reading is a hypothesis
of its own: the default with one number changed. Run: python scripts/judge_example.py
"""

from dataclasses import replace
from pathlib import Path

import ketasim as ks
from ketasim.models.rivals import DISINHIBITION, HYDROXYNORKETAMINE, RESTING, Hypothesis
from ketasim.plots.judgement import draw
from ketasim.plots.style import PAGE

FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "judge_example.png"

POOR_ENTRY = Hypothesis(
    "poor entry",
    "Disinhibition, and rapamycin given by mouth hardly enters the brain.",
    {**DISINHIBITION.values, "translation.penetration": 0.1},
    strength="drivers.disinhibition",
)

judgement = ks.judge([DISINHIBITION, POOR_ENTRY, RESTING, HYDROXYNORKETAMINE], quick=True)

print(judgement.verdict)
for i in judgement.ranking:
    score, prepared = judgement.scores[i], judgement.hypotheses[i]
    low, high = score.interval
    print(f"{prepared.name:20} gain {prepared.gain:.2f}  ln evidence {score.evidence:7.1f} "
          f"({low:.1f} to {high:.1f})")  # fmt: skip

names = [one.name for one in judgement.findings]
for name in ("trial_rapamycin_day_1", "trial_rapamycin_day_14", "rapamycin_effect"):
    seen = judgement.findings[names.index(name)]
    row = judgement.predicted[names.index(name)]
    told = ", ".join(f"{a} {v:.2f}" for a, v in zip(judgement.names, row, strict=True))
    print(f"{name}: observed {seen.observed.told}; predicted {told}")

best = judgement.information[0]
print(f"would decide: {best.finding.name} ({best.bits:.2f} bits)")
FIGURE.parent.mkdir(parents=True, exist_ok=True)
draw(judgement, FIGURE, style=replace(PAGE, dpi=140))
