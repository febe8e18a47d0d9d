"""Join products to sums, leave out what cannot move, and write the rest down as short programs.

Fused operations are chosen here, on the whole model, rather than by the compiler, and every folding
after that is exact in floating point: a narrow kernel gives the same bits as the full one.

A program has one operation a line, which the emitter turns to code. A word is a temporary ``t7``, a
literal ``#0.5``, or an entry of an array ``y:3``. A line is ``t7 = fma t3 c:2 t6``; a line
``k:3 < t7`` stores.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from ketasim.compile.trace import Graph, Node, reach
from ketasim.compile.wiring import Equations


def empty_states(
    eq: Equations, *, dosed: Collection[int], turned: Collection[int]
) -> frozenset[int]:
    """Return the states that start at zero and stay there.

    ``dosed`` are states that a protocol feeds, ``turned`` knobs that it moves from neutral.
    """
    found = {i for i, rest in enumerate(eq.rest) if rest.is_const(0.0) and i not in dosed}
    while found:
        slopes = [eq.slopes[i] for i in sorted(found)]
        narrow = Narrow(eq, empty=found, dosed=dosed, turned=turned)
        moved = {
            i for i, s in zip(sorted(found), narrow.all(slopes), strict=True) if not s.is_const(0.0)
        }
        if not moved:
            break
        found -= moved
    return frozenset(found)


class Rewriter:
    """Copies nodes into a fresh graph, changing some on the way."""

    def __init__(self) -> None:
        self.graph = Graph()
        self._made: dict[int, Node] = {}

    def all(self, nodes: Iterable[Node]) -> list[Node]:
        """Return the nodes rewritten."""
        wanted: Sequence[Node] = list(nodes)
        for node in reach(wanted, self._made):
            self._made[node.id] = self._rewrite(node)
        return [self._made[node.id] for node in wanted]

    def _rewrite(self, node: Node) -> Node:
        if node.op == "const":
            return self.graph.const(node.value)
        if node.op == "leaf":
            return self.leaf(*node.leaf)
        return self.operation(node.op, *(self._made[a.id] for a in node.args))

    def leaf(self, array: str, index: int) -> Node:
        """Return what stands for an input."""
        return self.graph.leaf(array, index)

    def operation(self, op: str, *args: Node) -> Node:
        """Return what stands for an operation."""
        raise NotImplementedError


class Elsewhere(Rewriter):
    """Copies nodes within their graph, with states ``u`` instead of ``y``."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph

    def leaf(self, array: str, index: int) -> Node:
        """Return the same entry of the other array."""
        return self.graph.leaf("u" if array == "y" else array, index)

    def operation(self, op: str, *args: Node) -> Node:
        """Return the same operation."""
        return self.graph.plain(op, *args)


class Fuse(Rewriter):
    """Makes ``a * b + c`` one operation with one rounding, wherever it moves within a segment."""

    def operation(self, op: str, *args: Node) -> Node:
        """Return the operation, fused when one side of a sum is a product."""
        graph = self.graph
        if op in ("add", "sub"):
            a, b = args
            if _product(b):
                return graph.fma(graph.neg(b.args[0]) if op == "sub" else b.args[0], b.args[1], a)
            if _product(a):
                return graph.fma(a.args[0], a.args[1], graph.neg(b) if op == "sub" else b)
        return getattr(graph, op)(*args)  # type: ignore[no-any-return]


def _product(a: Node) -> bool:
    return a.op == "mul" and a.moving


