"""Programs become vector instructions: each line one operation on all lanes of a block.

The code is written as explicit vectors rather than left to a loop vectoriser, so it is vector code
whatever its size, compiles in seconds, and rounds the same way in every kernel. Arrays live in one
flat workspace; entry ``i`` of a lane array starts at ``offset + i * lanes``.

There are no branches and no library calls; what is more than arithmetic is in ``elementary``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from ketasim.compile.elementary import DOUBLE, LONG, Elementary


class Ops(Elementary):
    """Operations by name."""

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

    def recip(self, a: Any) -> Any:
        """Return 1 / a."""
        return self.b.fdiv(self.literal(1.0), a)

    def rough(self, a: Any) -> Any:
        """Return 1 / a within 0.2 %."""
        return self.nearly(a, 1)

    def inverse(self, a: Any) -> Any:
        """Return 1 / a to rounding, leaving the divider to others."""
        return self.nearly(a, 3) if self.fused else self.recip(a)

    def sqrt(self, a: Any) -> Any:
        """Return the square root."""
        return self.call("sqrt", a)

    def abs_(self, a: Any) -> Any:
        """Return the size."""
        return self.call("fabs", a)

    def where(self, a: Any, b: Any, yes: Any, no: Any) -> Any:
        """Return ``yes`` where a >= b."""
        return self.b.select(self.b.fcmp_ordered(">=", a, b), yes, no)

    def power_of(self, product: Any, *_: Any) -> Any:
        """Return a product, whatever it is a power of."""
        return product


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
        if self.width > 2:  # what waits on the stack lies in one cache line, not across two
            function.attributes.alignstack = 8 * self.width
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
