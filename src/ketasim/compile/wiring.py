"""A model's laws traced into equations, their derivatives, and the elimination for both.

Each law is differentiated by its own arguments; the chain rule along the wires does the rest.
Elimination of ``g I - J`` is unrolled in Markowitz order, without pivoting: with the steps that
error control allows, the diagonal dominates wherever pivoting would matter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from ketasim.compile.pullback import pulled_back
from ketasim.compile.trace import Graph, Node
from ketasim.core.laws import Term, Wire
from ketasim.core.shared import remembered
from ketasim.core.system import System
from ketasim.errors import ModelError
from ketasim.units import unit


@dataclass(frozen=True)
class Call:
    """One law as it was called: its result and the nodes it was given."""

    result: Node
    given: tuple[Node, ...]


@dataclass(frozen=True)
class Equations:
    """dy/dt and everything that can be recorded, as nodes over leaves.

    Leaves are entries of arrays: ``y`` states, ``p`` parameters, ``k`` knobs, ``r`` rates added to
    the slopes. ``flows`` lists, for each state, the signed laws that make its slope; ``calls``
    holds the laws in order, for the chain rule. ``rest`` are initial values as nodes over ``p``.
    ``low`` and ``high`` bound each state, ``scales`` the size at which changes matter.
    """

    graph: Graph
    states: tuple[str, ...]
    flows: tuple[tuple[tuple[int, Node], ...], ...]
    slopes: tuple[Node, ...]
    calls: tuple[Call, ...]
    rest: tuple[Node, ...]
    named: Mapping[str, Node]
    n_parameters: int
    neutral: tuple[float, ...]
    scales: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def equations(
    system: System, *, whole: Mapping[int, float] | None = None, marked: bool = False
) -> Equations:
    """Trace every law of a model; ``whole`` are exponents to take as whole numbers, by index.

    Where they are ``marked``, products can still be differentiated by these exponents.

    Raises
    ------
    ModelError
        When a law branches on a value or uses a function that cannot be compiled.
    """
    model, graph = system.model, Graph(whole, marked=marked)
    values: dict[Term, Node] = {}
    for array, names in (("y", model.states), ("p", model.parameters), ("k", model.knobs)):
        values.update({name: graph.leaf(array, i) for i, name in enumerate(names)})
    calls: list[Call] = []
    for wire in (*model.derived, *model.quantities):
        calls.append(_call(graph, wire, values))
        values[str(wire.name)] = calls[-1].result
    where = {name: i for i, name in enumerate(system.state_names)}
    flows: list[list[tuple[int, Node]]] = [[] for _ in where]
    for wire in model.flows:
        calls.append(_call(graph, wire, values))
        for end, sign in ((wire.into, 1), (wire.out_of, -1)):
            if end is not None:
                flows[where[end]].append((sign, calls[-1].result))
    rest = [model.initial(name) for name in system.state_names]
    return Equations(
        graph=graph,
        states=system.state_names,
        flows=tuple(tuple(one) for one in flows),
        slopes=tuple(_sum(graph, one, graph.leaf("r", i)) for i, one in enumerate(flows)),
        calls=tuple(calls),
        rest=tuple(values[one] if isinstance(one, str) else graph.const(one) for one in rest),
        named={name: values[name] for name in (*where, *(str(q.name) for q in model.quantities))},
        n_parameters=len(model.parameters),
        neutral=tuple(float(k) for k in system.neutral_knobs),
        scales=tuple(float(s) for s in system.scales),
        low=tuple(s.within[0] * unit(s.unit).factor for s in model.states.values()),
        high=tuple(s.within[1] * unit(s.unit).factor for s in model.states.values()),
    )


def whole_exponents(system: System) -> dict[int, float]:
    """Return the parameters whose default is a small whole number and that raise what moves."""
    defaults = system.default_parameters
    raised = remembered(system.mechanisms, "exponents", lambda: _exponents(system))
    return {i: float(defaults[i]) for i in raised if defaults[i] in range(1, 9)}


def _exponents(system: System) -> list[int]:
    found = (
        node.args[1].leaf[1]
        for node in equations(system).graph.nodes
        if node.op == "pow" and node.args[0].moving and node.args[1].leaf[0] == "p"
    )
    return sorted({*found})


def _call(graph: Graph, wire: Wire, values: Mapping[Term, Node]) -> Call:
    given = tuple(graph.const(a) if isinstance(a, float) else values[a] for a in wire.arguments)
    try:
        # A number stays a number, so that what a law does with an absent coupling is not traced.
        plain = (a if isinstance(a, float) else values[a] for a in wire.arguments)
        return Call(graph.lift(wire.law(*plain)), given)
    except ModelError as error:
        raise ModelError(f"{wire.label}: {error}") from error


def _sum(graph: Graph, flows: list[tuple[int, Node]], rate: Node) -> Node:
    """Return the sum in the order the model lists its flows, then what a protocol gives."""
    total = graph.const(0.0)
    for sign, flow in flows:
        total = graph.add(total, flow) if sign > 0 else graph.sub(total, flow)
    return graph.add(total, rate)


def small(
    rhs: Callable[..., object], n_states: int, n_parameters: int, *, timed: bool
) -> Equations:
    """Trace a plain function ``rhs(y, p)``, or ``rhs(t, y, p)`` when ``timed``.

    Time, where it is asked for, becomes one more state with slope 1.

    Raises
    ------
    ModelError
        When the function branches on a value, cannot be compiled, or returns a wrong number.
    """
    graph = Graph()
    y = [graph.leaf("y", i) for i in range(n_states + timed)]
    p = [graph.leaf("p", i) for i in range(n_parameters)]
    found = rhs(y[-1], y[:-1], p) if timed else rhs(y, p)
    slopes = [graph.lift(one) for one in list(found)]  # type: ignore[call-overload]
    if len(slopes) != n_states:
        raise ModelError(f"the right-hand side gave {len(slopes)} slopes for {n_states} states.")
    slopes += [graph.const(1.0)] * timed
    flows = tuple(((1, slope),) for slope in slopes)
    names = tuple(f"y{i}" for i in range(len(y)))
    return Equations(
        graph=graph,
        states=names,
        flows=flows,
        slopes=tuple(slopes),
        calls=tuple(Call(slope, tuple(y)) for slope in slopes),
        rest=tuple(graph.const(0.0) for _ in y),
        named=dict(zip(names, y, strict=True)),
        n_parameters=n_parameters,
        neutral=(),
        scales=(1.0,) * len(y),
        low=(-inf,) * len(y),
        high=(inf,) * len(y),
    )


Gradient = dict[int, Node]
Matrix = dict[tuple[int, int], Node]


def partials(graph: Graph, call: Call) -> Mapping[int, Node]:
    """Return the derivative of a law's result by each node it was given, by node id."""
    given = {a.id for a in call.given if a.moving}
    found = pulled_back(graph, [(call.result, graph.const(1.0))], given)
    return {key: found[key] for key in sorted(given) if key in found}


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
