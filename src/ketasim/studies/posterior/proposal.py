"""Where particles move: Crank-Nicolson steps shaped by the cloud itself.

Steps keep a normal distribution, N(mean, covariance), as it is. Mean and covariance are those of
the cloud, drawn towards the prior's by as much as the cloud is too small to tell them from it
(Schaefer and Strimmer 2005, with the prior's as target).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ModelError

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]
LogLikelihood = Callable[[Array], Array]
ACCEPTED = 0.3  # share of moves at which steps neither grow nor shrink
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


class Cloud(Protocol):
    """What is moved: ``at`` (n, n_dim), with the log density that is raised and that below it."""

    at: Array
    base: Array
    tilt: Array
    rng: np.random.Generator


def ask(log_likelihood: LogLikelihood, at: Array) -> Array:
    """Return a log-likelihood at points, or raise :class:`ModelError` where it is no such thing."""
    found = np.asarray(log_likelihood(at), dtype=float)
    if found.shape != (len(at),):
        raise ModelError(
            f"log_likelihood returned shape {found.shape} for {len(at)} points; it must return "
            f"one number for each, ({len(at)},)."
        )
    wrong = np.isnan(found) | (found == np.inf)
    if wrong.any():
        raise ModelError(
            f"log_likelihood returned NaN or +inf at {int(wrong.sum())} of {len(at)} points; an "
            "impossible point is -inf."
        )
    return found


class Plain:
    """Moves that look at the likelihood at every step; ``counts`` evaluations.

    Each half of the cloud moves by what the other half looks like: shaped by itself, a cloud would
    shrink a little with every stage, and the evidence with it.
    """

    def __init__(self, density: LogLikelihood) -> None:
        self.density, self.step, self.counts = density, 0.3, 0

    def kept(self) -> tuple[Arrays, dict[str, float]]:
        """Return what the next stage depends on."""
        return {}, {"step": self.step, "counts": self.counts}

    def prepare(self, cloud: Cloud) -> None:
        """Shape the steps of each half by the other."""
        half = len(cloud.at) // 2
        self.proposals: tuple[Proposal, Proposal] = fitted(cloud.at[half:]), fitted(cloud.at[:half])

    def move(self, cloud: Cloud, power: float) -> float:
        """Move every particle once; return the share accepted."""
        half = len(cloud.at) // 2
        parts = [
            one.propose(at, self.step, cloud.rng)
            for one, at in zip(self.proposals, (cloud.at[:half], cloud.at[half:]), strict=True)
        ]
        new, old_side, new_side = (np.concatenate(part) for part in zip(*parts, strict=True))
        tilt = ask(self.density, new)
        self.counts += len(new)
        change = power * (tilt - cloud.tilt) + new_side - old_side
        accepted = _taken(change, cloud.rng)
        cloud.at[accepted], cloud.tilt[accepted] = new[accepted], tilt[accepted]
        share = float(accepted.mean())
        self.step = min(max(self.step * np.exp(2.0 * (share - ACCEPTED)), 0.01), 1.0)
        return share


class Guided:
    """Moves to other draws of the guide's posterior, each with one look at the likelihood."""

    step = 1.0
    pool: Array
    guided: Array

    def __init__(self, density: LogLikelihood) -> None:
        self.density, self.counts, self.next = density, 0, 0

    def kept(self) -> tuple[Arrays, dict[str, float]]:
        """Return what the next stage depends on."""
        arrays = {"pool": self.pool, "guided": self.guided}
        return arrays, {"counts": self.counts, "next": self.next}

    def prepare(self, cloud: Cloud) -> None:
        """Nothing is learnt from the cloud."""

    def move(self, cloud: Cloud, power: float) -> float:
        """Move every particle once; return the share accepted."""
        n = len(cloud.at)
        chosen = (self.next + np.arange(n)) % len(self.pool)
        self.next += n
        new, base = self.pool[chosen], self.guided[chosen]
        tilt = ask(self.density, new) - base
        self.counts += n
        accepted = _taken(power * (tilt - cloud.tilt), cloud.rng)
        cloud.at[accepted], cloud.tilt[accepted] = new[accepted], tilt[accepted]
        cloud.base[accepted] = base[accepted]
        return float(accepted.mean())


def _taken(change: Array, rng: np.random.Generator) -> NDArray[np.bool_]:
    return np.asarray(np.log(rng.random(len(change))) < change)
