"""One module text for one system of equations: numbers, programs, and the stepper."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ketasim.compile import arithmetic
from ketasim.compile.jacobian import Factors, derivatives, eliminate
from ketasim.compile.method import Rosenbrock
from ketasim.compile.program import hoisted, render
from ketasim.compile.specialise import Elsewhere, Fuse, Narrow, empty_states
from ketasim.compile.trace import Node
from ketasim.compile.wiring import Equations

MARK = "# --- copied from here\n"


@dataclass(frozen=True)
class Plan:
    """What a kernel computes, and how its module is written.

    ``live`` are the states that can move, ``dosed`` those a protocol may feed and ``turned`` the
    knobs it may move (by index in the model); ``size`` is the length of the workspace. ``scales``,
    ``low`` and ``high`` describe every state, ``neutral`` every knob.
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


@dataclass(frozen=True)
class _Parts:
    """The rewritten nodes a kernel is made of."""

    live: tuple[int, ...]
    rest: list[Node]
    first: list[Node]
    later: list[Node]
    kept: list[Node]
    shown: list[Node]


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
    writer = _Writer(eq, method, parts, tuple(sorted(dosed)), lanes, width)
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


def _parts(
    eq: Equations, narrow: Narrow, live: tuple[int, ...], record: Sequence[str]
) -> _Parts:
    graph, n = eq.graph, len(eq.states)
    factors: Factors = eliminate(graph, derivatives(eq), n)
    sums = [graph.leaf("q", i) for i in range(n)]
    # The factors belong to the step's start: a later stage must not find its own values in them.
    there = Elsewhere(graph).all(eq.slopes)
    right = [graph.add(slope, part) for slope, part in zip(there, sums, strict=True)]
    first, later = factors.solve(graph, eq.slopes), factors.solve(graph, right)
    kept = [*factors.lower.values(), *factors.upper.values(), *factors.inverse]
    fuse = Fuse()

    def final(nodes: Iterable[Node]) -> list[Node]:
        return narrow.all(fuse.all(nodes))

    return _Parts(
        live=live,
        rest=final(eq.rest[i] for i in live),
        first=final(first[i] for i in live),
        later=final(later[i] for i in live),
        kept=final(kept),
        shown=final(eq.named[name] for name in record),
    )


