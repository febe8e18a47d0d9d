"""Exp, log and power without branches or library calls.

``exp`` and ``log`` are polynomials after the usual reductions, within 2 units in the last place;
``power`` keeps fourteen digits. NaN goes in and comes out, and nothing overflows to infinity.

A power is two to the exponent times the base's binary logarithm, which LLVM finds once for all
powers of one base. It takes no division: the base, but for its exponent, is multiplied by the
reciprocal of one of sixteen numbers near it, looked up, which leaves ``1 + f`` with f from -1/32 to
1/16 and a short polynomial. The powers of 1 are 1 to the bit. The polynomials interpolate at
Chebyshev's places.
"""

from collections.abc import Sequence
from math import factorial, log2
from typing import Any

from llvmlite import ir

from ketasim.compile.target import target
from ketasim.core.maths import TINY

DOUBLE, LONG, INT = ir.DoubleType(), ir.IntType(64), ir.IntType(32)
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
SHIFT = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number, kept in the low bits
RECIPROCAL_BITS = 0x7FDE623822FC16E6
ONE_BITS, ROOT_HALF_BITS, SHIFT_BITS = 0x3FF0000000000000, 0x3FE6A09E667F3BCD, 0x4338000000000000
PER_LN2 = 1.4426950408889634
LOG_SERIES = (  # of (log(1 + f) - 2 r) / r^3 in r^2, r = f / (2 + f), as in FDLIBM's e_log.c
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)
NEAR_LOG2 = (  # of log2(1 + f) / f, f from -1/32 to 1/16; within 4e-17 of the logarithm
    0.14193599759735026, -0.17987281837782776, 0.20612851150468778, -0.24045039826996167,
    0.2885389955395136, -0.3606737594801648, 0.48089834696446704, -0.7213475204445922,
    1.4426950408889634,
)  # fmt: skip
NEAR_EXP2 = (  # of (2^x - 1) / x, x from -1/2 to 1/2; within 6e-16 of the power
    7.070977866508138e-09, 1.0205905413765595e-07, 1.3215451633221434e-06, 1.5252672924850737e-05,
    0.00015403530424776529, 0.0013333558200794592, 0.009618129107618665, 0.05550410866465167,
    0.24022650695910075, 0.6931471805599462,
)  # fmt: skip
# What a number from 1 to 2 is multiplied by, one a sixteenth, and what that takes from its log2.
INVERSES = (1.0, *(1.0 / (1.0 + (i + 0.5) / 16.0) for i in range(1, 16)))
TAKEN = tuple(0.0 - log2(one) for one in INVERSES)


