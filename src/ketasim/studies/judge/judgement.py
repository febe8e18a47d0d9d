"""What a judgement found, and what can be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ketasim.core.describe import Described, some
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.former import Renamed
from ketasim.studies.judge.information import ExpectedInformation
from ketasim.studies.judge.prepare import Prepared
from ketasim.studies.judge.scores import ENOUGH, FEWEST, ModelRecovery, Score, weights_of

Array = NDArray[np.float64]
CLEAR = log(20.0)  # evidence ratio of twenty to one
SAME = log(2.0)  # evidence ratio below which a finding separates nothing


@dataclass(frozen=True, repr=False)
class Judgement(Described, Renamed):
    """Hypotheses before findings.

    ``hypotheses`` and ``scores`` are in the order given; ``refused`` holds a sentence for each that
    could not be run; ``remarks`` one for whatever is treated apart. ``papers`` are the sources that
    scores are split by. ``held_out`` marks the findings that the model itself was not fitted to.
    ``left_out`` names findings that could not be computed, and ``not_computed`` counts for each
    hypothesis the runs of all findings in which one failed.
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
    papers: tuple[str, ...]
    held_out: NDArray[np.bool_]
    recovery: ModelRecovery
    information: tuple[ExpectedInformation, ...]
    refused: tuple[str, ...]
    remarks: tuple[str, ...]
    target: float
    reference: Finding
    about: Mapping[str, object]
    left_out: tuple[str, ...] = ()
    not_computed: Mapping[str, int] = field(default_factory=dict)

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        best = self.scores[self.ranking[0]].evidence
        behind = [(self.names[i], best - self.scores[i].evidence) for i in self.ranking]
        told = [f"{name} ({-x:.1f})" if x >= 0.05 else name for name, x in behind]
        rows = [
            ("findings", f"{len(self.findings)} of {len(self.papers)} papers"),
            ("ln evidence", "not settled" if self.missing else ", ".join(told)),
        ]
        if self.missing:
            rows.append(("missing", some(list(self.missing))))
        if self.unexplained:
            names = [self.findings[i].name for i in self.unexplained]
            rows.append(("unexplained", some(names)))
        return f"Judgement of {len(self.hypotheses)} hypotheses", rows

    @property
    def names(self) -> tuple[str, ...]:
        """Return the hypotheses' names."""
        return tuple(one.name for one in self.hypotheses)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what keeps the numbers from being results; empty when nothing does."""
        pairs = [(one.name, why) for one in self.scores for why in one.found.missing]
        return tuple(f"{name}: {why}" for name, why in pairs)

    @property
    def thin(self) -> tuple[str, ...]:
        """Return the hypotheses with too few draws to read anything off their posterior."""
        return tuple(one.name for one in self.scores if one.found.thin)

    @cached_property
    def predicted(self) -> Array:
        """Return posterior medians, shape (n_findings, n_hypotheses)."""
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

    def behind(self, i: int) -> tuple[float, float]:
        """Return by how much evidence one hypothesis is behind the first, and the error of it."""
        first = self.scores[self.ranking[0]]
        return first.evidence - self.scores[i].evidence, _error(first, self.scores[i])

    @cached_property
    def contenders(self) -> tuple[int, ...]:
        """Return the best hypothesis and all that these findings do not clearly put behind it.

        A hypothesis is behind when the evidence against it is twenty to one at least, even at the
        near end of its interval, and simulated data of the two would be told apart.
        """
        first = self.ranking[0]
        found = [first]
        for i in self.ranking[1:]:
            pair = self.names[first], self.names[i]
            if not (self._by_evidence(i) and self.recovery.separable(*pair)):
                found.append(i)
        return tuple(found)

    @property
    def chosen(self) -> Prepared | None:
        """Return the hypothesis that stands alone, or None where findings do not choose."""
        alone = len(self.contenders) == 1 and not self.missing
        return self.hypotheses[self.contenders[0]] if alone else None

    @property
    def verdict(self) -> str:
        """Return in one sentence what can be said."""
        names = [self.names[i] for i in self.contenders]
        if self.missing:
            return f"No result yet. {' '.join(self.missing)}"
        if len(self.hypotheses) == 1:
            return f"Only {names[0]} was judged; nothing is compared."
        if len(names) == 1:
            return f"{names[0]} stands: every other hypothesis is clearly behind it."
        if not self.open:
            return (
                f"{names[0]} is ahead by evidence, but not for sure: simulated data of "
                f"{_listed(names[1:])} are mistaken too often."
            )
        still = _listed([names[0], *(self.names[i] for i in self.open)])
        return f"Not chosen between {still}: the evidence does not tell them apart."

    @cached_property
    def open(self) -> tuple[int, ...]:
        """Return the hypotheses, the first apart, that the evidence alone leaves in question."""
        return tuple(i for i in self.ranking[1:] if not self._by_evidence(i))

    @property
    def in_question(self) -> tuple[int, ...]:
        """Return the hypotheses between which it is to be decided: two at least, where there are.

        These are the first and those that the evidence leaves open, or else the second.
        """
        return (self.ranking[0], *self.open) if self.open else self.ranking[:2]

    def _by_evidence(self, i: int) -> bool:
        by, error = self.behind(i)
        return by - error > CLEAR

    @property
    def certainty(self) -> tuple[str, ...]:
        """Return a sentence for each hypothesis but the first: how sure it is that it is behind.

        It says what the evidence does, what becomes of simulated data, and which papers carry it.
        """
        if self.missing:
            return ()
        return tuple(self._sure(i) for i in self.ranking[1:])

    def _sure(self, i: int) -> str:
        first, name = self.names[self.ranking[0]], self.names[i]
        by, error = self.behind(i)
        share = self.recovery.told_apart(first, name)
        far = self.recovery.as_far(name, first, by)
        told = f"{name}: {by:.1f} ± {error:.1f} log units behind {first}, "
        if i in self.open:
            told += f"which is not clear (20 to 1 is {CLEAR:.1f})"
        elif i in self.contenders:
            told += "clearly so by evidence"
        else:
            told += "clearly so"
        apart = "are told apart" if share >= ENOUGH else "are told apart only"
        told += f"; simulated data of the two {apart} in {100.0 * share:.0f} of 100"
        if i not in self.open and share < ENOUGH:
            told += f", though {100.0 * far:.0f} of 100 made by {name} put it so far behind"
        carried = self._carried(i)
        if carried and not self.thin:
            told += f"; not clear without {' or '.join(carried)} alone"
        return f"{told}."

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
    def pivotal(self) -> tuple[tuple[str, int, bool], ...]:
        """Return papers without which another hypothesis would be first, which, and how surely.

        It is sure where the other is ahead by more than its error, and as many draws as are needed
        to say so carry it.
        """
        without = np.stack([one.without for one in self.scores], axis=1)
        draws = np.stack([one.papers_effective for one in self.scores], axis=1).min(axis=1)
        first = self.ranking[0]
        found = []
        for name, row, effective in zip(self.papers, without, draws, strict=True):
            best = int(row.argmax())
            if best != first:
                error = _error(self.scores[first], self.scores[best])
                sure = bool(row[best] - row[first] > error and effective >= FEWEST)
                found.append((name, best, sure))
        return tuple(found)

    def _carried(self, i: int) -> list[str]:
        """Return the papers, without any one of which a hypothesis would not be clearly behind."""
        if i in self.open:
            return []
        first = self.scores[self.ranking[0]]
        by = first.without - self.scores[i].without
        error = _error(first, self.scores[i])
        return [name for name, left in zip(self.papers, by, strict=True) if left - error <= CLEAR]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _error(one: Score, other: Score) -> float:
    """Return the half width of the interval of a difference of log evidences."""
    wide = [s.interval[1] - s.evidence for s in (one, other)]
    return float(np.hypot(wide[0], wide[1])) if np.isfinite(wide).all() else float("inf")
