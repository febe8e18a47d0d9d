"""The text of a kernel's module: numbers, layout, programs, and the stepper."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ketasim.compile import arithmetic
from ketasim.compile.arithmetic import Rosenbrock
from ketasim.compile.emit import Program
from ketasim.compile.interface import FORWARD, Interface
from ketasim.compile.machine import written
from ketasim.compile.specialise import eased, hoisted, render
from ketasim.compile.trace import Node, reach
from ketasim.compile.wiring import Equations

MARK = "# --- copied from here\n"
LINE = 8  # doubles in a cache line
LANES = ("t", "te", "new", "h", "hs", "g", "hinv", "er", "fac", "margin", "acc", "xs", "bend")
# The rows of an unfinished answer, as in scan.py; the first follows the workspace.
ANSWER = ("best", "when", "there", "lowest", "left", "side", "begun", "to_do")


@dataclass(frozen=True)
class Parts:
    """The nodes a kernel is made of, rewritten for it.

    ``first`` solves the first stage, from states ``y``; ``later`` any other, from ``u`` and the
    sums ``q``, with the factors ``kept`` from the step's start. ``rest`` are first states,
    ``shown`` everything that can be recorded, by name; ``live`` are the states that move, by index
    in the model. Asked for, there are also the slopes at ``y`` and at ``u`` (``there``), and the
    Jacobian's ``entries`` by (row, column).
    """

    live: tuple[int, ...]
    rest: list[Node]
    first: list[Node]
    later: list[Node]
    kept: list[Node]
    shown: Mapping[str, Node]
    slopes: Callable[[], list[Node]]
    there: Callable[[], list[Node]]
    entries: Callable[[], dict[tuple[int, int], Node]]


@dataclass(frozen=True)
class Observer:
    """Where a name's value is found in the workspace, and what must be computed before.

    ``states`` are live states to interpolate and ``laws`` the programs to run, in this order, and
    ``constants`` what both take that stands still within a segment;
    ``exact`` says that the value is a state itself, or does not move within a segment.
    """

    place: int
    exact: bool
    states: tuple[int, ...] = ()
    laws: tuple[int, ...] = ()
    constants: tuple[int, ...] = ()


class Writer:
    """Gives every array its place, every node its word, and writes it all down."""

    interface: Interface = FORWARD
    copied: tuple[str, ...] = (
        "scan.py",
        "show.py",
        "watch.py",
        "stepper.py",
    )  # texts that the module holds
    scalars: tuple[str, ...] = ("rest", "prepare", "turned")  # programs for one lane
    repeated: tuple[str, ...] = (
        "accept",
    )  # programs for one state after another, beside those that combine

    def __init__(
        self,
        eq: Equations,
        method: Rosenbrock,
        parts: Parts,
        dosed: tuple[int, ...],
        lanes: int,
        width: int,
        *,
        watches: bool,
    ) -> None:
        self.eq, self.method, self.parts, self.dosed = eq, method, parts, dosed
        self.lanes, self.width, self.n, self.watches = lanes, width, len(parts.live), watches
        self.live = {full: i for i, full in enumerate(parts.live)}
        shown = parts.shown.values()
        self.constants = hoisted([*parts.kept, *parts.first, *parts.later, *shown])
        at_hand = {node.id for node in self.constants}
        self.laws: dict[int, Node] = {}  # one a value that takes work, by its node
        for node in shown:
            if not self._is_state(node) and node.id not in at_hand:
                self.laws.setdefault(node.id, node)
        self.size = 0
        self.arrays = self._arrays()

    def _is_state(self, node: Node) -> bool:
        return node.leaf[0] == "y"

    @cached_property
    def slots(self) -> dict[int, tuple[str, Node]]:
        """Return where each factor that moves is kept for the later stages.

        Of a negative one its opposite is kept: elimination subtracts, so that this is what it uses.
        """
        found: dict[int, tuple[str, Node]] = {}
        for factor in self.parts.kept:
            node = factor.args[0] if factor.op == "neg" else factor
            if node.moving and node.id not in found:
                found[node.id] = (f"a:{len(found)}", node)
        return found

    def _words(self, arrays: Mapping[str, Mapping[int, int] | None]) -> dict[int, str]:
        """Return the words of leaves, given how each array's indices are renumbered."""
        parts = self.parts
        everything = [*parts.first, *parts.later, *parts.rest, *parts.shown.values()]
        words = {}
        for node in reach([*everything, *parts.kept]):
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
            "prepare": render(self._prepared, sources),
            "turned": self._turned(sources),
            "factor": eased(render([*self.slots.values(), *_to("k1", parts.first)], moving)),
            "stage": eased(render(_to("stage", parts.later), {**moving, **kept})),
            "error": self._error(),
            "dense": arithmetic.dense(self.method),
            "between": arithmetic.between("my:0", "mu:0", ("e1:0", "e2:0", "e3:0")),
            "spread": arithmetic.SPREAD,
            "keep": arithmetic.KEEP,
            "restore": arithmetic.RESTORE,
            "one_of": arithmetic.ONE_OF,
            "all_of": arithmetic.ALL_OF,
            "along": arithmetic.between("v:0", "v:1", ("v:2", "v:3", "v:4")),
            "accept": arithmetic.ACCEPT,
            "sharp": arithmetic.SHARP,
            "places": arithmetic.PLACES,
            "ends": arithmetic.ends([f"{row}:0" for row in ANSWER]),
        }
        programs |= {f"law_{k}": text for k, (text, _) in enumerate(self._observed)}
        for s in range(2, self.method.stages + 1):
            programs[f"combine_{s}"] = arithmetic.combine(self.method, s)
        return programs

    @cached_property
    def _prepared(self) -> list[tuple[str, Node]]:
        """Return the constants, with their places, that inputs and what is given leave alone."""
        turned = set[int]()
        for node in reach(self.constants):
            if node.leaf[0] in ("k", "r") or any(one.id in turned for one in node.args):
                turned.add(node.id)
        return [(at, node) for at, node in _to("c", self.constants) if node.id not in turned]

    def _turned(self, sources: Mapping[int, str]) -> str:
        """Return the program for the others, which a new segment changes."""
        prepared = {node.id: at for at, node in self._prepared}
        others = [(at, node) for at, node in _to("c", self.constants) if node.id not in prepared]
        return render(others, {**sources, **prepared})

    @cached_property
    def _observed(self) -> list[tuple[str, list[Node]]]:
        """Return the program of each law at a time, and the nodes it takes as known.

        A law takes other laws' values where it is built on them, so that each is computed once.
        """
        words = {node.id: f"c:{at}" for at, node in enumerate(self.constants)}
        words |= {
            node.id: f"z:{self.live[node.leaf[1]]}"
            for node in reach(self.parts.shown.values())
            if self._is_state(node)
        }
        found = []
        for k, node in enumerate(self.laws.values()):
            taken = [one for one in reach([node], words) if one.op != "const"]
            inputs = [*taken, *(a for one in taken for a in one.args)]
            found.append((render([(f"o:{k}", node)], words), inputs))
            if node.op != "const":
                words[node.id] = f"o:{k}"
        return found

    @cached_property
    def observers(self) -> dict[str, Observer]:
        """Return how every name that can be recorded is found at a time."""
        z, c = (self.arrays[name][0] for name in ("z", "c"))
        constants = {node.id: at for at, node in enumerate(self.constants)}
        numbers = {key: k for k, key in enumerate(self.laws)}
        needs = self._law_needs(numbers)
        found = {}
        for name, node in self.parts.shown.items():
            if self._is_state(node):
                i = self.live[node.leaf[1]]
                found[name] = Observer(z + i * self.lanes, exact=True, states=(i,))
            elif node.id in constants:
                at = constants[node.id]
                found[name] = Observer(c + at * self.lanes, exact=True, constants=(at,))
            else:
                found[name] = needs[numbers[node.id]]
        return found

    def _law_needs(self, numbers: Mapping[int, int]) -> list[Observer]:
        """Return where each law's value is found, and what it needs: of laws, itself last."""
        first, exact, ready = self.arrays["o"][0], False, list[Observer]()
        constants = {node.id: at for at, node in enumerate(self.constants)}
        for k, (_, inputs) in enumerate(self._observed):
            states = {self.live[one.leaf[1]] for one in inputs if self._is_state(one)}
            steady = {constants[one.id] for one in inputs if one.id in constants}
            before = [ready[n] for n in {numbers.get(one.id, k) for one in inputs} if n < k]
            for other in before:
                states.update(other.states)
                steady.update(other.constants)
            laws = {k, *(law for other in before for law in other.laws)}
            needs = (tuple(sorted(one)) for one in (states, laws, steady))
            ready.append(Observer(first + k * self.lanes, exact, *needs))
        return ready

    def _error(self) -> str:
        eq, live = self.eq, self.parts.live
        low = [i for i, full in enumerate(live) if eq.low[full] > -1e300]
        high = [i for i, full in enumerate(live) if eq.high[full] < 1e300]
        return arithmetic.error(self.method, live, len(eq.states), low, high)

    def _arrays(self) -> dict[str, tuple[int, int, bool, bool]]:
        """Return each array's offset and step, whether a call shifts it, whether it is fixed."""
        n, w, stages = self.n, self.lanes, self.method.stages
        lane = {"y": n, "u": n, "q": n, "stage": n * stages, "a": len(self.slots)}
        lane |= {"c": len(self.constants), "z": n, "d1": n, "d2": n, "d3": n, "o": len(self.laws)}
        lane |= {"v": 5, "kept": len(self.constants)}
        shared = {"p": self.eq.n_parameters, "k": len(self.eq.neutral), "r": len(self.dosed)}
        shared |= {"atol": n, "low": n, "high": n, "rtol": 1}
        shared |= {"sign": 1, "from": 1, "until": 1}
        groups = ((lane, w, False), (dict.fromkeys(LANES, 1), w, True), (shared, 1, True))
        arrays = {
            name: (self._take(count * step), step, name == "stage", fixed)
            for group, step, fixed in groups
            for name, count in group.items()
        }
        first = arrays["stage"][0]
        stage = {f"k{s + 1}": first + s * n * w for s in range(stages)}
        arrays |= {name: (at, w, False, False) for name, at in stage.items()}
        # The same places again, for programs that act on the one state they are shifted to.
        moved = {f"m{s + 1}": first + s * n * w for s in range(stages)}
        moved |= {"my": arrays["y"][0], "mu": arrays["u"][0], "mz": arrays["z"][0]}
        moved |= {f"e{row}": arrays[f"d{row}"][0] for row in (1, 2, 3)}
        moved |= {name: self.size + row * w for row, name in enumerate(ANSWER)}
        moved |= {"mc": arrays["c"][0], "mkept": arrays["kept"][0]}
        arrays |= {name: (at, w, True, False) for name, at in moved.items()}
        # And as one lane's number, for programs that are shifted to a state and a lane.
        alone = {"ly": "y", "lu": "u", "l1": "d1", "l2": "d2", "l3": "d3", "lc": "c"}
        return arrays | {name: (arrays[of][0], 1, True, False) for name, of in alone.items()}

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
            "laws": len(self.laws),
        }

    def text(self) -> str:
        """Return the text of the kernel; see ``machine``."""
        programs = {name: Program(text, *self._how(name)) for name, text in self.programs.items()}
        here = Path(__file__)
        texts = (here.with_name(name).read_text(encoding="utf-8") for name in self.copied)
        copied = [text.partition(MARK)[2] for text in texts]
        functions = "\n".join([*self._functions(), *copied])
        return written(self._numbers(), self.arrays, programs, self.interface, functions)

    def _functions(self) -> list[str]:
        """Return the functions that name programs by number or run them in a row."""
        return [self._observe(), self._step()]

    def _observe(self) -> str:
        """Return the function that runs the program of one law, by number."""
        rows = [
            f"    {'el' * (k > 0)}if k == {k}:\n        law_{k}(w, 0)"
            for k in range(len(self.laws))
        ]
        body = rows or ["    pass"]
        return "\n".join(["def observe(w, k):", *body, ""])

    def _step(self) -> str:
        """Return the function that carries out one step of the method, up to the error estimate."""
        body = ["    factor(w, 0)"]
        for s in range(2, self.method.stages + 1):
            body += [f"    combine_{s}(w, 0)", f"    stage(w, {s - 1} * N * W)"]
        return "\n".join(["def run_step(w):", *body, "    error(w, 0)", ""])

    def _how(self, name: str) -> tuple[int, ...]:
        if name in self.scalars:
            return ()
        repeated = name.startswith("combine") or name in self.repeated
        return self.lanes, self.width, self.n if repeated else 1

    def _numbers(self) -> dict[str, object]:
        """Return the constants of the stepper; arrays go by their names in capitals."""
        places = {
            name.upper(): place[0] for name, place in self.arrays.items() if name not in ANSWER
        }
        return places | {
            "WATCHES": self.watches, "N": self.n, "W": self.lanes, "GAMMA": self.method.gamma,
            "STAGES": self.method.stages, "TIE": arithmetic.TIE,
            "N_C": len(self.constants), "N_DOSED": len(self.dosed),
            "N_KNOBS": len(self.eq.neutral), "N_PARAMETERS": self.eq.n_parameters,
            "DOSED": (*(self.live[i] for i in self.dosed), -1),  # never empty
        }  # fmt: skip


def _to(array: str, nodes: Sequence[Node]) -> list[tuple[str, Node]]:
    return [(f"{array}:{i}", node) for i, node in enumerate(nodes)]
