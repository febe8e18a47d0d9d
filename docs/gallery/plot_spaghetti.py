"""
Member by member
================

Numbers that nobody has measured, drawn within their bounds: a line each.
"""

import ketasim as ks

patient = ks.config.load("human_depressed_iv", sets=["output.until=7 d"])
found = ks.sweep(patient, "sobol:64", record=["spines"], tell=print)
figure = ks.plot.fan(found, kind="spaghetti")
