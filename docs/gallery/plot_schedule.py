"""
A better schedule
=================

How much effect for how much dissociation, by vein or by nose, in eight patients.
"""

import ketasim as ks

asked = ["cohort.patients=8", "search.points=5"]
found = ks.optimise("effect_or_dissociation", sets=asked, starts=1)
figure = found.figures["front"]

# %%
# The schedule with the least mean score, beside the usual one.
figure = found.figures["schedule"]
