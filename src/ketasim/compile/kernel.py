"""One kernel for one system of equations: what is in it, the text of its module, and its name.

The name is a hash of the text and of everything else that decides its code.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ketasim.compile.arithmetic import Rosenbrock
from ketasim.compile.backward import Backward
from ketasim.compile.specialise import Elsewhere, Fuse, Narrow, empty_states
from ketasim.compile.trace import Node
from ketasim.compile.wiring import Equations, derivatives, eliminate
from ketasim.compile.writer import Observer, Parts, Writer

EMITTERS = (
    "elementary.py", "emit.py", "expressions.py", "interface.py", "kinds.py", "lower.py",
    "machine.py", "target.py",
)  # fmt: skip
# Read when these are imported, as they may be edited while a kernel is made by what they were.
_TEXTS = {
    one.name: one.read_text(encoding="utf-8") for one in sorted(Path(__file__).parent.glob("*.py"))
}


@cache
def versions() -> str:
    """Return what decides machine code beside a module's text."""
    return "\0".join([version("llvmlite"), *(_TEXTS[one] for one in EMITTERS)])


@cache
def writers() -> str:
    """Return a hash of the code that writes modules, so that no older one's plan is taken."""
    return digest("\0".join([*_TEXTS.values(), versions()]))


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def module_of(text: str) -> str:
    """Return the name of the module that holds a text."""
    return f"kernel_{digest(chr(0).join([text, versions()]))}"


def plan_of(key: str) -> str:
    """Return the name under which a plan is kept."""
    return f"plan_{digest(chr(0).join([key, writers()]))}"


@dataclass(frozen=True)
class Plan:
    """What a kernel computes, and how its module is written.

    ``module`` names its module, and ``text`` is what that holds (empty where it was remembered).
    ``live`` are the states that can move, ``dosed`` those a protocol may feed and ``turned`` the
    inputs it may move (by index in the model); ``size`` is the length of the workspace.
    ``observers`` says, by name, how everything that can be recorded is found at a time. ``scales``,
    ``low`` and ``high`` describe every state, ``neutral`` every input. ``counts`` says how much
    there is of what, for those who measure.
    """

    module: str
    text: str
    live: tuple[int, ...]
    dosed: tuple[int, ...]
    turned: tuple[int, ...]
    observers: Mapping[str, Observer]
    lanes: int
    size: int
    counts: Mapping[str, int]
    scales: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    neutral: tuple[float, ...]


@dataclass(frozen=True)
class Reversal:
    """The module that takes derivatives back through a plan's steps.

    ``shown`` is what can be read, as nodes over the leaves ``y``, ``p``, ``k`` and ``r``;
    ``constants`` are a segment's, in the order of the workspace, which is ``size`` long;
    ``entries`` the Jacobian's, ``slopes`` and ``rest`` those of the live states. ``derivatives``
    remembers those of what is shown, once somebody has looked.
    """

    module: str
    text: str
    size: int
    shown: Mapping[str, Node]
    constants: tuple[Node, ...]
    entries: Mapping[tuple[int, int], Node]
    slopes: tuple[Node, ...]
    rest: tuple[Node, ...]
    derivatives: dict[tuple[str, tuple[int, ...]], list[tuple[int, int, Node]]] = field(
        default_factory=dict, compare=False
    )


def reversal(eq: Equations, method: Rosenbrock, made: Plan, *, width: int) -> Reversal:
    """Write the module that takes derivatives back through the steps of a plan's kernel."""
    writer = reversing(
        eq, method, live=made.live, dosed=made.dosed, turned=made.turned, lanes=made.lanes,
        width=width,
    )  # fmt: skip
    parts, text = writer.parts, writer.text()
    return Reversal(
        module=module_of(text),
        text=text,
        size=writer.size,
        shown=parts.shown,
        constants=tuple(writer.constants),
        entries=writer.entries,
        slopes=tuple(parts.slopes()),
        rest=tuple(parts.rest),
    )


def reversing(
    eq: Equations,
    method: Rosenbrock,
    *,
    live: tuple[int, ...],
    dosed: tuple[int, ...],
    turned: tuple[int, ...],
    lanes: int,
    width: int,
) -> Backward:
    """Return the writer of programs that run forward and of those that run back."""
    empty = frozenset(range(len(eq.states))) - set(live)
    narrow = Narrow(eq, empty=empty, dosed=dosed, turned=turned)
    parts = _parts(eq, narrow, live)
    return Backward(eq, method, parts, dosed, lanes, width, watches=False)


def plan(
    eq: Equations,
    method: Rosenbrock,
    *,
    dosed: Collection[int],
    turned: Collection[int],
    started: Collection[int] = (),
    lanes: int,
    width: int,
    watches: bool = True,
) -> Plan:
    """Write the module for a system.

    ``dosed`` are states that protocols feed, ``turned`` inputs they move, ``started`` states that
    may start elsewhere than at rest. What is recorded or asked of a run is no part of it, but for
    ``watches``: without, no numbers can be taken of a course, and there is less to compile.
    """
    empty = empty_states(eq, dosed={*dosed, *started}, turned=turned)
    live = tuple(i for i in range(len(eq.states)) if i not in empty)
    parts = _parts(eq, Narrow(eq, empty=empty, dosed=dosed, turned=turned), live)
    writer = Writer(eq, method, parts, tuple(sorted(dosed)), lanes, width, watches=watches)
    text = writer.text()
    return Plan(
        module=module_of(text),
        text=text,
        live=live,
        dosed=tuple(sorted(dosed)),
        turned=tuple(sorted(turned)),
        observers=writer.observers,
        lanes=lanes,
        size=writer.size,
        counts=writer.counts,
        scales=eq.scales,
        low=eq.low,
        high=eq.high,
        neutral=eq.neutral,
    )


def _parts(eq: Equations, narrow: Narrow, live: tuple[int, ...]) -> Parts:
    graph, n = eq.graph, len(eq.states)
    entries = derivatives(eq)
    factors = eliminate(graph, entries, n)
    sums = [graph.leaf("q", i) for i in range(n)]
    # The factors belong to the step's start: a later stage must not find its own values in them.
    there = Elsewhere(graph).all(eq.slopes)
    right = [graph.add(slope, part) for slope, part in zip(there, sums, strict=True)]
    first, later = factors.solve(graph, eq.slopes), factors.solve(graph, right)
    fuse = Fuse()

    def final(nodes: Iterable[Node]) -> list[Node]:
        return narrow.all(fuse.all(nodes))

    place = {full: at for at, full in enumerate(live)}
    inner = [(i, j) for i, j in entries if i in place and j in place]
    return Parts(
        live=live,
        rest=final(eq.rest[i] for i in live),
        first=final(first[i] for i in live),
        later=final(later[i] for i in live),
        kept=final([*factors.lower.values(), *factors.upper.values(), *factors.inverse]),
        shown=dict(zip(eq.named, final(eq.named.values()), strict=True)),
        slopes=lambda: final(eq.slopes[i] for i in live),
        there=lambda: final(there[i] for i in live),
        entries=lambda: dict(
            zip(
                ((place[i], place[j]) for i, j in inner),
                final(entries[key] for key in inner),
                strict=True,
            )
        ),
    )
