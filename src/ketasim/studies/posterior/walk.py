"""Markov chains that start near a normal approximation and walk until they have forgotten it.

Steps keep a normal distribution as it is (preconditioned Crank-Nicolson). The distribution is first
that of the slopes at the best point, which knows nothing of what begins to matter further out; it
is taken anew from where the chains are after each part of the settling but the last, and then kept.
The pace goes on following what is accepted, less and less: one that is kept outright comes to stand
still as chains spread. Only from there on is counted, and chains walk until their correlation with
that beginning has fallen to ``alike``: in all directions together, and in the half of them that
data tell most about. Where it does not fall, the shape is taken anew and they go on, still compared
with that beginning.

Reference: Cotter and others 2013 (the steps).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.studies.posterior.proposal import Array, fitted

SLOW = 0.25  # share of proposals to be accepted
WIDTH, OF = 0.5, 3  # spread of where chains begin, in the approximation's; the best of so many
LOOSE = 0.9  # share of the prior's spread from which on data tell little of a coordinate
PACES = 0.02, 0.9
FADING = 0.6  # power of the steps that count, by which paces follow less and less
PARTS, FEWER = 8, 3  # of the settling: the first time, and where it has to be done again
AGAIN = 2  # times that chains settle again, where they did not forget
Losses = Callable[[Array, Array], Array]
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Shape:
    """A normal distribution by its axes: mean (d,), axes (d, d) in columns, spreads (d,)."""

    mean: Array
    axes: Array
    spreads: Array

    @classmethod
    def of(cls, mean: Array, root: Array) -> "Shape":
        """Return that whose covariance is ``root @ root.T``."""
        axes, spreads, _ = np.linalg.svd(root)
        return cls(mean, axes, spreads)

    @property
    def told(self) -> Array:
        """Return the share of the prior's variance that data took from each axis."""
        return 1.0 - np.minimum(self.spreads, 1.0) ** 2

    def inward(self, z: Array) -> Array:
        """Return points (n, d) in units of the spreads."""
        found: Array = (z - self.mean) @ self.axes / self.spreads
        return found

    def outward(self, w: Array) -> Array:
        """Return the points of these."""
        found: Array = self.mean + (w * self.spreads) @ self.axes.T
        return found

    def beside(self, z: Array) -> "Shape":
        """Return the shape of a cloud (n, d), drawn towards this one where the cloud is small."""
        own = fitted(self.inward(z))
        return Shape.of(self.outward(own.mean[None])[0], (self.axes * self.spreads) @ own.root)


