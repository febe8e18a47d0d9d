"""One noun for evidence: what was done, what was read, what was observed, how far it is trusted.

- ``finding``: a :class:`Finding` with its read-outs; one without an observation is a proposal.
- ``arms``: who is treated with what, and the same without the drug.
- ``observed``: a number, a direction, a curve; the interval that counts as agreement.
- ``reading``: a read-out over arms, or the share of one, and its number.
- ``needs``: which runs findings ask for, and how long each lasts.
- ``predict``: findings under parameter draws, with the status of every run they rest on.
- ``scorecard``: findings with acceptance intervals, and the verdict on each.
- ``robustness``: how far verdicts lean on numbers that nobody has measured.
- ``former``: names of an earlier release that still answer.
"""
