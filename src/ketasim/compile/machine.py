"""From a kernel's text to machine code, and from machine code to a function.

A text is a line of JSON (numbers, the workspace's layout, programs) and below it the functions that
call them, as ``lower`` reads them. It is never run as Python. What is kept is an object file, which
holds code and nothing that is interpreted.
"""

import ctypes
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llvmlite import binding, ir
from numpy.typing import NDArray

from ketasim.compile.emit import Array, Program
from ketasim.compile.interface import Interface
from ketasim.compile.kinds import JOB
from ketasim.compile.lower import Functions
from ketasim.compile.target import target
from ketasim.errors import ModelError

ENTRY = "run"
TAKES = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)


def written(
    numbers: Mapping[str, object],
    layout: Mapping[str, tuple[int, int, bool, bool]],
    programs: Mapping[str, Program],
    interface: Interface,
    functions: str,
) -> str:
    """Return the text of a kernel."""
    head = {
        "numbers": numbers,
        "layout": layout,
        "programs": {k: [p.text, p.lanes, p.width, p.repeat] for k, p in programs.items()},
        "arguments": interface.arguments,
        "counts": interface.counts,
    }
    return json.dumps(head) + "\n" + functions


def assembled(text: str) -> Any:
    """Return a kernel's text as a module of LLVM's, optimised for the target.

    Raises
    ------
    ModelError
        When the text says what is not known here.
    """
    head, _, functions = text.partition("\n")
    told = json.loads(head)
    layout = {name: Array(*place) for name, place in told["layout"].items()}
    module = ir.Module(name="kernel")
    module.triple = target().triple
    programs = {
        name: Program(*how).write(module, f"program_{name}", layout)
        for name, how in told["programs"].items()
    }
    numbers = {k: tuple(v) if isinstance(v, list) else v for k, v in told["numbers"].items()}
    interface = Interface(
        tuple((name, kind) for name, kind in told["arguments"]),
        {name: tuple(one) for name, one in told["counts"].items()},
    )
    every = Functions(module, interface, numbers, programs)
    every.read(functions)
    every.function(ENTRY, (JOB,))
    ready = binding.parse_assembly(str(module))
    ready.verify()
    machine = target().machine()
    tuning = binding.create_pipeline_tuning_options(speed_level=1)
    tuning.slp_vectorization = False
    builder = binding.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(ready, builder)
    return ready


def compiled(text: str) -> bytes:
    """Return the object file of a kernel's text."""
    found: bytes = target().machine().emit_object(assembled(text))
    return found


@dataclass(frozen=True)
class Code:
    """A compiled kernel in memory, which stays there as long as this does."""

    object_file: bytes
    _engine: Any = field(init=False, repr=False)
    _function: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Load it.

        Raises
        ------
        ModelError
            When it has no entry.
        """
        nothing = binding.parse_assembly("")
        engine = binding.create_mcjit_compiler(nothing, target().machine())
        engine.add_object_file(binding.ObjectFileRef.from_data(self.object_file))
        engine.finalize_object()
        address = engine.get_function_address(ENTRY)
        if not address:
            raise ModelError("a compiled kernel has no entry")
        object.__setattr__(self, "_engine", engine)
        object.__setattr__(self, "_function", TAKES(address))

    def run(self, interface: Interface, given: Mapping[str, NDArray[Any]]) -> int:
        """Run it on arrays given by name, which stay where they are until it is done.

        Other threads go on meanwhile.

        Raises
        ------
        KeyError, TypeError
            For an array that is missing, or of another type.
        """
        table = interface.table(given)
        found: int = self._function(table.ctypes.data)
        return found
