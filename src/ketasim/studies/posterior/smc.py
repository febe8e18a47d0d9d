"""Posterior draws and log evidence by adaptive tempered sequential Monte Carlo.

A cloud of particles starts at the prior (standard normal in every coordinate) and the likelihood is
raised from power 0 to 1, each time by as much as keeps a share of the cloud effective. After each
rise particles are resampled and moved by preconditioned Crank-Nicolson steps. Where a ``guide`` is
given, a cheap stand-in for the likelihood, a larger cloud first goes to the guide's posterior, and
a part of it from there to that of the likelihood itself; moves then are to the other draws of the
guide. The answer is that of the likelihood whatever the guide; a poor one only costs effort.

References: Del Moral, Doucet and Jasra 2006 (sampler and evidence); Zhou, Johansen and Aston 2016
(adaptive powers); Rudolf and Sprungk 2018 (preconditioned moves).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError, ModelError
from ketasim.studies.posterior.kept import Kept
from ketasim.studies.posterior.proposal import (
    Array,
    Arrays,
    Guided,
    LogLikelihood,
    Plain,
    ask,
)

Progress = Callable[[str], None]
KEEP = 0.7  # share of the cloud that stays effective from one power to the next
GUIDE_KEEP = 0.25  # the same on the way to a guide's posterior
SETTLED = 0.3  # correlation with where a stage began, at which its moves end
MOST_STAGES = 500
FEWEST, MOST = 16, 8192  # particles
ENOUGH = 30.0  # effective draws below which a posterior is no result
FEW_ACCEPTED = 0.02


@dataclass(frozen=True)
class Stage:
    """One rise of the power.

    ``ess`` is the effective share of the cloud before it was resampled, ``unique`` the ancestors
    that were kept, ``acceptance`` that of the moves, ``step`` their last size, and
    ``autocorrelation`` how much particles still resemble what they were before ``moves`` moves.
    """

    path: str
    power: float
    ess: float
    unique: int
    moves: int
    acceptance: float
    step: float
    autocorrelation: float


@dataclass(frozen=True)
class Posterior:
    """Draws from a posterior, equally weighted, and the evidence.

    ``draws`` (n_particles, n_dim) in standard-normal coordinates; ``log_likelihoods``
    (n_particles,); ``log_evidence`` relative to what the likelihood is relative to; ``effective``
    independent draws that these are worth, by their ancestry and what moves left of it;
    ``evaluations`` of the likelihood.
    """

    draws: Array
    log_likelihoods: Array
    log_evidence: float
    stages: tuple[Stage, ...]
    effective: float
    evaluations: int
    seed: tuple[int, ...]

    @property
    def stuck(self) -> tuple[str, ...]:
        """Return a sentence where the cloud did not move when it was asked to.

        With a guide that is no fault of its own: how little its moves do is in ``effective``.
        """
        if self.stages and self.stages[0].path == "guide":
            return ()
        found = [one for one in self.stages if one.moves and one.acceptance < FEW_ACCEPTED]
        return tuple(
            f"at power {one.power:.3g} only {one.acceptance:.1%} of moves were accepted: the cloud "
            "did not move."
            for one in found[:1]
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Return a sentence for each diagnostic that failed; empty when the draws may be used."""
        if self.effective >= ENOUGH:
            return self.stuck
        few = (
            f"the draws are worth {self.effective:.0f} independent ones, fewer than "
            f"{ENOUGH:.0f}: more particles are needed."
        )
        return few, *self.stuck


@dataclass
class _Cloud:
    """Particles on their way; it lives no longer than one call of :func:`sample`.

    ``base`` is the log density beyond the prior at power 0, ``tilt`` what is raised to the power,
    and ``kin`` (n, n) how far two particles are the same draw.
    """

    at: Array
    base: Array
    tilt: Array
    kin: NDArray[np.float32]
    rng: np.random.Generator
    stages: list[Stage] = field(default_factory=list)
    log_evidence: float = 0.0
    evaluations: int = 0