@dataclass
class Chains:
    """Where chains are; ``z`` (n, d), ``lost`` (n,) twice what data lose there.

    ``losses`` is asked with points and with the loss from which on a point is refused: there the
    answer may be any larger number.
    """

    losses: Losses
    shape: Shape
    z: Array
    lost: Array
    rng: np.random.Generator
    free: NDArray[np.bool_]
    pace: float = 0.3
    stride: float = 0.7

    def stir(self) -> float:
        """Move half of the ``free`` coordinates, of which data tell little, by the prior alone.

        A shape that was taken from chains that are too narrow there would keep them so.
        """
        chosen = self.free & (self.rng.random(len(self.free)) < 0.5)
        fresh = np.sqrt(1.0 - self.stride**2) * self.z
        fresh += self.stride * self.rng.standard_normal(self.z.shape)
        there = np.where(chosen, fresh, self.z)
        return self._taken(there, self.lost - 2.0 * np.log(self.rng.random(len(there))))

    def step(self) -> float:
        """Move every chain once; return the share that was accepted."""
        old = self.shape.inward(self.z)
        fresh = self.rng.standard_normal(old.shape)
        new = np.sqrt(1.0 - self.pace**2) * old + self.pace * fresh
        there = self.shape.outward(new)
        chance = -2.0 * np.log(self.rng.random(len(new)))
        beside = (there**2).sum(axis=1) - (new**2).sum(axis=1)
        most = self.lost + (self.z**2).sum(axis=1) - (old**2).sum(axis=1) + chance - beside
        return self._taken(there, most)

    def move(self, follow: float) -> float:
        """Step and stir, with paces that follow what is accepted; return the share of steps."""
        share, stirred = self.step(), self.stir()
        self.pace = float(np.clip(self.pace * np.exp(follow * (share - SLOW)), *PACES))
        self.stride = float(np.clip(self.stride * np.exp(follow * (stirred - SLOW)), *PACES))
        return share

    def _taken(self, there: Array, most: Array) -> float:
        lost = self.losses(there, most)
        yes: NDArray[np.bool_] = lost < most
        self.z = np.where(yes[:, None], there, self.z)
        self.lost = np.where(yes, lost, self.lost)
        return float(yes.mean())

    def settle(self, steps: int, tell: Tell) -> Array:
        """Walk with a pace that follows what is accepted; return where chains were, late ones."""
        seen = []
        for k in range(steps):
            share = self.move(1.0)
            seen += [self.z] if k >= steps // 2 else []
            tell(f"settling, {k + 1} of {steps}: {self.told(share)}")
        return np.concatenate(seen[:: max(len(seen) // 4, 1)])

    def told(self, share: float) -> str:
        """Return a line on the last step."""
        loss, prior = np.median(self.lost), np.median((self.z**2).sum(axis=1))
        return f"accepted {share:.0%}, pace {self.pace:.3f}, loss {loss:.1f}, prior {prior:.1f}"


@dataclass(frozen=True)
class Walked:
    """Draws (n, d), and how the chains went once nothing was adapted any more."""

    z: Array
    steps: int
    accepted: float
    pace: float
    alike: float
    alike_told: float


def walk(
    losses: Losses, middle: Array, root: Array, *, chains: int, warm: int, most: int, alike: float,
    rng: np.random.Generator, begun: Array | None = None, tell: Tell = lambda _: None,
) -> Walked:  # fmt: skip
    """Return draws of what data leave of a standard-normal prior.

    Parameters
    ----------
    losses
        Twice the log-likelihood that data lose at points (n, d), shape (n,). Its second argument
        (n,) is the loss from which on a point is refused, whatever the number.
    middle, root
        The normal approximation: mean (d,), and a root of the covariance (d, d).
    chains
        How many.
    warm
        Steps of each of :data:`PARTS` parts before anything is counted.
    most
        Steps at most, after these, each time.
    alike
        Correlation with where they began, pooled, at which chains stop.
    begun
        Draws (chains, d) of an earlier walk to begin with.
    rng, tell
        Of all draws; hears a line a step.
    """
    one = _begun(losses, Shape.of(middle, root), chains, rng, begun)
    _settle(one, PARTS if begun is None else FEWER, warm, tell)
    shape, first = one.shape, one.z
    found = _counted(one, shape, first, most, alike, tell)
    for _ in range(AGAIN):
        if max(found.alike, found.alike_told) <= alike:
            break
        one.shape = one.shape.beside(one.z)
        _settle(one, FEWER, warm, tell)
        found = _counted(one, shape, first, most, alike, tell)
    return found


def _settle(one: Chains, parts: int, warm: int, tell: Tell) -> None:
    """Walk while pace and shape follow; the shape is not taken anew after the last part."""
    for part in range(parts):
        late = one.settle(warm, tell)
        if part < parts - 1:
            one.shape = one.shape.beside(late)


def _counted(
    one: Chains, shape: Shape, first: Array, most: int, alike: float, tell: Tell
) -> Walked:
    """Walk with the shape as it is, until ``first`` is forgotten, in units of ``shape``."""
    began, shares = shape.inward(first), []
    for k in range(most):
        shares.append(one.move((k + 1.0) ** -FADING))
        pooled, told = alike_in(shape, began, one.z)
        tell(f"step {k + 1}: {one.told(shares[-1])}, alike {pooled:.2f}, {told:.2f} where told")
        if max(pooled, told) <= alike:
            break
    return Walked(one.z, len(shares), float(np.mean(shares)), one.pace, pooled, told)


def _begun(
    losses: Losses, shape: Shape, chains: int, rng: np.random.Generator, begun: Array | None
) -> Chains:
    """Return chains where they are to begin, or at the best of some points around the middle."""
    if begun is not None:
        return Chains(
            losses, shape.beside(begun), begun, losses(begun, np.full(len(begun), np.inf)), rng,
            loose(shape),
        )  # fmt: skip
    z = shape.outward(WIDTH * rng.standard_normal((OF * chains, len(shape.mean))))
    lost = losses(z, np.full(len(z), np.inf))
    kept = np.argsort(lost)[:chains]
    return Chains(losses, shape, z[kept], lost[kept], rng, loose(shape))


def loose(shape: Shape) -> NDArray[np.bool_]:
    """Return the coordinates that keep most of the prior's spread, (d,)."""
    found: NDArray[np.bool_] = np.sqrt(shape.axes**2 @ shape.spreads**2) > LOOSE
    return found


def alike_in(shape: Shape, first: Array, z: Array) -> tuple[float, float]:
    """Return the correlation with a beginning ``first`` (in a shape's units), and where data tell.

    The second is that of the half of the axes that data tell most about.
    """
    w, informed = shape.inward(z), np.argsort(-shape.told)[: (z.shape[1] + 1) // 2]
    return correlation(first, w), correlation(first[:, informed], w[:, informed])


def correlation(one: Array, other: Array) -> float:
    """Return the correlation of two clouds (n, d), point by point, pooled over directions."""
    a, b = one - one.mean(axis=0), other - other.mean(axis=0)
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
