"""
A gradient
==========

By how many per cent a read-out moves for one per cent of each number, from one run.
"""

import ketasim as ks

figure = ks.gradient("human_depressed_iv", "spines.density.peak", tell=print).figure
