"""
Values over curves
==================

Ketamine and norketamine in blood, as measured and as the model has them.
"""

import ketasim as ks

data = ks.load_data("plasma")
run = ks.run(
    "human_healthy_iv", data=data, tell=print,
    sets=[
        'dosing=[{drug="esketamine",amount="0.14 mg/kg",route="iv",duration="1 h",at="0 h"},'
        '{drug="esketamine",amount="0.28 mg/kg",route="iv",duration="1 h",at="1 h"},'
        '{drug="esketamine",amount="0.57 mg/kg",route="iv",duration="1 h",at="2 h"}]',
        "output.until=6 h",
    ],
)  # fmt: skip
figure = ks.plot.timecourse(run, panels=["pk_s"], data=data, tell=print)
