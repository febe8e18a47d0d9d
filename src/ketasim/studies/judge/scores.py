"""How well hypotheses do: likelihoods, AICc, evidence by the draws, and model recovery.

A run that failed says nothing. The findings and draws that count are chosen first
(:func:`comparable`, :func:`whole_draws`), so that whatever is scored here was computed; a
prediction that is nan is then one with nothing to read, which counts against its hypothesis.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.former import Renamed
from ketasim.studies.findings.observed import seen
from ketasim.studies.findings.predict import computed
from ketasim.studies.judge.prepare import Prepared

Array = NDArray[np.float64]
RESAMPLED = 1000
INTERVAL = (5.0, 95.0)  # percentiles
MOST_LOST = 0.5  # share of draws that failed runs may cost before findings are left out instead
REPEATS = 100
ENOUGH = 0.9  # of repeats named rightly


def comparable(prepared: Sequence[Prepared], n: int) -> NDArray[np.bool_]:
    """Return which of the first ``n`` findings hypotheses can be compared by, shape (n,).

    A finding is left out for all where one could not be computed at the ledger's values. More are
    left out, most often failed first, until every hypothesis has half of its draws whole.
    """
    keep = np.all([computed(one.status[:n]) for one in prepared], axis=0)
    for one in prepared:
        failed = ~computed(one.drawn_status[:n])
        while keep.any() and failed[keep].any(axis=0).mean() > MOST_LOST:
            keep[np.where(keep, failed.sum(axis=1), -1).argmax()] = False
    return np.asarray(keep)


def whole_draws(one: Prepared, keep: NDArray[np.bool_]) -> tuple[Prepared, int]:
    """Return a hypothesis with the findings kept and its whole draws, and how many are not."""
    rows = np.flatnonzero(keep)
    whole = computed(one.drawn_status[rows]).all(axis=0)
    drawn, status = one.drawn[rows], one.drawn_status[rows]
    found = replace(
        one,
        predicted=one.predicted[rows],
        status=one.status[rows],
        drawn=np.ascontiguousarray(drawn[:, whole]),
        drawn_status=np.ascontiguousarray(status[:, whole]),
    )
    return found, int((~whole).sum())


def log_likelihoods(findings: Sequence[Finding], predicted: Array) -> Array:
    """Return the log-likelihood of every observation, shape as ``predicted`` (n_findings, n)."""
    found = [
        one.observed.likelihood(np.asarray(seen(one.observed)), row, one.outlier_probability)
        for one, row in zip(findings, predicted, strict=True)
    ]
    return np.log(np.array(found))


def evidence(logs: Array) -> float:
    """Return the log marginal likelihood from draws, ``logs`` (n_findings, n_draws)."""
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
class Score(Renamed):
    """What one hypothesis scored.

    ``logs`` (n_findings,) at the ledger's values; ``each`` (n_findings,) the evidence of each
    finding alone; ``totals`` (n_draws,) log-likelihoods of all findings together; ``left_out``
    (n_findings,) the log predictive density of each finding given the others, whose evidence is
    ``without``; ``held_out`` the evidence of findings that the model was not fitted to.
    """

    FORMER: ClassVar = {"fresh": "held_out"}

    name: str
    logs: Array
    aicc: float
    evidence: float
    interval: tuple[float, float]
    each: Array
    totals: Array
    left_out: Array
    without: Array
    held_out: float
    effective_draws: float


def score(
    prepared: Prepared,
    findings: Sequence[Finding],
    held_out: NDArray[np.bool_],
    *,
    seed: int,
) -> Score:
    """Score one hypothesis; ``seed`` fixes the resampling of draws."""
    logs = log_likelihoods(findings, prepared.predicted[:, None])[:, 0]
    drawn = log_likelihoods(findings, prepared.drawn)
    totals = drawn.sum(axis=0)
    shares = weights_of(totals)
    without = np.array([log_mean(totals - row) for row in drawn])
    return Score(
        name=prepared.name,
        logs=logs,
        aicc=aicc(float(logs.sum()), prepared.free, len(findings)),
        evidence=evidence(drawn),
        interval=_interval(totals, seed),
        each=np.array([log_mean(row) for row in drawn]),
        totals=totals,
        left_out=evidence(drawn) - without,
        without=without,
        held_out=evidence(drawn[held_out]),
        effective_draws=float(1.0 / (shares**2).sum()),
    )


def _interval(totals: Array, seed: int) -> tuple[float, float]:
    """Return where the evidence would lie with other draws, by resampling these."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(totals), (RESAMPLED, len(totals)))
    found = logsumexp(totals[picks], axis=1) - np.log(len(totals))
    low, high = np.percentile(found, INTERVAL)
    return float(low), float(high)


