"""How often trials of a size show an effect, and the size that is needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from scipy import optimize
from scipy.special import ndtr, ndtri

from ketasim.errors import SolverError
from ketasim.studies.trial.analyse import effects
from ketasim.studies.trial.conduct import Pool, conduct
from ketasim.studies.trial.plan import Plan

Z = 1.959964
SEEDS = 1_000_003  # between the seeds of trials of one size


@dataclass(frozen=True)
class Power:
    """Of trials with so many patients in all arms together, the share that shows an arm better.

    ``low`` and ``high`` are Wilson's 95 % interval of ``share``; ``effect`` and ``spread`` the mean
    and the SD of the estimates, ``failed`` trials that could not be analysed (they show nothing).
    """

    arm: str
    patients: int
    trials: int
    share: float
    low: float
    high: float
    effect: float
    spread: float
    failed: int


@dataclass(frozen=True)
class Needed:
    """The patients, in all arms together, with whom a share of trials shows an arm better.

    ``low`` and ``high`` are a 95 % interval; ``inside`` says whether the size lies within those
    that were tried. ``patients`` is None where no size would do.
    """

    arm: str
    power: float
    patients: int | None
    low: int | None
    high: int | None
    inside: bool


def powers(
    pool: Pool, plan: Plan, *, told: Callable[[int, int], object] | None = None
) -> tuple[Power, ...]:
    """Return the share of trials of each size in which each arm is better than the control.

    Parameters
    ----------
    told
        Hears after each size how many trials are done, of how many.
    """
    found: list[Power] = []
    for i, patients in enumerate(plan.sizes):
        estimates: dict[str, list[float]] = {}
        shows: dict[str, int] = {
            arm.name: 0 for arm in plan.arms if arm is not plan.arms[plan.control]
        }
        failed = 0
        for k in range(plan.trials):
            seed = plan.seed + SEEDS * (i + 1) + k
            try:
                every = effects(conduct(pool, plan, patients, seed), plan)
            except SolverError:
                failed += 1
                continue
            for one in every:
                shows[one.arm] += one.shows(plan.alpha)
                estimates.setdefault(one.arm, []).append(one.estimate)
        for arm, count in shows.items():
            found.append(_power(arm, patients, plan.trials, count, estimates.get(arm, []), failed))
        if told is not None:
            told((i + 1) * plan.trials, len(plan.sizes) * plan.trials)
    return tuple(found)


def _power(
    arm: str, patients: int, trials: int, count: int, estimates: Sequence[float], failed: int
) -> Power:
    low, high = wilson(count, trials)
    many = np.array(estimates) if estimates else np.array([np.nan])
    spread = float(many.std(ddof=1)) if len(many) > 1 else float("nan")
    return Power(
        arm, patients, trials, count / trials, low, high, float(many.mean()), spread, failed
    )


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share [wilson1927]_.

    References
    ----------
    .. [wilson1927] Wilson 1927, 10.1080/01621459.1927.10502953
    """
    share = count / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n * n)) / (1 + Z**2 / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def needed(found: Sequence[Power], alpha: float, wanted: Sequence[float]) -> tuple[Needed, ...]:
    """Return the size at which each arm has each wanted power.

    Power rises with the root of the size, as that of a normal test: one number a curve, taken by
    maximum likelihood from all sizes tried.
    """
    told = []
    for arm in dict.fromkeys(one.arm for one in found):
        own = [one for one in found if one.arm == arm]
        slope, error = slope_of(own, alpha)
        sizes = [one.patients for one in own]
        for power in wanted:
            middle = _size(slope, alpha, power)
            low, high = (_size(slope + z * error, alpha, power) for z in (Z, -Z))
            inside = middle is not None and min(sizes) <= middle <= max(sizes)
            told.append(Needed(arm, power, middle, low, high, inside))
    return tuple(told)


def _size(slope: float, alpha: float, power: float) -> int | None:
    if slope <= 0.0:
        return None
    size = ((float(ndtri(1.0 - alpha / 2.0)) + float(ndtri(power))) / slope) ** 2
    return ceil(size) if size < 1e9 else None


def slope_of(own: Sequence[Power], alpha: float) -> tuple[float, float]:
    """Return the effect over its error at one patient, and the error of that."""
    roots = np.sqrt([one.patients for one in own])
    counts = np.array([one.share * one.trials for one in own])
    trials = np.array([one.trials for one in own])
    edge = float(ndtri(1.0 - alpha / 2.0))

    def lost(slope: float) -> float:
        share = np.clip(ndtr(slope * roots - edge), 1e-12, 1.0 - 1e-12)
        return -float((counts * np.log(share) + (trials - counts) * np.log1p(-share)).sum())

    best = optimize.minimize_scalar(lost, bounds=(-2.0, 5.0), method="bounded")
    step = 1e-3
    curve = (lost(best.x + step) - 2.0 * lost(best.x) + lost(best.x - step)) / step**2
    return float(best.x), 1.0 / sqrt(max(curve, 1e-12))
