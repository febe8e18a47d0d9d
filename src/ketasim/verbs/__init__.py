"""Everything that can be asked, composed once: the command line and Python call the same function.

- ``run``: one scenario, its summary, figure and folder; and several side by side
- ``sweep``: one scenario for many values, and what that will take
- ``stores``: how far a stored sweep is, going on with it, its failures, one member again
- ``evidence``: the published record, and which steps carry an effect
- ``curves``: the model over whole published curves, study by study
- ``rest``: gains of feedback loops, and draws that return; how many are fast and then slow
- ``optimise``: doses, gaps, durations and routes chosen for a cohort, within limits
- ``inspect``: what the model has, a mechanism in words, and this machine
- ``app``: the model on a page of its own
- ``plot``: every picture; ``figures``: time courses drawn again from what was kept
"""
