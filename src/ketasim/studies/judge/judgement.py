"""What a judgement found, and what can be said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np
from numpy.typing import NDArray

from ketasim.studies.judge.accounts import Account
from ketasim.studies.judge.decide import Promise
from ketasim.studies.judge.experiment import Experiment
from ketasim.studies.judge.scores import Score, weights_of
from ketasim.studies.judge.separation import Separation

Array = NDArray[np.float64]
CLEAR = log(20.0)  # evidence ratio of twenty to one
SAME = log(2.0)  # evidence ratio below which a finding separates nothing


@dataclass(frozen=True)
class Judgement:
    """Accounts before findings.

    ``accounts`` and ``scores`` are in the order given; ``refused`` holds a sentence for each that
    could not be calibrated; ``remarks`` one for whatever is treated apart. ``fresh`` marks the
    findings that the model itself was not fitted to.
    """

    experiments: tuple[Experiment, ...]
    accounts: tuple[Account, ...]
    scores: tuple[Score, ...]
    fresh: NDArray[np.bool_]
    separation: Separation
    promises: tuple[Promise, ...]
    mixed: Account | None
    mixed_score: Score | None
    refused: tuple[str, ...]
    remarks: tuple[str, ...]
    target: float
    reference: Experiment
    about: Mapping[str, object]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the accounts' names."""
        return tuple(one.name for one in self.accounts)

    @cached_property
    def predicted(self) -> Array:
        """Return predictions at the ledger's values, shape (n_experiments, n_accounts)."""
        return np.stack([one.predicted for one in self.accounts], axis=1)

    @cached_property
    def agreement(self) -> Array:
        """Return 2 agrees, 1 strained, 0 contradicted, nan no prediction; as ``predicted``."""
        rows = zip(self.experiments, self.predicted, strict=True)
        return np.array([one.outcome.agreement(row) for one, row in rows])

    @cached_property
    def ranking(self) -> tuple[int, ...]:
        """Return the accounts from most evidence to least."""
        return tuple(
            int(i) for i in np.argsort([-one.evidence for one in self.scores], kind="stable")
        )

    @cached_property
    def fresh_ranking(self) -> tuple[int, ...]:
        """Return the accounts from most evidence to least, by fresh findings alone."""
        return tuple(int(i) for i in np.argsort([-one.fresh for one in self.scores], kind="stable"))

    @cached_property
    def probabilities(self) -> Array:
        """Return each account's share of the evidence, all being equally likely beforehand."""
        return weights_of(np.array([one.evidence for one in self.scores]))

    @cached_property
    def akaike(self) -> Array:
        """Return Akaike weights from AICc at the ledger's values."""
        return weights_of(-0.5 * np.array([one.aicc for one in self.scores]))

    @cached_property
    def contenders(self) -> tuple[int, ...]:
        """Return the best account and all that these findings do not clearly put behind it.

        An account is behind when the evidence against it is twenty to one at least even at the near
        ends of both intervals, and simulated data of the two would be told apart.
        """
        first = self.ranking[0]
        best = self.scores[first]
        found = [first]
        for i in self.ranking[1:]:
            other = self.scores[i]
            clear = best.interval[0] - other.interval[1] > CLEAR
            if not (clear and self.separation.separable(best.name, other.name)):
                found.append(i)
        return tuple(found)

    @property
    def chosen(self) -> Account | None:
        """Return the account that stands alone, or None where findings do not choose."""
        return self.accounts[self.contenders[0]] if len(self.contenders) == 1 else None

    @property
    def verdict(self) -> str:
        """Return in one sentence what can be said."""
        names = [self.names[i] for i in self.contenders]
        if len(self.accounts) == 1:
            return f"Only {names[0]} was judged; nothing is compared."
        if len(names) == 1:
            return f"{names[0]} stands; every other account is clearly behind."
        told = f"{', '.join(names[:-1])} and {names[-1]}"
        return f"Not separable by these findings: {told}."

    @cached_property
    def unexplained(self) -> tuple[int, ...]:
        """Return the findings that no account agrees with."""
        return tuple(i for i, row in enumerate(self.agreement) if not (row == 2.0).any())

    @cached_property
    def undecided(self) -> tuple[int, ...]:
        """Return the findings that separate none: every account explains them about as well."""
        each = np.stack([one.each for one in self.scores], axis=1)
        return tuple(int(i) for i in np.flatnonzero(np.ptp(each, axis=1) < SAME))

    @cached_property
    def missed_by_mixture(self) -> tuple[int, ...]:
        """Return the findings that even the best mixture does not agree with."""
        if self.mixed is None:
            return ()
        rows = zip(self.experiments, self.mixed.predicted, strict=True)
        grades = [float(one.outcome.agreement(np.asarray(value))) for one, value in rows]
        return tuple(i for i, grade in enumerate(grades) if grade != 2.0)

    @cached_property
    def pivotal(self) -> tuple[tuple[int, int], ...]:
        """Return findings without which another account would be first, and which."""
        without = np.stack([one.without for one in self.scores], axis=1)
        firsts = without.argmax(axis=1)
        return tuple((i, int(f)) for i, f in enumerate(firsts) if f != self.ranking[0])
