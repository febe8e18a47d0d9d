"""Members that differ as patients do: traits that go together, and what a trait does to parameters.

Traits are drawn together through a normal copula: the table of correlations is of their normal
scores, so that each keeps its own distribution whatever goes with it. A trait is a column of the
model, or scales several of them, or belongs to the person alone; covariates (sex, age, genes) reach
the model through effects, each a ratio per so much of the covariate. Every column is a bounded
value times bounded positive factors, so that no member is impossible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ketasim.core.describe import Described, some
from ketasim.errors import ConfigError
from ketasim.studies.designs.design import Design
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.designs.draw import shares_of

Array = NDArray[np.float64]
KIND = "patients"
MOST = 0.999  # a correlation beyond which two traits are one


@dataclass(frozen=True)
class Count:
    """How many of ``trials`` come out, each with a chance ``p``: sex (one trial), alleles (two)."""

    trials: int
    p: float
    unit: str = "1"

    def __post_init__(self) -> None:
        """Refuse what is no chance."""
        if not (0.0 < self.p < 1.0 and 1 <= self.trials <= 100):
            raise ConfigError(f"count({self.trials}, {self.p:g}): a chance between 0 and 1.")

    def at(self, shares: Array) -> Array:
        """Return the numbers below which these shares of the distribution lie."""
        from scipy.stats import binom  # slow to import

        ends = binom.cdf(np.arange(self.trials), self.trials, self.p)
        return np.searchsorted(ends, shares).astype(float)

    @property
    def support(self) -> tuple[float, float]:
        """Return the least and the most."""
        return 0.0, float(self.trials)

    def described(self) -> dict[str, Any]:
        """Return it as plain text and numbers."""
        return {"kind": "count", "trials": self.trials, "p": repr(self.p)}


Values = Distribution | Count


def values_of(described: Mapping[str, Any]) -> Values:
    """Return the distribution that described itself so."""
    if described["kind"] == "count":
        return Count(int(described["trials"]), float(described["p"]))
    return Distribution.of(described)


@dataclass(frozen=True)
class Scaled:
    """A column multiplied by ``ratio`` for each ``per`` by which a trait lies above ``origin``."""

    column: str
    trait: str
    ratio: float
    origin: float = 0.0
    per: float = 1.0

    def factor(self, values: Array) -> Array:
        """Return what the column is multiplied by, one a member."""
        factor: Array = self.ratio ** ((values - self.origin) / self.per)
        return factor


@dataclass(frozen=True, repr=False)
class Crowd(Described):
    """Patients to be drawn: their traits, and the columns of the model that follow.

    ``base`` holds the value and unit of each column that is no trait itself; ``multiplies`` pairs a
    trait that is a factor with the columns it scales; ``together`` is the correlation of the
    traits' normal scores, (n_traits, n_traits), row by row.
    """

    seed: int
    size: int
    traits: tuple[tuple[str, Values], ...]
    columns: tuple[str, ...]
    base: tuple[tuple[str, float, str], ...]
    multiplies: tuple[tuple[str, str], ...]
    effects: tuple[Scaled, ...]
    together: tuple[float, ...]

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        rows = [("traits", some(list(self.names))), ("columns", some(list(self.columns)))]
        return f"Crowd of {self.size:,}, seed {self.seed}", rows

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the traits."""
        return tuple(name for name, _ in self.traits)

    @cached_property
    def _mixing(self) -> Array:
        n = len(self.traits)
        try:
            return np.linalg.cholesky(np.reshape(self.together, (n, n)))
        except np.linalg.LinAlgError:
            raise ConfigError(
                "correlations: no such set of correlations is possible together; make some smaller."
            ) from None

    def people(self, start: int, stop: int) -> Array:
        """Return the traits of some patients, shape (stop - start, n_traits).

        A patient's depend on the seed and on the patient's number only.
        """
        scores = ndtri(shares_of(self.seed, len(self.traits))(start, stop))
        mixed = ndtr(np.einsum("ij,kj->ik", scores, self._mixing))
        within = np.clip(mixed, 2.0**-54, 1.0 - 2.0**-54)
        drawn = [
            one.at(np.ascontiguousarray(within[:, k])) for k, (_, one) in enumerate(self.traits)
        ]
        return np.stack(drawn, axis=1)

    def rows(self, start: int, stop: int) -> Array:
        """Return the values of the model's columns, shape (stop - start, n_columns)."""
        return self.columns_of(self.people(start, stop))

    def columns_of(self, people: Array) -> Array:
        """Return the values of the model's columns for people (n, n_traits)."""
        place = {name: k for k, name in enumerate(self.names)}
        base = {name: value for name, value, _ in self.base}
        found = []
        for column in self.columns:
            own = people[:, place[column]] if column in place else base[column]
            value = np.broadcast_to(own, len(people)).astype(float)
            for trait, scaled in self.multiplies:
                if scaled == column:
                    value = value * people[:, place[trait]]
            for one in self.effects:
                if one.column == column:
                    value = value * one.factor(people[:, place[one.trait]])
            found.append(value)
        return np.stack(found, axis=1)

    @property
    def extremes(self) -> tuple[tuple[float, float], ...]:
        """Return the least and the greatest value that each column can have in anybody."""
        known = {name: one.support for name, one in self.traits}
        base = {name: (value, value) for name, value, _ in self.base}
        found = []
        for column in self.columns:
            low, high = known.get(column) or base[column]
            for trait, scaled in self.multiplies:
                if scaled == column:
                    low, high = low * known[trait][0], high * known[trait][1]
            for one in self.effects:
                if one.column == column:
                    ends = one.factor(np.array(known[one.trait]))
                    low, high = low * float(ends.min()), high * float(ends.max())
            found.append((low, high))
        return tuple(found)

    @property
    def units(self) -> tuple[str, ...]:
        """Return the unit of each column."""
        own = {name: one.unit for name, one in self.traits}
        known = {name: unit for name, _, unit in self.base} | own
        return tuple(known[name] for name in self.columns)

    def described(self) -> dict[str, Any]:
        """Return everything as plain text and numbers."""
        return {
            "kind": KIND,
            "seed": self.seed,
            "size": self.size,
            "traits": [[name, one.described()] for name, one in self.traits],
            "columns": list(self.columns),
            "base": [[name, repr(value), unit] for name, value, unit in self.base],
            "multiplies": [list(pair) for pair in self.multiplies],
            "effects": [_plain(asdict(one)) for one in self.effects],
            "together": [repr(float(one)) for one in self.together],
        }

    def __getstate__(self) -> dict[str, Any]:
        """Return what is drawn, without what was computed from it."""
        return {k: v for k, v in self.__dict__.items() if k != "_mixing"}


