"""The text of a kernel's module: numbers, layout, programs, and the stepper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ketasim.compile import arithmetic
from ketasim.compile.method import Rosenbrock
from ketasim.compile.program import hoisted, render
from ketasim.compile.trace import Node, reach
from ketasim.compile.wiring import Equations

MARK = "# --- copied from here\n"
LINE = 8  # doubles in a cache line
LANES = ("t", "te", "new", "h", "hs", "g", "hinv", "er", "fac", "margin", "acc")
SCALARS = ("rest", "prepare")  # programs for one lane


@dataclass(frozen=True)
class Parts:
    """The nodes a kernel is made of, rewritten for it.

    ``first`` solves the first stage, from states ``y``; ``later`` any other, from ``u`` and the
    sums ``q``, with the factors ``kept`` from the step's start. ``rest`` are first states,
    ``shown`` what is recorded; ``live`` are the states that move, by index in the model.
    """

    live: tuple[int, ...]
    rest: list[Node]
    first: list[Node]
    later: list[Node]
    kept: list[Node]
    shown: list[Node]


class Writer:
    """Gives every array its place, every node its word, and writes it all down."""

    def __init__(
        self,
        eq: Equations,
        method: Rosenbrock,
        parts: Parts,
        dosed: tuple[int, ...],
        lanes: int,
        width: int,
    ) -> None:
        self.eq, self.method, self.parts, self.dosed = eq, method, parts, dosed
        self.lanes, self.width, self.n = lanes, width, len(parts.live)
        self.live = {full: i for i, full in enumerate(parts.live)}
        self.constants = hoisted([*parts.kept, *parts.first, *parts.later, *parts.shown])
        self.size = 0
        self.arrays = self._arrays()

    @cached_property
    def need(self) -> list[int]:
        """Return the live states that records are computed from."""
        leaves = (node.leaf for node in reach(self.parts.shown))
        return sorted({self.live[index] for array, index in leaves if array == "y"})

    @cached_property
    def shown_constants(self) -> list[int]:
        """Return which constants records are computed from."""
        wanted = {node.id for node in hoisted(self.parts.shown)}
        return [at for at, node in enumerate(self.constants) if node.id in wanted]

    @cached_property
    def slots(self) -> dict[int, tuple[str, Node]]:
        """Return where each factor that moves is kept for the later stages."""
        found: dict[int, tuple[str, Node]] = {}
        for node in self.parts.kept:
            if node.moving and node.id not in found:
                found[node.id] = (f"a:{len(found)}", node)
        return found

    def _words(self, arrays: Mapping[str, Mapping[int, int] | None]) -> dict[int, str]:
        """Return the words of leaves, given how each array's indices are renumbered."""
        everything = [*self.parts.first, *self.parts.later, *self.parts.rest, *self.parts.shown]
        words = {}
        for node in reach([*everything, *self.parts.kept]):
            array, index = node.leaf
            if array in arrays:
                places = arrays[array]
                words[node.id] = f"{array}:{index if places is None else places[index]}"
        return words

    @cached_property
    def programs(self) -> dict[str, str]:
        """Return every program by name."""
        parts, live = self.parts, self.live
        fed = {full: at for at, full in enumerate(self.dosed)}
        sources = self._words({"p": None, "k": None, "r": fed})
        moving = self._words({"y": live, "u": live, "q": live, "g": None})
        moving |= {node.id: f"c:{at}" for at, node in enumerate(self.constants)}
        kept = {key: word for key, (word, _) in self.slots.items()}
        programs = {
            "rest": render(_to("y", parts.rest), sources),
            "prepare": render(_to("c", self.constants), sources),
            "factor": render([*self.slots.values(), *_to("k1", parts.first)], moving),
            "stage": render(_to("stage", parts.later), {**moving, **kept}),
            "observe": render(_to("o", parts.shown), self._shown_words()),
            "error": self._error(),
            "dense": arithmetic.dense(self.method, self.need),
            "accept": arithmetic.ACCEPT,
        }
        for s in range(2, self.method.stages + 1):
            programs[f"combine_{s}"] = arithmetic.combine(self.method, s)
        return programs

    def _shown_words(self) -> dict[int, str]:
        needed = {self.parts.live[i]: at for at, i in enumerate(self.need)}
        words = {
            node.id: f"z:{needed[node.leaf[1]]}"
            for node in reach(self.parts.shown)
            if node.leaf[0] == "y"
        }
        slots = enumerate(self.shown_constants)
        return words | {self.constants[at].id: f"zc:{slot}" for slot, at in slots}

    def _error(self) -> str:
        eq, live = self.eq, self.parts.live
        low = [i for i, full in enumerate(live) if eq.low[full] > -1e300]
        high = [i for i, full in enumerate(live) if eq.high[full] < 1e300]
        return arithmetic.error(self.method, live, len(eq.states), low, high)

    def _arrays(self) -> dict[str, tuple[int, int, bool, bool]]:
        """Return each array's offset and step, whether a call shifts it, whether it is fixed."""
        n, w, stages = self.n, self.lanes, self.method.stages
        lane = {"y": n, "u": n, "q": n, "stage": n * stages, "a": len(self.slots)}
        lane |= {"c": len(self.constants), "d": 3 * len(self.need)}
        slot = {"z": len(self.need), "zc": len(self.shown_constants), "o": len(self.parts.shown)}
        shared = {"p": self.eq.n_parameters, "k": len(self.eq.neutral), "r": len(self.dosed)}
        shared |= {"atol": n, "low": n, "high": n, "rtol": 1}
        groups = (
            (lane, w, False), (dict.fromkeys(LANES, 1), w, True), (slot, self.width, False),
            (shared, 1, True),
        )  # fmt: skip
        arrays = {
            name: (self._take(count * step), step, name == "stage", fixed)
            for group, step, fixed in groups
            for name, count in group.items()
        }
        first = arrays["stage"][0]
        for s in range(stages):
            arrays[f"k{s + 1}"] = (first + s * n * w, w, False, False)
        return arrays

    def _take(self, count: int) -> int:
        """Return the next free place, on a cache line, and move past it."""
        at = self.size
        self.size += -(-count // LINE) * LINE
        return at

    @property
    def counts(self) -> dict[str, int]:
        """Return how many operations each program has, and how many numbers a lane keeps."""
        found = {name: text.count("=") for name, text in self.programs.items()}
        return found | {
            "states": self.n,
            "constants": len(self.constants),
            "factors": len(self.slots),
            "need": len(self.need),
        }

    def text(self) -> str:
        """Return the module."""
        lines = [*_OPENING, *(f"{name} = {value!r}" for name, value in self._numbers().items())]
        lines += [f"LAYOUT = {{k: Array(*v) for k, v in {self.arrays!r}.items()}}", ""]
        for name, text in self.programs.items():
            lines += [
                f'{name} = {self._maker(name)}("""',
                text,
                '""", LAYOUT' + self._how(name) + ")",
            ]
        stepper = Path(__file__).with_name("stepper.py").read_text(encoding="utf-8")
        return "\n".join(lines) + "\n\n" + stepper.partition(MARK)[2]

    def _maker(self, name: str) -> str:
        return "scalar" if name in SCALARS else "vector"

    def _how(self, name: str) -> str:
        if name in SCALARS:
            return ""
        lanes = self.width if name == "observe" else self.lanes
        repeated = name.startswith("combine") or name == "accept"
        return f", {lanes}, {self.width}, {self.n if repeated else 1}"

    def _numbers(self) -> dict[str, object]:
        """Return the constants of the stepper; arrays go by their names in capitals."""
        places = {name.upper(): place[0] for name, place in self.arrays.items()}
        # numba has no empty tuples of whole numbers, so each ends with one that is never used.
        return places | {
            "N": self.n, "W": self.lanes, "WIDTH": self.width, "GAMMA": self.method.gamma,
            "N_C": len(self.constants), "N_DOSED": len(self.dosed),
            "N_KNOBS": len(self.eq.neutral), "N_NEED": len(self.need),
            "N_PARAMETERS": self.eq.n_parameters, "N_RECORD": len(self.parts.shown),
            "N_ZC": len(self.shown_constants), "NEED": (*self.need, -1),
            "ZC_FROM": (*self.shown_constants, -1),
            "DOSED": (*(self.live[i] for i in self.dosed), -1),
        }  # fmt: skip


def _to(array: str, nodes: Sequence[Node]) -> list[tuple[str, Node]]:
    return [(f"{array}:{i}", node) for i, node in enumerate(nodes)]


_OPENING = (
    '"""Generated; the file is named by its content. Do not edit."""',
    "",
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
