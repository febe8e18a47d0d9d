"""The programs of a kernel as WebAssembly, written byte by byte: no compiler, no linker.

- ``code``: the encoding of numbers, instructions and sections
- ``maths``: exp, log and power as functions of a module
- ``body``: a program (``t7 = fma t3 c:2 t6``, ``k:3 < t7``) as a function
- ``module``: functions, memory and names as one module
"""

from ketasim.compile.wasm.module import Routine, module

__all__ = ["Routine", "module"]
