"""Designs for sensitivity: blocks of members that differ in one factor at a time.

A factor is a column, columns that share their draws, or a group of either. Every block lies between
two points A and B:

- ``saltelli``: A, then A with one factor after another taken from B, then B [saltelli2010]_
- ``walks``: from A to B, one factor after another, in an order of the block's own [goda2021]_
- ``morris``: the same on a grid, B half the grid's levels from A [morris1991]_

References
----------
.. [saltelli2010] Saltelli et al. 2010, 10.1016/j.cpc.2009.09.018
.. [goda2021] Goda 2021, 10.1016/j.ress.2021.107702
.. [morris1991] Morris 1991, 10.1080/00401706.1991.10484804
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError, suggest
from ketasim.studies.designs.choice import Drawable, Source, Vary, chosen
from ketasim.studies.designs.design import Design
from ketasim.studies.designs.distributions import FEW, Distribution
from ketasim.studies.designs.draw import MAX_CUBE, Drawn, Seed, key_of
from ketasim.studies.designs.draw import Kind as Draw

Array = NDArray[np.float64]
Order = NDArray[np.intp]
Kind = Literal["saltelli", "walks", "morris"]
Groups = Mapping[str, "str | Iterable[str]"]
KINDS = ("saltelli", "walks", "morris")
MECHANISMS = "mechanisms"
OTHERS = "others"


@dataclass(frozen=True)
class Blocks:
    """Members of all blocks, one block after another.

    ``shares`` are as in :class:`~ketasim.studies.designs.draw.Drawn`; ``factors`` are names with
    the columns that change together. ``points`` says how A and B are drawn; ``levels`` is the size
    of a Morris grid.
    """

    kind: Kind
    seed: int
    size: int
    columns: tuple[Distribution, ...]
    shares: tuple[int, ...]
    factors: tuple[tuple[str, tuple[int, ...]], ...]
    points: Draw = "sobol"
    levels: int = 4

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the factors."""
        return tuple(name for name, _ in self.factors)

    @property
    def width(self) -> int:
        """Return the members of a block."""
        return len(self.factors) + (2 if self.kind == "saltelli" else 1)

    @property
    def blocks(self) -> int:
        """Return how many blocks there are."""
        return self.size // self.width

    def rows(self, start: int, stop: int) -> Array:
        """Return the values of some members, shape (stop - start, n_columns)."""
        first, last = start // self.width, -(-stop // self.width)
        ends = [self._values(one[:, list(self.shares)]) for one in self._ends(first, last)]
        found = self._between(first, last, *ends, of=self._factor_of)
        return found[start - first * self.width :][: stop - start]

    def places(self, first: int, last: int) -> Array:
        """Return where the members of some blocks stand in each factor's range, from 0 to 1.

        Shape ((last - first) * width, n_factors). A group stands where its first column does.
        """
        ends = self._ends(first, last)
        firsts = [self.shares[columns[0]] for _, columns in self.factors]
        every = np.arange(len(firsts))
        return self._between(first, last, *(one[:, firsts] for one in ends), of=every)

    def orders(self, first: int, last: int) -> Order:
        """Return the order in which each block changes its factors, (last - first, n_factors)."""
        k = len(self.factors)
        found = [self._source(j).permutation(k) for j in range(first, last)]
        return np.array(found, dtype=np.intp).reshape(-1, k)

    def ups(self, first: int, last: int) -> Array:
        """Return 1 where a block takes a factor up and -1 where down, (last - first, n_factors)."""
        a, b = self._ends(first, last)
        firsts = [self.shares[columns[0]] for _, columns in self.factors]
        found: Array = np.sign(b - a)[:, firsts]
        return found

    @property
    def step(self) -> float:
        """Return how far Morris moves a factor, in its range from 0 to 1."""
        return self.levels / (2.0 * (self.levels - 1.0))

    @cached_property
    def _factor_of(self) -> Order:
        """Return the factor of each column."""
        found = np.zeros(len(self.columns), dtype=np.intp)
        for i, (_, columns) in enumerate(self.factors):
            found[list(columns)] = i
        return found

    def _source(self, block: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, block])

    def _between(self, first: int, last: int, a: Array, b: Array, *, of: Order) -> Array:
        """Return the members between A and B, each column changing with its factor ``of``."""
        taken = self._taken(first, last)[:, :, of]
        found: Array = np.where(taken, b[:, None, :], a[:, None, :])
        return found.reshape(-1, a.shape[1])

    def _taken(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return what is taken from B, shape (n_blocks or 1, width, n_factors)."""
        k = len(self.factors)
        if self.kind == "saltelli":
            ends = np.zeros((1, k), dtype=bool), np.ones((1, k), dtype=bool)
            return np.concatenate([ends[0], np.eye(k, dtype=bool), ends[1]])[None]
        turn = np.argsort(self.orders(first, last), axis=1)
        found: NDArray[np.bool_] = turn[:, None, :] < np.arange(k + 1)[None, :, None]
        return found

    def _ends(self, first: int, last: int) -> tuple[Array, Array]:
        """Return A and B of some blocks as shares of each draw, (last - first, n_draws)."""
        n = max(self.shares) + 1
        if self.kind != "morris":
            drawn = self._drawn.points(first, last)
            return drawn[:, :n], drawn[:, n:]
        low, down = np.empty((2, last - first, n), dtype=np.intp)
        for i, j in enumerate(range(first, last)):
            source = self._source(j)
            source.permutation(len(self.factors))
            low[i], down[i] = source.integers(self.levels // 2, size=n), source.integers(2, size=n)
        half = self.levels // 2
        a, b = low + half * down, low + half * (1 - down)
        return a / (self.levels - 1.0), b / (self.levels - 1.0)

    @cached_property
    def _drawn(self) -> Drawn:
        n = max(self.shares) + 1
        return Drawn(self.points, self.seed, self.blocks, self.columns, (2 * n - 1,))

    def _values(self, shares: Array) -> Array:
        """Return the values at shares (n, n_columns) of every column's distribution."""
        found = np.empty(shares.shape)
        for k, one in enumerate(self.columns):
            at = np.ascontiguousarray(shares[:, k])
            if self.kind == "morris" and not all(map(isfinite, one.support)):
                at = FEW + at * (1.0 - 2.0 * FEW)  # the grid spans the reach of what has no ends
            found[:, k] = one.at(at)
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Return what is drawn, without the blocks in memory."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def saltelli(
    source: Source,
    n: int,
    *,
    vary: Vary | None = None,
    groups: Groups | str | None = None,
    seed: Seed = 0,
    points: Draw = "sobol",
) -> Design:
    """Return ``n`` blocks of as many members as there are factors, and two.

    Parameters
    ----------
    source, vary, seed
        As in :func:`~ketasim.studies.designs.draw.random`.
    n
        How many blocks; a power of two is best.
    groups
        Names of groups to what is in them: parameters, mechanisms, ``subject``. What is in none
        becomes ``others``. ``"mechanisms"`` makes a group of each mechanism. Without groups every
        parameter is a factor, and so are those that share their draws.
    points
        How the points A and B are drawn: ``"sobol"``, ``"random"`` or ``"latin_hypercube"``.

    Raises
    ------
    ConfigError, ModelError
        When nothing is left to vary, a group is empty or divides what moves together.
    """
    return _design("saltelli", chosen(source, vary), n, groups, seed, points=points)


