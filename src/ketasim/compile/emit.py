"""Programs become vector instructions: each line one operation on all lanes of a block.

The code is written as explicit vectors rather than left to a loop vectoriser, so it is vector code
whatever its size, compiles in seconds, and rounds the same way in every kernel. Arrays live in one
flat workspace; entry ``i`` of a lane array starts at ``offset + i * lanes``.

There are no branches and no library calls. ``exp`` and ``log`` are polynomials after the usual
reductions, within 2 units in the last place; ``power`` keeps fourteen digits. NaN goes in and comes
out, and nothing overflows to infinity.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import factorial, log
from typing import Any

from llvmlite import ir

from ketasim.compile.target import target
from ketasim.core.maths import TINY

DOUBLE, LONG = ir.DoubleType(), ir.IntType(64)
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
SHIFT = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number, kept in the low bits
RECIPROCAL_BITS = 0x7FDE623822FC16E6
ONE_BITS, ROOT_HALF_BITS, SHIFT_BITS = 0x3FF0000000000000, 0x3FE6A09E667F3BCD, 0x4338000000000000
PER_LN2 = 1.4426950408889634
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


class Ops:
    """Operations on ``width`` doubles at once; width 1 works on plain doubles."""

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

    def spread(self, value: Any) -> Any:
        """Return one number in every lane."""
        if self.width == 1:
            return value
        empty = ir.Constant(self.type, ir.Undefined)
        one = self.b.insert_element(empty, value, ir.IntType(32)(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.width), [0] * self.width)
        return self.b.shuffle_vector(one, empty, mask)

    def apply(self, op: str, args: Sequence[Any]) -> Any:
        """Return the result of a named operation."""
        plain = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv", "neg": "fneg"}
        if op in plain:
            return getattr(self.b, plain[op])(*args)
        return getattr(self, f"{op}_" if op in ("max", "min", "abs", "pow") else op)(*args)

    def _call(self, name: str, *args: Any) -> Any:
        kind = f"v{self.width}f64" if self.width > 1 else "f64"
        function_type = ir.FunctionType(self.type, [self.type] * len(args))
        full = f"llvm.{name}.{kind}"
        known = self.b.module.globals.get(full)
        return self.b.call(known or ir.Function(self.b.module, function_type, full), args)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return a * b + c."""
        return self._call("fma", a, b, c) if self.fused else self.b.fadd(self.b.fmul(a, b), c)

    def recip(self, a: Any) -> Any:
        """Return 1 / a."""
        return self.b.fdiv(self.literal(1.0), a)

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

    def rough(self, a: Any) -> Any:
        """Return 1 / a within 0.2 %."""
        return self.nearly(a, 1)

    def inverse(self, a: Any) -> Any:
        """Return 1 / a to rounding, leaving the divider to others."""
        return self.nearly(a, 3) if self.fused else self.recip(a)

    def sqrt(self, a: Any) -> Any:
        """Return the square root."""
        return self._call("sqrt", a)

    def abs_(self, a: Any) -> Any:
        """Return the size."""
        return self._call("fabs", a)

    def max_(self, a: Any, b: Any) -> Any:
        """Return the larger of two, and NaN when the first is."""
        return self.b.select(self.b.fcmp_ordered("<", a, b), b, a)

    def min_(self, a: Any, b: Any) -> Any:
        """Return the smaller of two, and NaN when the first is."""
        return self.b.select(self.b.fcmp_ordered("<", b, a), b, a)

    def where(self, a: Any, b: Any, yes: Any, no: Any) -> Any:
        """Return ``yes`` where a >= b."""
        return self.b.select(self.b.fcmp_ordered(">=", a, b), yes, no)

    def power_of(self, product: Any, *_: Any) -> Any:
        """Return a product, whatever it is a power of."""
        return product

    def polynomial(self, x: Any, coefficients: Sequence[float]) -> Any:
        """Return a polynomial, highest coefficient first."""
        found = self.literal(coefficients[0])
        for one in coefficients[1:]:
            found = self.fma(found, x, self.literal(one))
        return found

    def exp(self, x: Any) -> Any:
        """Return e to the power x, for x held within -708 and 709."""
        b = self.b
        x = b.select(b.fcmp_ordered(">", x, self.literal(709.0)), self.literal(709.0), x)
        x = b.select(b.fcmp_ordered("<", x, self.literal(-708.0)), self.literal(-708.0), x)
        shifted = self.fma(x, self.literal(PER_LN2), self.literal(SHIFT))
        whole = b.fsub(shifted, self.literal(SHIFT))
        rest = self.fma(whole, self.literal(-LN2_HIGH), x)
        rest = self.fma(whole, self.literal(-LN2_LOW), rest)
        found = self.polynomial(rest, [1.0 / factorial(n) for n in range(12, -1, -1)])
        power = b.shl(b.bitcast(shifted, self.long), self.bits(52))
        scale = b.bitcast(b.add(power, self.bits(ONE_BITS)), self.type)
        return b.fmul(found, scale)

    def log(self, x: Any) -> Any:
        """Return the natural logarithm of x > 0."""
        whole, ratio, series = self._split(x)
        low = self.fma(whole, self.literal(LN2_LOW), self.b.fmul(ratio, series))
        low = self.fma(ratio, self.literal(2.0), low)
        low = self.fma(x, self.literal(0.0), low)  # what is not finite stays so
        return self.fma(whole, self.literal(LN2_HIGH), low)

    def _split(self, x: Any) -> tuple[Any, Any, Any]:
        """Return e, r and s of log(x) = e log(2) + r (2 + s), with r at most 0.18."""
        b, one = self.b, self.literal(1.0)
        raw = b.bitcast(x, self.long)
        exponent = b.ashr(b.sub(raw, self.bits(ROOT_HALF_BITS)), self.bits(52))
        mantissa = b.bitcast(b.sub(raw, b.shl(exponent, self.bits(52))), self.type)
        ratio = b.fdiv(b.fsub(mantissa, one), b.fadd(mantissa, one))
        square = b.fmul(ratio, ratio)
        whole = b.bitcast(b.add(exponent, self.bits(SHIFT_BITS)), self.type)
        whole = b.fsub(whole, self.literal(SHIFT))
        return whole, ratio, b.fmul(square, self.polynomial(square, LOG_SERIES))

    def pow_(self, base: Any, exponent: Any) -> Any:
        """Return base to the power exponent, and 0 for a base that is not positive."""
        b, zero = self.b, self.literal(0.0)
        whole, ratio, series = self._split(self.max_(base, self.literal(TINY)))
        bits = self.fma(ratio, b.fmul(series, self.literal(PER_LN2)), whole)
        bits = self.fma(ratio, self.literal(2.0 * PER_LN2), bits)
        bits = self.fma(base, zero, b.fmul(bits, exponent))  # what is not finite stays so
        found = self._exp2(self.min_(self.max_(bits, self.literal(-1021.0)), self.literal(1022.0)))
        return b.select(b.fcmp_ordered("<=", base, zero), zero, found)

    def _exp2(self, x: Any) -> Any:
        """Return 2 to the power x, for x between -1021 and 1022."""
        b = self.b
        shifted = b.fadd(x, self.literal(SHIFT))
        rest = b.fsub(x, b.fsub(shifted, self.literal(SHIFT)))
        found = self.polynomial(rest, EXP2_SERIES)
        power = b.shl(b.bitcast(shifted, self.long), self.bits(52))
        return b.fmul(found, b.bitcast(b.add(power, self.bits(ONE_BITS)), self.type))


