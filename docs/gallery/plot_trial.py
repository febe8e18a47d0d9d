"""
A virtual trial
===============

Two doses against an active placebo, in 300 plausible adults, and the power of trials of other
sizes.
"""

import ketasim as ks

asked = ["patients=1500", "cohort=300", 'match=["murrough2013"]', "predict=[]"]
cohort = ks.population("trials", sets=asked)
found = ks.trial("one_infusion", sets=["power.trials=60"], cohort=cohort)
figures = found.figures()
figure = figures["response_over_time"]

# %%
# Every patient's change at the last rating, sorted.
figure = figures["waterfall"]

# %%
figure = figures["spaghetti"]

# %%
# How many trials of a size would show an arm better.
figure = figures["power"]
