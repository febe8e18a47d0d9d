"""Where particles move: Crank-Nicolson steps shaped by the cloud itself.

Steps keep a normal distribution, N(mean, covariance), as it is. Mean and covariance are those of
the cloud, drawn towards the prior's by as much as the cloud is too small to tell them from it
(Schaefer and Strimmer 2005, with the prior's as target).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SMALLEST = 1e-6  # eigenvalue of a covariance


@dataclass(frozen=True)
class Proposal:
    """A normal distribution and its root: ``root @ root.T`` is the covariance."""

    mean: Array
    root: Array
    inverse: Array
    log_size: float

    def propose(
        self, at: Array, step: float, rng: np.random.Generator
    ) -> tuple[Array, Array, Array]:
        """Return new points, and the log ratio of prior to this distribution before and after."""
        fresh = rng.standard_normal(at.shape) @ self.root.T
        new = self.mean + sqrt(1.0 - step**2) * (at - self.mean) + step * fresh
        return new, self.side(at), self.side(new)

    def side(self, at: Array) -> Array:
        """Return the log density of the prior less that of this distribution."""
        white = (at - self.mean) @ self.inverse.T
        found: Array = 0.5 * ((white**2).sum(axis=1) - (at**2).sum(axis=1)) + self.log_size
        return found

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return draws, shape (n, n_dim)."""
        return self.mean + rng.standard_normal((n, len(self.mean))) @ self.root.T


def fitted(at: Array) -> Proposal:
    """Return the normal distribution of a cloud (n, n_dim), drawn towards the standard normal."""
    n, d = at.shape
    mean = at.mean(axis=0)
    centred = at - mean
    covariance = centred.T @ centred / (n - 1)
    noise = ((centred**2).T @ (centred**2) / n - covariance**2) / n
    own, off = np.eye(d, dtype=bool), ~np.eye(d, dtype=bool)
    covariance[off] *= 1.0 - _share(noise[off], covariance[off])
    covariance[own] -= _share(noise[own], covariance[own] - 1.0) * (covariance[own] - 1.0)
    mean = mean * (1.0 - _share(covariance[own] / n, mean))
    values, vectors = np.linalg.eigh(covariance)
    roots = np.sqrt(np.maximum(values, SMALLEST))
    return Proposal(
        mean, (vectors * roots) @ vectors.T, (vectors / roots) @ vectors.T,
        float(np.log(roots).sum()),
    )  # fmt: skip


def _share(noise: Array, difference: Array) -> float:
    """Return how far estimates go towards what they are drawn to, 0 to 1."""
    size = float((difference**2).sum())
    return min(max(float(noise.sum()) / size, 0.0), 1.0) if size > 0.0 else 1.0
