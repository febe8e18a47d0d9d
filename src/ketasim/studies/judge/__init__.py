"""Rival hypotheses judged by findings: calibrated, run as one ensemble, scored, told apart.

- ``run``: :func:`judge`, the whole of it, and :func:`sample`.
- ``calibrate``: the gain at which a hypothesis shows the reference effect.
- ``draws``: parameter draws within the prior width, the same for every hypothesis.
- ``prepare``: hypotheses with their gains and predictions, the status of each beside it.
- ``scores``: what counts as computed; likelihoods, AICc, evidence, model recovery.
- ``mixing``: the best mixture; ``nested``: evidence by nested sampling.
- ``information``: which finding would decide.
- ``judgement``: what was found; ``record``: the same as tables for JSON and CSV.
"""
