"""Laws become graphs by being called: an argument remembers what is done to it.

Equal expressions are one node, so common work is found while tracing. Only foldings that are exact
in floating point are made (``x + 0``, ``x * 1``, ``0 * x``).
"""
# ruff: noqa: D105 - what an operator does is known

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ketasim.core.maths import TINY
from ketasim.errors import ModelError

MOVING = frozenset("yugq")  # leaves that change within a segment: states, step, stage sums


class Node:
    """One value of a graph; arithmetic on it makes further nodes."""

    __slots__ = ("args", "graph", "id", "leaf", "moving", "op", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        graph: "Graph",
        op: str,
        args: "tuple[Node, ...]" = (),
        *,
        value: float = 0.0,
        leaf: tuple[str, int] = ("", 0),
    ) -> None:
        self.graph, self.op, self.args, self.value, self.leaf = graph, op, args, value, leaf
        self.moving: bool = leaf[0] in MOVING or any(a.moving for a in args)
        self.id = len(graph.nodes)
        graph.nodes.append(self)

    def is_const(self, value: float) -> bool:
        """Return whether this is the literal ``value``."""
        return self.op == "const" and self.value == value

    def __add__(self, other: Any) -> "Node":
        return self.graph.add(self, self.graph.lift(other))

    def __radd__(self, other: Any) -> "Node":
        return self.graph.add(self.graph.lift(other), self)

    def __sub__(self, other: Any) -> "Node":
        return self.graph.sub(self, self.graph.lift(other))

    def __rsub__(self, other: Any) -> "Node":
        return self.graph.sub(self.graph.lift(other), self)

    def __mul__(self, other: Any) -> "Node":
        return self.graph.mul(self, self.graph.lift(other))

    def __rmul__(self, other: Any) -> "Node":
        return self.graph.mul(self.graph.lift(other), self)

    def __truediv__(self, other: Any) -> "Node":
        return self.graph.div(self, self.graph.lift(other))

    def __rtruediv__(self, other: Any) -> "Node":
        return self.graph.div(self.graph.lift(other), self)

    def __pow__(self, other: Any) -> "Node":
        return self.graph.general_power(self, self.graph.lift(other))

    def __rpow__(self, other: Any) -> "Node":
        return self.graph.general_power(self.graph.lift(other), self)

    def __neg__(self) -> "Node":
        return self.graph.neg(self)

    def __pos__(self) -> "Node":
        return self

    def __abs__(self) -> "Node":
        return self.graph.abs(self)

    def _branch(self, *_: object) -> Any:
        raise ModelError("a law asks whether a value is true or larger; laws have no branches.")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _branch
    __float__ = __int__ = _branch

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> "Node":
        act = _UFUNCS.get(ufunc.__name__)
        if act is None or method != "__call__" or kwargs:
            raise ModelError(f"a law uses numpy.{ufunc.__name__}, which cannot be compiled.")
        return act(self.graph, *(self.graph.lift(one) for one in inputs))


