"""A law as an expression: called once on traced arguments, then read as published mathematics."""

from collections.abc import Iterable
from dataclasses import dataclass

from ketasim.compile.trace import Graph, Node
from ketasim.core.declare import Law, arguments
from ketasim.core.laws import Wire
from ketasim.errors import ModelError


@dataclass(frozen=True)
class Expression:
    """What a law computes, over its own arguments."""

    law: Law
    arguments: tuple[str, ...]
    result: Node

    @property
    def story(self) -> str:
        """Return the law's one sentence."""
        return (self.law.__doc__ or "").strip().partition("\n")[0]


def expression(law: Law) -> Expression:
    """Trace a law.

    Raises
    ------
    ModelError
        When it branches on a value or uses a function that cannot be written down.
    """
    graph = Graph()
    names = arguments(law)
    try:
        result = graph.lift(law(*(graph.leaf("argument", i) for i in range(len(names)))))
    except ModelError as error:
        raise ModelError(f"{law.__module__}.{law.__name__}: {error}") from error
    return Expression(law, names, result)


def shape(node: Node) -> tuple[str, tuple[Node, ...]]:
    """Return an operation and what it acts on, with a saturating response read as ``hill``."""
    if node.op != "div":
        return node.op, node.args
    raised, below = node.args
    saturating = below.op == "add" and below.args[0].is_const(1.0) and below.args[1] is raised
    if not saturating or raised.op != "pow":
        return node.op, node.args
    ratio, steepness = raised.args
    if ratio.op == "div":
        return "hill", (*ratio.args, steepness)
    return "hill", (ratio, node.graph.const(1.0), steepness)


def names_of(wires: Iterable[Wire]) -> dict[Law, str]:
    """Return one identifier for each law, ``law__nmda__bind``, in order of first use."""
    found: dict[Law, str] = {}
    taken: dict[str, int] = {}
    for law in (wire.law for wire in wires):
        if law in found:
            continue
        plain = f"law__{law.__module__.rpartition('.')[2]}__{law.__name__}"
        taken[plain] = taken.get(plain, 0) + 1
        found[law] = plain if taken[plain] == 1 else f"{plain}_{taken[plain]}"
    return found