def _plain(one: Mapping[str, Any]) -> dict[str, Any]:
    return {k: repr(v) if isinstance(v, float) else v for k, v in one.items()}


def of_crowd(crowd: Crowd) -> Design:
    """Return the design of a crowd: one member a patient."""
    known = dict(crowd.traits)
    moved = {column for _, column in crowd.multiplies} | {one.column for one in crowd.effects}
    limits = tuple(
        known[name].support if name in known and name not in moved else None
        for name in crowd.columns
    )
    reach = tuple(
        one.reach if isinstance(one := known.get(name), Distribution) else None
        for name in crowd.columns
    )
    return Design(crowd.columns, crowd.units, crowd.size, crowd, crowd.described(), limits, reach)


def of_described(described: Mapping[str, Any]) -> Design:
    """Return the design of patients that described itself so, the same to the last bit."""
    effects = tuple(
        Scaled(
            one["column"],
            one["trait"],
            float(one["ratio"]),
            float(one["origin"]),
            float(one["per"]),
        )
        for one in described["effects"]
    )
    return of_crowd(
        Crowd(
            seed=int(described["seed"]),
            size=int(described["size"]),
            traits=tuple((name, values_of(one)) for name, one in described["traits"]),
            columns=tuple(described["columns"]),
            base=tuple((name, float(value), unit) for name, value, unit in described["base"]),
            multiplies=tuple((a, b) for a, b in described["multiplies"]),
            effects=effects,
            together=tuple(float(one) for one in described["together"]),
        )
    )


def correlation(names: Sequence[str], pairs: Mapping[tuple[str, str], float]) -> tuple[float, ...]:
    """Return a table of correlations, row by row, from those of some pairs; all others are 0.

    Raises
    ------
    ConfigError
        When a pair names no trait, or no such set is possible together.
    """
    table = np.eye(len(names))
    for (first, second), value in pairs.items():
        lost = [one for one in (first, second) if one not in names]
        if lost or first == second or not abs(value) <= MOST:
            told = f'"{lost[0]}" is no trait' if lost else f"r = {value:g} between two traits"
            raise ConfigError(f"correlations: {told}; two traits and -{MOST} to {MOST} are needed.")
        i, j = names.index(first), names.index(second)
        table[i, j] = table[j, i] = value
    if np.linalg.eigvalsh(table).min() <= 0.0:
        raise ConfigError(
            "correlations: no such set of correlations is possible together; make some smaller."
        )
    return tuple(table.ravel().tolist())
