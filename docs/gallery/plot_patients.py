"""
Virtual patients
================

A cohort that shows what a trial showed: 1,500 plausible adults, 150 of them chosen.
"""

import ketasim as ks

asked = ["patients=1500", "cohort=150", 'match=["murrough2013", "daly2018"]', 'predict=["lii2023"]']
found = ks.population("trials", sets=asked)
figures = found.figures()
figure = figures["forest"]

# %%
# Who responds when, published shares as points.
figure = figures["response_over_time"]

# %%
# Every patient's change at the last visit, and every course.
figure = figures["waterfall"]

# %%
figure = figures["spaghetti"]

# %%
# What they differ in: the cohort, and in grey all who are plausible.
figure = figures["traits"]
