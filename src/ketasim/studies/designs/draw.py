"""Designs drawn at random: member i depends on the seed and on i, never on who computes it."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.studies.designs.design import Design
from ketasim.studies.designs.distributions import Distribution, plausible

Array = NDArray[np.float64]
Vary = Iterable[str] | Mapping[str, Distribution | None]
Seed = int | np.random.Generator
BLOCK = 1024  # a power of two, as Sobol' points want to be drawn
MAX_SOBOL = 2**30
MAX_CUBE = 100_000_000  # numbers a Latin hypercube holds in memory at once


def random(model: Model, n: int, *, vary: Vary | None = None, seed: Seed = 0) -> Design:
    """Return ``n`` independent draws; member i is the same in a longer design.

    Parameters
    ----------
    model
        Whose ledger gives the bounds of what has no distribution of its own.
    vary
        Names, or names with distributions (None: the ledger's bounds); every parameter whose bounds
        leave room when not given.
    seed
        An int or a Generator.

    Raises
    ------
    ConfigError, ModelError
        When nothing is left to vary, or a name has neither bounds nor a distribution.
    """
    chosen = _chosen(model, vary)
    key = _key(seed)
    draws = _philox(key, len(chosen))
    return _design("random", chosen, n, key, draws)


def sobol(model: Model, n: int, *, vary: Vary | None = None, seed: Seed = 0) -> Design:
    """Return ``n`` scrambled Sobol' points (best a power of two); see :func:`random`."""
    if n > MAX_SOBOL:
        raise ConfigError(f"{n:,} Sobol' points; at most {MAX_SOBOL:,}.")
    chosen = _chosen(model, vary)
    key = _key(seed)
    return _design("sobol", chosen, n, key, _sobol(key, len(chosen)))


def latin_hypercube(model: Model, n: int, *, vary: Vary | None = None, seed: Seed = 0) -> Design:
    """Return ``n`` points, one in each n-th of every range; see :func:`random`.

    The whole cube is held in memory: 8 bytes a number.
    """
    chosen = _chosen(model, vary)
    if n * len(chosen) > MAX_CUBE:
        raise ConfigError(f"a Latin hypercube of {n:,} x {len(chosen)} is too large; use sobol.")
    key = _key(seed)

    @cache
    def cube() -> Array:
        from scipy.stats import qmc  # slow to import, and a grid has no need of it

        drawn: Array = qmc.LatinHypercube(len(chosen), rng=np.random.default_rng(key)).random(n)
        return drawn

    return _design("latin_hypercube", chosen, n, key, lambda a, b: cube()[a:b])


def _chosen(model: Model, vary: Vary | None) -> dict[str, Distribution]:
    if vary is None:
        vary = [name for name, p in model.parameters.items() if p.bounds[0] < p.bounds[1]]
    given: dict[str, Distribution | None] = dict(
        vary if isinstance(vary, Mapping) else dict.fromkeys(vary)
    )
    chosen = {name: one or _from_ledger(model, name) for name, one in given.items()}
    if not chosen:
        raise ConfigError("nothing is varied; name a parameter whose bounds leave room.")
    return chosen


def _from_ledger(model: Model, name: str) -> Distribution:
    model.value(name)  # refuses what is no parameter, with a suggestion
    parameter = model.parameters[name]
    if not parameter.bounds[0] < parameter.bounds[1]:
        raise ConfigError(f"{name}: its bounds leave no room; give it a distribution.")
    return plausible(parameter)


def _key(seed: object) -> int:
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed = {seed!r}: a whole number >= 0 is needed.")
    return int(seed)


def _design(
    kind: str,
    chosen: Mapping[str, Distribution],
    n: int,
    seed: int,
    shares: Callable[[int, int], Array],
) -> Design:
    many = tuple(chosen.values())

    def rows(start: int, stop: int) -> Array:
        drawn = shares(start, stop)
        columns = [one.at(np.ascontiguousarray(drawn[:, k])) for k, one in enumerate(many)]
        return np.stack(columns, axis=1)

    described = {
        "kind": kind,
        "size": n,
        "seed": seed,
        "columns": [[name, one.described()] for name, one in chosen.items()],
    }
    units = tuple(one.unit for one in many)
    return Design(tuple(chosen), units, n, rows, described, tuple(one.support for one in many))


def _philox(seed: int, width: int) -> Callable[[int, int], Array]:
    """Return shares from a counter-based generator: member i owns counters of its own."""
    words = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    counters = ceil(width / 4)

    def shares(start: int, stop: int) -> Array:
        source = np.random.Philox(key=words, counter=start * counters)
        raw = source.random_raw((stop - start) * counters * 4).reshape(stop - start, -1)
        whole = (raw[:, :width] >> np.uint64(11)).astype(np.float64)
        return whole * 2.0**-53 + 2.0**-54

    return shares


class _Points:
    """Sobol' points in order, a block at a time; going back starts again."""

    def __init__(self, seed: int, width: int) -> None:
        self.seed, self.width = seed, width
        self.restart()

    def restart(self) -> None:
        from scipy.stats import qmc

        self.engine = qmc.Sobol(self.width, rng=np.random.default_rng(self.seed))
        self.next = 0

    def block(self, i: int) -> Array:
        if i < self.next:
            self.restart()
        if i > self.next:
            self.engine.fast_forward((i - self.next) * BLOCK)
        self.next = i + 1
        points: Array = self.engine.random(BLOCK)
        return np.clip(points, 2.0**-54, 1.0 - 2.0**-54)


def _sobol(seed: int, width: int) -> Callable[[int, int], Array]:
    points = _Points(seed, width)
    held: dict[int, Array] = {}

    def block(i: int) -> Array:
        if i not in held:
            if len(held) > 1:
                del held[min(held)]
            held[i] = points.block(i)
        return held[i]

    def shares(start: int, stop: int) -> Array:
        first, last = start // BLOCK, (stop - 1) // BLOCK
        parts = [block(i) for i in range(first, last + 1)]
        return np.concatenate(parts)[start - first * BLOCK : stop - first * BLOCK]

    return shares
