"""What would decide: expected information gain about which hypothesis holds, in bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.former import Renamed
from ketasim.studies.findings.observed import Number

Array = NDArray[np.float64]
WAYS = np.array([-1.0, 0.0, 1.0])
FINE, MOST, FAR = 6.0, 4000, 20.0  # points an error; most points; errors beyond which all is far


@dataclass(frozen=True)
class ExpectedInformation(Renamed):
    """A finding to make, the bits it would give, and what each hypothesis predicts (median)."""

    FORMER: ClassVar = {"experiment": "finding"}

    finding: Finding
    bits: float
    bits_of_all: float
    medians: tuple[float, ...]


def information(finding: Finding, drawn: Sequence[Array], weights: Array) -> float:
    """Return the expected information [bits] about which hypothesis holds.

    Parameters
    ----------
    finding
        A candidate.
    drawn
        For each hypothesis its predictions under the draws that were computed, shape (n_draws,);
        nan is an outcome too: there is nothing to read.
    weights
        How likely each hypothesis is held to be beforehand; they sum to 1.
    """
    chances = np.array([_chances(finding, one, drawn) for one in drawn])
    mixed = weights @ chances
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(chances > 0.0, chances * np.log2(chances / mixed), 0.0)
    return max(float(weights @ bits.sum(axis=1)), 0.0)


def _chances(finding: Finding, mine: Array, drawn: Sequence[Array]) -> Array:
    """Return the chance of each outcome; the last is that there is nothing to read."""
    computed = mine[np.isfinite(mine)]
    nothing = 1.0 - len(computed) / len(mine)
    if not len(computed):
        return np.append(np.zeros(len(_outcomes(finding, drawn))), 1.0)
    seen = _outcomes(finding, drawn)
    likely = finding.observed.likelihood(
        seen[:, None], computed[None, :], finding.outlier_probability
    )
    found = likely.mean(axis=1)
    return np.append((1.0 - nothing) * found / found.sum(), nothing)


def _outcomes(finding: Finding, drawn: Sequence[Array]) -> Array:
    """Return the outcomes that are told apart: three directions, or a grid of numbers."""
    observed = finding.observed
    if not isinstance(observed, Number):
        return WAYS
    every = np.concatenate([one[np.isfinite(one)] for one in drawn])
    if not len(every):
        return np.zeros(1)
    centre = np.median(every)
    low = max(every.min(), centre - FAR * observed.error) - 5.0 * observed.error
    high = min(every.max(), centre + FAR * observed.error) + 5.0 * observed.error
    points = min(int((high - low) / observed.error * FINE) + 1, MOST)
    return np.linspace(low, high, points)


def expected_information(
    candidates: Sequence[Finding], drawn: Sequence[Sequence[Array]], contenders: Sequence[int]
) -> list[ExpectedInformation]:
    """Rank candidates by the bits they give about ``contenders``, held equally likely.

    ``drawn`` holds for each hypothesis and each candidate its predictions under the draws that were
    computed; a candidate that a hypothesis says nothing of, because no run succeeded, is left out.
    """
    everyone = np.full(len(drawn), 1.0 / len(drawn))
    among = np.full(len(contenders), 1.0 / len(contenders))
    found = []
    for k, one in enumerate(candidates):
        rows = [hypothesis[k] for hypothesis in drawn]
        if not all(len(row) for row in rows):
            continue
        bits = information(one, [rows[i] for i in contenders], among)
        medians = tuple(_median(row) for row in rows)
        found.append(ExpectedInformation(one, bits, information(one, rows, everyone), medians))
    return sorted(found, key=lambda p: (-p.bits, -p.bits_of_all, p.finding.name))


def _median(row: Array) -> float:
    computed = row[np.isfinite(row)]
    return float(np.median(computed)) if len(computed) else float("nan")
