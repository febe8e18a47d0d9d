"""Expressions of the stepper's functions as LLVM instructions; see ``lower``."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from llvmlite import ir

from ketasim.compile.kinds import (
    JOB,
    REAL,
    STORED,
    TRUTH,
    WHOLE,
    Kind,
    Place,
    Pointer,
    Value,
    joined,
    type_of,
)  # fmt: skip
from ketasim.errors import ModelError

RELATIONS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
PLAIN = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul"}


def refused(node: ast.AST) -> ModelError:
    """Return the error for what is not known here, with its line."""
    told = ast.unparse(node).splitlines()[0]
    return ModelError(
        f"compiled code: line {getattr(node, 'lineno', 0)}, '{told}': not known here."
    )


class Expressions:
    """What a function's expressions need: names, constants, and instructions at hand.

    ``all`` are the functions of the text; ``trial`` says that nobody reads what is written, and
    ``kinds`` what each name stands for.
    """

    all: Any
    function: Any
    entry: Any
    b: Any
    trial: bool
    kinds: dict[str, Kind]
    places: dict[str, Place]

    # --- names

    def put(self, name: str, value: Value) -> None:
        """Let a name stand for a value."""
        if self.trial:
            self.kinds[name] = joined(value.kind, self.kinds.get(name))
        kind = self.kinds.get(name, value.kind)
        if name not in self.places or self.places[name].kind != kind:
            self.places[name] = Place(kind, self._slot(kind))
        place = self.places[name]
        if isinstance(kind, tuple):
            for slot, part, want in zip(place.slot, value.parts, kind, strict=True):
                self.b.store(self.turned(part, want).code, slot)
        else:
            self.b.store(self.turned(value, kind).code, place.slot)

    def _slot(self, kind: Kind) -> Any:
        there = ir.IRBuilder(self.entry)
        if not isinstance(kind, tuple):
            return there.alloca(type_of(kind))
        whole = there.alloca(type_of(kind[0]), size=len(kind))
        return [there.gep(whole, [WHOLE(i)], inbounds=True) for i in range(len(kind))]

    def name(self, node: ast.Name) -> Value:
        """Return what a name stands for."""
        if node.id in self.places:
            place = self.places[node.id]
            if isinstance(place.kind, tuple):
                return Value(place.kind, [self.b.load(one) for one in place.slot])
            return Value(place.kind, self.b.load(place.slot))
        if node.id not in self.all.numbers:
            raise refused(node)
        return self.literal(self.all.numbers[node.id])

    def literal(self, value: Any) -> Value:
        """Return a constant."""
        if isinstance(value, bool):
            return Value(TRUTH, TRUTH(int(value)))
        if isinstance(value, int):
            return Value(WHOLE, WHOLE(value))
        if not isinstance(value, float):
            raise ModelError(f"compiled code: {value!r} is no number.")
        return Value(REAL, REAL(value))

    def turned(self, value: Value, kind: Kind) -> Value:
        """Return a value as one of another kind."""
        if value.kind == kind:
            return value
        if isinstance(kind, tuple):
            parts = [self.turned(p, k).code for p, k in zip(value.parts, kind, strict=True)]
            return Value(kind, parts)
        code = value.code
        match value.kind, kind:
            case (a, b) if a == TRUTH and b == WHOLE:
                return Value(kind, self.b.zext(code, WHOLE))
            case (a, b) if a == TRUTH and b == REAL:
                return Value(kind, self.b.uitofp(code, REAL))
            case (a, b) if a == WHOLE and b == REAL:
                return Value(kind, self.b.sitofp(code, REAL))
        raise ModelError(f"compiled code: {value.kind} where {kind} is needed.")

    def known(self, test: ast.expr) -> bool | None:
        """Return what a question comes to where constants decide it."""
        match test:
            case ast.Name(id=name) if name not in self.places:
                return bool(self.all.numbers[name]) if name in self.all.numbers else None
            case ast.BoolOp(op=op, values=parts):
                found = [self.known(one) for one in parts]
                decisive = isinstance(op, ast.Or)
                if decisive in found:
                    return decisive
                return None if None in found else not decisive
        return None

    # --- expressions

    def value(self, node: ast.expr) -> Value:  # noqa: C901, one line a kind of expression
        """Return what an expression is."""
        match node:
            case ast.Constant(value=constant):
                return self.literal(constant)
            case ast.Name():
                return self.name(node)
            case ast.Attribute(value=ast.Name(id="job"), attr=attribute):
                return self.of_job(attribute)
            case ast.Attribute(value=ast.Name(id="np"), attr="nan"):
                return self.literal(float("nan"))
            case ast.BinOp(left=left, op=op, right=right):
                return self.operated(self.value(left), op, self.value(right))
            case ast.UnaryOp(op=ast.Not(), operand=one):
                return Value(TRUTH, self.b.not_(self.truth(one)))
            case ast.UnaryOp(op=ast.USub(), operand=one):
                found = self.value(one)
                minus = self.b.fneg if found.kind == REAL else self.b.neg
                return Value(found.kind, minus(found.code))
            case ast.BoolOp():
                return Value(TRUTH, self.truth(node))
            case ast.Compare():
                return Value(TRUTH, self.compared(node))
            case ast.IfExp(test=test, body=one, orelse=other):
                return self.chosen(test, one, other)
            case ast.Call():
                return self.call(node)
            case ast.Subscript():
                return self.entry_of(node)
            case ast.Tuple(elts=parts):
                each = [self.value(one) for one in parts]
                return Value(tuple(one.kind for one in each), [one.code for one in each])
        raise refused(node)

    def of_job(self, name: str) -> Value:
        """Return an address or a count from the table."""
        if name not in self.all.interface:
            raise ModelError(f"compiled code: 'job.{name}' is not handed on.")
        at, kind = self.all.interface.place(name)
        table = self.b.load(self.places[JOB].slot)
        found = self.b.load(self.b.gep(table, [WHOLE(at)], inbounds=True))
        if not kind:
            return Value(WHOLE, found)
        pointer = Pointer(kind)
        return Value(pointer, self.b.inttoptr(found, pointer.type))

    def operated(self, left: Value, op: ast.operator, right: Value) -> Value:
        """Return the result of an operation."""
        if isinstance(op, ast.Div):
            left, right = self.turned(left, REAL), self.turned(right, REAL)
            return Value(REAL, self.b.fdiv(left.code, right.code))
        kind = joined(left.kind, right.kind)
        if isinstance(op, ast.BitOr) and kind in (TRUTH, WHOLE):
            a, b = self.turned(left, kind), self.turned(right, kind)
            return Value(kind, self.b.or_(a.code, b.code))
        if type(op) not in PLAIN:
            raise ModelError(f"compiled code: {ast.dump(op)} is not known here.")
        kind = joined(kind, WHOLE)
        a, b = self.turned(left, kind), self.turned(right, kind)
        name = ("f" if kind == REAL else "") + PLAIN[type(op)]
        return Value(kind, getattr(self.b, name)(a.code, b.code))

    def truth(self, node: ast.expr) -> Any:
        """Return the truth of an expression; later parts are not looked at where earlier decide."""
        if not isinstance(node, ast.BoolOp):
            return self.true(self.value(node))
        decisive = isinstance(node.op, ast.Or)
        parts = [one for one in node.values if self.known(one) in (None, decisive)]
        if not parts:
            return TRUTH(int(not decisive))
        after, found = self.function.append_basic_block("after"), []
        for one in parts[:-1]:
            asked = self.truth(one)
            further = self.function.append_basic_block("further")
            self.b.cbranch(asked, *((after, further) if decisive else (further, after)))
            found.append((TRUTH(int(decisive)), self.b.block))
            self.b.position_at_end(further)
        last = self.truth(parts[-1])
        found.append((last, self.b.block))
        self.b.branch(after)
        self.b.position_at_end(after)
        return self._met(TRUTH, found)

    def true(self, value: Value) -> Any:
        """Return whether a number is not zero."""
        if value.kind == TRUTH:
            return value.code
        if value.kind == WHOLE:
            return self.b.icmp_signed("!=", value.code, WHOLE(0))
        raise ModelError(f"compiled code: {value.kind} is no truth value.")

    def compared(self, node: ast.Compare) -> Any:
        """Return whether numbers stand in some relations; NaN differs from everything."""
        values = [self.value(one) for one in (node.left, *node.comparators)]
        found = None
        for left, op, right in zip(values[:-1], node.ops, values[1:], strict=True):
            kind = joined(joined(left.kind, right.kind), WHOLE)
            a, b = self.turned(left, kind).code, self.turned(right, kind).code
            sign = RELATIONS[type(op)]
            if kind == REAL:
                differs = sign == "!="
                one = (self.b.fcmp_unordered if differs else self.b.fcmp_ordered)(sign, a, b)
            else:
                one = self.b.icmp_signed(sign, a, b)
            found = one if found is None else self.b.and_(found, one)
        return found

    def chosen(self, test: ast.expr, one: ast.expr, other: ast.expr) -> Value:
        """Return one of two values; only the chosen one is looked at."""
        yes, no, after = (self.function.append_basic_block(n) for n in ("yes", "no", "after"))
        self.b.cbranch(self.truth(test), yes, no)
        found = []
        for start, node in ((yes, one), (no, other)):
            self.b.position_at_end(start)
            found.append((self.value(node), self.b.block))
        kind = joined(found[0][0].kind, found[1][0].kind)
        ready = []
        for value, block in found:
            self.b.position_at_end(block)
            ready.append((self.turned(value, kind), block))
            self.b.branch(after)
        self.b.position_at_end(after)
        if not isinstance(kind, tuple):
            return Value(kind, self._met(kind, [(one.code, block) for one, block in ready]))
        each = (
            self._met(part, [(one.code[i], block) for one, block in ready])
            for i, part in enumerate(kind)
        )
        return Value(kind, list(each))

    def _met(self, kind: Kind, ways: Sequence[tuple[Any, Any]]) -> Any:
        """Return what there is where several ways meet."""
        whole = self.b.phi(type_of(kind))
        for code, block in ways:
            whole.add_incoming(code, block)
        return whole

    def address(self, node: ast.Subscript) -> tuple[Any, str]:
        """Return the address of an entry, and the kind of number there."""
        pointer, at = self.value(node.value), self.turned(self.value(node.slice), WHOLE)
        if not isinstance(pointer.kind, Pointer):
            raise refused(node)
        return self.b.gep(pointer.code, [at.code], inbounds=True), pointer.kind.kind

    def entry_of(self, node: ast.Subscript) -> Value:
        """Return an entry of a tuple, or what is at an address."""
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        place = self.places.get(name)
        if place is not None and isinstance(place.kind, tuple):
            return self._part(place, node.slice)
        if place is None and isinstance(self.all.numbers.get(name), tuple):
            table = self._table(name)
            at = self.turned(self.value(node.slice), WHOLE).code
            return Value(WHOLE, self.b.load(self.b.gep(table, [WHOLE(0), at], inbounds=True)))
        address, kind = self.address(node)
        found = self.b.load(address)
        if kind == "i1":
            return Value(WHOLE, self.b.sext(found, WHOLE))
        return Value(STORED[kind], found)

    def _part(self, place: Place, at: ast.expr) -> Value:
        if isinstance(at, ast.Constant):
            return Value(place.kind[at.value], self.b.load(place.slot[at.value]))
        if len(set(place.kind)) > 1:
            raise refused(at)
        index = self.turned(self.value(at), WHOLE).code
        return Value(place.kind[0], self.b.load(self.b.gep(place.slot[0], [index], inbounds=True)))

    def _table(self, name: str) -> Any:
        """Return the address of a constant tuple of whole numbers."""
        module, title = self.function.module, f"table_{name}"
        if title not in module.globals:
            values = self.all.numbers[name]
            kind = ir.ArrayType(WHOLE, len(values))
            table = ir.GlobalVariable(module, kind, title)
            table.initializer, table.global_constant = kind([*map(WHOLE, values)]), True
            table.linkage = "internal"
        return module.globals[title]

    # --- calls

    def call(self, node: ast.Call) -> Value:
        """Return what a call gives."""
        name = ast.unparse(node.func)
        if name == "zeros":
            return self._zeros(node)
        given = [self.value(one) for one in node.args]
        if name in self.all.programs:
            function = self.all.programs[name]
            if self.trial:
                return Value(None, None)
            shift = self.turned(given[1], WHOLE).code
            return Value(None, self.b.call(function, [given[0].code, shift]))
        if name in _KNOWN:
            found: Value = _KNOWN[name](self, *given)
            return found
        if name not in self.all.sources:
            raise refused(node)
        kinds = tuple(one.kind for one in given)
        function, returned = self.all.function(name, kinds)
        code = self.b.call(function, [*self._handed(given)])
        if isinstance(returned, tuple):
            return Value(returned, [self.b.extract_value(code, i) for i in range(len(returned))])
        return Value(returned, code)

    def _handed(self, given: Sequence[Value]) -> Iterator[Any]:
        for one in given:
            if isinstance(one.kind, tuple):
                yield from self._handed(one.parts)
            else:
                yield one.code

    def _zeros(self, node: ast.Call) -> Value:
        """Return the address of so many whole numbers, all zero."""
        count = self.all.constant(node.args[0])
        slot = ir.IRBuilder(self.entry).alloca(WHOLE, size=count)
        for i in range(count):
            self.b.store(WHOLE(0), self.b.gep(slot, [WHOLE(i)], inbounds=True))
        return Value(Pointer("i8"), slot)

    def less(self, one: Value, other: Value) -> tuple[Any, Value, Value]:
        """Return whether a number is less than another, and both as one kind."""
        kind = joined(joined(one.kind, other.kind), WHOLE)
        a, b = self.turned(one, kind), self.turned(other, kind)
        if kind == REAL:
            return self.b.fcmp_ordered("<", a.code, b.code), a, b
        return self.b.icmp_signed("<", a.code, b.code), a, b


def _least(body: Expressions, first: Value, second: Value) -> Value:
    is_less, b, a = body.less(second, first)
    return Value(a.kind, body.b.select(is_less, b.code, a.code))


def _most(body: Expressions, first: Value, second: Value) -> Value:
    is_more, a, b = body.less(first, second)
    return Value(a.kind, body.b.select(is_more, b.code, a.code))


def _size(body: Expressions, one: Value) -> Value:
    kind = ir.FunctionType(REAL, [REAL])
    module = body.function.module
    known = module.globals.get("llvm.fabs.f64")
    function = known or ir.Function(module, kind, "llvm.fabs.f64")
    return Value(REAL, body.b.call(function, [body.turned(one, REAL).code]))


def _sign(body: Expressions, one: Value) -> Value:
    b, zero = body.b, REAL(0.0)
    found = b.select(b.fcmp_ordered("==", one.code, zero), zero, REAL(float("nan")))
    found = b.select(b.fcmp_ordered(">", one.code, zero), REAL(1.0), found)
    return Value(REAL, b.select(b.fcmp_ordered("<", one.code, zero), REAL(-1.0), found))


def _as_whole(body: Expressions, one: Value) -> Value:
    return Value(WHOLE, body.b.fptosi(one.code, WHOLE)) if one.kind == REAL else one


_KNOWN: dict[str, Any] = {
    "min": _least, "max": _most, "abs": _size, "np.sign": _sign, "int": _as_whole,
    "float": lambda body, one: body.turned(one, REAL),
}  # fmt: skip
