"""Exp, log and power without branches or library calls, in doubles or in singles.

``exp`` and ``log`` of doubles are polynomials after the usual reductions, within 2 units in the
last place; ``power`` keeps fourteen digits, of singles six. NaN goes in and comes out, and nothing
overflows to infinity.

A power is two to the exponent times the base's binary logarithm, which powers of one base share. It
takes no division: the base, but for its exponent, is multiplied by the reciprocal of one of sixteen
numbers near it, looked up, which leaves ``1 + f`` with f between -1/32 and 1/16 and a short
polynomial. The powers of 1 are 1 to the bit. Polynomials interpolate at Chebyshev's places.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial, log, log2
from typing import Any

import numpy as np
from llvmlite import ir

from ketasim.compile.target import target
from ketasim.core.maths import TINY

DOUBLE, LONG = ir.DoubleType(), ir.IntType(64)
FLOAT, INT = ir.FloatType(), ir.IntType(32)
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
SHIFT = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number, kept in the low bits
ONE_BITS, ROOT_HALF_BITS, SHIFT_BITS = 0x3FF0000000000000, 0x3FE6A09E667F3BCD, 0x4338000000000000
PER_LN2 = 1.4426950408889634
EXP_SERIES = tuple(1.0 / factorial(n) for n in range(12, -1, -1))
EXP2_SERIES = tuple(log(2.0) ** n / factorial(n) for n in range(12, -1, -1))
LOG_SERIES = (  # of (log(1 + f) - 2 r) / r^3 in r^2, r = f / (2 + f), as in FDLIBM's e_log.c
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)
PIECES = 16
REGISTER = 512  # bits in the widest register
# What the base is near to, by its leading bits: from 31/32 to 1, from there to 17/16, and so on.
NEAR = (1.0, 1.0, *(1.0 + (i - 0.5) / PIECES for i in range(2, PIECES)))


@dataclass(frozen=True)
class Form:
    """Binary numbers of one size, and the series that are long enough for them.

    ``log2_series`` is of log2(1 + f) / f, f from -1/32 to 1/16, and ``exp2_series`` of
    (2^x - 1) / x, x from -1/2 to 1/2, highest first. ``tiny`` stands for a base that is not
    positive; ``most`` and ``most_2`` are what e and 2 are raised to at most.
    """

    real: Any
    whole: Any
    name: str
    dtype: str
    mantissa: int
    one: int
    root_half: int
    shift: float
    shift_bits: int
    reciprocal: int
    ln2: tuple[float, float]
    exp_series: Sequence[float]
    log_series: Sequence[float]
    log2_series: Sequence[float]
    exp2_series: Sequence[float]
    tiny: float
    most: tuple[float, float]
    most_2: tuple[float, float]

    @property
    def bits(self) -> int:
        """Return how many bits a number has."""
        return 8 * np.dtype(self.dtype).itemsize

    def held(self, value: float) -> float:
        """Return a number as this form holds it."""
        return float(np.dtype(self.dtype).type(value))

    @property
    def inverses(self) -> list[float]:
        """Return the reciprocals that a base is multiplied by, one a piece."""
        return [self.held(1.0 / one) for one in NEAR]

    @property
    def taken(self) -> list[float]:
        """Return the logarithm that each of them takes from the base's."""
        return [self.held(-log2(one)) + 0.0 for one in self.inverses]


F8 = Form(
    DOUBLE, LONG, "f64", "f8", 52, ONE_BITS, ROOT_HALF_BITS, SHIFT, SHIFT_BITS, 0x7FDE623822FC16E6,
    (LN2_HIGH, LN2_LOW), EXP_SERIES, LOG_SERIES,
    (
        0.14193599759735026, -0.17987281837782776, 0.20612851150468778, -0.24045039826996167,
        0.2885389955395136, -0.3606737594801648, 0.48089834696446704, -0.7213475204445922,
        1.4426950408889634,
    ),
    (
        7.070977866508138e-09, 1.0205905413765595e-07, 1.3215451633221434e-06,
        1.5252672924850737e-05, 0.00015403530424776529, 0.0013333558200794592, 0.009618129107618665,
        0.05550410866465167, 0.24022650695910075, 0.6931471805599462,
    ),
    TINY, (-708.0, 709.0), (-1021.0, 1022.0),
)  # fmt: skip
F4 = Form(
    FLOAT, INT, "f32", "f4", 23, 0x3F800000, 0x3F3504F3, 12582912.0, 0x4B400000, 0x7EF311C3,
    (0.693145751953125, 1.428606765330187e-06), EXP_SERIES[5:], LOG_SERIES[3:],
    (0.2710008851520381, -0.360760074529937, 0.4809188085876799, -0.7213475639275322,
     1.4426950377265118),
    (0.0001545316294512069, 0.0013390863364671234, 0.009618082557277852, 0.05550357114219078,
     0.24022650760568126, 0.6931471880262288),
    1e-37, (-87.0, 88.0), (-125.0, 126.0),
)  # fmt: skip


