"""How well hypotheses do: evidence, what each paper carries, fresh findings, and model recovery."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import t as student

from ketasim.studies.findings.former import Renamed
from ketasim.studies.judge.likelihood import Data, by_paper, simulated
from ketasim.studies.posterior.evidence import Evidence

Array = NDArray[np.float64]
REPEATS = 100
ENOUGH = 0.9  # of repeats named rightly
SURE = 0.95  # of an interval of log evidence
FEWEST = 20.0  # effective draws below which what a paper carries is not said


@dataclass(frozen=True)
class Score(Renamed):
    """What one hypothesis scored.

    ``papers`` (n_papers,) the log predictive density of each paper given all the others, and
    ``papers_effective`` the draws that it rests on; ``each`` (n_findings,) the log predictive
    density of each finding under the posterior; ``held_out`` that of the findings that the model
    was not fitted to, given those that it was, and ``held_out_error`` its error.
    """

    FORMER: ClassVar = {"fresh": "held_out"}

    name: str
    found: Evidence
    papers: Array
    papers_effective: Array
    each: Array
    held_out: float
    held_out_error: float

    @property
    def evidence(self) -> float:
        """Return the log evidence."""
        return self.found.log_evidence

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval of log evidence that replicates leave, at 95 %."""
        n = len(self.found.replicates)
        wide = float(student.ppf(0.5 + SURE / 2.0, max(n - 1, 1))) * self.found.error
        return self.evidence - wide, self.evidence + wide

    @property
    def effective_draws(self) -> float:
        """Return how many independent draws the posterior is worth."""
        return self.found.effective

    @property
    def without(self) -> Array:
        """Return the log evidence without each paper, shape (n_papers,)."""
        return self.evidence - self.papers


def score(
    name: str, found: Evidence, data: Data, values: Array, *, n: int, held_out: tuple[float, float]
) -> Score:
    """Score one hypothesis by ``n`` findings, from posterior predictions (n_rows, n_draws)."""
    papers = by_paper(data, values)
    weights = -papers - logsumexp(-papers, axis=1)[:, None]
    rest = np.log(values.shape[1]) - logsumexp(-papers, axis=1)
    share = found.effective / values.shape[1]
    effective = share / np.exp(2.0 * weights).sum(axis=1)
    each = [_predictive(data.only(data.finding == i), values) for i in range(n)]
    return Score(name, found, rest, effective, np.array(each), *held_out)


def _predictive(data: Data, values: Array) -> float:
    if not len(data.names):
        return 0.0
    return log_mean(by_paper(data, values).sum(axis=0))


def log_mean(logs: Array) -> float:
    """Return the log of the mean of exponentials along the last axis."""
    return float(logsumexp(logs) - np.log(len(logs)))


def weights_of(scores: Array) -> Array:
    """Return weights that sum to 1 from log scores."""
    best = np.max(scores)
    if not np.isfinite(best):
        return np.full(len(scores), 1.0 / len(scores))
    raw = np.exp(scores - best)
    return np.asarray(raw / raw.sum())


@dataclass(frozen=True)
class Bank:
    """Predictions (n_rows, n) with weights (n,) under which they stand for the prior.

    Draws of the prior and of the posterior are weighed together by the balance heuristic (Veach and
    Guibas 1995), so that the evidence of other data needs no new run.
    """

    values: Array
    log_weights: Array
    posterior: NDArray[np.int64]

    def fresh(self, fitted: Data, found: Evidence) -> tuple[float, float]:
        """Return the log density of the data beyond ``fitted``, given those, and its error."""
        logs = by_paper(fitted, self.values).sum(axis=0) + self.log_weights
        shares = np.exp(logs - logsumexp(logs))
        error = float(np.sqrt((shares**2).sum()))
        before = float(logsumexp(logs))
        return found.log_evidence - before, float(np.hypot(found.error, error))


def bank(prior: tuple[Array, Array], posterior: tuple[Array, Array], log_evidence: float) -> Bank:
    """Return a bank from predictions and log-likelihoods of prior and of posterior draws."""
    values = np.concatenate([prior[0], posterior[0]], axis=1)
    logs = np.concatenate([prior[1], posterior[1]])
    n = [len(prior[1]), len(posterior[1])]
    mixed = np.logaddexp(np.log(max(n[0], 1)), np.log(max(n[1], 1)) + logs - log_evidence)
    return Bank(values, -mixed, n[0] + np.arange(n[1]))


@dataclass(frozen=True)
class ModelRecovery:
    """Can findings tell hypotheses apart? What became of data simulated under each of them.

    ``named`` (n_hypotheses, n_hypotheses): share of repeats in which data of the row's gave most
    evidence to the column's; ``pairs``: the same with only two hypotheses in question; ``leads``
    (n_hypotheses, n_hypotheses, n_repeats): by how much log evidence the column's was ahead of the
    row's own.
    """

    names: tuple[str, ...]
    named: Array
    pairs: Array
    leads: Array

    def as_far(self, truth: str, other: str, by: float) -> float:
        """Return the share of data of ``truth`` that put it ``by`` log units behind ``other``."""
        own = self.leads[self.names.index(truth), self.names.index(other)]
        return float((own >= by).mean())

    def told_apart(self, one: str, other: str) -> float:
        """Return the share of data told from the other's, of the one for which it is smaller."""
        i, j = self.names.index(one), self.names.index(other)
        return float(min(self.pairs[i, j], self.pairs[j, i]))

    def separable(self, one: str, other: str) -> bool:
        """Return whether data of either would be told from the other's in 90 of 100 repeats."""
        return self.told_apart(one, other) >= ENOUGH

    def confused(self) -> list[tuple[str, str]]:
        """Return the pairs that these findings cannot tell apart."""
        n = self.names
        pairs = [(a, b) for i, a in enumerate(n) for b in n[i + 1 :]]
        return [pair for pair in pairs if not self.separable(*pair)]


def model_recovery(
    names: Sequence[str], banks: Sequence[Bank], data: Data, *, seed: int, repeats: int = REPEATS
) -> ModelRecovery:
    """Simulate the findings under each hypothesis and attribute them.

    Each repeat takes one posterior draw of the hypothesis as the truth, adds the papers' own errors
    and outliers, and leaves that draw out of its hypothesis's evidence.
    """
    n = len(names)
    named, pairs, leads = np.zeros((n, n)), np.ones((n, n)), np.zeros((n, n, repeats))
    for i, truth in enumerate(banks):
        rng = np.random.default_rng([seed, i])
        truths = rng.choice(truth.posterior, repeats)
        seen = simulated(data, truth.values[:, truths], rng)
        found = np.array(
            [
                [
                    _attributed(replace(data, seen=seen[:, r]), one, own if one is truth else -1)
                    for r, own in enumerate(truths.tolist())
                ]
                for one in banks
            ]
        )
        named[i] = np.bincount(found.argmax(axis=0), minlength=n) / repeats
        pairs[i] = (found[i] >= found).mean(axis=1)
        leads[i] = found - found[i]
    return ModelRecovery(tuple(names), named, pairs, leads)


def _attributed(data: Data, one: Bank, truth: int) -> float:
    """Return the log evidence of data; ``truth`` is the draw that made them, or -1."""
    logs = by_paper(data, one.values).sum(axis=0) + one.log_weights
    if truth >= 0:
        same = (one.values == one.values[:, truth : truth + 1]).all(axis=0)
        logs[same] = -np.inf
    return float(logsumexp(logs))
