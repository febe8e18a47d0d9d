"""Programs and what calls them in a row, with their memory, as one module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ketasim.compile.wasm import code as c
from ketasim.compile.wasm.body import Place, written
from ketasim.compile.wasm.maths import functions

PAGE = 65_536  # bytes
MAGIC = b"\0asm\x01\0\0\0"


@dataclass(frozen=True)
class Routine:
    """A function that calls others in a row, each with a shift [doubles]."""

    name: str
    steps: tuple[tuple[str, int], ...]


def module(
    programs: Mapping[str, str],
    layout: Mapping[str, Place],
    *,
    size: int,
    repeats: Mapping[str, int],
    routines: Sequence[Routine] = (),
) -> bytes:
    """Return a module that exports ``memory`` and each program and routine as ``f(shift)``.

    Parameters
    ----------
    programs
        Texts by name; see ``compile/specialise.py``.
    layout
        Where each array lies in memory; see :func:`ketasim.compile.wasm.body.written`.
    size
        How many doubles the workspace holds.
    repeats
        Of programs that run for one entry after another, for how many.
    """
    maths = functions()
    calls = {name: at for at, name in enumerate(maths)}
    places = {name: len(maths) + at for at, name in enumerate(programs)}
    bodies = [body for _, body in maths.values()]
    bodies += [
        written(text, layout, calls, repeat=repeats.get(name, 1)) for name, text in programs.items()
    ]
    for at, one in enumerate(routines, len(bodies)):
        places[one.name] = at
        steps = (c.index(8 * shift) + c.call(places[name]) for name, shift in one.steps)
        bodies.append(c.function(b"".join(steps)))
    kinds = [count - 1 for count, _ in maths.values()]
    kinds += [2] * (len(bodies) - len(maths))
    types = [_type(c.F64, 1, returns=True), _type(c.F64, 2, returns=True), _type(c.I32, 1)]
    exports = [c.name("memory") + b"\x02" + c.unsigned(0)]
    exports += [c.name(name) + b"\x00" + c.unsigned(at) for name, at in places.items()]
    memory = b"\x00" + c.unsigned(-(-8 * size // PAGE))
    return MAGIC + b"".join(
        (
            c.section(1, c.vector(types)),
            c.section(3, c.vector([c.unsigned(kind) for kind in kinds])),
            c.section(5, c.vector([memory])),
            c.section(7, c.vector(exports)),
            c.section(10, c.vector(bodies)),
        )
    )


def _type(kind: int, count: int, *, returns: bool = False) -> bytes:
    made = [bytes([c.F64])] if returns else []
    return b"\x60" + c.vector([bytes([kind])] * count) + c.vector(made)
