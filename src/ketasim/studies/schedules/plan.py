"""What of a schedule is free, and the visits that a point in the unit cube stands for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Dose, Protocol
from ketasim.errors import ConfigError, suggest
from ketasim.units import unit

Array = NDArray[np.float64]
EACH, SAME, TAPER = "each", "same", "taper"
PATTERNS = (EACH, SAME, TAPER)
MOST_VISITS = 200
WORDS = ("total", "largest", "visits", "length")  # numbers of a schedule itself


@dataclass(frozen=True)
class Variable:
    """One free number, within bounds in its unit."""

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """A number that visits have: its bounds in ``unit``, and how the visits share it.

    ``each`` visit has its own, all have the ``same``, or the first has one and every next is a
    multiple of the one before (``taper``), with ``ratio`` as the bounds of that multiple.

    Raises
    ------
    ConfigError
        When bounds are not in order, or there is no such pattern.
    """

    name: str
    low: float
    high: float
    unit: str
    pattern: str = EACH
    ratio: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        """Refuse what no visit could have."""
        if self.pattern not in PATTERNS:
            raise ConfigError(
                f'{self.name}s = "{self.pattern[:40]}": no such pattern.'
                f"{suggest(self.pattern, PATTERNS)} Choose one of {', '.join(PATTERNS)}."
            )
        if not 0.0 <= self.low <= self.high < np.inf:
            raise ConfigError(
                f"{self.name} = {self.low:g} to {self.high:g} {self.unit}: write the smaller "
                "number first; neither may be below 0."
            )
        if not 0.0 < self.ratio[0] <= self.ratio[1] < np.inf:
            raise ConfigError(
                f"{self.name}: {self.ratio[0]:g} to {self.ratio[1]:g} times the one before: write "
                "the smaller number first; both must be above 0."
            )

    def variables(self, n: int) -> Iterator[Variable]:
        """Yield what is free of ``n`` such numbers."""
        if n == 0:
            return
        if self.low < self.high:
            many = self.pattern == EACH and n > 1
            first = self.name if self.pattern == SAME else f"first {self.name}"
            names = [f"{self.name} {i + 1}" for i in range(n)] if many else [first]
            yield from (Variable(one, self.unit, self.low, self.high) for one in names)
        if self.pattern == TAPER and n > 1 and self.ratio[0] < self.ratio[1]:
            yield Variable(f"{self.name}, each over the one before", "1", *self.ratio)

    def values(self, free: Array, n: int) -> Array:
        """Return the numbers (n_points, n) that free ones (n_points, n_free) stand for."""
        is_free = self.low < self.high
        own = free if is_free else np.full((len(free), 1), self.low)
        if self.pattern == EACH and is_free:
            return own[:, :n]
        if self.pattern != TAPER or n < 2:
            return np.repeat(own[:, :1], n, axis=1)
        fixed = self.ratio[0] == self.ratio[1]
        ratio = np.full((len(free), 1), self.ratio[0]) if fixed else free[:, -1:]
        return np.asarray(own[:, :1] * ratio ** np.arange(n))

    @property
    def factor(self) -> float:
        """Return the canonical unit's share of ``unit``."""
        return unit(self.unit).factor


@dataclass(frozen=True)
class Visits:
    """Schedules in full, each array (n_points, n_visits): amounts, and times and durations [h].

    Amounts are mg, or mg/kg where the plan's are.
    """

    amounts: Array
    starts: Array
    durations: Array

    def __len__(self) -> int:
        """Return the number of schedules."""
        return len(self.amounts)

    @property
    def stops(self) -> Array:
        """Return when each visit's dose is over [h]."""
        return self.starts + self.durations


