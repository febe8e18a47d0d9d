"""The stepper's functions become LLVM instructions: the small part of Python they are written in.

Whole numbers, doubles, truth values, pointers to any of these, and tuples of them; ``range``,
``while``, ``if``, arithmetic, comparisons, calls of one another. A function is written once for
every combination of kinds it is called with; a name has one kind throughout. What is not known here
is refused with its line. It means what Python means, to the bit, but that dividing by zero gives
what IEEE 754 says. There are no objects, so nothing counts references and nothing can be raised.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir

from ketasim.compile.expressions import Expressions, refused
from ketasim.compile.interface import Interface
from ketasim.compile.kinds import (
    STORED,
    WHOLE,
    Kind,
    Place,
    Value,
    flat,
    joined,
    type_of,
)


@dataclass
class Functions:
    """The functions of one text, written into a module as they are called.

    ``programs`` are functions ``(workspace, shift)`` that are there already; ``numbers`` are
    constants by name, whole ones in tuples too.
    """

    module: Any
    interface: Interface
    numbers: dict[str, Any]
    programs: Mapping[str, Any]
    sources: dict[str, ast.FunctionDef] = field(default_factory=dict)
    written: dict[tuple[Any, ...], tuple[Any, Kind]] = field(default_factory=dict)

    def read(self, text: str) -> None:
        """Take in a text: its functions, and the constants it defines."""
        for one in ast.parse(text).body:
            if isinstance(one, ast.FunctionDef):
                self.sources[one.name] = one
            elif isinstance(one, ast.Assign):
                self._define(one.targets[0], self.constant(one.value))
            elif not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)):
                raise refused(one)

    def _define(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Tuple):
            for each, part in zip(target.elts, value, strict=True):
                self._define(each, part)
        else:
            self.numbers[ast.unparse(target)] = value

    def constant(self, node: ast.expr) -> Any:
        """Return what an expression of constants is, or raise KeyError for another."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.numbers[name]
            case ast.Tuple(elts=parts):
                return tuple(self.constant(one) for one in parts)
            case ast.UnaryOp(op=ast.USub(), operand=one):
                return -self.constant(one)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return self.constant(left) * self.constant(right)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.constant(left) + self.constant(right)
            case ast.Call(func=ast.Name(id="range"), args=ends):
                return tuple(range(*(self.constant(one) for one in ends)))
        raise KeyError(ast.unparse(node))

    def function(self, name: str, kinds: tuple[Kind, ...]) -> tuple[Any, Kind]:
        """Return a function for arguments of these kinds, and the kind it returns (None)."""
        key = (name, kinds)
        if key not in self.written:
            source = self.sources[name]
            seen = _Body(self, source, kinds, None, {})  # once to see what kinds it has
            seen.write()
            again = _Body(self, source, kinds, seen.returned, seen.kinds)
            again.write()
            self.written[key] = again.function, seen.returned
        return self.written[key]