@dataclass(frozen=True)
class Array:
    """Where a named array lies in the workspace.

    ``step`` is the distance between entries: the number of lanes for a lane array, 1 for numbers
    shared by all lanes. ``moves`` arrays are shifted by the argument of the call.
    """

    offset: int
    step: int
    moves: bool = False
    fixed: bool = False


Layout = Mapping[str, Array]


@dataclass(frozen=True)
class Program:
    """Straight-line operations, and how they are gone through.

    ``lanes`` 0 is a program for one lane, which the call names; any other runs over all lanes,
    ``width`` at once, and ``repeat`` times for consecutive entries of every array not ``fixed``.
    """

    text: str
    lanes: int = 0
    width: int = 1
    repeat: int = 1

    def write(self, module: Any, name: str, layout: Layout) -> Any:
        """Write the function ``name(workspace, shift or lane)`` and return it."""
        kind = ir.FunctionType(ir.VoidType(), [DOUBLE.as_pointer(), LONG])
        function = ir.Function(module, kind, name)
        function.linkage = "internal"
        if self.text.count("\n") > SHORT:
            function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block())
        base, shift = function.args
        if not self.lanes:
            _Body(builder, base, layout, 1, LONG(0), shift, LONG(0)).run(self.text)
            builder.ret_void()
            return function
        with _counted(builder, self.lanes // self.width) as block:
            first = builder.mul(block, LONG(self.width))
            with _counted(builder, self.repeat) as entry:
                _Body(builder, base, layout, self.width, shift, first, entry).run(self.text)
        builder.ret_void()
        return function


SHORT = 30  # operations up to which a program may be copied into what calls it


@contextmanager
def _counted(builder: Any, times: int) -> Iterator[Any]:
    """Go through a body so many times; yields the number of the round."""
    if times == 1:
        yield LONG(0)
        return
    before = builder.block
    body = builder.append_basic_block()
    builder.branch(body)
    builder.position_at_end(body)
    at = builder.phi(LONG)
    at.add_incoming(LONG(0), before)
    yield at
    after, following = builder.append_basic_block(), builder.add(at, LONG(1))
    at.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, LONG(times)), body, after)
    builder.position_at_end(after)


