"""The kernel's own programs for elsewhere: as WebAssembly, forward and back through the same steps.

They are the texts that machine code is made from, for one member at a time and every input, so
that a page answers whatever it is asked by the equations that ``ks.simulate`` solves. Who calls
them is ``page/js/engine.js``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ketasim.compile.backward import Backward
from ketasim.compile.kernel import reversing
from ketasim.compile.wasm import Routine, module
from ketasim.compile.wiring import equations
from ketasim.compile.writer import Writer
from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.engines.rodas5p import RODAS5P

LARGEST = 1e300  # stands for endless, which JSON cannot say
_NAMED = (
    "y", "p", "k", "r", "c", "z", "o", "d1", "d2", "d3", "atol", "low", "high", "rtol", "er",
    "fac", "margin", "acc", "hs", "hinv", "g", "us8", "lam", "yb", "cb", "pb", "kb", "jb", "qb1",
    "ob", "stage", "qb",
)  # fmt: skip


@dataclass(frozen=True)
class Portable:
    """A module of WebAssembly, and what JavaScript has to know of it.

    ``numbers`` are places in the workspace and counts; ``observers`` say, by name, where a value is
    found (``at``), the live states it follows from and its own number among those differentiated.
    """

    wasm: bytes
    numbers: Mapping[str, Any]
    observers: Mapping[str, Any]


def portable(model: Model, names: Iterable[str]) -> Portable:
    """Return a model's programs as a module that can show names.

    Raises
    ------
    ModelError
        When a law cannot be compiled.
    """
    eq = equations(System(model), marked=True)
    states, inputs = tuple(range(len(eq.states))), tuple(range(len(eq.neutral)))
    writer = reversing(
        eq, RODAS5P, live=states, dosed=states, turned=inputs, lanes=1, width=1
    )  # fmt: skip
    shown = tuple(dict.fromkeys(names))
    observers = _observers(writer, shown)
    layout = {**writer.arrays, "ob": (writer.size, 1, False, True)}
    size = writer.size + len(shown)
    ahead, back = writer.observing(shown)
    programs = {**_programs(writer), "observe": ahead, "observe_back": back}
    stages = RODAS5P.stages
    repeats = {name: writer.n for name in programs if re.match(r"combine|accept|carry", name)}
    wasm = module(
        programs, layout, size=size, repeats=repeats, routines=_routines(stages, writer.n)
    )  # fmt: skip
    numbers: dict[str, Any] = {name: layout[name][0] for name in _NAMED}
    numbers |= {
        "n": writer.n, "stages": stages, "gamma": RODAS5P.gamma, "size": size,
        "constants": len(writer.constants), "entries": [list(one) for one in writer.entries],
        "parameters": eq.n_parameters, "knobs": len(eq.neutral), "seen": len(shown),
        "need": sorted({i for one in observers.values() for i in one["states"]}),
        "scales": list(eq.scales), "lows": _finite(eq.low), "highs": _finite(eq.high),
        "neutral": list(eq.neutral), "pools": _pools(model), **_restful(model),
    }  # fmt: skip
    return Portable(wasm, numbers, observers)


def _finite(values: Iterable[float]) -> list[float]:
    return [one if isfinite(one) else LARGEST * (1 if one > 0 else -1) for one in values]


def _restful(model: Model) -> dict[str, list[int]]:
    """Return the parameters that a drug-free rest follows from, and inputs that add the others.

    What carries a drug that is not there is no part of a rest; see ``engines/batch.py``.
    """

    def carries(name: str) -> bool:
        return name.partition(".")[0] in model.carriers

    return {
        "restful": [i for i, name in enumerate(model.parameters) if not carries(name)],
        "carrying": [i for i, name in enumerate(model.knobs) if carries(name)],
    }


def _pools(model: Model) -> list[list[int]]:
    where = {name: i for i, name in enumerate(model.states)}
    return [[where[name] for name in pool] for pool in model.conserved]


def _programs(writer: Backward) -> dict[str, str]:
    """Return the programs that run forward on the arrays that running back needs, and those."""
    back, forward = dict(writer.programs), Writer.programs.func(writer)  # type: ignore[attr-defined]
    last = {name: re.sub(r"\bu:", "us8:", forward[name]) for name in ("error", "accept")}
    del back["entries_back"]  # as long as it is plain: JavaScript does it in two loops
    return {**back, **last, "rest": forward["rest"], "dense": forward["dense"]}


def _routines(stages: int, n: int) -> tuple[Routine, ...]:
    """Return what a step does in a row, forward and back; between, JavaScript adds its seeds."""
    ahead: list[tuple[str, int]] = [("factor", 0)]
    for s in range(2, stages + 1):
        ahead += [(f"combine_{s}", 0), ("stage", (s - 1) * n)]
    found = [Routine("step", (*ahead, ("error", 0))), Routine("again", tuple(ahead))]
    for s in range(1, stages + 1):
        back = [("solve_back", (s - 1) * n)] + [("slopes_back", (s - 1) * n)] * (s > 1)
        found.append(Routine(f"back_{s}", tuple(back)))
    return (*found, Routine("finish", (("first_back", 0), ("carry", 0))))


def _observers(writer: Backward, names: Iterable[str]) -> dict[str, Any]:
    """Return how each name is found, and which of those that take work it is."""
    found = {name: writer.observers[name] for name in names}
    laws = [name for name, one in found.items() if one.laws]
    return {
        name: {
            "at": one.place, "states": list(one.states),
            "constant": one.constants[0] if one.exact and not one.states else -1,
            "law": laws.index(name) if one.laws else -1,
        }
        for name, one in found.items()
    }  # fmt: skip
