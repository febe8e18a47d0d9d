"""Designs drawn at random: member i depends on the seed and on i, never on who computes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError
from ketasim.studies.designs import cube, sequence
from ketasim.studies.designs.axes import Axis
from ketasim.studies.designs.choice import Drawable, Source, Vary, chosen
from ketasim.studies.designs.design import Design, of_axes
from ketasim.studies.designs.distributions import Distribution

Array = NDArray[np.float64]
Kind = Literal["random", "sobol", "latin_hypercube", "large_hypercube"]
Seed = int | np.random.Generator
BLOCK = 1024  # a power of two, as Sobol' points want to be drawn
MAX_SOBOL = sequence.MOST
HELD = 1_000_000  # numbers of a Latin hypercube that are drawn, and held in memory, at once
MAX_CUBE = 100_000_000  # and of one that a design of blocks draws its points from


@dataclass(frozen=True)
class Drawn:
    """Values drawn for each member: how, and from which distributions.

    ``shares`` says, for each distribution, which of the numbers drawn for a member it is taken at;
    two that take the same one rise and fall together.
    """

    kind: Kind
    seed: int
    size: int
    columns: tuple[Distribution, ...]
    shares: tuple[int, ...]

    def rows(self, start: int, stop: int) -> Array:
        """Return the values of some members, shape (stop - start, n_columns)."""
        drawn = self.points(start, stop)
        pairs = zip(self.columns, self.shares, strict=True)
        return np.stack([one.at(np.ascontiguousarray(drawn[:, k])) for one, k in pairs], axis=1)

    @cached_property
    def points(self) -> Callable[[int, int], Array]:
        """Return what gives shares (0 to 1) of some members; it may hold blocks in memory."""
        width = max(self.shares) + 1
        if self.kind == "random":
            return shares_of(self.seed, width)
        if self.kind == "large_hypercube":
            return _large_cube(self, width)
        return _sobol(self.seed, width) if self.kind == "sobol" else _cube(self, width)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is drawn, without the blocks in memory."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def random(source: Source, n: int, *, vary: Vary | None = None, seed: Seed = 0) -> Design:
    """Return ``n`` independent draws; member i is the same in a longer design.

    Parameters
    ----------
    source
        A scenario, or a model (taken as that of a person); its ledger gives the bounds of what has
        no distribution of its own, its species the distributions of ``subject.weight``,
        ``subject.clearance`` and ``subject.volume``.
    n
        How many members.
    vary
        What is uncertain in the model when not given. Names, groups (``"uncertain"``,
        ``"exponents"``, ``"gains"``, ``"body"``, ``"subject"``, ``"everything"``, a mechanism,
        ``"measured"``, ``"fitted"``, ``"derived"``, ``"assumed"``), or names with distributions
        (``"normal(70, 10) kg"``; None: the ledger's bounds, or the species' own distribution).
    seed
        An int or a Generator.

    Raises
    ------
    ConfigError, ModelError
        When nothing is left to vary, or a name has neither bounds nor a distribution.
    """
    return _design("random", chosen(source, vary), n, seed)


def sobol(source: Source, n: int, *, vary: Vary | None = None, seed: Seed = 0) -> Design:
    """Return ``n`` scrambled Sobol' points (best a power of two); see :func:`random`."""
    if n > MAX_SOBOL:
        raise ConfigError(f"{n:,} Sobol' points; at most {MAX_SOBOL:,}.")
    return _design("sobol", chosen(source, vary), n, seed)


def latin_hypercube(source: Source, n: int, *, vary: Vary | None = None, seed: Seed = 0) -> Design:
    """Return ``n`` points, one in each n-th of every range; see :func:`random`.

    A cube of more than a million numbers is drawn member by member, and never held in memory.
    """
    columns = chosen(source, vary)
    return _design(
        "latin_hypercube" if n * len(columns) <= HELD else "large_hypercube", columns, n, seed
    )


def people(source: Source, n: int, *, seed: Seed = 0) -> Design:
    """Return ``n`` subjects of the scenario's species, drawn independently by their traits.

    Raises
    ------
    ConfigError
        When the species has no table in :mod:`ketasim.models.subjects`.
    """
    return random(source, n, vary="subject", seed=seed)


