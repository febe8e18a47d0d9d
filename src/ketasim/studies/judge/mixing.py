"""The best mixture: a lattice on the simplex of hypotheses, every point calibrated and scored."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ModelError
from ketasim.models.rivals import Hypothesis, mixture
from ketasim.studies.findings.finding import Finding
from ketasim.studies.judge.calibrate import Places, calibrate
from ketasim.studies.judge.draws import parameter_draws
from ketasim.studies.judge.prepare import Comparison
from ketasim.studies.judge.scores import aicc, log_likelihoods

Array = NDArray[np.float64]
STEPS = 4  # parts into which a whole is divided
MOST_POINTS = 2000


def best_mixture(
    hypotheses: Sequence[Hypothesis],
    comparison: Comparison,
    *,
    findings: Sequence[Finding],
    keep: NDArray[np.bool_],
) -> tuple[Hypothesis, int] | None:
    """Return the mixture with the lowest AICc at the ledger's values, and how many weights it has.

    Only mixtures of two or more are tried; every weight above 0 counts as a free number.
    ``findings`` are those of the comparison's first that ``keep`` keeps.

    None when fewer than two can be mixed, or no mixture reaches the reference effect and can be
    computed.
    """
    able = [one for one in hypotheses if _mixable(one)]
    points = [p for p in lattice(len(able), STEPS) if np.count_nonzero(p) > 1]
    if not points:
        return None
    mixed = [mixture(able, point.tolist()) for point in points[:MOST_POINTS]]
    ledger = parameter_draws(comparison.model, 1, prior_width=0.0)

    def rows(which: Places, gains: Array) -> Array:
        parts = [
            comparison.rows(mixed[i], ledger, gains[k : k + 1])
            for k, i in enumerate(which.tolist())
        ]
        return np.concatenate(parts)

    found = calibrate(
        lambda i, g: comparison.effect(rows(i, g)).values[0], len(mixed), comparison.target
    )
    reached = np.flatnonzero(found.reached)
    if not len(reached):
        return None
    predicted = comparison.predict(rows(reached, found.gains[reached]))
    whole = predicted.computed[: len(keep)][keep].all(axis=0)
    if not whole.any():
        return None
    reached = reached[whole]
    values = np.ascontiguousarray(predicted.values[: len(keep)][keep][:, whole])
    totals = log_likelihoods(findings, values).sum(axis=0)
    scores = [
        aicc(float(total), int(np.count_nonzero(points[i])), len(findings))
        for total, i in zip(totals, reached, strict=True)
    ]
    best = reached[int(np.argmin(scores))]
    return mixed[best], int(np.count_nonzero(points[best]))


def lattice(n: int, steps: int) -> list[Array]:
    """Return every way to share ``steps`` equal parts among ``n``, as weights that sum to 1."""
    if n < 1:
        return []
    bars = combinations(range(steps + n - 1), n - 1)
    edges = ([-1, *bar, steps + n - 1] for bar in bars)
    return [(np.diff(edge) - 1) / steps for edge in edges]


def _mixable(one: Hypothesis) -> bool:
    try:
        mixture([one], [1.0])
    except ModelError:
        return False
    return True
