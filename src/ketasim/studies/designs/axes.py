"""One axis of a grid: values at even steps, at even ratios, or as listed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError
from ketasim.units import convert, split, unit

Array = NDArray[np.float64]
MAX_VALUES = 10_000_000
LISTED = 1000  # values up to which an axis is kept as a list
_SPACED = re.compile(r"\s*(linspace|logspace)\s*\(([^()]{1,300})\)\s*(.*)$")
_BRACKETS = re.compile(r"\s*\[([^\[\]]{1,20000})\]([^\[\]]*)$")
_NUMBER = r"\s*([-+\d.eE]{1,30})\s*"
_SPAN = re.compile(rf"{_NUMBER}:{_NUMBER}(?::[^:,]{{1,30}}?)?(?<=[\d.])(\s*[^\d:,.\s].*)?$")


@dataclass(frozen=True)
class Spaced(Sequence[float]):
    """Values at even steps or even ratios, known by their ends and their number."""

    kind: Literal["linspace", "logspace"]
    first: float
    last: float
    n: int

    def take(self, places: NDArray[np.intp]) -> Array:
        """Return the values at some places, to the bit what NumPy's function gives."""
        low, high = self.first, self.last
        if self.kind == "logspace":
            low, high = float(np.log(low)), float(np.log(high))
        found = places * ((high - low) / (self.n - 1)) + low
        if self.kind == "logspace":
            found = np.where(places == 0, self.first, np.exp(found))
        ended: Array = np.where(places == self.n - 1, self.last, found)
        return ended

    def __len__(self) -> int:
        """Return how many there are."""
        return self.n

    @overload
    def __getitem__(self, i: int) -> float: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[float, ...]: ...
    def __getitem__(self, i: int | slice) -> float | tuple[float, ...]:
        """Return one value, or some."""
        places = range(self.n)[i]
        if isinstance(places, range):
            return tuple(self.take(np.array(places)).tolist())
        return float(self.take(np.array([places]))[0])


@dataclass(frozen=True)
class Axis:
    """Values in one unit, in the order they are visited; many are known by their ends."""

    values: "tuple[float, ...] | Spaced"
    unit: str

    def __post_init__(self) -> None:
        """Refuse an axis without values, and values nothing can be done with."""
        unit(self.unit, "axis")
        if not 1 <= len(self.values) <= MAX_VALUES:
            raise ConfigError(
                f"{len(self.values)} values; between 1 and {MAX_VALUES:,} are needed."
            )
        wrong = [one for one in self.ends if not isfinite(one)]
        if wrong:
            raise ConfigError(f"{wrong[0]}: a finite number is needed.")

    @property
    def ends(self) -> tuple[float, float]:
        """Return the smallest and the largest value."""
        if isinstance(self.values, Spaced):
            first, last = self.values.first, self.values.last
            return min(first, last), max(first, last)
        if not all(map(isfinite, self.values)):
            return inf, inf
        return min(self.values), max(self.values)

    def take(self, places: NDArray[np.intp]) -> Array:
        """Return the values at some places."""
        if isinstance(self.values, Spaced):
            return self.values.take(places)
        found: Array = np.array(self.values)[places]
        return found

    @property
    def described(self) -> Any:
        """Return the values as plain text, or how they are spaced where they are many."""
        if isinstance(self.values, Spaced):
            return {
                k: repr(v) if isinstance(v, float) else v for k, v in asdict(self.values).items()
            }
        return [*map(repr, self.values)]

    @classmethod
    def of(cls, described: Any, unit: str) -> "Axis":
        """Return the axis whose values are :attr:`described` so."""
        if isinstance(described, Mapping):
            first, last = float(described["first"]), float(described["last"])
            return cls(Spaced(described["kind"], first, last, described["n"]), unit)
        return cls(tuple(map(float, described)), unit)


