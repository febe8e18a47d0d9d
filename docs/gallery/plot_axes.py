"""
One panel on axes of one's own
==============================

A panel of a run beside a picture that has nothing to do with it.
"""

from matplotlib.figure import Figure

import ketasim as ks

run = ks.run("esketamine_intranasal")
figure = Figure(figsize=(6.0, 2.4), layout="constrained")
left, right = figure.subplots(1, 2)
ks.plot.timecourse(run, panels=["score"], ax=left)
right.bar(["at first", "at the end"], [float(run.drawn["outcome.score"][0, k]) for k in (0, -1)])
right.set_ylabel("points")
