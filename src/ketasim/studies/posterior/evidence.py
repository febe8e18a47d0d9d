"""Log evidence with an error bar, from replicates; and bridge sampling as an independent check.

References: Meng and Wong 1996 (bridge sampling); Gronau and others 2017 (with a normal distribution
fitted to one half of the draws).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

from ketasim.errors import ConfigError
from ketasim.studies.posterior.kept import Kept
from ketasim.studies.posterior.proposal import LogLikelihood, ask, fitted
from ketasim.studies.posterior.smc import (
    ENOUGH,
    KEEP,
    Posterior,
    Progress,
    sample,
)

Array = NDArray[np.float64]
SAME, MOST_ROUNDS = 1e-10, 1000
MOST_SPREAD = 1.0  # standard deviation of log evidence over replicates above which it is no result


@dataclass(frozen=True)
class Evidence:
    """Log evidence from replicate runs, each from a seed of its own.

    ``log_evidence`` is the log of the mean evidence, ``spread`` the standard deviation of the
    replicates' logs (nan for one replicate), ``error`` that of their mean.
    """

    replicates: tuple[Posterior, ...]

    @property
    def each(self) -> Array:
        """Return the log evidence of every replicate."""
        return np.array([one.log_evidence for one in self.replicates])

    @property
    def log_evidence(self) -> float:
        """Return the log of the mean evidence; an evidence itself is unbiased, its log is not."""
        return float(logsumexp(self.each) - log(len(self.replicates)))

    @property
    def spread(self) -> float:
        """Return the standard deviation over replicates; nan where there is one."""
        return float(self.each.std(ddof=1)) if len(self.replicates) > 1 else float("nan")

    @property
    def error(self) -> float:
        """Return the standard error of the log evidence."""
        return self.spread / sqrt(len(self.replicates))

    @property
    def draws(self) -> Array:
        """Return the draws of all replicates, (n, n_dim), as they come: equally weighted."""
        return np.concatenate([one.draws for one in self.replicates])

    @property
    def log_likelihoods(self) -> Array:
        """Return the log-likelihoods of all draws."""
        return np.concatenate([one.log_likelihoods for one in self.replicates])

    @property
    def effective(self) -> float:
        """Return how many independent draws all of them are worth."""
        return float(sum(one.effective for one in self.replicates))

    @property
    def evaluations(self) -> int:
        """Return how often the likelihood was asked."""
        return sum(one.evaluations for one in self.replicates)

    @property
    def thin(self) -> bool:
        """Return whether the draws are too few to read anything off the posterior."""
        return self.effective < ENOUGH

    @property
    def missing(self) -> tuple[str, ...]:
        """Return a sentence for each diagnostic that failed; empty when none did."""
        found = list(dict.fromkeys(one for each in self.replicates for one in each.stuck))
        if self.thin:
            found.append(
                f"the draws are worth {self.effective:.0f} independent ones, fewer than "
                f"{ENOUGH:.0f}: more particles are needed."
            )
        if self.spread > MOST_SPREAD:
            found.append(
                f"log evidence differs between replicates by {self.spread:.1f} (standard "
                f"deviation), more than {MOST_SPREAD:g}: more particles are needed."
            )
        return tuple(found)


def replicate(
    log_likelihood: LogLikelihood,
    n_dim: int,
    *,
    replicates: int = 5,
    first: int = 0,
    seed: int = 1,
    particles: int = 512,
    guide: LogLikelihood | None = None,
    guide_particles: int | None = None,
    keep: float = KEEP,
    most_moves: int = 30,
    guide_moves: int = 5,
    progress: Progress | None = None,
    kept: Sequence[Kept] = (),
) -> Evidence:
    """Run :func:`sample` several times, each with a seed of its own, and each in its own ``kept``.

    ``first`` is the number of the first replicate: further ones go on where others ended.

    Raises
    ------
    ConfigError, ModelError, StoreError
        As :func:`sample`, and when there is no replicate to run.
    """
    if replicates < 1:
        raise ConfigError(f"replicates = {replicates!r}: at least one is needed.")
    return Evidence(
        tuple(
            sample(
                log_likelihood, n_dim, particles=particles, seed=(seed, k), guide=guide,
                guide_particles=guide_particles, keep=keep, most_moves=most_moves,
                guide_moves=guide_moves, progress=progress, kept=kept[k] if kept else None,
            )
            for k in range(first, first + replicates)
        )
    )  # fmt: skip


def bridge(
    log_likelihood: LogLikelihood, draws: Array, *, seed: int | Sequence[int] = 1
) -> tuple[float, float]:
    """Return log evidence and its error from posterior draws, by bridge sampling.

    A normal distribution is fitted to one half of the draws, and evidence comes from how draws of
    either look to the other: nothing of the sampler's powers enters.

    Parameters
    ----------
    log_likelihood
        As for :func:`sample`.
    draws
        From the posterior, shape (n, n_dim), in standard-normal coordinates.
    seed
        For the draws of the normal distribution.

    Raises
    ------
    ConfigError
        When there are fewer than 32 draws.
    """
    if len(draws) < 32:
        raise ConfigError(f"{len(draws)} draws: bridge sampling needs 32 at least.")
    rng = np.random.default_rng(seed)
    mixed = draws[rng.permutation(len(draws))]
    half = len(mixed) // 2
    normal, own = fitted(mixed[:half]), mixed[half:]
    fresh = normal.draw(len(own), rng)
    with np.errstate(invalid="ignore"):
        mine = ask(log_likelihood, own) + normal.side(own)
        theirs = ask(log_likelihood, fresh) + normal.side(fresh)
    found = _bridged(mine, theirs)
    return found, _error(mine - found, theirs - found)


def _bridged(mine: Array, theirs: Array) -> float:
    """Return the log ratio r at which draws of both sides balance; equal numbers of each."""
    low = min(mine.min(), theirs[np.isfinite(theirs)].min(initial=np.inf)) - 50.0
    high = max(mine.max(), theirs.max()) + 50.0
    for _ in range(MOST_ROUNDS):
        middle = 0.5 * (low + high)
        balance = expit(theirs - middle).sum() - expit(middle - mine).sum()
        low, high = (middle, high) if balance > 0.0 else (low, middle)
        if high - low < SAME * max(1.0, abs(middle)):
            break
    return float(0.5 * (low + high))


def _error(mine: Array, theirs: Array) -> float:
    """Return the standard error of a bridged log evidence, as of independent draws."""
    a, b = expit(theirs), expit(-mine)
    parts = (one.var() / (len(one) * max(one.mean() ** 2, 1e-300)) for one in (a, b))
    return sqrt(float(sum(parts)))
