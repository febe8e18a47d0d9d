"""
Predictions over published numbers
==================================

Panels of one's own: curves, points with the interval that counts as agreement, bands.
"""

import ketasim as ks
from ketasim.plots.evidence import Curve, Panel, Point

run = ks.run("human_depressed_iv", sets=["output.until=4 h"])
course = run.drawn["plasma.venous"][0]
panel = Panel(
    "Plasma, 0.5 mg/kg over 40 min", "Time (h)", "Ketamine (ng/mL)",
    (Curve("venous", course["time"].values, course.values),),
    (Point(2 / 3, 185, 129.5, 240.5, "Zarate 2006"),),
)  # fmt: skip
figure = ks.plot.evidence([panel], columns=1)