class Elementary:
    """Arithmetic on ``width`` numbers of a form at once; width 1 works on plain numbers."""

    def __init__(self, builder: Any, width: int, form: Form = F8) -> None:
        self.b, self.width, self.form = builder, width, form
        self.type = ir.VectorType(form.real, width) if width > 1 else form.real
        self.long = ir.VectorType(form.whole, width) if width > 1 else form.whole
        self.fused = target().has_fma
        self._logs: dict[int, tuple[Any, Any]] = {}

    def literal(self, value: float) -> Any:
        """Return a constant in every lane."""
        value = self.form.held(value)
        return self.type([value] * self.width) if self.width > 1 else self.type(value)

    def bits(self, value: int) -> Any:
        """Return a whole constant in every lane."""
        return self.long([value] * self.width) if self.width > 1 else self.long(value)

    def call(self, name: str, *args: Any) -> Any:
        """Return what a function of LLVM's own gives for numbers."""
        kind = f"v{self.width}{self.form.name}" if self.width > 1 else self.form.name
        return self._called(f"llvm.{name}.{kind}", *args)

    def _called(self, name: str, *args: Any) -> Any:
        function_type = ir.FunctionType(self.type, [one.type for one in args])
        known = self.b.module.globals.get(name)
        return self.b.call(known or ir.Function(self.b.module, function_type, name), args)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return a * b + c."""
        return self.call("fma", a, b, c) if self.fused else self.b.fadd(self.b.fmul(a, b), c)

    def max_(self, a: Any, b: Any) -> Any:
        """Return the larger of two, and NaN when the first is."""
        return self.b.select(self.b.fcmp_ordered("<", a, b), b, a)

    def min_(self, a: Any, b: Any) -> Any:
        """Return the smaller of two, and NaN when the first is."""
        return self.b.select(self.b.fcmp_ordered("<", b, a), b, a)

    def nearly(self, a: Any, rounds: int) -> Any:
        """Return 1 / a by multiplication: within 0.2 % after 1 round, to rounding after 3.

        The bits of a, taken from a constant, give one digit; each round triples the digits.
        """
        b, one = self.b, self.literal(1.0)
        found = b.bitcast(b.sub(self.bits(self.form.reciprocal), b.bitcast(a, self.long)), self.type)
        minus = b.fneg(a)
        for _ in range(rounds):
            error = self.fma(minus, found, one)
            found = self.fma(found, self.fma(error, error, error), found)
        return found

    def polynomial(self, x: Any, coefficients: Sequence[float]) -> Any:
        """Return a polynomial, highest coefficient first, as exactly as can be."""
        found = self.literal(coefficients[0])
        for one in coefficients[1:]:
            found = self.fma(found, x, self.literal(one))
        return found

    def paired(self, x: Any, coefficients: Sequence[float]) -> Any:
        """Return a polynomial by pairs of neighbours, then pairs of pairs.

        Few operations wait for the one before, so that this takes two thirds of the time.
        """
        rows, power = [self.literal(one) for one in reversed(coefficients)], x
        while len(rows) > 1:
            lone = rows[len(rows) & ~1 :]
            pairs = zip(rows[::2], rows[1::2], strict=False)
            rows = [self.fma(high, power, low) for low, high in pairs] + lone
            power = self.b.fmul(power, power)
        return rows[0]

    def exp(self, x: Any) -> Any:
        """Return e to the power x, for x held within what the form can hold."""
        b, form = self.b, self.form
        least, most = self.literal(form.most[0]), self.literal(form.most[1])
        x = self.max_(self.min_(x, most), least)
        shifted = self.fma(x, self.literal(PER_LN2), self.literal(form.shift))
        whole = b.fsub(shifted, self.literal(form.shift))
        rest = self.fma(whole, self.literal(-form.ln2[0]), x)
        rest = self.fma(whole, self.literal(-form.ln2[1]), rest)
        return b.fmul(self.polynomial(rest, form.exp_series), self._two_to(shifted))

    def _two_to(self, shifted: Any) -> Any:
        """Return 2 to the power of a whole number, given as what it became by the shift."""
        b, form = self.b, self.form
        power = b.shl(b.bitcast(shifted, self.long), self.bits(form.mantissa))
        return b.bitcast(b.add(power, self.bits(form.one)), self.type)

    def _parts(self, x: Any, lowest: int) -> tuple[Any, Any, Any]:
        """Return the exponent of x > 0 and what is left, from the number with bits ``lowest`` on.

        The third are the bits of x beyond those.
        """
        b, form = self.b, self.form
        raw = b.bitcast(x, self.long)
        beyond = b.sub(raw, self.bits(lowest))
        exponent = b.ashr(beyond, self.bits(form.mantissa))
        left = b.bitcast(b.sub(raw, b.shl(exponent, self.bits(form.mantissa))), self.type)
        whole = b.bitcast(b.add(exponent, self.bits(form.shift_bits)), self.type)
        return b.fsub(whole, self.literal(form.shift)), left, beyond

    def log(self, x: Any) -> Any:
        """Return the natural logarithm of x > 0."""
        b, form, one = self.b, self.form, self.literal(1.0)
        whole, left, _ = self._parts(x, form.root_half)
        ratio = b.fdiv(b.fsub(left, one), b.fadd(left, one))
        square = b.fmul(ratio, ratio)
        series = b.fmul(square, self.polynomial(square, form.log_series))
        low = self.fma(whole, self.literal(form.ln2[1]), b.fmul(ratio, series))
        low = self.fma(ratio, self.literal(2.0), low)
        low = self.fma(x, self.literal(0.0), low)  # what is not finite stays so
        return self.fma(whole, self.literal(form.ln2[0]), low)

    def log2(self, x: Any) -> Any:
        """Return the binary logarithm of x > 0."""
        b, form = self.b, self.form
        eighth = form.one - (1 << (form.mantissa - 4))  # the bits of 31/32
        whole, left, beyond = self._parts(x, eighth)
        piece = b.lshr(beyond, self.bits(form.mantissa - 4))
        inverse = self._looked_up("inverse", form.inverses, piece)
        taken = self._looked_up("taken", form.taken, piece)
        rest = self.fma(left, inverse, self.literal(-1.0))
        return b.fadd(whole, self.fma(rest, self.paired(rest, form.log2_series), taken))

    def _looked_up(self, name: str, table: Sequence[float], at: Any) -> Any:
        """Return entries of a table of sixteen, by the last four bits of ``at``."""
        if "avx512f" in target().has and self.width * self.form.bits == REGISTER:
            if self.form is F4:
                return self._called("llvm.x86.avx512.permvar.sf.512", self.type(table), at)
            low, high = self.type(table[:8]), self.type(table[8:])
            return self._called("llvm.x86.avx512.vpermi2var.pd.512", low, at, high)
        b, held = self.b, self._held(f"{name}_{self.form.name}", table)
        at, zero = b.and_(at, self.bits(PIECES - 1)), self.form.whole(0)
        if self.width == 1:
            return b.load(b.gep(held, [zero, at], inbounds=True))
        found = ir.Constant(self.type, ir.Undefined)
        for lane in map(INT, range(self.width)):
            place = b.gep(held, [zero, b.extract_element(at, lane)], inbounds=True)
            found = b.insert_element(found, b.load(place), lane)
        return found

    def _held(self, name: str, table: Sequence[float]) -> Any:
        """Return the address of a table."""
        known, kind = self.b.module.globals.get(name), ir.ArrayType(self.form.real, len(table))
        if known is None:
            known = ir.GlobalVariable(self.b.module, kind, name)
            known.initializer, known.global_constant = kind(table), True
            known.linkage = "internal"
        return known

    def pow_(self, base: Any, exponent: Any) -> Any:
        """Return base to the power exponent, and 0 for a base that is not positive."""
        b, zero, form = self.b, self.literal(0.0), self.form
        bits = b.fmul(self._log_of(base), exponent)
        least, most = self.literal(form.most_2[0]), self.literal(form.most_2[1])
        found = self.exp2(self.min_(self.max_(bits, least), most))
        return b.select(b.fcmp_ordered("<=", base, zero), zero, found)

    def _log_of(self, base: Any) -> Any:
        """Return a base's binary logarithm, found once for all its powers."""
        if id(base) not in self._logs:
            found = self.log2(self.max_(base, self.literal(self.form.tiny)))
            found = self.fma(base, self.literal(0.0), found)  # what is not finite stays so
            self._logs[id(base)] = base, found
        return self._logs[id(base)][1]

    def exp2(self, x: Any) -> Any:
        """Return 2 to the power x, for x within what the form can hold."""
        b, form = self.b, self.form
        shifted = b.fadd(x, self.literal(form.shift))
        rest = b.fsub(x, b.fsub(shifted, self.literal(form.shift)))
        found = self.fma(rest, self.paired(rest, form.exp2_series), self.literal(1.0))
        return b.fmul(found, self._two_to(shifted))