@dataclass(frozen=True)
class ModelRecovery:
    """Can findings tell hypotheses apart? What became of data simulated under each of them.

    ``named`` (n_hypotheses, n_hypotheses): share of repeats in which data of the row's gave most
    evidence to the column's; ``pairs``: the same with only two hypotheses in question.
    """

    names: tuple[str, ...]
    named: Array
    pairs: Array

    def separable(self, one: str, other: str) -> bool:
        """Return whether data of either would be told from the other's in 90 of 100 repeats."""
        i, j = self.names.index(one), self.names.index(other)
        return bool(min(self.pairs[i, j], self.pairs[j, i]) >= ENOUGH)

    def confused(self) -> list[tuple[str, str]]:
        """Return the pairs that these findings cannot tell apart."""
        n = self.names
        pairs = [(a, b) for i, a in enumerate(n) for b in n[i + 1 :]]
        return [pair for pair in pairs if not self.separable(*pair)]


def model_recovery(
    hypotheses: Sequence[Prepared],
    findings: Sequence[Finding],
    *,
    seed: int,
    repeats: int = REPEATS,
) -> ModelRecovery:
    """Simulate the findings under each hypothesis and attribute them.

    Each repeat takes one draw of the hypothesis as the truth, adds the findings' own errors and
    outliers, and leaves that draw out when evidence is summed.
    """
    n = len(hypotheses)
    named, pairs = np.zeros((n, n)), np.ones((n, n))
    for i, truth in enumerate(hypotheses):
        rng = np.random.default_rng([seed, i])
        truths = rng.integers(0, truth.drawn.shape[1], repeats)
        outcomes = simulated(truth.drawn[:, truths], findings, rng)
        found = np.array(
            [
                attributed(outcomes, one, findings, truths if one is truth else None)
                for one in hypotheses
            ]
        )
        named[i] = np.bincount(found.argmax(axis=0), minlength=n) / repeats
        pairs[i] = (found[i] >= found).mean(axis=1)
    return ModelRecovery(tuple(one.name for one in hypotheses), named, pairs)


def simulated(predicted: Array, findings: Sequence[Finding], rng: np.random.Generator) -> Array:
    """Return outcomes (n_findings, n_repeats) that predictions of that shape might give."""
    return np.array(
        [
            one.observed.simulate(row, one.outlier_probability, rng)
            for one, row in zip(findings, predicted, strict=True)
        ]
    )


def attributed(
    outcomes: Array,
    prepared: Prepared,
    findings: Sequence[Finding],
    truths: NDArray[np.int64] | None = None,
) -> Array:
    """Return the log evidence (n_repeats,) that outcomes give to a hypothesis.

    ``truths`` are the draws that made the outcomes, left out where given.
    """
    repeats, draws = outcomes.shape[1], prepared.drawn.shape[1]
    totals = np.zeros((repeats, draws))
    for one, what, row in zip(findings, outcomes, prepared.drawn, strict=True):
        likely = one.observed.likelihood(what[:, None], row[None, :], one.outlier_probability)
        totals += np.log(likely)
    count = draws
    if truths is not None and draws > 1:
        totals[np.arange(repeats), truths] = -np.inf
        count -= 1
    return np.asarray(logsumexp(totals, axis=1) - np.log(count))
