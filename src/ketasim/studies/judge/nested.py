"""Evidence by nested sampling, with dynesty: slower than draws, and closer where draws are few.

Of some two hundred numbers the few are sampled to which an account's score answers most (by rank
correlation over its draws); the rest stay at the ledger's values. The prior is that of the draws,
and every point is calibrated to the reference effect like every draw, so that the size of the
effect is never what is fitted.
"""

from collections.abc import Callable, Sequence
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
from ketasim.studies.judge.accounts import Ready
from ketasim.studies.judge.draws import parameter_draws, spreads
from ketasim.studies.judge.experiment import Experiment
from ketasim.studies.judge.scores import log_likelihoods
from ketasim.units import unit

Array = NDArray[np.float64]
PARAMETERS, LIVE, STOP = 4, 40, 0.5
OUT_OF_REACH = -1e6  # log-likelihood of a point that shows none of the reference effect


@dataclass(frozen=True)
class Nested:
    """Log evidence with its error, and what was learnt of the parameters sampled.

    ``means`` and ``sds`` are in each parameter's declared unit; ``calls`` counts likelihoods.
    """

    name: str
    evidence: float
    error: float
    parameters: tuple[str, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]
    calls: int


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
    ready: Ready,
    experiments: Sequence[Experiment],
    *,
    parameters: int = PARAMETERS,
    live: int = LIVE,
) -> Nested:
    """Sample an account's most telling parameters; the same seed gives the same numbers.

    Raises
    ------
    ConfigError
        When nothing is left to sample, because the reach is 0.
    MissingExtra
        When dynesty is not installed.
    """
    package = dynesty()
    if ready.reach == 0.0:
        raise ConfigError("nested sampling with reach = 0: nothing may vary; use a reach above 0.")
    chosen = telling(hypothesis, ready, experiments, parameters)
    sampler = package.NestedSampler(
        _likelihood(hypothesis, ready, experiments, chosen),
        lambda shares: np.array(
            [
                float(one.at(np.array([u]))[0])
                for one, u in zip(chosen.values(), shares, strict=True)
            ]
        ),
        len(chosen),
        nlive=live,
        sample="unif",
        rstate=np.random.default_rng(ready.seed),
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
    )


def telling(
    hypothesis: Hypothesis, ready: Ready, experiments: Sequence[Experiment], count: int
) -> dict[str, Distribution]:
    """Return the parameters whose draws go most with the account's score, with their priors."""
    rows, gains, _ = ready.draw(hypothesis)
    predicted = ready.bench.predict(ready.bench.rows(hypothesis, rows, gains))
    totals = rankdata(log_likelihoods(experiments, predicted[: len(experiments)]).sum(axis=0))
    order = {name: column for column, name in enumerate(ready.bench.model.parameters)}
    free = {
        name: one
        for name, one in spreads(ready.bench.model, ready.reach).items()
        if name not in hypothesis.values
    }
    ties = {name: abs(_tie(rows[:, order[name]], totals)) for name in free}
    best = sorted(free, key=lambda name: (-ties[name], name))[:count]
    return {name: free[name] for name in best}


def _tie(values: Array, ranks: Array) -> float:
    return float(np.corrcoef(rankdata(values), ranks)[0, 1])


def _likelihood(
    hypothesis: Hypothesis,
    ready: Ready,
    experiments: Sequence[Experiment],
    chosen: dict[str, Distribution],
) -> Callable[[Array], float]:
    ledger = parameter_draws(ready.bench.model, 1, reach=0.0)
    columns = _columns(ready.bench.model, chosen)

    def likelihood(point: Array) -> float:
        rows = ledger.copy()
        for value, (column, factor) in zip(point, columns, strict=True):
            rows[0, column] = value * factor
        found = ready.gains(hypothesis, rows)
        if not found.reached[0]:
            short = 1.0 - float(np.nan_to_num(found.full[0])) / ready.target
            return OUT_OF_REACH * max(short, 1e-3)
        predicted = ready.bench.predict(ready.bench.rows(hypothesis, rows, found.gains))
        return float(log_likelihoods(experiments, predicted[: len(experiments)]).sum())

    return likelihood


def _columns(model: Model, chosen: dict[str, Distribution]) -> list[tuple[int, float]]:
    order = {name: column for column, name in enumerate(model.parameters)}
    return [(order[name], unit(model.unit(name)).factor) for name in chosen]