def key_of(seed: object) -> int:
    """Return the number that a seed, an int or a Generator, stands for; raises ConfigError."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed = {seed!r}: a whole number >= 0 is needed.")
    return int(seed)


def _design(kind: Kind, columns: Mapping[str, Drawable], n: int, seed: Seed) -> Design:
    keys = list(dict.fromkeys(one.shares for one in columns.values()))
    named = {name: one.distribution for name, one in columns.items()}
    places = tuple(keys.index(one.shares) for one in columns.values())
    return of_distributions(kind, named, n, seed=key_of(seed), shares=places)


def of_distributions(
    kind: Kind,
    columns: Mapping[str, Distribution],
    n: int,
    *,
    seed: int,
    shares: tuple[int, ...],
) -> Design:
    """Return members drawn from named distributions; see :class:`Drawn` for ``shares``."""
    many = tuple(columns.values())
    described: dict[str, Any] = {
        "kind": kind,
        "size": n,
        "seed": seed,
        "columns": [[name, one.described()] for name, one in columns.items()],
    }
    if shares != tuple(range(len(many))):
        described["shares"] = list(shares)
    return Design(
        names=tuple(columns),
        units=tuple(one.unit for one in many),
        size=n,
        source=Drawn(kind, seed, n, many, shares),
        description=described,
        limits=tuple(one.support for one in many),
        reach=tuple(one.reach for one in many),
    )


def _cube(drawn: Drawn, width: int) -> Callable[[int, int], Array]:
    from scipy.stats import qmc  # slow to import, and a grid has no need of it

    source = np.random.default_rng(drawn.seed)
    whole: Array = qmc.LatinHypercube(width, rng=source).random(drawn.size)
    return lambda start, stop: whole[start:stop]


def _large_cube(drawn: Drawn, width: int) -> Callable[[int, int], Array]:
    which, shares = cube.slices(drawn.seed, drawn.size, width), shares_of(drawn.seed, width)
    return lambda start, stop: cube.within(which(start, stop), shares(start, stop), drawn.size)


def shares_of(seed: int, width: int) -> Callable[[int, int], Array]:
    """Return shares (0 to 1) from a counter-based generator: member i owns counters of its own."""
    words = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    counters = ceil(width / 4)

    def shares(start: int, stop: int) -> Array:
        source = np.random.Philox(key=words, counter=start * counters)
        raw = source.random_raw((stop - start) * counters * 4).reshape(stop - start, -1)
        whole = (raw[:, :width] >> np.uint64(11)).astype(np.float64)
        return whole * 2.0**-53 + 2.0**-54

    return shares


def _sobol(seed: int, width: int) -> Callable[[int, int], Array]:
    held: dict[int, Array] = {}

    def block(i: int) -> Array:
        if i not in held:
            if len(held) > 1:
                del held[min(held)]
            drawn = sequence.points(seed, width, i * BLOCK, (i + 1) * BLOCK)
            held[i] = np.clip(drawn, 2.0**-54, 1.0 - 2.0**-54)
        return held[i]

    def shares(start: int, stop: int) -> Array:
        first, last = start // BLOCK, (stop - 1) // BLOCK
        parts = [block(i) for i in range(first, last + 1)]
        return np.concatenate(parts)[start - first * BLOCK : stop - first * BLOCK]

    return shares


def from_description(description: Mapping[str, Any]) -> Design:
    """Return the design that describes itself so, with the same values to the last bit.

    Raises
    ------
    ConfigError
        When it is a table, whose values a description does not hold.
    """
    if description["kind"] == "table":
        raise ConfigError("a table's description holds a checksum, not its values; read the table.")
    if description["kind"] == "grid":
        axes = description["axes"]
        return of_axes({name: Axis.of(values, u) for name, u, values in axes})
    if description["kind"] == "patients":
        from ketasim.studies.designs.patients import of_described  # which draws as this file does

        return of_described(description)
    if "factors" in description:
        from ketasim.studies.designs.blocks import of_blocks  # which draws as this file does

        return of_blocks(description)
    columns = {name: Distribution.of(one) for name, one in description["columns"]}
    return of_distributions(
        description["kind"],
        columns,
        description["size"],
        seed=description["seed"],
        shares=tuple(description.get("shares", range(len(columns)))),
    )
