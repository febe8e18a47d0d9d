"""
A fit: values, starts, profiles
===============================

One clearance freed, from three starts; then how sure it is.
"""

import ketasim as ks

fit = ks.fit("plasma", free=["pk_s.clearance_70"], starts=3)
figure = fit.figures["data"]

# %%
# Where each start ended; plateaus are other optima.
figure = fit.figures["starts"]

# %%
# How fast the loss rises to both sides.
figure = fit.figures["profiles"]
