"""Which uncertain numbers matter to synapses and to mood? The pictures of docs/sensitivity.md.

Run: python scripts/sensitivity_example.py
"""

from dataclasses import replace
from pathlib import Path

import ketasim as ks
from ketasim.plots.style import PAGE, save

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
STYLE = replace(PAGE, dpi=140)
READOUTS = ["glutamate.change", "bdnf.change", "spines.change", "score.change"]

sobol = ks.sensitivity("human_depressed_iv", READOUTS, sample="sobol:1024", progress=True)
shapley = ks.sensitivity(
    "human_depressed_iv", READOUTS, method="shapley", sample="sobol:4096", progress=True
)
for found in (sobol, shapley):
    print(f"{found}\n")
FIGURES.mkdir(parents=True, exist_ok=True)
save(sobol.figure, FIGURES / "sensitivity_tornado.png", style=STYLE)
save(sobol.heat_map, FIGURES / "sensitivity_heatmap.png", style=STYLE)
save(shapley.figure, FIGURES / "sensitivity_shapley.png", style=STYLE)