def walks(
    source: Source,
    n: int,
    *,
    vary: Vary | None = None,
    groups: Groups | str | None = None,
    seed: Seed = 0,
    points: Draw = "sobol",
) -> Design:
    """Return ``n`` walks from a point A to a point B; see :func:`saltelli`."""
    return _design("walks", chosen(source, vary), n, groups, seed, points=points)


def morris(
    source: Source, n: int, *, vary: Vary | None = None, seed: Seed = 0, levels: int = 4
) -> Design:
    """Return ``n`` walks over a grid of ``levels`` that are evenly spaced in every range.

    Raises
    ------
    ConfigError
        When ``levels`` is odd or below 2, or nothing is left to vary.
    """
    if levels < 2 or levels % 2:
        raise ConfigError(f"levels = {levels}: an even number of at least 2 is needed.")
    return _design("morris", chosen(source, vary), n, None, seed, levels=levels)


def _design(
    kind: Kind,
    columns: Mapping[str, Drawable],
    n: int,
    groups: Groups | str | None,
    seed: Seed,
    **how: Any,
) -> Design:
    keys = list(dict.fromkeys(one.shares for one in columns.values()))
    shares = tuple(keys.index(one.shares) for one in columns.values())
    members = _grouped(columns, groups) if groups else _each(columns)
    named = tuple(columns)
    factors = [[name, [named.index(one) for one in inside]] for name, inside in members.items()]
    width = len(factors) + (2 if kind == "saltelli" else 1)
    if how.get("points") == "latin_hypercube" and 2 * n * len(keys) > MAX_CUBE:
        raise ConfigError(f"a Latin hypercube of {n:,} x {2 * len(keys)} is too large; use sobol.")
    described = {
        "kind": kind,
        "size": n * width,
        "seed": key_of(seed),
        "columns": [[name, one.distribution.described()] for name, one in columns.items()],
        "shares": list(shares),
        "factors": factors,
        **how,
    }
    return of_blocks(described)