def sample(
    log_likelihood: LogLikelihood,
    n_dim: int,
    *,
    particles: int = 512,
    seed: int | Sequence[int] = 1,
    guide: LogLikelihood | None = None,
    guide_particles: int | None = None,
    keep: float = KEEP,
    settled: float = SETTLED,
    most_moves: int = 30,
    guide_moves: int = 5,
    progress: Progress | None = None,
    kept: Kept | None = None,
) -> Posterior:
    """Draw from a posterior and estimate its log evidence; the prior is standard normal.

    Parameters
    ----------
    log_likelihood
        Called with points (n, n_dim); returns (n,). It may be -inf where a point is impossible.
    n_dim
        Number of coordinates.
    particles
        Size of the cloud, 16 to 8192.
    seed
        The same seed gives the same numbers.
    guide
        A cheap stand-in for ``log_likelihood``, finite everywhere.
    guide_particles
        Size of the cloud that finds the guide's posterior; four times ``particles`` by default.
    keep
        Share of the cloud that stays effective from one power to the next, between 0 and 1.
    settled, most_moves
        Moves of a stage end when particles correlate with where they began by no more than
        ``settled``, and after ``most_moves`` at the latest; 0 leaves particles where they are.
    guide_moves
        The most moves of a stage on the way to the guide's posterior.
    progress
        Called with a line after each stage.
    kept
        Where each stage is kept as it ends; the same call goes on there to the same numbers.

    Raises
    ------
    ConfigError
        When an argument is out of range.
    StoreError
        When what was kept is of another run.
    ModelError
        When the likelihood returns NaN, +inf, the wrong shape, or -inf at every point of the prior.
    """
    _check(n_dim, particles, keep)
    numbers = (seed,) if isinstance(seed, int) else tuple(int(one) for one in seed)
    tell = progress or (lambda _: None)
    start = particles if guide is None else guide_particles or min(4 * particles, MOST)
    first = Plain(log_likelihood if guide is None else guide)
    way = _Way("likelihood" if guide is None else "guide", first, tell, kept)
    before = None if kept is None else kept.load()
    cloud = _begun(first.density, n_dim, start, numbers) if before is None else _again(*before)
    limits = _Limits(keep, settled, most_moves)
    early = limits if guide is None else _Limits(GUIDE_KEEP, settled, guide_moves)
    second = before is not None and before[1]["path"] != way.path
    if not second:
        way.resume(before)
        _climb(cloud, way, early)
        before = None
    if guide is None:
        cloud.evaluations += start
    else:
        mover = Guided(log_likelihood)
        if not second:
            mover.pool, mover.guided = _thinned(cloud, particles, log_likelihood)
        way = _Way("likelihood", mover, tell, kept)
        way.resume(before)
        _climb(cloud, way, limits)
    return Posterior(
        cloud.at, cloud.base + cloud.tilt, cloud.log_evidence, tuple(cloud.stages),
        _effective(cloud.kin), cloud.evaluations, numbers,
    )  # fmt: skip


@dataclass(frozen=True)
class _Limits:
    keep: float
    settled: float
    most_moves: int


@dataclass
class _Way:
    """One way from power 0 to 1, and where it stands."""

    path: str
    mover: Plain | Guided
    tell: Progress
    kept: Kept | None
    power: float = 0.0

    def resume(self, before: tuple[Arrays, dict[str, Any]] | None) -> None:
        """Stand where a kept stage ended."""
        if before is None:
            return
        arrays, told = before
        self.power = told["power"]
        for name, value in {
            **{n: arrays[n] for n in _POOL if n in arrays},
            **told["mover"],
        }.items():
            setattr(self.mover, name, value)

    def keep(self, cloud: _Cloud) -> None:
        """Keep the stage that ended."""
        if self.kept is None:
            return
        more, numbers = self.mover.kept()
        own = {name: getattr(cloud, name) for name in _CLOUD}
        told = {
            "path": self.path, "power": self.power, "mover": numbers,
            "rng": cloud.rng.bit_generator.state, "stages": [asdict(one) for one in cloud.stages],
            "log_evidence": cloud.log_evidence, "evaluations": cloud.evaluations,
        }  # fmt: skip
        self.kept.save({**own, **more}, told)


_CLOUD, _POOL = ("at", "base", "tilt", "kin"), ("pool", "guided")


def _begun(density: LogLikelihood, n_dim: int, n: int, seed: Sequence[int]) -> _Cloud:
    """Return a cloud at the prior."""
    rng = np.random.default_rng(list(seed))
    at = rng.standard_normal((n, n_dim))
    return _Cloud(at, np.zeros(n), ask(density, at), np.eye(n, dtype=np.float32), rng)


def _again(arrays: Arrays, told: dict[str, Any]) -> _Cloud:
    """Return the cloud of a kept stage."""
    rng = np.random.default_rng()
    rng.bit_generator.state = told["rng"]
    stages = [Stage(**one) for one in told["stages"]]
    at, base, tilt, kin = (arrays[name] for name in _CLOUD)
    return _Cloud(at, base, tilt, kin, rng, stages, told["log_evidence"], told["evaluations"])