class Graph:
    """The nodes of one system of equations, each expression once.

    ``whole`` gives whole values to parameters (by index) wherever they are exponents, which turns
    powers into products; where they are ``marked``, such a product still knows what it is a power
    of, so that it can be differentiated by the exponent.
    """

    def __init__(self, whole: Mapping[int, float] | None = None, *, marked: bool = False) -> None:
        self.nodes: list[Node] = []
        self.whole, self.marked = dict(whole or {}), marked
        self._known: dict[tuple[object, ...], Node] = {}

    def const(self, value: float) -> Node:
        """Return the literal of a value."""
        value = float(value) + 0.0  # a negative zero is a zero
        return self._once(("const", value), lambda: Node(self, "const", value=value))

    def leaf(self, array: str, index: int) -> Node:
        """Return an input: entry ``index`` of a named array."""
        key = ("leaf", array, index)
        return self._once(key, lambda: Node(self, "leaf", leaf=(array, index)))

    def lift(self, value: Any) -> Node:
        """Return a node for a number, and a node as it is."""
        if isinstance(value, Node):
            return value
        if isinstance(value, int | float | np.floating | np.integer):
            return self.const(float(value))
        raise ModelError(f"a law met {value!r}, which is neither a number nor a traced value.")

    def _once(self, key: tuple[object, ...], build: Callable[[], Node]) -> Node:
        if key not in self._known:
            self._known[key] = build()
        return self._known[key]

    def plain(self, op: str, *args: Node) -> Node:
        """Return the node of an operation as it is asked for."""
        return self._once((op, *(a.id for a in args)), lambda: Node(self, op, args))

    def add(self, a: Node, b: Node) -> Node:
        """Return a + b."""
        if a.is_const(0.0) or b.is_const(0.0):
            return b if a.is_const(0.0) else a
        if a.op == b.op == "const":
            return self.const(a.value + b.value)
        return self.plain("add", a, b)

    def sub(self, a: Node, b: Node) -> Node:
        """Return a - b."""
        if a.is_const(0.0) or b.is_const(0.0):
            return self.neg(b) if a.is_const(0.0) else a
        if a.op == b.op == "const":
            return self.const(a.value - b.value)
        return self.const(0.0) if a.id == b.id else self.plain("sub", a, b)

    def mul(self, a: Node, b: Node) -> Node:
        """Return a * b."""
        if a.is_const(0.0) or b.is_const(0.0):
            return self.const(0.0)
        if a.is_const(1.0):
            return b
        if b.is_const(1.0):
            return a
        if a.op == b.op == "const":
            return self.const(a.value * b.value)
        if a.is_const(-1.0):
            return self.neg(b)
        if b.is_const(-1.0):
            return self.neg(a)
        return self.plain("mul", a, b)

    def fma(self, a: Node, b: Node, c: Node) -> Node:
        """Return a * b + c with one rounding."""
        if a.is_const(0.0) or b.is_const(0.0):
            return c
        if c.is_const(0.0):
            return self.mul(a, b)
        for one, other in ((a, b), (b, a)):
            if one.is_const(1.0) or one.is_const(-1.0):
                return self.add(self.neg(other) if one.value < 0.0 else other, c)
        return self.plain("fma", a, b, c)

    def neg(self, a: Node) -> Node:
        """Return -a."""
        if a.op == "const":
            return self.const(-a.value)
        return a.args[0] if a.op == "neg" else self.plain("neg", a)

    def div(self, a: Node, b: Node) -> Node:
        """Return a / b; a quotient that moves becomes a product, so that reciprocals are shared."""
        if b.is_const(0.0):
            raise ModelError("a law divides by zero.")
        if a.is_const(0.0) or b.is_const(1.0):
            return a
        if a.moving or b.moving:
            return self.mul(a, self.recip(b))
        if a.op == b.op == "const":
            return self.const(a.value / b.value)
        return self.plain("div", a, b)

    def recip(self, a: Node) -> Node:
        """Return 1 / a."""
        if a.op == "const" and a.value != 0.0:
            return self.const(1.0 / a.value)
        return self.plain("recip", a)

    def inverse(self, a: Node) -> Node:
        """Return 1 / a, computed without the divider."""
        return self.plain("inverse", a)

    def rough(self, a: Node) -> Node:
        """Return 1 / a within 0.2 %."""
        return self.plain("rough", a)

    def exp(self, a: Node) -> Node:
        """Return e to the power a; the form that ``core.maths.power`` takes is recognised."""
        if a.is_const(0.0):
            return self.const(1.0)
        for exponent, log in _products(self, a):
            if log.op == "log" and log.args[0].op == "max" and log.args[0].args[1].is_const(TINY):
                return self.pow(log.args[0].args[0], exponent)
        return self.plain("exp", a)

    def log(self, a: Node) -> Node:
        """Return the natural logarithm of a."""
        return self.const(0.0) if a.is_const(1.0) else self.plain("log", a)

    def pow(self, base: Node, exponent: Node) -> Node:
        """Return base to the power exponent, and 0 for a base that is not positive."""
        if base.op == "const" and base.value <= 0.0:
            return self.const(0.0)
        if exponent.leaf[0] == "p" and exponent.leaf[1] in self.whole:
            whole = self.const(self.whole[exponent.leaf[1]])
            if self.marked:
                return self.power_of(
                    self.pow(base, whole), self.max(base, self.const(0.0)), exponent
                )
            exponent = whole
        if exponent.op == "const" and exponent.value in range(1, 9):
            return self.general_power(self.max(base, self.const(0.0)), exponent)
        return self.plain("pow", base, exponent)

    def power_of(self, product: Node, base: Node, exponent: Node) -> Node:
        """Return a product, remembered as the power of a base that is not negative."""
        return product if product.is_const(0.0) else self.plain("power_of", product, base, exponent)

    def general_power(self, base: Node, exponent: Node) -> Node:
        """Return ``base ** exponent`` as Python has it for whole literals, else as ``pow``."""
        if exponent.op != "const" or exponent.value % 1.0 or abs(exponent.value) > 64.0:
            return self.pow(base, exponent)
        count = int(abs(exponent.value))
        found = self.const(1.0)
        square = base
        while count:
            found = self.mul(found, square) if count % 2 else found
            square, count = self.mul(square, square), count // 2
        return self.div(self.const(1.0), found) if exponent.value < 0.0 else found

    def sqrt(self, a: Node) -> Node:
        """Return the square root of a."""
        return self.const(math.sqrt(a.value)) if _positive(a) else self.plain("sqrt", a)

    def abs(self, a: Node) -> Node:
        """Return the size of a."""
        return self.const(abs(a.value)) if a.op == "const" else self.plain("abs", a)

    def max(self, a: Node, b: Node) -> Node:
        """Return the larger of two."""
        if a.op == b.op == "const":
            return self.const(max(a.value, b.value))
        return self.plain("max", b, a) if a.op == "const" else self.plain("max", a, b)

    def min(self, a: Node, b: Node) -> Node:
        """Return the smaller of two."""
        return self.neg(self.max(self.neg(a), self.neg(b)))

    def where(self, a: Node, b: Node, yes: Node, no: Node) -> Node:
        """Return ``yes`` where a >= b, else ``no``."""
        if a.op == b.op == "const":
            return yes if a.value >= b.value else no
        return yes if yes.id == no.id else self.plain("where", a, b, yes, no)

    def tanh(self, a: Node) -> Node:
        """Return the hyperbolic tangent of a."""
        one, two = self.const(1.0), self.const(2.0)
        return self.sub(one, self.div(two, self.add(self.exp(self.mul(two, a)), one)))


