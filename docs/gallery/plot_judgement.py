"""
Rival accounts before findings
==============================

The matrix of a judgement: findings down, accounts across. Fourteen findings, to be quick.
"""

import ketasim as ks
from ketasim.config.findings import load_findings

NAMES = """
nbqx_effect muscimol rapamycin_effect bdnf_knockout anti_bdnf mk801_does_not_last spines_24h
effect_3h effect_week trial_day_1 trial_rapamycin_day_1 hnk_helplessness hnk_ampa memantine_effect
"""
some = [one for one in load_findings() if one.name in NAMES.split()]
judgement = ks.judge(["disinhibition", "hydroxynorketamine"], some, quick=True)
figure = ks.plot.judgement(judgement)

# %%
# How sure that is: the evidence with its error, without each paper in turn, and how often
# simulated data of each account name it again.
figure = ks.plot.certainty(judgement)

# %%
# What each foretells of every finding, in errors of what was seen.
figure = ks.plot.predictions(judgement)

# %%
# Which experiments would tell them apart.
figure = ks.plot.designs(ks.decide(judgement, draws=32), top=8)

# %%
# The matrix again, for a column of a paper.
figure = ks.plot.judgement(judgement, style=ks.plot.width("85mm"))
