"""
Rival accounts before findings
==============================

The matrix of a judgement: findings down, accounts across.
"""

import ketasim as ks

judgement = ks.judge(["disinhibition", "hydroxynorketamine"], quick=True)
figure = ks.plot.judgement(judgement)
