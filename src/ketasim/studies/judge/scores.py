"""How well accounts do: log-likelihoods, AICc, evidence by the draws, leaving one out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ketasim.studies.judge.accounts import Account
from ketasim.studies.judge.experiment import Experiment
from ketasim.studies.judge.outcomes import seen

Array = NDArray[np.float64]
RESAMPLED = 1000
INTERVAL = (5.0, 95.0)  # percentiles


def log_likelihoods(experiments: Sequence[Experiment], predicted: Array) -> Array:
    """Return the log-likelihood of every observation, shape as ``predicted`` (n_experiments, n)."""
    found = [
        one.outcome.likelihood(np.asarray(seen(one.outcome)), row, one.doubt)
        for one, row in zip(experiments, predicted, strict=True)
    ]
    return np.log(np.array(found))


def evidence(logs: Array) -> float:
    """Return the log marginal likelihood from draws, ``logs`` (n_experiments, n_draws)."""
    return log_mean(logs.sum(axis=0))


def log_mean(logs: Array) -> float:
    """Return the log of the mean of exponentials along the last axis."""
    return float(logsumexp(logs) - np.log(len(logs)))


def aicc(log_likelihood: float, free: int, n: int) -> float:
    """Return Akaike's criterion corrected for few findings; infinite when too few."""
    if n <= free + 1:
        return float("inf")
    return 2.0 * free - 2.0 * log_likelihood + 2.0 * free * (free + 1) / (n - free - 1)


def weights_of(scores: Array) -> Array:
    """Return weights that sum to 1 from log scores."""
    best = np.max(scores)
    if not np.isfinite(best):
        return np.full(len(scores), 1.0 / len(scores))
    raw = np.exp(scores - best)
    return np.asarray(raw / raw.sum())


@dataclass(frozen=True)
class Score:
    """What one account scored.

    ``logs`` (n_experiments,) at the ledger's values; ``each`` (n_experiments,) the evidence of each
    finding alone; ``totals`` (n_draws,) log-likelihoods of all findings together; ``left_out``
    (n_experiments,) the log predictive density of each finding given the others, whose evidence is
    ``without``; ``fresh`` the evidence of findings that the model was not fitted to.
    """

    name: str
    logs: Array
    aicc: float
    evidence: float
    interval: tuple[float, float]
    each: Array
    totals: Array
    left_out: Array
    without: Array
    fresh: float
    effective_draws: float


def score(
    account: Account,
    experiments: Sequence[Experiment],
    fresh: NDArray[np.bool_],
    *,
    seed: int,
) -> Score:
    """Score one account; ``seed`` fixes the resampling of draws."""
    logs = log_likelihoods(experiments, account.predicted[:, None])[:, 0]
    drawn = log_likelihoods(experiments, account.drawn)
    totals = drawn.sum(axis=0)
    shares = weights_of(totals)
    without = np.array([log_mean(totals - row) for row in drawn])
    return Score(
        name=account.name,
        logs=logs,
        aicc=aicc(float(logs.sum()), account.free, len(experiments)),
        evidence=evidence(drawn),
        interval=_interval(totals, seed),
        each=np.array([log_mean(row) for row in drawn]),
        totals=totals,
        left_out=evidence(drawn) - without,
        without=without,
        fresh=evidence(drawn[fresh]),
        effective_draws=float(1.0 / (shares**2).sum()),
    )


def _interval(totals: Array, seed: int) -> tuple[float, float]:
    """Return where the evidence would lie with other draws, by resampling these."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(totals), (RESAMPLED, len(totals)))
    found = logsumexp(totals[picks], axis=1) - np.log(len(totals))
    low, high = np.percentile(found, INTERVAL)
    return float(low), float(high)
