"""Derivatives of the slopes by the states, and the elimination that solves with them.

Each law is differentiated by its own arguments; the chain rule along the wires does the rest.
Elimination of ``g I - J`` is unrolled in Markowitz order, without pivoting: with the steps that
error control allows, the diagonal dominates wherever pivoting would matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ketasim.compile.trace import Graph, Node, reach
from ketasim.compile.wiring import Call, Equations
from ketasim.core.maths import TINY

Gradient = dict[int, Node]
Matrix = dict[tuple[int, int], Node]


def partials(graph: Graph, call: Call) -> Mapping[int, Node]:
    """Return the derivative of a law's result by each node it was given, by node id."""
    given = {a.id for a in call.given if a.moving}
    adjoint: Gradient = {call.result.id: graph.const(1.0)}
    for node in reversed(reach([call.result], given)):
        if node.id not in adjoint or not node.moving:
            continue
        for argument, slope in _slopes(graph, node):
            if argument.moving:
                step = graph.mul(adjoint[node.id], slope)
                have = adjoint.get(argument.id)
                adjoint[argument.id] = step if have is None else graph.add(have, step)
    return {key: adjoint[key] for key in sorted(given) if key in adjoint}


def _slopes(graph: Graph, node: Node) -> tuple[tuple[Node, Node], ...]:
    """Return each argument of one operation with the derivative by it."""
    args, op, one = node.args, node.op, graph.const(1.0)
    if op in ("add", "sub"):
        return (args[0], one), (args[1], one if op == "add" else graph.const(-1.0))
    if op == "mul":
        return (args[0], args[1]), (args[1], args[0])
    if op == "max":
        zero = graph.const(0.0)
        first = graph.where(args[0], args[1], one, zero)
        return (args[0], first), (args[1], graph.where(args[0], args[1], zero, one))
    if op == "where":
        zero = graph.const(0.0)
        yes = graph.where(args[0], args[1], one, zero)
        return (args[2], yes), (args[3], graph.where(args[0], args[1], zero, one))
    return _curved(graph, node)


def _curved(graph: Graph, node: Node) -> tuple[tuple[Node, Node], ...]:
    args, op = node.args, node.op
    if op == "neg":
        return ((args[0], graph.const(-1.0)),)
    if op == "recip":
        return ((args[0], graph.neg(graph.mul(node, node))),)
    if op == "exp":
        return ((args[0], node),)
    if op == "log":
        return ((args[0], graph.recip(args[0])),)
    if op == "sqrt":
        return ((args[0], graph.mul(graph.const(0.5), graph.recip(node))),)
    if op == "abs":
        zero = graph.const(0.0)
        return ((args[0], graph.where(args[0], zero, graph.const(1.0), graph.const(-1.0))),)
    if op == "pow":
        base = graph.max(args[0], graph.const(TINY))
        by_base = graph.mul(args[1], graph.mul(node, graph.recip(base)))
        return (args[0], by_base), (args[1], graph.mul(node, graph.log(base)))
    return ()


def derivatives(eq: Equations) -> Matrix:
    """Return the entries of d(dy/dt)/dy that are not always zero, by (row, column)."""
    graph = eq.graph
    gradients: dict[int, Gradient] = {
        graph.leaf("y", i).id: {i: graph.const(1.0)} for i in range(len(eq.states))
    }
    for call in eq.calls:
        if call.result.moving and call.result.id not in gradients:
            gradients[call.result.id] = _chain(graph, partials(graph, call), gradients)
    entries: Matrix = {}
    for row, flows in enumerate(eq.flows):
        for sign, flow in flows:
            for column, slope in gradients.get(flow.id, {}).items():
                have = entries.get((row, column), graph.const(0.0))
                entries[row, column] = (graph.add if sign > 0 else graph.sub)(have, slope)
    return {key: node for key, node in sorted(entries.items()) if not node.is_const(0.0)}


def _chain(graph: Graph, outer: Mapping[int, Node], gradients: Mapping[int, Gradient]) -> Gradient:
    found: Gradient = {}
    for argument, slope in outer.items():
        for column, inner in gradients[argument].items():
            have = found.get(column, graph.const(0.0))
            found[column] = graph.add(have, graph.mul(slope, inner))
    return found


def markowitz(pattern: set[tuple[int, int]], n: int) -> tuple[int, ...]:
    """Return an order of pivots that keeps new entries few; equal choices go by index."""
    filled = set(pattern) | {(i, i) for i in range(n)}
    left, order = set(range(n)), []
    while left:
        rows = {k: [i for i in left if i != k and (i, k) in filled] for k in left}
        columns = {k: [j for j in left if j != k and (k, j) in filled] for k in left}
        best = min(left, key=lambda k: (len(rows[k]) * len(columns[k]), k))
        filled |= {(i, j) for i in rows[best] for j in columns[best]}
        left.remove(best)
        order.append(best)
    return tuple(order)


@dataclass(frozen=True)
class Factors:
    """The elimination of ``g I - J``: multipliers below, ``upper`` right of, inverse pivots."""

    order: tuple[int, ...]
    lower: Matrix
    upper: Matrix
    inverse: tuple[Node, ...]

    def solve(self, graph: Graph, right: Sequence[Node]) -> list[Node]:
        """Return the solution for a right-hand side, as nodes."""
        b = list(right)
        by_column: dict[int, list[int]] = {}
        by_row: dict[int, list[int]] = {}
        place = {k: at for at, k in enumerate(self.order)}
        for i, k in sorted(self.lower, key=lambda ik: place[ik[0]]):
            by_column.setdefault(k, []).append(i)
        for k, j in sorted(self.upper, key=lambda kj: place[kj[1]]):
            by_row.setdefault(k, []).append(j)
        for k in self.order:
            for i in by_column.get(k, []):
                b[i] = graph.fma(self.lower[i, k], b[k], b[i])
        for k in reversed(self.order):
            for j in by_row.get(k, []):
                b[k] = graph.fma(graph.neg(self.upper[k, j]), b[j], b[k])
            b[k] = graph.mul(b[k], self.inverse[k])
        return b


def eliminate(graph: Graph, entries: Matrix, n: int) -> Factors:
    """Factorise ``g I - J`` symbolically, ``g`` being the leaf of that name."""
    order, g = markowitz(set(entries), n), graph.leaf("g", 0)
    a = {key: graph.neg(node) for key, node in entries.items()}
    for i in range(n):
        a[i, i] = graph.add(g, a[i, i]) if (i, i) in a else g
    lower, upper, inverse = {}, {}, [g] * n
    left = list(order)
    for k in order:
        left.remove(k)
        inverse[k] = _inverse(graph, k, a[k, k])
        row = [j for j in left if (k, j) in a]
        upper.update({(k, j): a[k, j] for j in row})
        for i in (i for i in left if (i, k) in a):
            lower[i, k] = graph.neg(graph.mul(a[i, k], inverse[k]))
            for j in row:
                have = a.get((i, j), graph.const(0.0))
                a[i, j] = graph.fma(lower[i, k], a[k, j], have)
    return Factors(order, lower, upper, tuple(inverse))


def _inverse(graph: Graph, k: int, pivot: Node) -> Node:
    """Return 1 / pivot; every other one avoids the divider, which alone would set the pace."""
    return graph.inverse(pivot) if k % 2 else graph.recip(pivot)
