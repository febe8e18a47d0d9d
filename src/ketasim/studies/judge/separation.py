"""Can these experiments tell these accounts apart? Simulate each account and see who is named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ketasim.studies.judge.accounts import Account
from ketasim.studies.judge.experiment import Experiment

Array = NDArray[np.float64]
REPEATS = 100
ENOUGH = 0.9  # of repeats named rightly


@dataclass(frozen=True)
class Separation:
    """What became of data simulated under each account.

    ``named`` (n_accounts, n_accounts): share of repeats in which data of the row's account gave
    most evidence to the column's; ``pairs``: the same with only two accounts in question.
    """

    names: tuple[str, ...]
    named: Array
    pairs: Array

    def separable(self, one: str, other: str) -> bool:
        """Return whether data of either would be told from the other's in 90 of 100 repeats."""
        i, j = self.names.index(one), self.names.index(other)
        return bool(min(self.pairs[i, j], self.pairs[j, i]) >= ENOUGH)

    def confused(self) -> list[tuple[str, str]]:
        """Return the pairs that these experiments cannot tell apart."""
        n = self.names
        pairs = [(a, b) for i, a in enumerate(n) for b in n[i + 1 :]]
        return [pair for pair in pairs if not self.separable(*pair)]


def separation(
    accounts: Sequence[Account],
    experiments: Sequence[Experiment],
    *,
    seed: int,
    repeats: int = REPEATS,
) -> Separation:
    """Simulate the experiments under each account and attribute them.

    Each repeat takes one draw of the account as the truth, adds the experiments' own errors and
    doubts, and leaves that draw out when evidence is summed.
    """
    n = len(accounts)
    named, pairs = np.zeros((n, n)), np.ones((n, n))
    for i, account in enumerate(accounts):
        rng = np.random.default_rng([seed, i])
        truths = rng.integers(0, account.drawn.shape[1], repeats)
        outcomes = simulated(account.drawn[:, truths], experiments, rng)
        found = np.array(
            [
                attributed(outcomes, one, experiments, truths if one is account else None)
                for one in accounts
            ]
        )
        named[i] = np.bincount(found.argmax(axis=0), minlength=n) / repeats
        pairs[i] = (found[i] >= found).mean(axis=1)
    return Separation(tuple(one.name for one in accounts), named, pairs)


def simulated(
    predicted: Array, experiments: Sequence[Experiment], rng: np.random.Generator
) -> Array:
    """Return outcomes (n_experiments, n_repeats) that predictions of that shape might give."""
    return np.array(
        [
            one.outcome.simulate(row, one.doubt, rng)
            for one, row in zip(experiments, predicted, strict=True)
        ]
    )


def attributed(
    outcomes: Array,
    account: Account,
    experiments: Sequence[Experiment],
    truths: NDArray[np.int64] | None = None,
) -> Array:
    """Return the log evidence (n_repeats,) that outcomes give to an account.

    ``truths`` are the draws that made the outcomes, left out where given.
    """
    repeats, draws = outcomes.shape[1], account.drawn.shape[1]
    totals = np.zeros((repeats, draws))
    for one, seen, predicted in zip(experiments, outcomes, account.drawn, strict=True):
        totals += np.log(one.outcome.likelihood(seen[:, None], predicted[None, :], one.doubt))
    count = draws
    if truths is not None and draws > 1:
        totals[np.arange(repeats), truths] = -np.inf
        count -= 1
    return np.asarray(logsumexp(totals, axis=1) - np.log(count))
