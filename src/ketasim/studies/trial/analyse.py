"""An effect with its error from one trial: last observation carried forward, or a mixed model.

The mixed model for repeated measures has a mean for every arm and visit, a slope on the baseline
for every visit, and any covariance between visits. Where nobody comes back who has left, its
likelihood falls into one regression a visit, each on the visits before [anderson1957]_, so that no
search is needed; errors follow from those of the regressions.

References
----------
.. [anderson1957] Anderson 1957, 10.1080/01621459.1957.10501379
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ketasim.errors import SolverError
from ketasim.studies.trial.conduct import Conduct
from ketasim.studies.trial.plan import Plan

Array = NDArray[np.float64]
METHODS = {
    "mixed": "mixed model for repeated measures",
    "locf": "last observation carried forward, analysis of covariance",
    "observed": "observed cases, analysis of covariance",
}


@dataclass(frozen=True)
class Effect:
    """An arm against the control at the last visit: points, their error, and what chance says."""

    arm: str
    method: str
    estimate: float
    error: float
    degrees: float

    @property
    def p(self) -> float:
        """Return the two-sided p value."""
        return float(2.0 * stats.t.sf(abs(self.estimate / self.error), self.degrees))

    def interval(self, alpha: float = 0.05) -> tuple[float, float]:
        """Return the confidence interval."""
        reach = float(stats.t.isf(alpha / 2.0, self.degrees)) * self.error
        return self.estimate - reach, self.estimate + reach

    def shows(self, alpha: float) -> bool:
        """Return whether the arm is better than the control."""
        return self.estimate < 0.0 and self.p < alpha


def effects(found: Conduct, plan: Plan, method: str | None = None) -> tuple[Effect, ...]:
    """Return the effect of every arm but the control at the last visit.

    Raises
    ------
    SolverError
        When too few are left to tell.
    """
    how = method or plan.method
    ratings = found.analysed(plan.estimand)
    others = [k for k in range(len(plan.arms)) if k != plan.control]
    arms = np.stack([found.arm == k for k in others], axis=1).astype(float)
    if how == "mixed":
        values, covariance, degrees = mixed(found.baseline, arms, ratings)
    else:
        last = ratings[:, -1] if how == "observed" else carried(found.baseline, ratings)
        values, covariance, degrees = _ancova(found.baseline, arms, last)
    errors = np.sqrt(np.diag(covariance))
    return tuple(
        Effect(plan.arms[k].name, how, float(values[i]), float(errors[i]), degrees)
        for i, k in enumerate(others)
    )


def carried(baseline: Array, ratings: Array) -> Array:
    """Return each patient's last rating; the baseline where there is none after it."""
    last = baseline.copy()
    for column in ratings.T:
        last = np.where(np.isnan(column), last, column)
    return last


def _ancova(baseline: Array, arms: Array, last: Array) -> tuple[Array, Array, float]:
    there = ~np.isnan(last)
    table = np.column_stack([arms, np.ones(len(last)), baseline])[there]
    values, covariance, degrees = regressed(table, last[there])
    count = arms.shape[1]
    return values[:count], covariance[:count, :count], degrees


def regressed(table: Array, values: Array) -> tuple[Array, Array, float]:
    """Return coefficients of least squares, their covariance, and degrees of freedom.

    Raises
    ------
    SolverError
        When there are too few values, or columns that say the same.
    """
    n, k = table.shape
    product = table.T @ table
    if n <= k or np.linalg.matrix_rank(product) < k:
        raise SolverError(f"analysis: {n} ratings are too few to tell {k} numbers.")
    inverse = np.linalg.inv(product)
    found = inverse @ (table.T @ values)
    left = values - table @ found
    return found, inverse * float(left @ left) / (n - k), float(n - k)


def mixed(baseline: Array, arms: Array, ratings: Array) -> tuple[Array, Array, float]:
    """Return arms' effects at the last visit, their covariance, and degrees of freedom.

    Parameters
    ----------
    baseline
        (n,); ``arms`` is 1 where a patient is in an arm and not in the control, (n, n_arms).
    ratings
        (n, n_visits), NaN where none was made; once missing, missing for good.

    Raises
    ------
    SolverError
        When somebody came back, or too few are left at a visit.
    """
    gone = np.isnan(ratings)
    if (gone[:, :-1] & ~gone[:, 1:]).any():
        raise SolverError("mixed model: a patient who left came back; missing must stay missing.")
    count, visits = arms.shape[1], ratings.shape[1]
    shown = np.zeros((visits, count))  # effects at visits
    together = np.zeros((visits * count, visits * count))  # their covariance
    degrees = 0.0
    for j in range(visits):
        there = ~gone[:, j]
        table = np.column_stack([arms, ratings[:, :j], np.ones(len(arms)), baseline])[there]
        found, covariance, degrees = regressed(table, ratings[there, j])
        own, on = found[:count], found[count : count + j]
        shown[j] = own + on @ shown[:j]
        # The effect is own + sum over earlier visits of on * effect there: errors of own and on
        # through it, and those of the earlier effects through on.
        lead = np.zeros((count, count + j))
        lead[:, :count] = np.eye(count)
        lead[:, count:] = shown[:j].T
        fresh = lead @ covariance[: count + j, : count + j] @ lead.T
        carry = np.kron(on[None, :], np.eye(count))  # from (visit, arm) to arm
        past = together[: j * count, : j * count]
        here = slice(j * count, (j + 1) * count)
        together[here, : j * count] = carry @ past
        together[: j * count, here] = together[here, : j * count].T
        together[here, here] = fresh + carry @ past @ carry.T
    last = slice((visits - 1) * count, visits * count)
    return shown[-1], together[last, last], degrees
