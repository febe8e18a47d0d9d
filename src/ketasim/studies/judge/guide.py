"""A stand-in for runs: every prediction as a polynomial of the coordinates, with its own error.

Sampling goes where the stand-in points and then asks the model itself, so that no answer rests on
the stand-in (see :mod:`ketasim.studies.posterior.smc`). It is linear in all coordinates and
quadratic in those that matter most, fitted by ridge regression whose strength leaves-one-out
chooses for each prediction; what is left over widens the errors of what was seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.studies.judge.likelihood import Data, by_paper

Array = NDArray[np.float64]
CURVED = 24  # coordinates in which a prediction may bend
BENDS = 0.4  # how large a quadratic term is expected to be beside a linear one
RIDGES = np.geomspace(1e-4, 10.0, 11)
FAR = 3.5  # a coordinate beyond which nothing was learnt


@dataclass(frozen=True)
class Guide:
    """Coefficients (n_features, n_rows), the coordinates that bend, and the errors (n_rows,)."""

    coefficients: Array
    curved: NDArray[np.int64]
    low: Array
    high: Array
    blur: Array

    def values(self, at: Array) -> Array:
        """Return predictions (n_rows, n) at points (n, n_dim)."""
        found = (_features(at, self.curved) @ self.coefficients).T
        return np.clip(found, self.low[:, None], self.high[:, None])

    def log_likelihood(self, data: Data, at: Array) -> Array:
        """Return the log-likelihood of all papers at points."""
        found: Array = by_paper(data, self.values(at), self.blur).sum(axis=0)
        return found


def fit(at: Array, values: Array) -> Guide:
    """Fit predictions (n_rows, n) at points (n, n_dim); rows may hold nan."""
    y = _filled(values).T
    centre, scale = y.mean(axis=0), y.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    target = (y - centre) / scale
    curved = _curved(at, target)
    features = _features(at, curved)
    features[:, 1 + at.shape[1] :] *= BENDS
    beta, miss = _ridge(features, target)
    beta[1 + at.shape[1] :] *= BENDS
    beta = beta * scale
    beta[0] += centre
    spread = y.max(axis=0) - y.min(axis=0)
    low, high = y.min(axis=0) - 0.5 * spread, y.max(axis=0) + 0.5 * spread
    return Guide(beta, curved, low, high, miss * scale)


def _filled(values: Array) -> Array:
    found = values.copy()
    for row in found:
        lost = ~np.isfinite(row)
        row[lost] = np.median(row[~lost]) if not lost.all() else 0.0
    return found


def _features(at: Array, curved: NDArray[np.int64]) -> Array:
    near = np.clip(at, -FAR, FAR)
    bent = near[:, curved]
    i, j = np.triu_indices(len(curved))
    products = bent[:, i] * bent[:, j] - (i == j)
    return np.concatenate([np.ones((len(at), 1)), near, products], axis=1)


def _curved(at: Array, target: Array) -> NDArray[np.int64]:
    """Return the coordinates that any prediction answers to most."""
    beta, _ = _ridge(np.concatenate([np.ones((len(at), 1)), at], axis=1), target)
    weight = (beta[1:] ** 2).sum(axis=1)
    return np.sort(np.argsort(-weight, kind="stable")[: min(CURVED, at.shape[1])])


def _ridge(features: Array, target: Array) -> tuple[Array, Array]:
    """Return coefficients, and the root mean square left-one-out error of each target."""
    n, best = len(features), np.full(target.shape[1], np.inf)
    u, size, v = np.linalg.svd(features, full_matrices=False)
    turned = u.T @ target
    found = np.zeros((features.shape[1], target.shape[1]))
    for ridge in RIDGES:
        kept = size**2 / (size**2 + n * ridge)
        lever = (u**2 @ kept)[:, None]
        miss = target - u @ (kept[:, None] * turned)
        error = np.sqrt(((miss / (1.0 - lever)) ** 2).mean(axis=0))
        better = error < best
        best = np.where(better, error, best)
        found[:, better] = v.T @ ((kept / np.maximum(size, 1e-12))[:, None] * turned[:, better])
    return found, best
