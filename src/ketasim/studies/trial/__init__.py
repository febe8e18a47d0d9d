"""Virtual trials: arms, randomisation, blinding, dropout, rescue, visits, analysis, power.

- ``plan``: what is done to whom, as data
- ``conduct``: one trial, patient by patient and visit by visit
- ``analyse``: an effect with its error: last observation, observed cases, or a mixed model
- ``power``: many trials of several sizes, and the size that is needed
"""
