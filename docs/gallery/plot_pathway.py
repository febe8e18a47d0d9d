"""
Which steps carry an effect
===========================

Each arrow is cut in turn, and says how much of the effect goes with it.
"""

import ketasim as ks

figure = ks.explain("human_depressed_iv", "outcome.mood@24h", tell=print).figure