def _positive(a: Node) -> bool:
    return a.op == "const" and a.value >= 0.0


def _products(graph: Graph, a: Node) -> Iterable[tuple[Node, Node]]:
    """Return the ways to read a node as exponent times logarithm."""
    if a.op == "mul":
        return ((a.args[0], a.args[1]), (a.args[1], a.args[0]))
    return ((graph.const(1.0), a),)


_UFUNCS: dict[str, Callable[..., Node]] = {
    "add": Graph.add,
    "subtract": Graph.sub,
    "multiply": Graph.mul,
    "divide": Graph.div,
    "power": Graph.general_power,
    "float_power": Graph.general_power,
    "negative": Graph.neg,
    "exp": Graph.exp,
    "log": Graph.log,
    "sqrt": Graph.sqrt,
    "maximum": Graph.max,
    "minimum": Graph.min,
    "absolute": Graph.abs,
    "fabs": Graph.abs,
    "tanh": Graph.tanh,
    "square": lambda graph, a: graph.mul(a, a),
    "reciprocal": lambda graph, a: graph.div(graph.const(1.0), a),
}


def reach(outputs: Iterable[Node], known: Iterable[int] = ()) -> list[Node]:
    """Return all nodes that outputs need, each after its arguments, none past ``known``."""
    seen, order = set(known), []
    stack = [(node, False) for node in reversed(list(outputs))]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node.id not in seen:
            seen.add(node.id)
            stack.append((node, True))
            stack += [(a, False) for a in reversed(node.args)]
    return order
