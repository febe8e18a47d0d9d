"""Bring every hypothesis to the same reference effect before it is judged.

Otherwise the one with the largest default gain wins. The gain is found for each draw on its own:
a coarse scan from silence upwards brackets the first crossing, regula falsi closes in on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.scenario import Scenario, hours
from ketasim.models.reference import EFFECT, STRESS, TREATED
from ketasim.models.rivals import Hypothesis
from ketasim.models.subjects import mouse
from ketasim.studies.simulate import simulate

Array = NDArray[np.float64]
Places = NDArray[np.int64]
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
CLOSE = 2e-3  # of the reference effect
ALMOST = 0.01  # a full gain that misses the effect by so little of it is taken as it is
MOST_STEPS = 40


@dataclass(frozen=True)
class Calibration:
    """Gains (n_draws,), nan where the effect is out of reach, and the effects at both ends."""

    gains: Array
    silent: Array
    full: Array

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Return under which draws the effect is reached."""
        return np.isfinite(self.gains)


def calibrate(effect: Callable[[Places, Array], Array], n: int, target: float) -> Calibration:
    """Find the gain in [0, 1] at which each draw shows the reference effect.

    Parameters
    ----------
    effect
        Called with the indices of draws and a gain for each; returns their effects.
    n
        Number of draws.
    target
        The effect to reach; not 0.
    """
    everyone = np.arange(n)
    scan = np.array([effect(everyone, np.full(n, level)) for level in LEVELS]) / target - 1.0
    almost = np.abs(scan[-1]) <= ALMOST
    crossed = (scan[:-1] < 0.0) & (scan[1:] >= 0.0)
    found = crossed.any(axis=0) & np.isfinite(scan).all(axis=0)
    first = crossed.argmax(axis=0)
    gains = np.where(almost, LEVELS[-1], np.nan)
    who = everyone[found & ~almost]
    if len(who):
        ends = np.array(LEVELS)[first[who]], np.array(LEVELS)[first[who] + 1]
        sizes = scan[first[who], who], scan[first[who] + 1, who]
        gains[who] = _close_in(lambda i, g: effect(who[i], g) / target - 1.0, ends, sizes)
    return Calibration(gains, (scan[0] + 1.0) * target, (scan[-1] + 1.0) * target)


def _close_in(
    miss: Callable[[Places, Array], Array], ends: tuple[Array, Array], sizes: tuple[Array, Array]
) -> Array:
    """Return where each miss is small, by regula falsi with the Illinois rule."""
    (low, high), (f_low, f_high) = (e.copy() for e in ends), (s.copy() for s in sizes)
    best = np.where(np.abs(f_low) < np.abs(f_high), low, high)
    open_ = np.flatnonzero(np.minimum(np.abs(f_low), np.abs(f_high)) > CLOSE)
    for _ in range(MOST_STEPS):
        if not len(open_):
            return best
        a, b, f_a, f_b = low[open_], high[open_], f_low[open_], f_high[open_]
        guess = b - f_b * (b - a) / (f_b - f_a)
        f_guess = miss(open_, guess)
        below = f_guess < 0.0
        low[open_], f_low[open_] = np.where(below, guess, a), np.where(below, f_guess, f_a / 2.0)
        high[open_] = np.where(below, b, guess)
        f_high[open_] = np.where(below, f_b / 2.0, f_guess)
        best[open_] = guess
        open_ = open_[~(np.abs(f_guess) <= CLOSE)]
    best[open_] = np.nan  # a jump, or a run that failed: not reached
    return best


def matched_to_reference(hypothesis: Hypothesis, base: Model) -> tuple[Model, float]:
    """Return a hypothesis's model at the gain that reaches the default's effect, and that gain.

    The effect is mood 24 h after 10 mg/kg ip in a stressed mouse, drug minus control. Where no gain
    between 0 and 1 reaches it the gain is nan and the model stands at full gain; a hypothesis
    without a gain to calibrate is returned as it is.

    Raises
    ------
    SolverError
        When a run fails.
    """
    if not hypothesis.strength:
        return hypothesis.model(base), nan
    target = _effect(base)
    found = calibrate(
        lambda _, gains: np.array([_effect(hypothesis.model(base, float(g))) for g in gains]),
        1,
        target,
    )
    gain = float(found.gains[0])
    return hypothesis.model(base, gain if isfinite(gain) else None), gain


def _effect(model: Model) -> float:
    ends = (
        simulate(Scenario(model, done, hours(0.0, 24.0, every=12.0), mouse(), (EFFECT,)))
        for done in (TREATED, STRESS)
    )
    treated, control = (float(run[EFFECT][0, -1]) for run in ends)
    return treated - control
