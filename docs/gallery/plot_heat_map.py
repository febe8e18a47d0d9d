"""
What matters to what
====================

The same, for several read-outs at once.
"""

import ketasim as ks

found = ks.sensitivity(
    "human_depressed_iv", ["glutamate.change", "bdnf.change", "spines.change", "score.change"],
    method="morris", sample="random:16", tell=print,
)  # fmt: skip
figure = found.heat_map
