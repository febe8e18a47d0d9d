"""One column of a design: a distribution to draw its values from.

It is known by the inverse of its distribution function.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from math import exp, inf, isfinite, log
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ketasim.core.declare import Parameter
from ketasim.errors import ConfigError
from ketasim.units import convert, split

Array = NDArray[np.float64]
FEW = 0.001  # the share of an endless distribution beyond which no end is looked for
Kind = Literal["uniform", "loguniform", "normal", "lognormal"]


@dataclass(frozen=True)
class Distribution:
    """A distribution in one unit.

    ``a`` and ``b`` are the ends (uniform, log-uniform), mean and standard deviation (normal), or
    median and geometric standard deviation (log-normal); ``low`` and ``high`` cut it off.
    """

    kind: Kind
    a: float
    b: float
    unit: str
    low: float = -inf
    high: float = inf

    def __post_init__(self) -> None:
        """Refuse numbers that describe no distribution."""
        if not (isfinite(self.a) and isfinite(self.b)):
            raise ConfigError(f"{self.kind}({self.a:g}, {self.b:g}): finite numbers are needed.")
        sound = {
            "uniform": self.a < self.b,
            "loguniform": 0.0 < self.a < self.b,
            "normal": self.b > 0.0,
            "lognormal": self.a > 0.0 and self.b > 1.0,
        }[self.kind]
        if not sound:
            raise ConfigError(f"{self.kind}({self.a:g}, {self.b:g}): {_NEEDS[self.kind]}.")
        if not self.low < self.high:
            raise ConfigError(f"truncated from {self.low:g} to {self.high:g}: nothing is left.")
        if not self._share(self.high) > self._share(self.low):
            raise ConfigError(
                f"{self.kind}({self.a:g}, {self.b:g}) has nothing between {self.low:g} and "
                f"{self.high:g}."
            )

    def at(self, shares: Array) -> Array:
        """Return the values below which these shares (0 to 1) of the distribution lie."""
        first, last = self._share(self.low), self._share(self.high)
        within = first + shares * (last - first) if (first, last) != (0.0, 1.0) else shares
        if self.kind == "uniform":
            found = self.a + within * (self.b - self.a)
        elif self.kind == "loguniform":
            found = np.exp(log(self.a) + within * (log(self.b) - log(self.a)))
        elif self.kind == "normal":
            found = self.a + self.b * _quantile(within)
        else:
            found = self.a * np.exp(log(self.b) * _quantile(within))
        low, high = self.support
        return np.clip(found, low, high)

    @property
    def support(self) -> tuple[float, float]:
        """Return the smallest and largest value it can take."""
        own = {
            "uniform": (self.a, self.b),
            "loguniform": (self.a, self.b),
            "normal": (-inf, inf),
            "lognormal": (0.0, inf),
        }[self.kind]
        return max(own[0], self.low), min(own[1], self.high)

    @property
    def reach(self) -> tuple[float, float]:
        """Return its ends, or where it tails off what a thousandth on each side lies beyond."""
        if self.kind in ("uniform", "loguniform"):
            return self.support
        first, last = self.at(np.array([FEW, 1.0 - FEW])).tolist()
        return first, last

    def scaled(self, by: float, unit: str) -> "Distribution":
        """Return the distribution of a positive multiple, in a unit."""
        spread = self.b if self.kind == "lognormal" else self.b * by
        return Distribution(self.kind, self.a * by, spread, unit, self.low * by, self.high * by)

    def described(self) -> dict[str, Any]:
        """Return it as plain text and numbers."""
        plain = asdict(self)
        return {k: repr(v) if isinstance(v, float) else v for k, v in plain.items()}

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Distribution":
        """Return the distribution that :meth:`described` itself so."""
        a, b, low, high = (float(described[one]) for one in ("a", "b", "low", "high"))
        return cls(described["kind"], a, b, described["unit"], low, high)

    def _share(self, x: float) -> float:
        if x in (-inf, inf):
            return 0.0 if x < 0 else 1.0
        if self.kind == "uniform":
            return min(max((x - self.a) / (self.b - self.a), 0.0), 1.0)
        if self.kind == "normal":
            return _share((x - self.a) / self.b)
        if x <= 0.0:
            return 0.0
        if self.kind == "loguniform":
            return min(max(log(x / self.a) / log(self.b / self.a), 0.0), 1.0)
        return _share(log(x / self.a) / log(self.b))


def _quantile(within: Array) -> Array:
    """Return the inverse of the standard normal distribution function."""
    from scipy.special import ndtri  # slow to import, and a grid has no need of it

    found: Array = ndtri(within)
    return found


def _share(x: float) -> float:
    """Return the standard normal distribution function."""
    from scipy.special import ndtr

    return float(ndtr(x))


_CALL = re.compile(r"\s*(uniform|loguniform|normal|lognormal)\s*\(([^()]{1,200})\)\s*(.*)$")
_NEEDS = {
    "uniform": "the first end must be below the second",
    "loguniform": "both ends must be > 0, the first below the second",
    "normal": "the standard deviation must be > 0",
    "lognormal": "the median must be > 0 and the geometric standard deviation > 1",
}


def uniform(low: "str | float", high: "str | float") -> Distribution:
    """Return equal chances between two values."""
    a, b, name = _pair(low, high)
    return Distribution("uniform", a, b, name)


def loguniform(low: "str | float", high: "str | float") -> Distribution:
    """Return equal chances for equal ratios between two positive values."""
    a, b, name = _pair(low, high)
    return Distribution("loguniform", a, b, name)


def normal(mean: "str | float", sd: "str | float") -> Distribution:
    """Return a normal distribution; both numbers carry units."""
    a, b, name = _pair(mean, sd)
    return Distribution("normal", a, b, name)


def lognormal(
    median: "str | float", *, gsd: float | None = None, cv: float | None = None
) -> Distribution:
    """Return a log-normal distribution of a median and a spread.

    ``gsd`` is the geometric standard deviation (2 means "a factor of two"), ``cv`` the coefficient
    of variation; exactly one is needed.

    Raises
    ------
    ConfigError
        When neither or both are given, or one is not possible.
    """
    if (gsd is None) == (cv is None):
        raise ConfigError("lognormal: give either gsd (e.g. 1.3) or cv (e.g. 0.3).")
    value, name = split(median, "median")
    if cv is not None:
        gsd = exp(np.sqrt(np.log1p(cv * cv)))
    return Distribution("lognormal", value, float(gsd or 0.0), name)


def truncated(
    one: Distribution, low: "str | float | None" = None, high: "str | float | None" = None
) -> Distribution:
    """Return a distribution cut off below ``low`` and above ``high``.

    Raises
    ------
    ConfigError
        When nothing of it is left.
    """
    ends = [None if end is None else convert(*split(end), one.unit) for end in (low, high)]
    return replace(
        one,
        low=one.low if ends[0] is None else ends[0],
        high=one.high if ends[1] is None else ends[1],
    )


def plausible(parameter: Parameter) -> Distribution:
    """Return a ledger row's bounds as a distribution: log-uniform when both ends are positive."""
    return within(*parameter.bounds, parameter.unit)