def _climb(cloud: _Cloud, way: _Way, limits: _Limits) -> None:
    """Bring a cloud to power 1."""
    for _ in range(MOST_STAGES + 1):
        if way.power == 1.0:
            if way.path == "likelihood":
                cloud.evaluations += way.mover.counts
            return
        if not np.isfinite(cloud.tilt).any():
            raise ModelError("log_likelihood is -inf at every point; nothing is possible.")
        rise = _rise(cloud.tilt, 1.0 - way.power, limits.keep)
        way.power = 1.0 if rise == 1.0 - way.power else way.power + rise
        weights = np.exp(rise * (cloud.tilt - cloud.tilt.max()))
        cloud.log_evidence += log(float(weights.mean())) + rise * float(cloud.tilt.max())
        ess = float(weights.sum() ** 2 / (weights**2).sum() / len(weights))
        unique = _resample(cloud, weights)
        moves, acceptance, left = _settle(cloud, way.mover, way.power, limits)
        stage = Stage(way.path, way.power, ess, unique, moves, acceptance, way.mover.step, left)
        cloud.stages.append(stage)
        way.keep(cloud)
        moved = f", {acceptance:.0%} of moves accepted" if moves else ""
        way.tell(f"{way.path}: power {way.power:.3g}{moved}")
    raise ModelError(f"the power did not reach 1 in {MOST_STAGES} stages (at {way.power:.3g}).")


def _rise(tilt: Array, most: float, keep: float) -> float:
    """Return the largest rise of the power at which a share ``keep`` stays effective."""
    alive = tilt[np.isfinite(tilt)]
    alive = alive - alive.max()

    def share(rise: float) -> float:
        weights = np.exp(rise * alive)
        return float(weights.sum() ** 2 / (weights**2).sum() / len(alive))

    if share(most) >= keep:
        return most
    low, high = 0.0, most
    while high - low > 1e-3 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if share(middle) >= keep else (low, middle)
    return high


def _resample(cloud: _Cloud, weights: Array) -> int:
    """Resample systematically; return how many different particles are left."""
    n = len(weights)
    edges = np.cumsum(weights) / weights.sum()
    points = (cloud.rng.random() + np.arange(n)) / n
    chosen = np.minimum(np.searchsorted(edges, points), n - 1)
    _take(cloud, chosen)
    return len(np.unique(chosen))


def _take(cloud: _Cloud, chosen: NDArray[np.int64]) -> None:
    cloud.at, cloud.tilt, cloud.base = (a[chosen] for a in (cloud.at, cloud.tilt, cloud.base))
    cloud.kin = cloud.kin[np.ix_(chosen, chosen)]


def _settle(
    cloud: _Cloud, mover: Plain | Guided, power: float, limits: _Limits
) -> tuple[int, float, float]:
    """Move until the cloud has forgotten where it was; return moves, acceptance, what is left."""
    mover.prepare(cloud)
    began, was = cloud.at.copy(), cloud.base + cloud.tilt
    shares: list[float] = []
    left = 1.0
    while len(shares) < limits.most_moves and left > limits.settled:
        shares.append(mover.move(cloud, power))
        left = max(_tie(began, cloud.at), _tie(was[:, None], (cloud.base + cloud.tilt)[:, None]))
    cloud.kin *= np.float32(left**2)
    np.fill_diagonal(cloud.kin, 1.0)
    return len(shares), float(np.mean(shares)) if shares else 0.0, left


def _tie(before: Array, after: Array) -> float:
    """Return the correlation of two clouds, pooled over coordinates; 0 where it is negative."""
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    size = sqrt(float((a * a).sum()) * float((b * b).sum()))
    return max(float((a * b).sum()) / size, 0.0) if size > 0.0 else 0.0


def _thinned(cloud: _Cloud, n: int, log_likelihood: LogLikelihood) -> tuple[Array, Array]:
    """Keep ``n`` draws of the guide, ready for the likelihood itself; return the others."""
    order = cloud.rng.permutation(len(cloud.at))
    others = order[n:] if len(order) >= 2 * n else order
    pool = cloud.at[others], cloud.tilt[others]
    _take(cloud, order[:n])
    cloud.base = cloud.tilt
    cloud.tilt = ask(log_likelihood, cloud.at) - cloud.base
    cloud.evaluations = n
    return pool


def _effective(kin: NDArray[np.float32]) -> float:
    return float(len(kin) ** 2 / kin.sum(dtype=float))


def _check(n_dim: int, particles: int, keep: float) -> None:
    if n_dim < 1:
        raise ConfigError(f"n_dim = {n_dim!r}: at least one coordinate is needed.")
    if not FEWEST <= particles <= MOST:
        raise ConfigError(f"particles = {particles!r}: from {FEWEST} to {MOST:,} are possible.")
    if not 0.0 < keep < 1.0:
        raise ConfigError(f"keep = {keep!r}: must lie between 0 and 1.")