def of_blocks(described: Mapping[str, Any]) -> Design:
    """Return the design of blocks that describes itself so."""
    columns = {name: Distribution.of(one) for name, one in described["columns"]}
    source = Blocks(
        kind=described["kind"],
        seed=described["seed"],
        size=described["size"],
        columns=tuple(columns.values()),
        shares=tuple(described["shares"]),
        factors=tuple((name, tuple(inside)) for name, inside in described["factors"]),
        **{name: described[name] for name in ("points", "levels") if name in described},
    )
    return Design(
        names=tuple(columns),
        units=tuple(one.unit for one in source.columns),
        size=source.size,
        source=source,
        description=dict(described),
        limits=tuple(one.support for one in source.columns),
        reach=tuple(one.reach for one in source.columns),
    )


def factors_of(design: Design) -> dict[str, tuple[str, ...]]:
    """Return the factors of a design by name, each with the columns that change together."""
    told = design.description
    if "factors" in told:
        return {name: tuple(design.names[i] for i in inside) for name, inside in told["factors"]}
    groups: dict[int, list[str]] = {}
    for i, name in enumerate(design.names):
        groups.setdefault(told.get("shares", range(len(design.names)))[i], []).append(name)
    return {inside[0]: tuple(inside) for inside in groups.values()}


def _each(columns: Mapping[str, Drawable]) -> dict[str, list[str]]:
    """Return every draw as a factor, under its column's name or the one that columns share."""
    found: dict[str, list[str]] = {}
    for name, one in columns.items():
        found.setdefault(one.shares, []).append(name)
    return {(inside[0] if len(inside) == 1 else shared): inside for shared, inside in found.items()}


def _grouped(columns: Mapping[str, Drawable], groups: Groups | str) -> dict[str, list[str]]:
    """Return groups as factors; every column is in one."""
    if isinstance(groups, str) and groups != MECHANISMS:
        raise ConfigError(f'groups = "{groups[:40]}": write "{MECHANISMS}", or names to members.')
    if isinstance(groups, str):
        heads = dict.fromkeys(_head(one.shares) for one in columns.values())
        groups = {head: head for head in heads}
    found: dict[str, list[str]] = {}
    owner: dict[str, str] = {}
    for group, given in groups.items():
        for asked in [given] if isinstance(given, str) else given:
            for name in _matching(columns, asked, group):
                if owner.setdefault(name, group) != group:
                    raise ConfigError(f"{name} is in two groups, {owner[name]} and {group}.")
        found[group] = [name for name in columns if owner.get(name) == group]
    rest = [name for name in columns if name not in owner]
    if rest:
        found[OTHERS] = [*found.get(OTHERS, []), *rest]
    _check_whole(columns, found)
    return found


def _head(name: str) -> str:
    return name.rpartition(".")[0] or name


def _matching(columns: Mapping[str, Drawable], asked: str, group: str) -> list[str]:
    """Return the columns that a name in a group stands for."""
    inside = [
        name
        for name, one in columns.items()
        if asked in (name, _head(name), one.shares, _head(one.shares))
    ]
    if not inside:
        known = {*columns, *map(_head, columns)}
        raise ConfigError(
            f'group {group}: "{asked[:60]}" is nothing that is varied.{suggest(asked, known)}'
        )
    return inside


def _check_whole(columns: Mapping[str, Drawable], groups: Mapping[str, list[str]]) -> None:
    owner = {name: group for group, inside in groups.items() for name in inside}
    first: dict[str, str] = {}
    for name, one in columns.items():
        other = first.setdefault(one.shares, name)
        if owner[name] != owner[other]:
            raise ConfigError(f"{other} and {name} move together; put them into one group.")
