"""
Which numbers matter
====================

Morris' elementary effects, with intervals. A pale bar is not told apart from nothing.
"""

import ketasim as ks

found = ks.sensitivity(
    "human_depressed_iv", ["spines.change", "score.change"], method="morris", sample="random:16",
    tell=print,
)  # fmt: skip
figure = found.figure
