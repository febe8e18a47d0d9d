"""The ensemble engine as a sweep wants it: one kernel for all chunks, a thread for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.ensemble import run_members
from ketasim.engines.kernels import Kernel, compile_kernel
from ketasim.engines.limits import Limits
from ketasim.engines.members import Halted, Schedules
from ketasim.engines.status import Status

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]


def compile_members(system: System, names: Sequence[str], loudest: Schedule) -> Kernel:
    """Return a kernel for every schedule that feeds and turns no more than ``loudest``.

    Machine code is made, or found, when the kernel is first used.

    Raises
    ------
    ModelError
        When a law cannot be compiled.
    """
    return compile_kernel(system, record=tuple(names), schedules=loudest)


@dataclass(frozen=True)
class EnsembleEngine:
    """Compiled code for many members; a chunk runs in the thread that asks for it."""

    kernel: Kernel
    rtol: float
    limits: Limits
    halted: Callable[[], bool]

    @property
    def name(self) -> str:
        """Return ``'ensemble'``."""
        return "ensemble"

    def run_chunk(
        self, parameters: Array, schedules: Schedules, times: Array, names: tuple[str, ...]
    ) -> tuple[Array, Codes, Counts]:
        """Integrate the members; see :class:`ketasim.engines.members.Engine`.

        Raises
        ------
        Halted
            When ``halted()`` became true.
        """
        n = len(parameters)
        if not n:
            empty = np.empty((0, len(names), len(times)))
            return empty, np.empty(0, np.int8), np.empty(0, np.int64)
        found = run_members(
            self.kernel,
            parameters,
            schedules,
            times,
            rtol=self.rtol,
            limits=self.limits,
            threads=1,
            halted=self.halted,
        )
        if (found.status == Status.NOT_RUN).any():
            raise Halted
        return found.values, found.status, found.steps
