"""Learning from data: points and findings, how likely they are, where they are likeliest.

- ``data``: a CSV of one's own as points, every fault named at once
- ``likelihood``: free parameters, what is predicted, residuals, slopes and log-likelihoods
- ``search``: many starts into a store that survives a crash
- ``profiles``: how far each parameter may be moved, and the verdict in words
"""
