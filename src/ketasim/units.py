"""Units at the edge: a small table, converted once, so that every number inside has one unit.

Inside: time h, amount umol, volume L (hence concentration uM), drug mass mg, body weight kg,
voltage mV, pressure mmHg, score points, fractions 1. "kg" always means body weight, so that mg/kg
(a dose) and mg (another dose) cannot be confused. ``tests/unit/test_units.py`` holds this table
against pint.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from math import inf, isfinite

from ketasim.errors import UnitError, suggest

_AXES = ("h", "umol", "L", "mg", "kg", "mV", "points", "mmHg")

_TABLE: dict[str, tuple[float, str]] = {
    "s": (1 / 3600, "h"), "min": (1 / 60, "h"), "h": (1.0, "h"), "d": (24.0, "h"),
    "wk": (168.0, "h"),
    "pmol": (1e-6, "umol"), "nmol": (1e-3, "umol"), "umol": (1.0, "umol"),
    "mmol": (1e3, "umol"), "mol": (1e6, "umol"),
    "uL": (1e-6, "L"), "mL": (1e-3, "L"), "L": (1.0, "L"),
    "ng": (1e-6, "mg"), "ug": (1e-3, "mg"), "mg": (1.0, "mg"), "g": (1e3, "mg"),
    "kg": (1.0, "kg"), "70kg": (70.0, "kg"),
    "mV": (1.0, "mV"), "V": (1e3, "mV"), "points": (1.0, "points"),
    "mmHg": (1.0, "mmHg"),
}  # fmt: skip
_MOLAR = {"nM": 1e-3, "uM": 1.0, "mM": 1e3, "M": 1e6}
_PLAIN = {"1": 1.0, "%": 0.01}

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf)\s*(.*)$")
_NAMES = {
    "dose per body weight": "mg/kg", "dose": "mg", "time": "h", "concentration": "uM",
    "mass concentration": "ng/mL", "body weight": "kg", "voltage": "mV", "molar amount": "umol",
    "volume": "L", "rate": "1/h", "dimensionless number": "1", "score": "points",
    "pressure": "mmHg",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A unit's factor to the canonical unit of its dimension, and that dimension's exponents."""

    text: str
    factor: float
    dimension: tuple[int, ...]

    @property
    def canonical(self) -> str:
        """Return the name of the canonical unit, e.g. ``'umol/L'``."""
        over = [
            a if n == 1 else f"{a}^{n}" for a, n in zip(_AXES, self.dimension, strict=True) if n > 0
        ]
        under = [
            a if n == -1 else f"{a}^{-n}"
            for a, n in zip(_AXES, self.dimension, strict=True)
            if n < 0
        ]
        return "/".join(["*".join(over) or "1", *under])

    def __truediv__(self, other: "Unit") -> "Unit":
        """Return the unit of a quotient."""
        dimension = tuple(a - b for a, b in zip(self.dimension, other.dimension, strict=True))
        return Unit(f"{self.text}/{other.text}", self.factor / other.factor, dimension)


def _token(token: str, where: str) -> tuple[float, tuple[int, ...]]:
    name, _, power = token.partition("^")
    if not re.fullmatch(r"-?[1-9]|", power):
        raise UnitError(f'{where}: "{token}" is not a unit; write powers as in "mL^2".')
    n = int(power or 1)
    if name in _PLAIN:
        return _PLAIN[name] ** n, (0,) * len(_AXES)
    if name in _MOLAR:
        axes = {"umol": n, "L": -n}
        return _MOLAR[name] ** n, tuple(axes.get(a, 0) for a in _AXES)
    if name in _TABLE:
        factor, axis = _TABLE[name]
        return factor**n, tuple(n if a == axis else 0 for a in _AXES)
    known = [*_TABLE, *_MOLAR, *_PLAIN]
    hint = suggest(name, known) or f" Units here: {', '.join(known)}."
    raise UnitError(f'{where}: unknown unit "{name}".{hint}')


@lru_cache(maxsize=1024)
def unit(text: str, where: str = "unit") -> Unit:
    """Parse a unit such as ``'1/uM/s'``, ``'ng/mL'`` or ``'L/h/70kg'``.

    Raises
    ------
    UnitError
        When a name in it is not known.
    """
    tidy = text.replace("µ", "u").replace("μ", "u").replace("**", "^").replace(" ", "")
    factor, dimension = 1.0, [0] * len(_AXES)
    for i, part in enumerate(tidy.split("/")):
        sign = 1 if i == 0 else -1
        for token in part.split("*"):
            value, exponents = _token(token, where)
            factor *= value**sign
            dimension = [d + sign * e for d, e in zip(dimension, exponents, strict=True)]
    if not 0.0 < factor < inf:
        raise UnitError(f'{where}: "{text[:60]}" is too large or too small a unit to compute with.')
    return Unit(text, factor, tuple(dimension))


def dimension_name(one: Unit) -> str:
    """Return a reader's word for a unit's dimension, e.g. ``'concentration'``."""
    for name, example in _NAMES.items():
        if unit(example).dimension == one.dimension:
            return name
    return one.canonical


def convert(value: float, have: str, want: str, where: str = "value") -> float:
    """Convert a number between two units of one dimension.

    Raises
    ------
    UnitError
        When the dimensions differ.
    """
    a, b = unit(have, where), unit(want, where)
    if a.dimension != b.dimension:
        raise UnitError(
            f'{where}: "{have}" is a {dimension_name(a)}; '
            f'a {dimension_name(b)} ("{want}") is needed.'
        )
    return value * (a.factor / b.factor)


def split(text: "str | float", where: str = "value") -> tuple[float, str]:
    """Split ``'0.5 mg/kg'`` into a number and a unit; a plain number has the unit ``'1'``.

    Raises
    ------
    UnitError
        When the text does not begin with a number, or its unit is unknown.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UnitError(f'{where} = {text!r}: write a number and a unit, e.g. "0.5 mg/kg".')
    if not isinstance(text, str):
        return float(text), "1"
    match = _QUANTITY.match(text[:200])
    if match is None:
        raise UnitError(f'{where} = "{text[:60]}": write a number and a unit, e.g. "0.5 mg/kg".')
    name = match[2].strip() or "1"
    unit(name, where)
    return float(match[1]), name


def read(text: "str | float", want: str, where: str = "value") -> float:
    """Read ``'40 min'`` as a number in the canonical unit of the dimension of ``want``.

    Raises
    ------
    UnitError
        When a unit is missing, unknown or of another dimension, or the number is not finite.
    """
    value, have = split(text, where)
    target = unit(want)
    if not isfinite(value):
        raise UnitError(f"{where} = {value}: a finite number is needed.")
    if have == "1" and any(target.dimension):
        raise UnitError(
            f'{where} = {value:g}: a unit is needed, e.g. "{value:g} {want}". '
            "Plain numbers are only accepted for dimensionless quantities."
        )
    inside = convert(value, have, want, where) * target.factor
    if not isfinite(inside):
        raise UnitError(f"{where} = {value:g} {have}: too large a number to compute with.")
    return inside
