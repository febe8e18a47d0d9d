"""A kernel that runs back in time: a step's programs reversed, and the text of its module.

Going forward a step makes of the states ``y`` and the segment's constants ``c`` the next states.
Going back it makes of the derivative by the next states that by ``y`` and ``c``, on the very steps
that were taken: each step is computed once more, and its programs are then run from their results
to what they took. See ``backstep`` for the order of events.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from ketasim.compile.interface import BACKWARD, Interface
from ketasim.compile.pullback import pulled_back
from ketasim.compile.specialise import Fuse, eased, render
from ketasim.compile.trace import Node, reach
from ketasim.compile.writer import Writer

Seeds = Sequence[tuple[str, Node]]


class Backward(Writer):
    """Writes the module that takes derivatives back through steps."""

    interface: Interface = BACKWARD
    copied: tuple[str, ...] = ("backstep.py",)
    scalars: tuple[str, ...] = ("prepare", "prepare_back", "rest_back")
    repeated: tuple[str, ...] = ("carry",)

    def _arrays(self) -> dict[str, tuple[int, int, bool, bool]]:
        """Return the places of a step's arrays, and of the derivatives by each of them.

        ``us`` keeps every stage's ``u`` and ``dear`` what took long to find there (``dear1`` at
        ``y``); ``ub``, ``qb``, ``cb``, ``yb`` and ``jb`` are the derivatives by the stages' ``u``
        and ``q`` (before a solution, by the stages themselves), by ``c``, ``y`` and the Jacobian;
        ``lam`` that by what a step leads to; ``pb``, ``kb`` and ``rb`` by a segment's inputs. What
        is read within the step itself is in ``z`` (by ``y``) and ``d1`` to ``d3``.
        """
        arrays = super()._arrays()
        n, w, stages = self.n, self.lanes, self.method.stages
        for name in ("us", "dear", "ub", "qb"):
            first = self._take(n * stages * w)
            arrays[name] = (first, w, True, False)
            for s in range(stages):
                arrays[f"{name}{s + 1}"] = (first + s * n * w, w, False, False)
        lane = {"cb": len(self.constants), "yb": n, "lam": n, "jb": len(self.entries)}
        lane |= {"dear1": len(self.dear_at_first)}
        arrays |= {name: (self._take(count * w), w, False, False) for name, count in lane.items()}
        arrays |= {
            f"mq{s + 1}": (arrays["qb"][0] + s * n * w, w, True, False) for s in range(stages)
        }
        shared = {"pb": self.eq.n_parameters, "kb": len(self.eq.neutral), "rb": len(self.dosed)}
        return arrays | {
            name: (self._take(count), 1, False, True) for name, count in shared.items()
        }

    @property
    def programs(self) -> dict[str, str]:
        """Return every program by name."""
        stages, forward = self.method.stages, Writer.programs.func(self)  # type: ignore[attr-defined]
        programs = {"prepare": "\n".join([forward["prepare"], forward["turned"]])}
        programs["factor"] = _noted(forward["factor"], self.dear_at_first)
        programs["stage"] = _noted(_renamed(forward["stage"], {"u": "us"}), self.dear)
        for s in range(2, stages + 1):
            programs[f"combine_{s}"] = _kept(forward[f"combine_{s}"], s)
        for s in range(1, stages + 1):
            programs[f"combine_back_{s}"] = self._combine_back(s)
            programs[f"plant_{s}"] = self._plant(s)
        programs["carry"] = "x = add yb:0 z:0\nlam:0 < x"
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
        later = [(f"qb:{i}", node) for i, node in enumerate(parts.later)]
        ends = [(f"cb:{i}", node) for i, node in enumerate(self.constants)]
        rest = [(f"lam:{i}", node) for i, node in enumerate(parts.rest)]
        return {
            "solve_back": eased(self._back(later, right, {**kept, **constants, **states, **step})),
            "slopes_back": eased(self._back(slopes, {**there, **constants}, self.dear)),
            "entries_back": self._entries_back(),
            "first_back": eased(self._back(at_start, {**states, **constants}, self.dear_at_first)),
            "prepare_back": self._back(ends, inputs, {}),
            "rest_back": self._back(rest, inputs, {}),
        }

    def observing(self, names: Sequence[str]) -> tuple[str, str]:
        """Return the program that finds names from states ``z``, and the one that goes back.

        Going back, ``ob`` holds the derivatives by the values that take work, in the order of
        ``names``; those by states and constants are added to ``yb`` and ``cb``, at states ``y``.
        """
        found = {name: self.observers[name] for name in names}
        laws = sorted({k for one in found.values() for k in one.laws})
        shown = (self.parts.shown[name] for name, one in found.items() if one.laws)
        seeds = [(f"ob:{at}", node) for at, node in enumerate(shown)]
        constants = {node.id: f"c:{at}" for at, node in enumerate(self.constants)}
        inputs = {**self._words({"y": self.live}), **constants}
        return "\n".join(self._observed[k][0] for k in laws), self._back(seeds, inputs, {})

    @cached_property
    def dear(self) -> Mapping[int, str]:
        """Return the words of what takes long at a stage's ``u`` and is kept for going back."""
        found = _dear(self.parts.there())[: self.n]
        return {node.id: f"dear:{i}" for i, node in enumerate(found)}

    @cached_property
    def dear_at_first(self) -> Mapping[int, str]:
        """Return the same at the step's beginning, ``y``."""
        found = _dear([*self.parts.slopes(), *self.entries.values()])
        return {node.id: f"dear1:{i}" for i, node in enumerate(found)}

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
        """Return the program for the derivative by a stage, from those by the later ones.

        Where a stage's ``u`` is the one before it and a stage, the derivative by that ``u`` is
        handed on to the one before. The program of the first stage also sums that by ``y``.
        """
        method, stages = self.method, self.method.stages
        last = stages - 1
        if s == stages:
            return f"qb{s}:0 < lam:0"
        lines = [f"g{later} = add ub{later}:0 #0.0" for later in range(s + 2, stages + 1)]
        lines.append(f"g{s + 1} = add ub{s + 1}:0 " + ("lam:0" if s == last else "#0.0"))
        if s + 2 <= stages and self._follows(s + 2):
            lines.append(f"g{s + 1} = add g{s + 1} g{s + 2}")
        if s == last or self._follows(s + 2):
            lines.append(f"ub{s + 1}:0 < g{s + 1}")
        free = [later for later in range(s + 1, stages + 1) if not self._follows(later)]
        lines.append("q = add #0.0 #0.0")
        lines += [
            f"q = fma qb{o}:0 #{method.c[o - 1][s - 1]!r} q" for o in range(s + 1, stages + 1)
        ]
        lines.append("x = mul q hinv:0")
        if self._follows(s + 1):
            lines.append(f"x = add x g{s + 1}")
        lines += [f"x = fma g{o} #{method.a[o - 1][s - 1]!r} x" for o in free]
        lines.append(f"qb{s}:0 < x")
        if s == 1:
            lines += [f"y = add g{free[0]} #0.0", *(f"y = add y g{o}" for o in free[1:])]
            lines.append("yb:0 < y")
        return "\n".join(lines)

    def _plant(self, s: int) -> str:
        """Return the program that adds what is read of one state within a step, by a stage."""
        rows = enumerate((weights[s - 1] for weights in self.method.dense), start=1)
        lines = [
            f"q = fma e{row}:0 #{weight!r} {'q' if row > 1 else f'mq{s}:0'}" for row, weight in rows
        ]
        return "\n".join([*lines, f"mq{s}:0 < q"])

    def _follows(self, s: int) -> bool:
        """Return whether a stage's ``u`` is the one before it and that one's stage."""
        a = self.method.a
        return s > 2 and a[s - 1] == (*a[s - 2], 1.0)

    def _functions(self) -> list[str]:
        """Return the function that computes steps once more and takes derivatives through them."""
        stages = range(2, self.method.stages + 1)
        body = ["    factor(w, 0)"]
        for s in stages:
            body += [f"    combine_{s}(w, 0)", f"    stage(w, {s - 1} * N * W)"]
        for s in reversed(range(1, self.method.stages + 1)):
            body += [
                f"    combine_back_{s}(w, 0)",
                "    for j in range(seen):",
                f"        plant_{s}(w, job.seeded[j] * W)",
                f"    solve_back(w, {s - 1} * N * W)",
            ]
            if s > 1:
                body.append(f"    slopes_back(w, {s - 1} * N * W)")
        body += ["    entries_back(w, 0)", "    first_back(w, 0)", ""]
        return ["\n".join(["def run_back(job, w, seen):", *body])]


DEAR = frozenset(("recip", "pow", "exp", "log"))  # operations that take long


def _dear(outputs: Iterable[Node]) -> list[Node]:
    return [node for node in reach(outputs) if node.moving and node.op in DEAR]


def _noted(text: str, words: Mapping[int, str]) -> str:
    """Return a program that keeps what takes long as soon as it is found."""
    places, lines = {f"t{key}": word for key, word in words.items()}, list[str]()
    for line in text.splitlines():
        lines.append(line)
        name, sign, _ = line.split(maxsplit=2)
        if sign == "=" and name in places:
            lines.append(f"{places[name]} < {name}")
    return "\n".join(lines)


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
