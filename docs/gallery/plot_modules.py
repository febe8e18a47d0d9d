"""
Beside the chain
================

Dissociation, blood pressure and breathing during an infusion.
"""

import ketasim as ks

run = ks.run("human_depressed_iv", modules=["safety"], sets=["output.until=4 h"], tell=print)
figure = ks.plot.timecourse(run, panels=["safety"])
