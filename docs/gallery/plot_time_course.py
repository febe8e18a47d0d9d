"""
One dose in a rat
=================

The hours after 10 mg/kg, then the days: chosen panels at the width of a column.
"""

import ketasim as ks

run = ks.run("rat_10")
figure = ks.plot.timecourse(run, panels=["glutamate", "bdnf", "translation", "spines"])
