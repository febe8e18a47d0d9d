"""Evidence by nested sampling, with dynesty: slower than draws, and closer where draws are few.

Of some two hundred numbers the few are sampled to which a hypothesis's score answers most (by rank
correlation over its draws); the rest stay at the ledger's values. The prior is that of the draws,
and every point is calibrated to the reference effect like every draw, so that the size of the
effect is never what is fitted. A finding whose run fails at a point keeps there the likelihood that
it has at the ledger's values, and how often that was so is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ketasim.core.model import Model
from ketasim.errors import ConfigError, MissingExtra
from ketasim.models.rivals import Hypothesis
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.findings.finding import Finding
from ketasim.studies.judge.draws import parameter_draws, spreads
from ketasim.studies.judge.prepare import Comparison
from ketasim.studies.judge.scores import log_likelihoods
from ketasim.units import unit

Array = NDArray[np.float64]
PARAMETERS, LIVE, STOP = 4, 40, 0.5
OUT_OF_REACH = -1e6  # log-likelihood of a point that shows none of the reference effect


@dataclass(frozen=True)
class Nested:
    """Log evidence with its error, and what was learnt of the parameters sampled.

    ``means`` and ``sds`` are in each parameter's declared unit; ``calls`` counts likelihoods,
    ``not_computed`` those in which the run of a finding failed.
    """

    name: str
    evidence: float
    error: float
    parameters: tuple[str, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]
    calls: int
    not_computed: int = 0


def dynesty() -> Any:
    """Return the sampler's package.

    Raises
    ------
    MissingExtra
        When it is not installed.
    """
    try:
        return import_module("dynesty")
    except ImportError:
        raise MissingExtra('Nested sampling needs dynesty: pip install "ketasim[fit]".') from None


def nested(
    hypothesis: Hypothesis,
    comparison: Comparison,
    findings: Sequence[Finding],
    *,
    parameters: int = PARAMETERS,
    live: int = LIVE,
) -> Nested:
    """Sample a hypothesis's most telling parameters; the same seed gives the same numbers.

    Raises
    ------
    ConfigError
        When nothing is left to sample, because the prior width is 0, or no draw was computed.
    MissingExtra
        When dynesty is not installed.
    """
    package = dynesty()
    if comparison.prior_width == 0.0:
        raise ConfigError("nested sampling with prior width 0: nothing may vary; use one above 0.")
    chosen = telling(hypothesis, comparison, findings, parameters)
    likelihood = _Likelihood(hypothesis, comparison, findings, chosen)
    sampler = package.NestedSampler(
        likelihood,
        lambda shares: np.array(
            [
                float(one.at(np.array([u]))[0])
                for one, u in zip(chosen.values(), shares, strict=True)
            ]
        ),
        len(chosen),
        nlive=live,
        sample="unif",
        rstate=np.random.default_rng(comparison.seed),
    )
    sampler.run_nested(dlogz=STOP, print_progress=False)
    found = sampler.results
    weights = np.exp(found.logwt - found.logz[-1])
    weights /= weights.sum()
    means = weights @ found.samples
    spread = np.sqrt(weights @ (found.samples - means) ** 2)
    return Nested(
        hypothesis.name,
        float(found.logz[-1]),
        float(found.logzerr[-1]),
        tuple(chosen),
        tuple(means.tolist()),
        tuple(spread.tolist()),
        int(np.sum(found.ncall)),
        likelihood.not_computed,
    )


def telling(
    hypothesis: Hypothesis, comparison: Comparison, findings: Sequence[Finding], count: int
) -> dict[str, Distribution]:
    """Return the parameters whose draws go most with the hypothesis's score, with their priors."""
    rows, gains, _ = comparison.draw(hypothesis)
    predicted = comparison.predict(comparison.rows(hypothesis, rows, gains))
    n = len(findings)
    whole = predicted.computed[:n].all(axis=0)
    if not whole.any():
        raise ConfigError(f"{hypothesis.name}: no draw in which every finding was computed.")
    rows, values = rows[whole], np.ascontiguousarray(predicted.values[:n, whole])
    totals = rankdata(log_likelihoods(findings, values).sum(axis=0))
    order = {name: column for column, name in enumerate(comparison.model.parameters)}
    free = {
        name: one
        for name, one in spreads(comparison.model, comparison.prior_width).items()
        if name not in hypothesis.values
    }
    ties = {name: abs(_tie(rows[:, order[name]], totals)) for name in free}
    best = sorted(free, key=lambda name: (-ties[name], name))[:count]
    return {name: free[name] for name in best}


def _tie(values: Array, ranks: Array) -> float:
    return float(np.corrcoef(rankdata(values), ranks)[0, 1])


class _Likelihood:
    """The log-likelihood of a point; it lives no longer than one sampling."""

    def __init__(
        self,
        hypothesis: Hypothesis,
        comparison: Comparison,
        findings: Sequence[Finding],
        chosen: dict[str, Distribution],
    ) -> None:
        self.hypothesis, self.comparison, self.findings = hypothesis, comparison, findings
        self.ledger = parameter_draws(comparison.model, 1, prior_width=0.0)
        self.columns = _columns(comparison.model, chosen)
        self.not_computed = 0
        gains = comparison.gains(hypothesis, self.ledger).gains
        self.fallback = np.where(*self._logs(self.ledger, gains), 0.0)

    def _logs(self, rows: Array, gains: Array) -> tuple[NDArray[np.bool_], Array]:
        """Return which findings were computed in a row, and their log-likelihoods."""
        n = len(self.findings)
        found = self.comparison.predict(self.comparison.rows(self.hypothesis, rows, gains))
        return found.computed[:n, 0], log_likelihoods(self.findings, found.values[:n])[:, 0]

    def __call__(self, point: Array) -> float:
        rows = self.ledger.copy()
        for value, (column, factor) in zip(point, self.columns, strict=True):
            rows[0, column] = value * factor
        found = self.comparison.gains(self.hypothesis, rows)
        target = self.comparison.target
        if not found.reached[0]:
            short = 1.0 - float(np.nan_to_num(found.full[0])) / target
            return OUT_OF_REACH * max(short, 1e-3)
        known, logs = self._logs(rows, found.gains)
        self.not_computed += int(not known.all())
        return float(np.where(known, logs, self.fallback).sum())


def _columns(model: Model, chosen: dict[str, Distribution]) -> list[tuple[int, float]]:
    order = {name: column for column, name in enumerate(model.parameters)}
    return [(order[name], unit(model.unit(name)).factor) for name in chosen]
