"""A kernel that runs back in time: a step's programs reversed, and the text of its module.

Going forward a step makes of the states ``y`` and the segment's constants ``c`` the next states.
Going back it makes of the derivative by the next states that by ``y`` and ``c``, on the very steps
that were taken: each step is computed once more, and its programs are then run from their results
to what they took. See ``backstep`` for the order of events.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from ketasim.compile.interface import BACKWARD, Interface
from ketasim.compile.pullback import pulled_back
from ketasim.compile.specialise import Fuse, render
from ketasim.compile.trace import Node
from ketasim.compile.writer import Writer

Seeds = Sequence[tuple[str, Node]]


class Backward(Writer):
    """Writes the module that takes derivatives back through steps."""

    interface: Interface = BACKWARD
    copied: tuple[str, ...] = ("backstep.py",)
    scalars: tuple[str, ...] = ("prepare", "prepare_back", "rest_back")
    repeated: tuple[str, ...] = ("begin", "carry")

    def _arrays(self) -> dict[str, tuple[int, int, bool, bool]]:
        """Return the places of a step's arrays, and of the derivatives by each of them.

        ``us`` keeps every stage's ``u``; ``ub``, ``qb``, ``sb``, ``cb``, ``yb`` and ``jb`` are the
        derivatives by ``u`` and ``q`` of a stage, by the stages, ``c``, ``y`` and the Jacobian;
        ``lam`` that by what a step leads to; ``pb``, ``kb`` and ``rb`` by a segment's inputs.
        """
        arrays = super()._arrays()
        n, w, stages = self.n, self.lanes, self.method.stages
        for name in ("us", "qb", "sb"):
            first = self._take(n * stages * w)
            arrays[name] = (first, w, True, False)
            for s in range(stages):
                arrays[f"{name}{s + 1}"] = (first + s * n * w, w, False, False)
        lane = {"cb": len(self.constants), "ub": n, "yb": n, "lam": n, "jb": len(self.entries)}
        arrays |= {name: (self._take(count * w), w, False, False) for name, count in lane.items()}
        shared = {"pb": self.eq.n_parameters, "kb": len(self.eq.neutral), "rb": len(self.dosed)}
        return arrays | {
            name: (self._take(count), 1, False, True) for name, count in shared.items()
        }

    @property
    def programs(self) -> dict[str, str]:
        """Return every program by name."""
        stages, forward = self.method.stages, Writer.programs.func(self)  # type: ignore[attr-defined]
        programs = {name: forward[name] for name in ("prepare", "factor")}
        programs["stage"] = _renamed(forward["stage"], {"u": "us"})
        for s in range(2, stages + 1):
            programs[f"combine_{s}"] = _kept(forward[f"combine_{s}"], s)
            programs[f"combine_back_{s}"] = self._combine_back(s)
        programs["begin"] = f"x = add sb{stages}:0 lam:0\nsb{stages}:0 < x"
        programs["carry"] = "lam:0 < yb:0"
        return programs | self._reversed()

    def _reversed(self) -> dict[str, str]:
        parts, live = self.parts, self.live
        fed = {full: at for at, full in enumerate(self.dosed)}
        inputs = self._words({"p": None, "k": None, "r": fed})
        states = self._words({"y": live})
        there = self._words({"u": live})
        there = {key: _renamed(word, {"u": "us"}) for key, word in there.items()}
        right = self._words({"q": live})
        step = self._words({"g": None})
        constants = {node.id: f"c:{at}" for at, node in enumerate(self.constants)}
        kept = {key: word for key, (word, _) in self.slots.items()}
        slopes = [(f"qb:{i}", node) for i, node in enumerate(parts.there())]
        at_start = [(f"qb1:{i}", node) for i, node in enumerate(parts.slopes())]
        at_start += [(f"jb:{i}", node) for i, node in enumerate(self.entries.values())]
        later = [(f"sb:{i}", node) for i, node in enumerate(parts.later)]
        ends = [(f"cb:{i}", node) for i, node in enumerate(self.constants)]
        rest = [(f"lam:{i}", node) for i, node in enumerate(parts.rest)]
        return {
            "solve_back": self._back(later, right, {**kept, **constants, **states, **step}),
            "slopes_back": self._back(slopes, {**there, **constants}, {}),
            "entries_back": self._entries_back(),
            "first_back": self._back(at_start, {**states, **constants}, {}),
            "prepare_back": self._back(ends, inputs, {}),
            "rest_back": self._back(rest, inputs, {}),
        }

    @cached_property
    def entries(self) -> Mapping[tuple[int, int], Node]:
        """Return the entries of the Jacobian, by row and column."""
        return self.parts.entries()

    def _entries_back(self) -> str:
        """Return the program for the derivative by the Jacobian: of each stage, of ``k = W^-1 r``.

        A change of the Jacobian ``J`` in ``W = g I - J`` changes a stage by ``W^-1 dJ k``, and
        ``qb`` is the derivative by ``r``.
        """
        lines = []
        for at, (i, j) in enumerate(self.entries):
            lines.append(f"x = mul qb1:{i} k1:{j}")
            stages = range(2, self.method.stages + 1)
            lines += [f"x = fma qb{s}:{i} k{s}:{j} x" for s in stages]
            lines.append(f"jb:{at} < x")
        return "\n".join(lines)

    def _back(self, outputs: Seeds, inputs: Mapping[int, str], more: Mapping[int, str]) -> str:
        """Return the program from the derivatives by outputs (at the words given) to by inputs.

        What a program's every run adds to is added to; the rest is set.
        """
        graph = self.parts.first[0].graph
        seeds = [(node, graph.leaf("bar", at)) for at, (_, node) in enumerate(outputs)]
        found = pulled_back(graph, seeds, inputs, is_last=True)
        words = {**inputs, **more, **{bar.id: outputs[bar.leaf[1]][0] for _, bar in seeds}}
        ends = []
        for at, (key, word) in enumerate(inputs.items()):
            array, _, index = word.partition(":")
            there = f"{_BARS[array]}:{index}"
            if array in ("us", "q"):
                ends.append((there, found.get(key, graph.const(0.0))))
            elif key in found and array in ("p", "k", "r"):
                ends.append((there, found[key]))
            elif key in found:
                have = graph.leaf("have", at)
                words[have.id] = there
                ends.append((there, graph.add(have, found[key])))
        return _rendered(ends, words, graph.nodes)

    def _combine_back(self, s: int) -> str:
        """Return the program from the derivatives by a stage's ``u`` and ``q`` to the others'."""
        a, c = self.method.a[s - 1], self.method.c[s - 1]
        last = "lam:0" if s == self.method.stages else "#0.0"
        lines = [f"g = add ub:0 {last}", f"q = mul qb{s}:0 hinv:0"]
        for j, (by_u, by_q) in enumerate(zip(a, c, strict=True), start=1):
            lines += [
                f"x{j} = fma g #{by_u!r} sb{j}:0",
                f"z{j} = fma q #{by_q!r} x{j}",
                f"sb{j}:0 < z{j}",
            ]
        return "\n".join([*lines, "y = add yb:0 g", "yb:0 < y"])

    def _functions(self) -> list[str]:
        """Return the function that computes steps once more and takes derivatives through them."""
        stages = range(2, self.method.stages + 1)
        body = ["    run_factor(w)"]
        for s in stages:
            body += [f"    combine_{s}(w, 0)", f"    run_stage(w, {s - 1} * N * W)"]
        body.append("    begin(w, 0)")
        for s in reversed(stages):
            body += [f"    run_stage_back(w, {s - 1} * N * W)", f"    combine_back_{s}(w, 0)"]
        return [
            "\n".join(["@njit(**SAFE)", "def run_back(w):", *body, "    run_first_back(w)", ""])
        ]

    def _numbers(self) -> dict[str, object]:
        """Return the constants of the text."""
        return super()._numbers() | {
            "DENSE": tuple(tuple(row) for row in self.method.dense),
        }


_BARS = {"y": "yb", "us": "ub", "q": "qb", "c": "cb", "p": "pb", "k": "kb", "r": "rb"}


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\b(\w+):", lambda found: f"{names.get(found[1], found[1])}:", text)


def _kept(text: str, s: int) -> str:
    """Return a program that combines stages so that it keeps what it makes of each."""
    lines = []
    for line in text.splitlines():
        left, _, right = line.partition(" < ")
        if right:
            lines.append(f"{_renamed(left, {'u': f'us{s}'})} < {right}")
        else:
            lines.append(_renamed(line, {"u": f"us{s - 1}"}))
    return "\n".join(lines)


def _rendered(ends: Seeds, words: Mapping[int, str], nodes: Sequence[Node]) -> str:
    """Return the program for nodes with products joined to sums."""
    fuse = Fuse()
    told = list(words)
    again = fuse.all(nodes[key] for key in told)
    kept = {node.id: words[key] for key, node in zip(told, again, strict=True)}
    final = fuse.all(node for _, node in ends)
    return render([(word, node) for (word, _), node in zip(ends, final, strict=True)], kept)