@dataclass(frozen=True)
class Plan:
    """A drug by one route at so many visits, with what is free of doses, gaps and durations.

    ``begin`` is the first visit [h]; ``usual`` is a schedule of the same visits to start from and
    to compare with: amount, gap and duration, in the spreads' units.

    Raises
    ------
    ConfigError
        When there is no visit, or a dose could still run when the next begins.
    """

    drug: str
    route: str
    visits: int
    amount: Spread
    gap: Spread
    duration: Spread
    begin: float = 0.0
    usual: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out."""
        if not 1 <= self.visits <= MOST_VISITS:
            raise ConfigError(f"visits = {self.visits}: must lie between 1 and {MOST_VISITS}.")
        least = self.gap.low * self.gap.factor
        if self.gap.pattern == TAPER:
            least *= min(1.0, self.gap.ratio[0] ** max(0, self.visits - 2))
        if self.visits > 1 and not least > self.duration.high * self.duration.factor:
            raise ConfigError(
                f"gap = {self.gap.low:g} {self.gap.unit}: a visit would begin before the one "
                f"before is over ({self.duration.high:g} {self.duration.unit}); give a longer gap."
            )

    @property
    def label(self) -> str:
        """Return how the plan is told from others."""
        return f"{self.drug} {self.route}, {self.visits} visit{'s' if self.visits > 1 else ''}"

    @property
    def _parts(self) -> tuple[tuple[Spread, int], ...]:
        return (
            (self.amount, self.visits),
            (self.gap, self.visits - 1),
            (self.duration, self.visits),
        )

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Return what is free, in the order of a point's coordinates."""
        return tuple(one for spread, n in self._parts for one in spread.variables(n))

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Return the ends of each variable, in its unit."""
        low = np.array([one.low for one in self.variables])
        high = np.array([one.high for one in self.variables])
        return low, high

    def numbers(self, points: Array) -> Array:
        """Return the free numbers (n_points, n_free) in their units, of points in the unit cube."""
        low, high = self.bounds
        return np.asarray(low + np.atleast_2d(points) * (high - low))

    def visits_of(self, points: Array) -> Visits:
        """Return the schedules of points (n_points, n_free) in the unit cube."""
        free, at, found = self.numbers(points), 0, []
        for spread, n in self._parts:
            k = len(list(spread.variables(n)))
            found.append(spread.values(free[:, at : at + k], n) if n else np.empty((len(free), 0)))
            at += k
        amounts, gaps, durations = found
        later = np.cumsum(gaps * self.gap.factor, axis=1)
        starts = self.begin + np.concatenate([np.zeros((len(free), 1)), later], axis=1)
        per_weight = unit(self.amount.unit).dimension == unit("mg/kg").dimension
        factor = unit(self.amount.unit).factor / unit("mg/kg" if per_weight else "mg").factor
        return Visits(amounts * factor, starts, durations * self.duration.factor)

    @property
    def per_weight(self) -> bool:
        """Return whether doses are per body weight."""
        return unit(self.amount.unit).dimension == unit("mg/kg").dimension

    def doses(self, one: Visits, i: int, *, end: float = np.inf) -> Protocol:
        """Return schedule ``i`` as doses; what would not be over by ``end`` [h] is left out."""
        rows = zip(one.amounts[i], one.starts[i], one.durations[i], strict=True)
        return Protocol(
            tuple(
                Dose(float(a), self.per_weight, self.route, self.drug, float(t), float(d))
                for a, t, d in rows
                if t + d <= end
            )
        )

    @property
    def guess(self) -> Array:
        """Return the point to start from: the usual schedule, or the middle of every range."""
        middle = np.full(len(self.variables), 0.5)
        if self.usual is None:
            return middle
        fixed = dict(zip(("dose", "gap", "duration"), self.usual, strict=True))
        found = []
        for one in self.variables:
            kind = next(k for k in fixed if k in one.name)
            value = 1.0 if one.unit == "1" else fixed[kind]
            found.append((value - one.low) / (one.high - one.low))
        return np.clip(np.array(found), 0.0, 1.0) if found else middle

    @property
    def as_usual(self) -> "Plan | None":
        """Return the plan in which nothing but the usual schedule is possible, or None."""
        if self.usual is None:
            return None
        amount, gap, duration = (
            replace(one, low=value, high=value, pattern=SAME, ratio=(1.0, 1.0))
            for one, value in zip((self.amount, self.gap, self.duration), self.usual, strict=True)
        )
        return replace(self, amount=amount, gap=gap, duration=duration)

    def number(self, word: str, visits: Visits) -> Array:
        """Return a number of the schedules themselves (n_points,): one of ``WORDS``.

        The total and largest dose are mg or mg/kg, the length from first to last visit is h.
        """
        if word == "total":
            return np.asarray(visits.amounts.sum(axis=1))
        if word == "largest":
            return np.asarray(visits.amounts.max(axis=1))
        if word == "length":
            return np.asarray(visits.starts[:, -1] - visits.starts[:, 0])
        return np.full(len(visits), float(self.visits))

    def unit_of(self, word: str) -> str:
        """Return the unit of a number of the schedule."""
        dose = "mg/kg" if self.per_weight else "mg"
        return {"total": dose, "largest": dose, "length": "h"}.get(word, "1")