class _Body:
    """One straight line of vector instructions."""

    def __init__(
        self,
        builder: Any,
        base: Any,
        layout: Layout,
        width: int,
        shift: Any,
        first: Any,
        entry: Any,
    ) -> None:
        self.builder, self.base, self.layout, self.width = builder, base, layout, width
        self.shift, self.first, self.entry = shift, first, entry
        self.ops = Ops(builder, width)
        self.known: dict[str, Any] = {}

    def run(self, text: str) -> None:
        for line in text.strip().splitlines():
            words = line.split()
            if words[1] == "<":
                self.store(words[0], self.read(words[2]))
            else:
                arguments = [self.read(word) for word in words[3:]]
                self.known[words[0]] = self.ops.apply(words[2], arguments)

    def read(self, word: str) -> Any:
        if word not in self.known:
            self.known[word] = (
                self.ops.literal(float(word[1:])) if word[0] == "#" else self.load(word)
            )
        return self.known[word]

    def place(self, word: str) -> tuple[Any, Array]:
        name, _, index = word.partition(":")
        array, builder = self.layout[name], self.builder
        at = LONG(array.offset + int(index) * array.step)
        if array.step > 1:
            at = builder.add(at, self.first)
        if not array.fixed:
            at = builder.add(at, builder.mul(self.entry, LONG(array.step)))
        if array.moves:
            at = builder.add(at, self.shift)
        return builder.gep(self.base, [at], inbounds=True), array

    def load(self, word: str) -> Any:
        pointer, array = self.place(word)
        if array.step == 1 or self.width == 1:
            return self.ops.spread(self.builder.load(pointer))
        pointer = self.builder.bitcast(pointer, self.ops.type.as_pointer())
        return self.builder.load(pointer, align=8)

    def store(self, word: str, value: Any) -> None:
        pointer, _ = self.place(word)
        if self.width > 1:
            pointer = self.builder.bitcast(pointer, self.ops.type.as_pointer())
        self.builder.store(value, pointer, align=8)
