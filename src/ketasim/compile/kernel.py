"""One kernel for one system of equations: what is in it, and the text of its module."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ketasim.compile.jacobian import derivatives, eliminate
from ketasim.compile.method import Rosenbrock
from ketasim.compile.specialise import Elsewhere, Fuse, Narrow, empty_states
from ketasim.compile.trace import Node
from ketasim.compile.wiring import Equations
from ketasim.compile.writer import Parts, Writer


@dataclass(frozen=True)
class Plan:
    """What a kernel computes, and how its module is written.

    ``live`` are the states that can move, ``dosed`` those a protocol may feed and ``turned`` the
    knobs it may move (by index in the model); ``size`` is the length of the workspace. ``scales``,
    ``low`` and ``high`` describe every state, ``neutral`` every knob. ``counts`` says how much
    there is of what, for those who measure.
    """

    text: str
    live: tuple[int, ...]
    dosed: tuple[int, ...]
    turned: tuple[int, ...]
    record: tuple[str, ...]
    lanes: int
    size: int
    counts: Mapping[str, int]
    scales: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    neutral: tuple[float, ...]


def plan(
    eq: Equations,
    method: Rosenbrock,
    *,
    record: Sequence[str],
    dosed: Collection[int],
    turned: Collection[int],
    started: Collection[int] = (),
    lanes: int,
    width: int,
) -> Plan:
    """Write the module for a system.

    ``record`` are names to compute at output times, ``dosed`` states that protocols feed,
    ``turned`` knobs they move, ``started`` states that may start elsewhere than at rest.
    """
    empty = empty_states(eq, dosed={*dosed, *started}, turned=turned)
    live = tuple(i for i in range(len(eq.states)) if i not in empty)
    parts = _parts(eq, Narrow(eq, empty=empty, dosed=dosed, turned=turned), live, record)
    writer = Writer(eq, method, parts, tuple(sorted(dosed)), lanes, width)
    return Plan(
        text=writer.text(),
        live=live,
        dosed=tuple(sorted(dosed)),
        turned=tuple(sorted(turned)),
        record=tuple(record),
        lanes=lanes,
        size=writer.size,
        counts=writer.counts,
        scales=eq.scales,
        low=eq.low,
        high=eq.high,
        neutral=eq.neutral,
    )


def _parts(eq: Equations, narrow: Narrow, live: tuple[int, ...], record: Sequence[str]) -> Parts:
    graph, n = eq.graph, len(eq.states)
    factors = eliminate(graph, derivatives(eq), n)
    sums = [graph.leaf("q", i) for i in range(n)]
    # The factors belong to the step's start: a later stage must not find its own values in them.
    there = Elsewhere(graph).all(eq.slopes)
    right = [graph.add(slope, part) for slope, part in zip(there, sums, strict=True)]
    first, later = factors.solve(graph, eq.slopes), factors.solve(graph, right)
    fuse = Fuse()

    def final(nodes: Iterable[Node]) -> list[Node]:
        return narrow.all(fuse.all(nodes))

    return Parts(
        live=live,
        rest=final(eq.rest[i] for i in live),
        first=final(first[i] for i in live),
        later=final(later[i] for i in live),
        kept=final([*factors.lower.values(), *factors.upper.values(), *factors.inverse]),
        shown=final(eq.named[name] for name in record),
    )