class _Writer:
    """Gives every array its place and every node its word."""

    def __init__(
        self,
        eq: Equations,
        method: Rosenbrock,
        parts: _Parts,
        dosed: tuple[int, ...],
        lanes: int,
        width: int,
    ) -> None:
        self.eq, self.method, self.parts, self.dosed = eq, method, parts, dosed
        self.lanes, self.width, self.n = lanes, width, len(parts.live)
        self.live = {full: i for i, full in enumerate(parts.live)}
        self.constants = hoisted([*parts.kept, *parts.first, *parts.later, *parts.shown])
        self.shown_constants = [
            at
            for at, node in enumerate(self.constants)
            if node.id in {h.id for h in hoisted(parts.shown)}
        ]
        self.words = self._words()
        self.slots = self._slots()
        self.need = self._need()
        self.size = 0
        self.arrays = self._arrays()

    def _words(self) -> dict[int, str]:
        words = {node.id: f"c:{at}" for at, node in enumerate(self.constants)}
        for node in self.parts.first[0].graph.nodes if self.parts.first else ():
            array, index = node.leaf
            if array in ("y", "u", "q"):
                words[node.id] = f"{array}:{self.live[index]}"
            elif array == "g":
                words[node.id] = "g:0"
        return words

    def _sources(self) -> dict[int, str]:
        """Return words for what a segment's constants are made of."""
        words = {}
        for node in self.parts.first[0].graph.nodes if self.parts.first else ():
            array, index = node.leaf
            if array in ("p", "k"):
                words[node.id] = f"{'knob' if array == 'k' else array}:{index}"
            elif array == "r":
                words[node.id] = f"r:{self.dosed.index(index)}"
        return words

    def _slots(self) -> dict[int, str]:
        """Return where each factor that moves is kept for the later stages."""
        found: dict[int, str] = {}
        for node in self.parts.kept:
            if node.moving and node.id not in found:
                found[node.id] = f"a:{len(found)}"
        return found

    def _need(self) -> list[int]:
        from ketasim.compile.trace import reach

        found = {n.leaf[1] for n in reach(self.parts.shown) if n.leaf[0] == "y"}
        return sorted(self.live[i] for i in found)

    def programs(self) -> dict[str, str]:
        """Return every program by name."""
        parts, graph_words = self.parts, self.words
        shown_words = {
            key: f"z:{self.need.index(int(word[2:]))}" if word[0] == "y" else word
            for key, word in graph_words.items()
            if word[0] != "y" or int(word[2:]) in self.need
        }
        for slot, at in enumerate(self.shown_constants):
            shown_words[self.constants[at].id] = f"zc:{slot}"
        kept = [(word, node) for node, word in self._kept_nodes()]
        programs = {
            "rest": render(_to("y", parts.rest), self._sources()),
            "prepare": render(_to("c", self.constants), self._sources()),
            "factor": render([*kept, *_to("k1", parts.first)], graph_words),
            "stage": render(_to("k", parts.later), {**graph_words, **self.slots}),
            "observe": render(_to("o", parts.shown), shown_words),
            "error": self._error(),
            "dense": arithmetic.dense(self.method, self.need),
            "accept": arithmetic.ACCEPT,
        }
        for s in range(2, self.method.stages + 1):
            programs[f"combine_{s}"] = arithmetic.combine(self.method, s)
        return programs

    def _kept_nodes(self) -> list[tuple[Node, str]]:
        by_id = {node.id: node for node in self.parts.kept}
        return [(by_id[key], word) for key, word in self.slots.items()]

    def _error(self) -> str:
        low = [i for i, full in enumerate(self.parts.live) if self.eq.low[full] > -1e300]
        high = [i for i, full in enumerate(self.parts.live) if self.eq.high[full] < 1e300]
        return arithmetic.error(
            self.method, self.parts.live, len(self.eq.states), low, high
        )

    def _arrays(self) -> dict[str, tuple[int, int, bool, bool]]:
        """Return offset, step, whether it is shifted, and whether it is fixed, by array."""
        n, w, v = self.n, self.lanes, self.width
        stages = self.method.stages
        lane = {"y": n, "u": n, "q": n, "k": n * stages, "a": len(self.slots)}
        lane |= {"c": len(self.constants), "d": 3 * len(self.need)}
        single = {name: 1 for name in _LANES}
        shared = {"p": self.eq.n_parameters, "knob": len(self.eq.neutral), "r": len(self.dosed)}
        shared |= {"atol": n, "low": n, "high": n, "rtol": 1}
        slots = {"z": len(self.need), "zc": len(self.shown_constants), "o": len(self.parts.shown)}
        arrays: dict[str, tuple[int, int, bool, bool]] = {}
        for group, step, fixed in ((lane, w, False), (single, w, True), (slots, v, False)):
            for name, count in group.items():
                arrays[name] = (self._take(count * step), step, name == "k", fixed)
        for name, count in shared.items():
            arrays[name] = (self._take(count), 1, False, True)
        k = arrays["k"][0]
        for s in range(stages):
            arrays[f"k{s + 1}"] = (k + s * n * w, w, False, False)
        return arrays

    def _take(self, count: int) -> int:
        """Return the next free place, on a cache line, and move past it."""
        at = self.size
        self.size += -(-count // 8) * 8
        return at

    @property
    def counts(self) -> dict[str, int]:
        """Return how much there is of what, for those who measure."""
        programs = self.programs()
        found = {name: text.count("=") for name, text in programs.items()}
        return found | {
            "states": self.n,
            "constants": len(self.constants),
            "factors": len(self.slots),
            "need": len(self.need),
        }

    def text(self) -> str:
        """Return the module."""
        programs = self.programs()
        lines = ['"""Generated; the file is named by its content. Do not edit."""', "", *_IMPORTS]
        lines += [f"{name} = {value!r}" for name, value in self._numbers().items()]
        lines += [f"LAYOUT = {{k: Array(*v) for k, v in {self.arrays!r}.items()}}", ""]
        for name, text in programs.items():
            lines += [f'{name} = {self._maker(name)}("""', text, '""", LAYOUT', f"{self._rest(name)})"]
        stepper = Path(__file__).with_name("stepper.py").read_text(encoding="utf-8")
        return "\n".join(lines) + "\n\n" + stepper.partition(MARK)[2]

    def _maker(self, name: str) -> str:
        return "scalar" if name in ("rest", "prepare") else "vector"

    def _rest(self, name: str) -> str:
        if name in ("rest", "prepare"):
            return ""
        lanes = self.width if name == "observe" else self.lanes
        repeated = name.startswith("combine") or name == "accept"
        return f", {lanes}, {self.width}, {self.n if repeated else 1}"

    def _numbers(self) -> dict[str, object]:
        a = {name: place[0] for name, place in self.arrays.items()}
        return {
            "N": self.n, "W": self.lanes, "WIDTH": self.width, "GAMMA": self.method.gamma,
            "N_C": len(self.constants), "N_DOSED": len(self.dosed),
            "N_KNOBS": len(self.eq.neutral), "N_NEED": len(self.need),
            "N_PARAMETERS": self.eq.n_parameters, "N_RECORD": len(self.parts.shown),
            "N_ZC": len(self.shown_constants), "NEED": (*self.need, -1),
            "ZC_FROM": (*self.shown_constants, -1),
            "DOSED": (*(self.live[i] for i in self.dosed), -1),
            **{name.upper(): at for name, at in a.items() if name.upper() in _PLACES},
        }  # fmt: skip


def _to(array: str, nodes: Sequence[Node]) -> list[tuple[str, Node]]:
    return [(f"{array}:{i}", node) for i, node in enumerate(nodes)]


_LANES = ("t", "te", "new", "h", "hs", "g", "hinv", "er", "fac", "margin", "acc")
_PLACES = frozenset(
    "ACC ATOL C D ER FAC G H HIGH HINV HS KNOB LOW MARGIN NEW O P R RTOL T TE U Y Z ZC".split()
)
_IMPORTS = (
    "from collections import namedtuple",
    "",
    "import numpy as np",
    "from numba import njit",
    "from ketasim.compile.emit import Array, pointer, scalar, vector",
    "",
    "SIGNATURE = (",
    '    "i8(i8[::1], f8[:,::1], f8[:,::1], i8[::1], i8[::1], f8[::1], f8[:,::1], f8[:,::1], "',
    '    "f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], i8[::1], i8[::1], f8[::1], "',
    '    "f8[:,:,::1], f8[:,::1], i1[::1], i8[::1], i8[::1])"',
    ")",
)
