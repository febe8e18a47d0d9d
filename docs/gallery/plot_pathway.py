"""
Which steps carry an effect
===========================

Each arrow is cut in turn, and says how much of the effect goes with it. Of single nodes only one
is asked here; without ``nodes`` all are.
"""

import ketasim as ks

effect, nodes = "outcome.mood@24h", ["spines.density"]
found = ks.explain("human_depressed_iv", effect, nodes=nodes, tell=print)
figure = found.figure