class Elementary:
    """Arithmetic on ``width`` doubles at once; width 1 works on plain doubles."""

    def __init__(self, builder: Any, width: int) -> None:
        self.b, self.width = builder, width
        self.type = ir.VectorType(DOUBLE, width) if width > 1 else DOUBLE
        self.long = ir.VectorType(LONG, width) if width > 1 else LONG
        self.fused = target().has_fma

    def literal(self, value: float) -> Any:
        """Return a constant in every lane."""
        return self.type([value] * self.width) if self.width > 1 else DOUBLE(value)

    def bits(self, value: int) -> Any:
        """Return a whole constant in every lane."""
        return self.long([value] * self.width) if self.width > 1 else LONG(value)

    def call(self, name: str, *args: Any) -> Any:
        """Return what a function of LLVM's own gives for doubles."""
        kind = f"v{self.width}f64" if self.width > 1 else "f64"
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

    def within(self, x: Any, low: float, high: float) -> Any:
        """Return a number held within two others, and NaN as it is."""
        return self.min_(self.max_(x, self.literal(low)), self.literal(high))

    def nearly(self, a: Any, rounds: int) -> Any:
        """Return 1 / a by multiplication: within 0.2 % after 1 round, to rounding after 3.

        The bits of a, taken from a constant, give one digit; each round triples the digits.
        """
        b, one = self.b, self.literal(1.0)
        found = b.bitcast(b.sub(self.bits(RECIPROCAL_BITS), b.bitcast(a, self.long)), self.type)
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

        Few operations wait for the one before: it is less exact, and faster.
        """
        rows, power = [self.literal(one) for one in reversed(coefficients)], x
        while len(rows) > 1:
            lone = rows[len(rows) & ~1 :]
            pairs = zip(rows[::2], rows[1::2], strict=False)
            rows = [self.fma(high, power, low) for low, high in pairs] + lone
            power = self.b.fmul(power, power)
        return rows[0]

    def exp(self, x: Any) -> Any:
        """Return e to the power x, for x held within -708 and 709."""
        b = self.b
        x = self.within(x, -708.0, 709.0)
        shifted = self.fma(x, self.literal(PER_LN2), self.literal(SHIFT))
        whole = b.fsub(shifted, self.literal(SHIFT))
        rest = self.fma(whole, self.literal(-LN2_HIGH), x)
        rest = self.fma(whole, self.literal(-LN2_LOW), rest)
        found = self.polynomial(rest, [1.0 / factorial(n) for n in range(12, -1, -1)])
        return b.fmul(found, self._two_to(shifted))

    def _two_to(self, shifted: Any) -> Any:
        """Return 2 to the power of a whole number, given as what it became by the shift."""
        b = self.b
        power = b.shl(b.bitcast(shifted, self.long), self.bits(52))
        return b.bitcast(b.add(power, self.bits(ONE_BITS)), self.type)

    def _parts(self, x: Any, lowest: int) -> tuple[Any, Any]:
        """Return the exponent of x > 0 and what is left, which ``lowest`` are the least bits of."""
        b = self.b
        raw = b.bitcast(x, self.long)
        exponent = b.ashr(b.sub(raw, self.bits(lowest)), self.bits(52))
        left = b.bitcast(b.sub(raw, b.shl(exponent, self.bits(52))), self.type)
        whole = b.bitcast(b.add(exponent, self.bits(SHIFT_BITS)), self.type)
        return b.fsub(whole, self.literal(SHIFT)), left

    def log(self, x: Any) -> Any:
        """Return the natural logarithm of x > 0."""
        b, one = self.b, self.literal(1.0)
        whole, left = self._parts(x, ROOT_HALF_BITS)
        ratio = b.fdiv(b.fsub(left, one), b.fadd(left, one))
        square = b.fmul(ratio, ratio)
        series = b.fmul(square, self.polynomial(square, LOG_SERIES))
        low = self.fma(whole, self.literal(LN2_LOW), b.fmul(ratio, series))
        low = self.fma(ratio, self.literal(2.0), low)
        low = self.fma(x, self.literal(0.0), low)  # what is not finite stays so
        return self.fma(whole, self.literal(LN2_HIGH), low)

    def pow_(self, base: Any, exponent: Any) -> Any:
        """Return base to the power exponent, and 0 for a base that is not positive."""
        b, zero = self.b, self.literal(0.0)
        bits = self.log2(self.max_(base, self.literal(TINY)))
        bits = self.fma(base, zero, bits)  # what is not finite stays so
        bits = self.within(b.fmul(bits, exponent), -1021.0, 1022.0)
        return b.select(b.fcmp_ordered("<=", base, zero), zero, self.exp2(bits))

    def log2(self, x: Any) -> Any:
        """Return the binary logarithm of x > 0."""
        whole, left = self._parts(x, ONE_BITS)
        piece = self.b.lshr(self.b.bitcast(left, self.long), self.bits(48))
        rest = self.fma(left, self._looked_up("inverses", INVERSES, piece), self.literal(-1.0))
        taken = self._looked_up("taken", TAKEN, piece)
        return self.b.fadd(whole, self.fma(rest, self.paired(rest, NEAR_LOG2), taken))

    def _looked_up(self, name: str, table: Sequence[float], at: Any) -> Any:
        """Return entries of a table of sixteen, by the last four bits of ``at``."""
        if self.width == 8 and "avx512f" in target().has:
            halves = self.type(table[:8]), self.type(table[8:])
            return self._called("llvm.x86.avx512.vpermi2var.pd.512", halves[0], at, halves[1])
        b, held = self.b, self._held(name, table)
        at = b.and_(at, self.bits(15))
        if self.width == 1:
            return b.load(b.gep(held, [LONG(0), at], inbounds=True))
        found = ir.Constant(self.type, ir.Undefined)
        for lane in map(INT, range(self.width)):
            place = b.gep(held, [LONG(0), b.extract_element(at, lane)], inbounds=True)
            found = b.insert_element(found, b.load(place), lane)
        return found

    def _held(self, name: str, table: Sequence[float]) -> Any:
        """Return the address of a table."""
        known, kind = self.b.module.globals.get(name), ir.ArrayType(DOUBLE, len(table))
        if known is None:
            known = ir.GlobalVariable(self.b.module, kind, name)
            known.initializer, known.global_constant = kind(table), True
            known.linkage = "internal"
        return known

    def exp2(self, x: Any) -> Any:
        """Return 2 to the power x, for x between -1021 and 1022."""
        b = self.b
        shifted = b.fadd(x, self.literal(SHIFT))
        rest = b.fsub(x, b.fsub(shifted, self.literal(SHIFT)))
        found = self.fma(rest, self.paired(rest, NEAR_EXP2), self.literal(1.0))
        return b.fmul(found, self._two_to(shifted))
