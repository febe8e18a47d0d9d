"""The experiment that would decide: expected information about which account holds, in bits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.studies.judge.experiment import Experiment
from ketasim.studies.judge.outcomes import Number

Array = NDArray[np.float64]
WAYS = np.array([-1.0, 0.0, 1.0])
FINE, MOST, FAR = 6.0, 4000, 20.0  # points an error; most points; errors beyond which all is far


@dataclass(frozen=True)
class Promise:
    """A candidate, the bits it would give, and what each account predicts (median)."""

    experiment: Experiment
    bits: float
    bits_of_all: float
    medians: tuple[float, ...]


def information(experiment: Experiment, drawn: Sequence[Array], weights: Array) -> float:
    """Return the expected information [bits] about which account holds.

    Parameters
    ----------
    experiment
        A candidate.
    drawn
        For each account its predictions under draws, shape (n_draws,).
    weights
        How likely each account is held to be beforehand; they sum to 1.
    """
    chances = np.array([_chances(experiment, one, drawn) for one in drawn])
    mixed = weights @ chances
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(chances > 0.0, chances * np.log2(chances / mixed), 0.0)
    return max(float(weights @ bits.sum(axis=1)), 0.0)


def _chances(experiment: Experiment, mine: Array, drawn: Sequence[Array]) -> Array:
    """Return the chance of each outcome; the last is that there is nothing to read."""
    computed = mine[np.isfinite(mine)]
    nothing = 1.0 - len(computed) / len(mine)
    if not len(computed):
        return np.append(np.zeros(len(_outcomes(experiment, drawn))), 1.0)
    seen = _outcomes(experiment, drawn)
    likely = experiment.outcome.likelihood(seen[:, None], computed[None, :], experiment.doubt)
    found = likely.mean(axis=1)
    return np.append((1.0 - nothing) * found / found.sum(), nothing)


def _outcomes(experiment: Experiment, drawn: Sequence[Array]) -> Array:
    """Return the outcomes that are told apart: three directions, or a grid of numbers."""
    outcome = experiment.outcome
    if not isinstance(outcome, Number):
        return WAYS
    every = np.concatenate([one[np.isfinite(one)] for one in drawn])
    if not len(every):
        return np.zeros(1)
    centre = np.median(every)
    low = max(every.min(), centre - FAR * outcome.error) - 5.0 * outcome.error
    high = min(every.max(), centre + FAR * outcome.error) + 5.0 * outcome.error
    points = min(int((high - low) / outcome.error * FINE) + 1, MOST)
    return np.linspace(low, high, points)


def promises(
    candidates: Sequence[Experiment], drawn: Sequence[Array], contenders: Sequence[int]
) -> list[Promise]:
    """Rank candidates by the bits they give about ``contenders``, held equally likely.

    ``drawn`` has an entry (n_candidates, n_draws) for each account.
    """
    everyone = np.full(len(drawn), 1.0 / len(drawn))
    among = np.full(len(contenders), 1.0 / len(contenders))
    found = []
    for k, one in enumerate(candidates):
        rows = [account[k] for account in drawn]
        bits = information(one, [rows[i] for i in contenders], among)
        medians = tuple(_median(row) for row in rows)
        found.append(Promise(one, bits, information(one, rows, everyone), medians))
    return sorted(found, key=lambda p: (-p.bits, -p.bits_of_all, p.experiment.name))


def _median(row: Array) -> float:
    computed = row[np.isfinite(row)]
    return float(np.median(computed)) if len(computed) else float("nan")
