"""Rival hypotheses judged by findings: posterior, evidence, what each paper carries, what decides.

- ``run``: :func:`judge`, the whole of it.
- ``court``: what is asked of one hypothesis after another, and remembered.
- ``prepare``: hypotheses in standard-normal coordinates, and every run of each remembered.
- ``draws``: how wide the prior is, the same for every hypothesis.
- ``likelihood``: how likely what was seen is, paper by paper.
- ``guide``: a cheap stand-in for runs that says where to look.
- ``scores``: evidence, leave-one-paper-out, fresh findings, and model recovery.
- ``information``: how much a finding, or each of many designs, would tell.
- ``plans``: arms that what was done so far can be combined to; ``decide``: those that would decide.
- ``judgement``: what was found; ``record``: the same as tables for JSON and CSV, and in remarks.
- ``calibrate``: the gain at which a hypothesis shows the reference effect, as ``check`` needs it.
"""
