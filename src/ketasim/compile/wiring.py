"""A model's equations as one graph: laws called in order, each on the nodes of its arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from ketasim.compile.trace import Graph, Node
from ketasim.core.model import Wire
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


def equations(system: System, *, whole: Mapping[int, float] | None = None) -> Equations:
    """Trace every law of a model; ``whole`` are exponents to take as whole numbers, by index.

    Raises
    ------
    ModelError
        When a law branches on a value or uses a function that cannot be compiled.
    """
    model, graph = system.model, Graph(whole)
    values: dict[str | float, Node] = {}
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
    exponents = (
        node.args[1].leaf[1]
        for node in equations(system).graph.nodes
        if node.op == "pow" and node.args[0].moving and node.args[1].leaf[0] == "p"
    )
    return {i: float(defaults[i]) for i in sorted({*exponents}) if defaults[i] in range(1, 9)}


def _call(graph: Graph, wire: Wire, values: Mapping[str | float, Node]) -> Call:
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
