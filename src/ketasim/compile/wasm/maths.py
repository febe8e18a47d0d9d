"""Exp, log and power as functions of a module.

The exponential's and the logarithm's series are those of machine code; a power goes by the same
logarithm, as without vectors a table of reciprocals is not worth it. There are no branches. What
each does outside its range is what ``compile/elementary.py`` does: an exponent is held within what
a double can be a power of two of, a power of what is not positive is 0, and what is no number stays
none.
"""

from collections.abc import Sequence
from math import factorial, log

from ketasim.compile.elementary import (
    LN2_HIGH,
    LN2_LOW,
    LOG_SERIES,
    ONE_BITS,
    PER_LN2,
    ROOT_HALF_BITS,
    SHIFT,
    SHIFT_BITS,
)
from ketasim.compile.wasm.code import (
    ADD,
    BITS,
    DIV,
    GREATER,
    MAX,
    MIN,
    MUL,
    REAL,
    SELECT,
    SHIFT_LEFT,
    SHIFT_RIGHT,
    SUB,
    WHOLE_ADD,
    WHOLE_SUB,
    function,
    get,
    keep,
    number,
    put,
    whole,
)
from ketasim.core.maths import TINY

EXP_SERIES = tuple(1.0 / factorial(n) for n in range(12, -1, -1))
EXP2_SERIES = tuple(log(2.0) ** n / factorial(n) for n in range(12, -1, -1))


def functions() -> dict[str, tuple[int, bytes]]:
    """Return each function's body and the number of its arguments, by the operation's name."""
    return {"exp": (1, _exp()), "log": (1, _log()), "pow": (2, _pow())}


def _series(x: int, coefficients: Sequence[float]) -> bytes:
    first, *others = coefficients
    code = number(first)
    for one in others:
        code += get(x) + MUL + number(one) + ADD
    return code


def _held(low: float, high: float) -> bytes:
    return number(low) + MAX + number(high) + MIN


def _doubled(shifted: int) -> bytes:
    """Push 2 to the power that the low bits of ``shifted`` hold."""
    return get(shifted) + BITS + whole(52) + SHIFT_LEFT + whole(ONE_BITS) + WHOLE_ADD + REAL


def _exp() -> bytes:
    x, shifted, power, rest = range(4)
    code = get(x) + _held(-708.0, 709.0) + put(x)
    code += get(x) + number(PER_LN2) + MUL + number(SHIFT) + ADD + keep(shifted)
    code += number(SHIFT) + SUB + put(power)
    code += get(x) + get(power) + number(LN2_HIGH) + MUL + SUB
    code += get(power) + number(LN2_LOW) + MUL + SUB + put(rest)
    return function(code + _series(rest, EXP_SERIES) + _doubled(shifted) + MUL, reals=3)


def _split(x: int, m: int, ratio: int, square: int, e: int) -> bytes:
    """Find e and m of x = m 2**e with m near 1, and r = (m - 1) / (m + 1) and its square."""
    code = get(x) + BITS + whole(ROOT_HALF_BITS) + WHOLE_SUB + whole(52) + SHIFT_RIGHT + put(e)
    code += get(x) + BITS + get(e) + whole(52) + SHIFT_LEFT + WHOLE_SUB + REAL + put(m)
    code += get(m) + number(1.0) + SUB + get(m) + number(1.0) + ADD + DIV
    return code + keep(ratio) + get(ratio) + MUL + put(square)


def _exponent(e: int) -> bytes:
    return get(e) + whole(SHIFT_BITS) + WHOLE_ADD + REAL + number(SHIFT) + SUB


def _log() -> bytes:
    x, m, ratio, square, power, e = range(6)
    code = _split(x, m, ratio, square, e) + _exponent(e) + put(power)
    code += get(ratio) + get(square) + MUL + _series(square, LOG_SERIES) + MUL
    code += get(power) + number(LN2_LOW) + MUL + ADD
    code += get(ratio) + number(2.0) + MUL + ADD + get(x) + number(0.0) + MUL + ADD
    return function(code + get(power) + number(LN2_HIGH) + MUL + ADD, reals=4, wholes=1)


def _pow() -> bytes:
    base, exponent, x, m, ratio, square, shifted, e = range(8)
    code = get(base) + number(TINY) + MAX + put(x) + _split(x, m, ratio, square, e)
    code += get(ratio) + get(square) + MUL + _series(square, LOG_SERIES) + MUL
    code += number(PER_LN2) + MUL + _exponent(e) + ADD
    code += get(ratio) + number(2.0 * PER_LN2) + MUL + ADD + get(exponent) + MUL
    code += get(base) + number(0.0) + MUL + ADD + _held(-1021.0, 1022.0) + keep(x)
    code += number(SHIFT) + ADD + put(shifted)
    code += get(x) + get(shifted) + number(SHIFT) + SUB + SUB + put(m)
    code += _series(m, EXP2_SERIES) + _doubled(shifted) + MUL
    code += number(0.0) + get(base) + number(0.0) + GREATER + SELECT
    return function(code, reals=5, wholes=1)
