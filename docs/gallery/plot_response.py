"""
Dose and response
=================

Fifteen doses, and the score a day later. The curve describes the points.
"""

import ketasim as ks

doses = ks.designs.grid({"dosing[0].amount": ks.designs.logspace("0.1 mg/kg", "2 mg/kg", 15)})
found = ks.sweep("human_depressed_iv", doses, summaries="score@24h", tell=print)
figure = ks.plot.response(found)
