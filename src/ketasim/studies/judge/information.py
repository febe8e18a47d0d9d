"""What would decide: expected information gain about which hypothesis holds, in bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ketasim.studies.findings.finding import OUTLIER, Finding
from ketasim.studies.findings.former import Renamed
from ketasim.studies.findings.observed import Number

Array = NDArray[np.float64]
WAYS = np.array([-1.0, 0.0, 1.0])
POINTS = 256  # outcomes told apart in a design
DOUBT = OUTLIER["A"]  # the chance that what a design finds says nothing
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


def spread_information(
    drawn: Sequence[Array], error: Array, worth: Sequence[float], beliefs: Sequence[Array]
) -> Array:
    """Return the expected information [bits] of many numbers that could be seen, at once.

    A few draws stand for each hypothesis's predictions, so that these are spread out by Silverman's
    rule, lest any two hypotheses look different for the lack of draws. With a chance of ``DOUBT`` a
    report says nothing.

    Parameters
    ----------
    drawn
        For each hypothesis its predictions, (n, n_draws), finite.
    error
        Of what would be seen, (n,), in the same unit.
    worth
        How many independent draws each hypothesis's are worth.
    beliefs
        How likely each hypothesis is held to be beforehand, (n_hypotheses,); one or several.

    Returns
    -------
    numpy.ndarray
        Shape (n_beliefs, n).
    """
    wide = np.stack([_width(one, error, n) for one, n in zip(drawn, worth, strict=True)])
    low = np.min([one.min(axis=1) for one in drawn], axis=0) - 5.0 * wide.max(axis=0)
    high = np.max([one.max(axis=1) for one in drawn], axis=0) + 5.0 * wide.max(axis=0)
    step = (high - low) / POINTS
    chances = np.stack(
        [_smoothed(one, low, step, sd) for one, sd in zip(drawn, wide, strict=True)], axis=1
    )
    logs = np.log2(chances)
    found = [
        np.einsum("k,nky->n", one, chances * logs)
        - (mixed * np.log2(mixed)).sum(axis=1)
        for one in beliefs
        for mixed in [np.einsum("k,nky->ny", one, chances)]
    ]  # fmt: skip
    bits: Array = np.maximum(np.array(found), 0.0)
    return bits


def _width(drawn: Array, error: Array, worth: float) -> Array:
    """Return the standard deviation of what is seen about a draw, (n,)."""
    n = max(min(float(drawn.shape[1]), worth), 1.0)
    spread = 0.9 * drawn.std(axis=1) * n**-0.2
    return np.asarray(np.hypot(error, spread))


def _smoothed(drawn: Array, low: Array, step: Array, wide: Array) -> Array:
    """Return the chances of ``POINTS`` outcomes, (n, POINTS), none of them 0."""
    n, m = drawn.shape
    place = (drawn - low[:, None]) / step[:, None]
    first = np.minimum(place.astype(np.int64), POINTS - 2)
    part = place - first
    flat = (np.arange(n)[:, None] * POINTS + first).ravel()
    mass = np.bincount(flat, (1.0 - part).ravel(), n * POINTS)
    mass += np.bincount(flat + 1, part.ravel(), n * POINTS)
    waves = 2.0 * np.pi * np.fft.rfftfreq(POINTS)
    damped = np.exp(-0.5 * (waves * (wide / step)[:, None]) ** 2)
    found = np.fft.irfft(np.fft.rfft(mass.reshape(n, POINTS) / m) * damped, POINTS)
    found = np.maximum(found, 0.0)
    found = found / found.sum(axis=1, keepdims=True)
    return np.asarray((1.0 - DOUBT) * found + DOUBT / POINTS)


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
