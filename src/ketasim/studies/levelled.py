"""Rival accounts at the gain that gives them all the same effect, before checks are counted.

The effect is the default's: mood 24 h after 10 mg/kg ip in a stressed mouse, drug minus control.
"""

from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.scenario import Scenario, hours
from ketasim.models.reference import EFFECT, STRESS, TREATED
from ketasim.models.rivals import Hypothesis
from ketasim.models.subjects import mouse
from ketasim.studies.judge.calibrate import calibrate
from ketasim.studies.simulate import simulate

Array = NDArray[np.float64]


def levelled(account: Hypothesis, base: Model) -> tuple[Model, float]:
    """Return an account's model at the gain that reaches the default's effect, and that gain.

    Where no gain between 0 and 1 reaches it the gain is nan and the model stands at full gain;
    an account without a gain to calibrate is returned as it is.
    """
    if not account.strength:
        return account.model(base), nan
    target = _effect(base)
    found = calibrate(
        lambda _, gains: np.array([_effect(account.model(base, float(g))) for g in gains]),
        1,
        target,
    )
    gain = float(found.gains[0])
    return account.model(base, gain if isfinite(gain) else None), gain


def _effect(model: Model) -> float:
    ends = (
        simulate(Scenario(model, done, hours(0.0, 24.0, every=12.0), mouse(), (EFFECT,)))
        for done in (TREATED, STRESS)
    )
    treated, control = (float(run[EFFECT][0, -1]) for run in ends)
    return treated - control
