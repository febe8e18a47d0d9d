"""Learning from data: points and findings, how likely they are, where they are likeliest.

- ``data``: a CSV of one's own as points, every fault named at once
- ``told``: those in a few lines
- ``likelihood``: free parameters, what is predicted, residuals and log-likelihoods
- ``slopes``: how both move with the free numbers, by differences or in reverse mode
- ``search``: many starts into a store that survives a crash
- ``together``: what many searches ask at once, as one batch
- ``profiles``: how far each parameter may be moved, and the verdict in words
"""
