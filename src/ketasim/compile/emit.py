"""Programs become vector instructions: each line one operation on all lanes of a block.

The code is written as explicit vectors rather than left to a loop vectoriser, so it is vector code
whatever its size, compiles in seconds, and rounds the same way in every kernel. Arrays live in one
flat workspace; entry ``i`` of a lane array starts at ``offset + i * lanes``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ketasim.compile import elementary

DOUBLE, LONG = ir.DoubleType(), ir.IntType(64)


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


def vector(text: str, layout: Layout, lanes: int, width: int, repeat: int = 1) -> Any:
    """Return a numba function ``f(workspace, shift)`` that runs a program over all lanes.

    With ``repeat`` the program runs for so many consecutive entries of every array not ``fixed``.
    """

    def build(builder: Any, base: Any, shift: Any) -> None:
        with cgutils.for_range(builder, LONG(lanes // width)) as block:
            first = builder.mul(block.index, LONG(width))
            if repeat == 1:
                _Body(builder, base, layout, width, shift, first, LONG(0)).run(text)
                return
            with cgutils.for_range(builder, LONG(repeat)) as entry:
                _Body(builder, base, layout, width, shift, first, entry.index).run(text)

    return _function(build)


def scalar(text: str, layout: Layout) -> Any:
    """Return a numba function ``f(workspace, lane)`` that runs a program for one lane."""

    def build(builder: Any, base: Any, lane: Any) -> None:
        _Body(builder, base, layout, 1, LONG(0), lane, LONG(0)).run(text)

    return _function(build)


def _pointer(typing_context: Any, array: Any) -> Any:  # noqa: ARG001
    """Return the address of an array's first entry, which nobody counts references to."""

    def write(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    address: Any = types.CPointer
    return address(array.dtype)(array), write


pointer: Any = intrinsic(_pointer)


def _pointer_at(kind: Any) -> Any:
    """Return a numba function that takes an address for one of numbers of a kind."""

    def at(typing_context: Any, address: Any) -> Any:  # noqa: ARG001
        def write(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        made: Any = types.CPointer
        return made(kind)(types.int64), write

    return intrinsic(at)


reals, wholes, codes = (_pointer_at(kind) for kind in (types.float64, types.int64, types.int8))


def _function(build: Callable[[Any, Any, Any], None]) -> Any:
    @intrinsic
    def call(typing_context: Any, workspace: Any, shift: Any) -> Any:  # noqa: ARG001
        signature = types.void(workspace, types.intp)

        def write(context: Any, builder: Any, _: Any, arguments: Sequence[Any]) -> Any:
            build(builder, arguments[0], arguments[1])
            return context.get_dummy_value()

        return signature, write

    return call


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
        self.ops = elementary.Ops(builder, width)
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