def _spaced(kind: Literal["linspace", "logspace"], low: float, high: float, n: int) -> Any:
    spaced = Spaced(kind, low, high, n)
    return spaced if n > LISTED else spaced[:]


def linspace(first: "str | float", last: "str | float", n: int) -> Axis:
    """Return ``n`` evenly spaced values from ``first`` to ``last``, both included.

    Raises
    ------
    UnitError
        When the two differ in dimension.
    ConfigError
        When ``n`` is less than 2.
    """
    low, high, name = _ends(first, last, n)
    return Axis(_spaced("linspace", low, high, n), name)


def logspace(first: "str | float", last: "str | float", n: int) -> Axis:
    """Return ``n`` values from ``first`` to ``last``, each the same multiple of the one before.

    Raises
    ------
    UnitError
        When the two differ in dimension.
    ConfigError
        When ``n`` is less than 2, or an end is not positive.
    """
    low, high, name = _ends(first, last, n)
    if not (low > 0.0 and high > 0.0):
        raise ConfigError(f"logspace from {low:g} to {high:g}: both ends must be > 0.")
    return Axis(_spaced("logspace", low, high, n), name)


def levels(values: "Iterable[str | float]", where: str = "values") -> Axis:
    """Return values written one by one, each with a unit; the first one's unit is kept.

    Raises
    ------
    UnitError
        When a unit is missing or they differ in dimension.
    """
    pairs = [split(one, where) for one in values]
    name = pairs[0][1] if pairs else "1"
    return Axis(tuple(convert(number, have, name, where) for number, have in pairs), name)


def read_axis(text: str, where: str) -> Axis:
    """Read ``'logspace(0.05, 5, 41) mg/kg'``, ``'linspace(0, 1, 5)'`` or ``'1, 2, 5 mg/kg'``.

    A list may stand in brackets: ``'[1, 2, 5] mg/kg'``.

    Raises
    ------
    ConfigError, UnitError
        When the text is none of these, or its unit is unknown.
    """
    call = _SPACED.match(text[:2000])
    if call is None:
        return _listed(text[:20_000], where)
    kind, inside, name = call[1], [part.strip() for part in call[2].split(",")], call[3].strip()
    if len(inside) != 3 or not re.fullmatch(r"\d{1,8}", inside[2]):
        raise ConfigError(f"{where} = {text[:60]}: write {kind}(first, last, count) unit.")
    ends = [f"{one} {name}" if split(one, where)[1] == "1" and name else one for one in inside[:2]]
    try:
        return (linspace if kind == "linspace" else logspace)(ends[0], ends[1], int(inside[2]))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _listed(text: str, where: str) -> Axis:
    """Read ``'1, 2, 5 mg/kg'``: a unit after the last number holds for those without one."""
    span = _SPAN.match(text)
    if span is not None:
        first, last, after = span[1], span[2], f" {(span[3] or '').strip()}".rstrip()
        raise ConfigError(
            f"{where} = {text[:60].strip()}: write linspace(first, last, count) unit, e.g. "
            f'"linspace({first}, {last}, 9){after}".'
        )
    bracketed = _BRACKETS.match(text)
    if bracketed is not None:
        text = f"{bracketed[1].strip().removesuffix(',')} {bracketed[2]}"
    parts = [part.strip() for part in text.split(",")]
    shared = split(parts[-1], where)[1]
    bare = [split(part, where)[1] == "1" for part in parts]
    full = [f"{p} {shared}" if b and shared != "1" else p for p, b in zip(parts, bare, strict=True)]
    return levels(full, where)


def _ends(first: "str | float", last: "str | float", n: int) -> tuple[float, float, str]:
    if n < 2:
        raise ConfigError(f"{n} values between two ends: at least 2 are needed.")
    if n > MAX_VALUES:
        raise ConfigError(f"{n:,} values; at most {MAX_VALUES:,}.")
    (low, name), (high, other) = split(first, "first"), split(last, "last")
    return low, convert(high, other, name, "last"), name
