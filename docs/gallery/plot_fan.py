"""
Subjects who differ
===================

The middle ninety of a hundred people, and the median.
"""

import ketasim as ks

patient = ks.config.load("human_depressed_iv", sets=["output.until=7 d"])
people = ks.designs.people(patient.scenario, 100, seed=1)
found = ks.sweep(patient, people, record=["score"], tell=print)
figure = ks.plot.fan(found)