class Narrow(Rewriter):
    """Replaces some leaves by their fixed values; each rounding stays as it was."""

    def __init__(
        self,
        eq: Equations,
        *,
        empty: Collection[int],
        dosed: Collection[int],
        turned: Collection[int],
    ) -> None:
        super().__init__()
        self._eq, self._empty, self._dosed, self._turned = eq, empty, dosed, turned

    def leaf(self, array: str, index: int) -> Node:
        """Return zero for what is empty or not fed, and a knob's neutral value if not turned."""
        if (array in ("y", "u", "q") and index in self._empty) or (
            array == "r" and index not in self._dosed
        ):
            return self.graph.const(0.0)
        if array == "k" and index not in self._turned:
            return self.graph.const(self._eq.neutral[index])
        return self.graph.leaf(array, index)

    def operation(self, op: str, *args: Node) -> Node:
        """Return the operation; quotients stay quotients and powers powers."""
        graph = self.graph
        if op == "div":
            folded = args[0].is_const(0.0) or args[1].is_const(1.0)
            return args[0] if folded else graph.plain(op, *args)
        if op == "pow":
            return args[0] if args[0].is_const(0.0) else graph.plain(op, *args)
        if op == "exp" and not args[0].is_const(0.0):
            return graph.plain(op, *args)
        return getattr(graph, op)(*args)  # type: ignore[no-any-return]


Output = tuple[str, Node]


def hoisted(outputs: Iterable[Node]) -> list[Node]:
    """Return the nodes fixed within a segment that moving nodes need, in order of first use."""
    ends = list(outputs)
    needs = [a for node in reach(ends) if node.moving for a in node.args]
    wanted = {a.id: a for a in (*needs, *ends) if not a.moving and a.op != "const"}
    return list(wanted.values())


def render(outputs: Sequence[Output], words: Mapping[int, str]) -> str:
    """Return the program that computes outputs, given words for nodes already there.

    Each result is stored as soon as it is known, which keeps few values alive.
    """
    known, lines = dict(words), []
    waiting: dict[int, list[str]] = {}
    for place, node in outputs:
        waiting.setdefault(node.id, []).append(place)
    for _, node in outputs:
        for one in reach([node], known):
            if one.op == "const":
                known[one.id] = f"#{one.value!r}"
                continue
            known[one.id] = f"t{one.id}"
            arguments = " ".join(known[a.id] for a in one.args)
            lines.append(f"t{one.id} = {one.op} {arguments}")
            lines += [f"{place} < t{one.id}" for place in waiting.pop(one.id, [])]
        lines += [f"{place} < {known[node.id]}" for place in waiting.pop(node.id, [])]
    return "\n".join(lines)


def eased(text: str) -> str:
    """Return a program in an order that keeps few values alive, chosen from its end.

    Of what only waits for its arguments, the operation goes next that asks for the fewest new ones.
    Otherwise long programs, above all those run backwards, keep much of what they find in memory.
    """
    made, stored = _lines(text)
    users = dict.fromkeys(made, 0)
    for arguments in made.values():
        for one in set(arguments) & users.keys():
            users[one] += 1
    ready = {name: 0 for name, count in users.items() if not count}  # by when it was asked for
    live, order = set[str](), list[str]()

    def cost(name: str) -> tuple[int, int]:
        new = {one for one in made[name] if one not in live and one[0] != "#"}
        return len(new) - (name in live), -ready[name]

    while ready:
        chosen = min(reversed(ready), key=cost)
        del ready[chosen]
        order.append(chosen)
        live.discard(chosen)
        live.update(one for one in made[chosen] if one[0] != "#")
        for one in dict.fromkeys(made[chosen]):
            if one in users:
                users[one] -= 1
                if not users[one]:
                    ready[one] = len(order)
    words = {line.split(" ", 1)[0]: line for line in text.splitlines() if " = " in line}
    lines = [
        f"{place} < {word}"
        for word, places in stored.items()
        if word not in made
        for place in places
    ]
    for name in reversed(order):
        lines += [words[name], *(f"{place} < {name}" for place in stored.get(name, []))]
    return "\n".join(lines)


def _lines(text: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the arguments of each operation, and the places each value is stored in."""
    made: dict[str, list[str]] = {}
    stored: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, sign, *words = line.split()
        if sign == "<":
            stored.setdefault(words[0], []).append(name)
        else:
            made[name] = words[1:]
    return made, stored
