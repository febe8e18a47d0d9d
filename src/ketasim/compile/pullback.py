"""Graphs run backwards: derivatives by what was taken, from those by what was given.

The rules of differentiation live here and nowhere else. At a kink (``max``, ``where``, ``abs``) a
derivative is the one of the side that the value is counted to.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.trace import Graph, Node, reach
from ketasim.core.maths import TINY

Array = NDArray[np.float64]
SMALL = 1e-100  # a base nearer to zero counts as this much, where the slope is differentiated again


def pulled_back(
    graph: Graph,
    outputs: Sequence[tuple[Node, Node]],
    inputs: Collection[int],
    *,
    is_last: bool = False,
) -> dict[int, Node]:
    """Return the derivative by each input, by node id, given that by each output.

    Parameters
    ----------
    outputs
        Nodes, each with the node of the derivative by it.
    inputs
        Ids of the nodes that are taken as given; nothing is followed past them.
    is_last
        Whether what is found will not itself be differentiated; powers are then taken back through
        their products, which is cheaper but forgets the exponent.
    """
    order = reach((node for node, _ in outputs), inputs)
    active = set(inputs)
    active.update(_active(order, active))
    adjoint: dict[int, Node] = {}
    for node, by in outputs:
        have = adjoint.get(node.id)
        adjoint[node.id] = by if have is None else graph.add(have, by)
    for node in reversed(order):
        if node.id not in adjoint or node.id not in active:
            continue
        for argument, slope in _slopes(graph, node, is_last=is_last):
            if argument.id in active:
                step = graph.mul(adjoint[node.id], slope)
                have = adjoint.get(argument.id)
                adjoint[argument.id] = step if have is None else graph.add(have, step)
    return {key: adjoint[key] for key in inputs if key in adjoint}


def _active(order: Sequence[Node], inputs: Collection[int]) -> set[int]:
    """Return which of some nodes, each after its arguments, depend on inputs."""
    found = set(inputs)
    for node in order:
        if any(a.id in found for a in node.args):
            found.add(node.id)
    return found


def _slopes(graph: Graph, node: Node, *, is_last: bool) -> tuple[tuple[Node, Node], ...]:
    """Return each argument of one operation with the derivative by it."""
    args, op, one = node.args, node.op, graph.const(1.0)
    if op in ("add", "sub"):
        return (args[0], one), (args[1], one if op == "add" else graph.const(-1.0))
    if op == "mul":
        return (args[0], args[1]), (args[1], args[0])
    if op == "fma":
        return (args[0], args[1]), (args[1], args[0]), (args[2], one)
    if op in ("max", "min"):
        zero = graph.const(0.0)
        first, other = args if op == "max" else (args[1], args[0])
        return (
            (args[0], graph.where(first, other, one, zero)),
            (args[1], graph.where(first, other, zero, one)),
        )
    if op == "where":
        zero = graph.const(0.0)
        yes = graph.where(args[0], args[1], one, zero)
        return (args[2], yes), (args[3], graph.where(args[0], args[1], zero, one))
    if op == "power_of":
        product, at, exponent = args
        base = graph.max(at, graph.const(SMALL))
        by_exponent = graph.mul(node, graph.log(base))
        if is_last:
            return (product, one), (exponent, by_exponent)
        fewer = graph.general_power(at, graph.const(graph.whole[exponent.leaf[1]] - 1.0))
        rest = graph.power_of(fewer, at, graph.sub(exponent, one))
        return (at, graph.mul(exponent, rest)), (exponent, by_exponent)
    return _curved(graph, node)


def _curved(graph: Graph, node: Node) -> tuple[tuple[Node, Node], ...]:
    args, op = node.args, node.op
    if op == "neg":
        return ((args[0], graph.const(-1.0)),)
    if op in ("recip", "inverse"):
        return ((args[0], graph.neg(graph.mul(node, node))),)
    if op == "div":
        per = graph.div(graph.const(1.0), args[1])
        return (args[0], per), (args[1], graph.neg(graph.mul(node, per)))
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
        base = graph.max(args[0], graph.const(SMALL if graph.marked else TINY))
        by_base = graph.mul(args[1], graph.mul(node, graph.recip(base)))
        return (args[0], by_base), (args[1], graph.mul(node, graph.log(base)))
    return ()


def _power(base: Array, exponent: Array) -> Array:
    """Return a power as kernels compute it: 0 for a base that is not positive."""
    with np.errstate(all="ignore"):
        return np.asarray(np.where(base <= 0.0, 0.0, np.maximum(base, TINY) ** exponent))


_ACTS: Mapping[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "fma": lambda a, b, c: a * b + c,
    "recip": lambda a: 1.0 / a,
    "inverse": lambda a: 1.0 / a,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "max": np.maximum,
    "min": np.minimum,
    "pow": _power,
    "where": lambda a, b, yes, no: np.asarray(np.where(a >= b, yes, no)),
    "power_of": lambda product, _base, _exponent: product,
}


def carried_out(nodes: Sequence[Node], leaves: Mapping[str, Array]) -> list[Array]:
    """Return the values of nodes, by NumPy; an entry of a leaf's array may be an array itself."""
    known: dict[int, Array] = {}
    for node in reach(nodes):
        if node.op == "const":
            known[node.id] = np.float64(node.value)  # type: ignore[assignment]
        elif node.op == "leaf":
            known[node.id] = leaves[node.leaf[0]][node.leaf[1]]
        else:
            known[node.id] = _ACTS[node.op](*(known[a.id] for a in node.args))
    return [known[node.id] for node in nodes]
