"""Nodes written down as short programs, one operation a line, that the emitter turns to code.

A word is a temporary ``t7``, a literal ``#0.5``, or an entry of an array ``y:3``. A line is
``t7 = fma t3 c:2 t6``; a line ``k:3 < t7`` stores.
"""

from collections.abc import Iterable, Mapping, Sequence

from ketasim.compile.trace import Node, reach

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