def within(low: float, high: float, unit: str) -> Distribution:
    """Return a range as a distribution: log-uniform when both ends are positive, else uniform."""
    kind: Kind = "loguniform" if low > 0.0 else "uniform"
    return Distribution(kind, low, high, unit)


def read_distribution(text: str, where: str) -> Distribution:
    """Read ``'loguniform(0.1, 1) uM'``, ``'normal(70, 10) kg'`` or ``'lognormal(3, 1.4) 1/h'``.

    The numbers of ``lognormal`` are its median and geometric standard deviation; a third and
    fourth number cut a distribution off.

    Raises
    ------
    ConfigError, UnitError
        When the text is none of these.
    """
    call = _CALL.match(text[:300])
    numbers = [part.strip() for part in call[2].split(",")] if call else []
    if call is None or len(numbers) not in (2, 4):
        raise ConfigError(
            f'{where} = {text[:60]}: write a distribution, e.g. "loguniform(0.1, 1) uM"; '
            f"there are {', '.join(_MAKERS)}."
        )
    kind, name = call[1], call[3].strip()
    full = [f"{one} {name}".strip() for one in numbers]
    spread = full[1] if kind != "lognormal" else numbers[1]
    try:
        found = _MAKERS[kind](full[0], spread)
        return found if len(full) == 2 else truncated(found, full[2], full[3])
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _pair(first: "str | float", second: "str | float") -> tuple[float, float, str]:
    a, name = split(first, "first")
    b, other = split(second, "second")
    return a, convert(b, other, name, "second"), name


def _lognormal(median: str, spread: str) -> Distribution:
    number, name = split(spread, "spread")
    if name != "1":
        raise ConfigError("the geometric standard deviation has no unit.")
    return lognormal(median, gsd=number)


_MAKERS: Mapping[str, Callable[[str, str], Distribution]] = {
    "uniform": uniform,
    "loguniform": loguniform,
    "normal": normal,
    "lognormal": _lognormal,
}
