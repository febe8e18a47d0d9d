"""What a judgement found, and what can be said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import log
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.former import Renamed
from ketasim.studies.judge.information import ExpectedInformation
from ketasim.studies.judge.prepare import Prepared
from ketasim.studies.judge.scores import ModelRecovery, Score, weights_of

Array = NDArray[np.float64]
CLEAR = log(20.0)  # evidence ratio of twenty to one
SAME = log(2.0)  # evidence ratio below which a finding separates nothing


@dataclass(frozen=True)
class Judgement(Renamed):
    """Hypotheses before findings.

    ``hypotheses`` and ``scores`` are in the order given; ``refused`` holds a sentence for each that
    could not be calibrated; ``remarks`` one for whatever is treated apart. ``held_out`` marks
    the findings that the model itself was not fitted to. ``left_out`` names findings that could not
    be computed, and ``not_computed`` counts for each hypothesis the draws lost to failed runs.
    """

    FORMER: ClassVar = {
        "experiments": "findings",
        "accounts": "hypotheses",
        "fresh": "held_out",
        "separation": "recovery",
        "promises": "information",
        "fresh_ranking": "held_out_ranking",
    }

    findings: tuple[Finding, ...]
    hypotheses: tuple[Prepared, ...]
    scores: tuple[Score, ...]
    held_out: NDArray[np.bool_]
    recovery: ModelRecovery
    information: tuple[ExpectedInformation, ...]
    mixed: Prepared | None
    mixed_score: Score | None
    refused: tuple[str, ...]
    remarks: tuple[str, ...]
    target: float
    reference: Finding
    about: Mapping[str, object]
    left_out: tuple[str, ...] = ()
    not_computed: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the hypotheses' names."""
        return tuple(one.name for one in self.hypotheses)

    @cached_property
    def predicted(self) -> Array:
        """Return predictions at the ledger's values, shape (n_findings, n_hypotheses)."""
        return np.stack([one.predicted for one in self.hypotheses], axis=1)

    @cached_property
    def agreement(self) -> Array:
        """Return 2 agrees, 1 strained, 0 contradicted, nan no prediction; as ``predicted``."""
        rows = zip(self.findings, self.predicted, strict=True)
        return np.array([one.observed.agreement(row) for one, row in rows])

    @cached_property
    def ranking(self) -> tuple[int, ...]:
        """Return the hypotheses from most evidence to least."""
        return tuple(
            int(i) for i in np.argsort([-one.evidence for one in self.scores], kind="stable")
        )

    @cached_property
    def held_out_ranking(self) -> tuple[int, ...]:
        """Return the hypotheses from most evidence to least, by held-out findings alone."""
        return tuple(
            int(i) for i in np.argsort([-one.held_out for one in self.scores], kind="stable")
        )

    @cached_property
    def probabilities(self) -> Array:
        """Return each hypothesis's share of the evidence, all being equally likely beforehand."""
        return weights_of(np.array([one.evidence for one in self.scores]))

    @cached_property
    def akaike(self) -> Array:
        """Return Akaike weights from AICc at the ledger's values."""
        return weights_of(-0.5 * np.array([one.aicc for one in self.scores]))

    @cached_property
    def contenders(self) -> tuple[int, ...]:
        """Return the best hypothesis and all that these findings do not clearly put behind it.

        A hypothesis is behind when the evidence against it is twenty to one at least, even at the
        near ends of both intervals, and simulated data of the two would be told apart.
        """
        first = self.ranking[0]
        best = self.scores[first]
        found = [first]
        for i in self.ranking[1:]:
            other = self.scores[i]
            clear = best.interval[0] - other.interval[1] > CLEAR
            if not (clear and self.recovery.separable(best.name, other.name)):
                found.append(i)
        return tuple(found)

    @property
    def chosen(self) -> Prepared | None:
        """Return the hypothesis that stands alone, or None where findings do not choose."""
        return self.hypotheses[self.contenders[0]] if len(self.contenders) == 1 else None

    @property
    def verdict(self) -> str:
        """Return in one sentence what can be said."""
        names = [self.names[i] for i in self.contenders]
        if len(self.hypotheses) == 1:
            return f"Only {names[0]} was judged; nothing is compared."
        if len(names) == 1:
            return f"{names[0]} stands; every other hypothesis is clearly behind."
        told = f"{', '.join(names[:-1])} and {names[-1]}"
        return f"Not separable by these findings: {told}."

    @cached_property
    def unexplained(self) -> tuple[int, ...]:
        """Return the findings that no hypothesis agrees with."""
        return tuple(i for i, row in enumerate(self.agreement) if not (row == 2.0).any())

    @cached_property
    def undecided(self) -> tuple[int, ...]:
        """Return the findings that separate none: every hypothesis explains them about as well."""
        each = np.stack([one.each for one in self.scores], axis=1)
        return tuple(int(i) for i in np.flatnonzero(np.ptp(each, axis=1) < SAME))

    @cached_property
    def missed_by_mixture(self) -> tuple[int, ...]:
        """Return the findings that even the best mixture does not agree with."""
        if self.mixed is None:
            return ()
        rows = zip(self.findings, self.mixed.predicted, strict=True)
        grades = [float(one.observed.agreement(np.asarray(value))) for one, value in rows]
        return tuple(i for i, grade in enumerate(grades) if grade != 2.0)

    @cached_property
    def pivotal(self) -> tuple[tuple[int, int], ...]:
        """Return findings without which another hypothesis would be first, and which."""
        without = np.stack([one.without for one in self.scores], axis=1)
        firsts = without.argmax(axis=1)
        return tuple((i, int(f)) for i, f in enumerate(firsts) if f != self.ranking[0])