class _Body(Expressions):
    """One function for one combination of kinds.

    Without ``returned`` and ``kinds`` it is written into a module of its own that nobody reads, to
    see what they are.
    """

    def __init__(
        self,
        all_: Functions,
        source: ast.FunctionDef,
        taken: tuple[Kind, ...],
        returned: Kind,
        kinds: Mapping[str, Kind],
    ) -> None:
        self.all, self.source, self.taken, self.returned = all_, source, taken, returned
        self.trial, self.kinds = not kinds and returned is None, dict(kinds)
        arguments = [*flat(taken)]
        result = ir.VoidType() if returned is None else type_of(returned)
        module = ir.Module() if self.trial else all_.module
        name = (
            source.name
            if source.name not in module.globals
            else module.get_unique_name(source.name)
        )
        self.function = ir.Function(module, ir.FunctionType(result, arguments), name)
        if source.name != "run":
            self.function.linkage = "internal"
        self.entry = self.function.append_basic_block("entry")
        self.b = ir.IRBuilder(self.function.append_basic_block("start"))
        self.places: dict[str, Place] = {}
        self.loops: list[tuple[Any, Any]] = []

    def write(self) -> None:
        """Write everything the function does."""
        rest = iter(self.function.args)
        for one, kind in zip(self.source.args.args, self.taken, strict=True):
            self.put(one.arg, self._taken(kind, rest))
        self.block(self.source.body)
        if not self.b.block.is_terminated:
            if self.returned is None:
                self.b.ret_void()
            else:
                self.b.unreachable()
        ir.IRBuilder(self.entry).branch(self.function.blocks[1])

    def _taken(self, kind: Kind, rest: Iterator[Any]) -> Value:
        if isinstance(kind, tuple):
            return Value(kind, [self._taken(one, rest).code for one in kind])
        return Value(kind, next(rest))

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Write statements, up to the first after which nothing is reached."""
        for one in body:
            if self.b.block.is_terminated:
                return
            self.statement(one)

    def statement(self, node: ast.stmt) -> None:  # noqa: C901, one line a kind of statement
        """Write one statement."""
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case ast.Expr(value=ast.Call() as call):
                self.call(call)
            case ast.Assign(targets=targets, value=value):
                found = self.value(value)
                for target in targets:
                    self.assign(target, found)
            case ast.AugAssign(target=target, op=op, value=value):
                self.assign(target, self.operated(self.value(target), op, self.value(value)))
            case ast.If(test=test, body=body, orelse=other):
                self.branch(test, body, other)
            case ast.While(test=test, body=body):
                self.repeat(lambda: self.truth(test), lambda: self.block(body), lambda: None)
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=ends), body=body):
                self.count(name, ends, body)
            case ast.Break():
                self.b.branch(self.loops[-1][1])
            case ast.Continue():
                self.b.branch(self.loops[-1][0])
            case ast.Return(value=value):
                self.give(value)
            case _:
                raise refused(node)

    def assign(self, target: ast.expr, value: Value) -> None:
        """Put a value where a target says."""
        match target:
            case ast.Name(id=name):
                self.put(name, value)
            case ast.Tuple(elts=parts):
                for one, part in zip(parts, value.parts, strict=True):
                    self.assign(one, part)
            case ast.Subscript():
                address, kind = self.address(target)
                if kind == "i1":
                    whole = self.turned(value, WHOLE).code
                    self.b.store(self.b.trunc(whole, STORED[kind]), address)
                else:
                    self.b.store(self.turned(value, STORED[kind]).code, address)
            case _:
                raise refused(target)

    def give(self, value: ast.expr | None) -> None:
        """Return a value, or nothing."""
        if value is None:
            self.b.ret_void()
            return
        found = self.value(value)
        if self.trial:
            self.returned = joined(found.kind, self.returned)
            self.b.unreachable()
        elif isinstance(self.returned, tuple):
            whole = ir.Constant(type_of(self.returned), ir.Undefined)
            for i, part in enumerate(self.turned(found, self.returned).code):
                whole = self.b.insert_value(whole, part, i)
            self.b.ret(whole)
        else:
            self.b.ret(self.turned(found, self.returned).code)

    def branch(self, test: ast.expr, body: Sequence[ast.stmt], other: Sequence[ast.stmt]) -> None:
        """Write one of two ways, or both with the question which."""
        known = self.known(test)
        if known is not None:
            self.block(body if known else other)
            return
        yes, no, after = (self.function.append_basic_block(n) for n in ("yes", "no", "after"))
        self.b.cbranch(self.truth(test), yes, no)
        for start, statements in ((yes, body), (no, other)):
            self.b.position_at_end(start)
            self.block(statements)
            if not self.b.block.is_terminated:
                self.b.branch(after)
        self.b.position_at_end(after)
        if not any(after in one.terminator.operands for one in self._ended(after)):
            self.b.unreachable()

    def _ended(self, after: Any) -> list[Any]:
        return [one for one in self.function.blocks if one is not after and one.is_terminated]

    @contextmanager
    def _looping(self, again: Any, after: Any) -> Iterator[None]:
        self.loops.append((again, after))
        yield
        self.loops.pop()

    def repeat(self, test: Any, body: Any, step: Any) -> None:
        """Write a loop: a test, a body, and what leads to the next round."""
        ask, do, go_on, after = (
            self.function.append_basic_block(n) for n in ("ask", "do", "go_on", "after")
        )
        self.b.branch(ask)
        self.b.position_at_end(ask)
        self.b.cbranch(test(), do, after)
        self.b.position_at_end(do)
        with self._looping(go_on, after):
            body()
        if not self.b.block.is_terminated:
            self.b.branch(go_on)
        self.b.position_at_end(go_on)
        step()
        self.b.branch(ask)
        self.b.position_at_end(after)

    def count(self, name: str, ends: Sequence[ast.expr], body: Sequence[ast.stmt]) -> None:
        """Write a loop over a range that rises by one."""
        found = [self.turned(self.value(one), WHOLE).code for one in ends]
        first, last = found if len(found) == 2 else (WHOLE(0), *found)
        at = self._slot(WHOLE)
        self.b.store(first, at)

        def each() -> None:
            self.put(name, Value(WHOLE, self.b.load(at)))
            self.block(body)

        self.repeat(
            lambda: self.b.icmp_signed("<", self.b.load(at), last),
            each,
            lambda: self.b.store(self.b.add(self.b.load(at), WHOLE(1)), at),
        )
