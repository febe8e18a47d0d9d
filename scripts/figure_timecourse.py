"""Draw the README's picture: one infusion of ketamine in a depressed human, for 14 days."""

from dataclasses import replace
from pathlib import Path

import numpy as np

import ketasim as ks
from ketasim.plots.style import PAGE
from ketasim.plots.timecourse import draw

FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "human_depressed.png"

times = np.concatenate([np.arange(0.0, 6.0, 0.05), np.arange(6.0, 336.5, 0.5)])
scenario = ks.Scenario(
    ks.models.antidepressant(),
    ks.infusion("0.5 mg/kg", over="40 min") + ks.hold("stress.stressor", 1.0, start="always"),
    tuple(times),
    subject=ks.human(),
    name="human_depressed",
)
FIGURE.parent.mkdir(parents=True, exist_ok=True)
draw(ks.simulate(scenario), FIGURE, style=replace(PAGE, dpi=200))
