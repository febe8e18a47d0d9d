"""The ensemble engine as a sweep wants it: one kernel for all chunks, and settled starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.wiring import equations
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.ensemble import Effort, Kernel, build_kernel, run_members
from ketasim.engines.inputs import gather
from ketasim.engines.members import Halted, Schedules
from ketasim.engines.reference import Limits
from ketasim.engines.status import Status
from ketasim.engines.steady import settle
from ketasim.errors import SolverError

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]


def compile_members(system: System, names: Sequence[str], loudest: Schedule) -> Kernel:
    """Return a kernel for every schedule that feeds and turns no more than ``loudest``.

    Raises
    ------
    ModelError
        When a law cannot be compiled.
    """
    inputs = gather(loudest)
    return build_kernel(
        equations(system),
        record=tuple(names),
        dosed=inputs.dosed,
        turned=inputs.turned(system.neutral_knobs),
        started=range_of(system) if loudest.settled else (),
    )


def range_of(system: System) -> tuple[int, ...]:
    """Return the index of every state."""
    return tuple(range(len(system.state_names)))


@dataclass(frozen=True)
class EnsembleEngine:
    """Compiled code for many members; a chunk runs in the thread that asks for it."""

    kernel: Kernel
    system: System
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
        values = np.full((n, len(names), len(times)), np.nan)
        status, steps = np.full(n, Status.NOT_RUN, np.int8), np.zeros(n, np.int64)
        if not n:
            return values, status, steps
        starts, chosen = self._starts(parameters, schedules, status)
        some: Schedules = schedules
        if not isinstance(schedules, Schedule):
            some = [schedules[int(i)] for i in chosen]
        if len(chosen):
            found = run_members(
                self.kernel,
                parameters[chosen],
                some,
                times,
                rtol=self.rtol,
                threads=1,
                y0=starts,
                effort=Effort(self.limits.steps, self.limits.seconds),
                halted=self.halted,
            )
            values[chosen], status[chosen], steps[chosen] = found.values, found.status, found.steps
        if self.halted() and (status == Status.NOT_RUN).any():
            raise Halted
        return values, status, steps

    def _starts(
        self, parameters: Array, schedules: Schedules, status: Codes
    ) -> tuple[Array | None, NDArray[np.intp]]:
        """Return settled states (n_chosen, n_states), or None for rest, and who has one."""
        n = len(parameters)
        first = schedules if isinstance(schedules, Schedule) else schedules[0]
        if not first.settled:
            return None, np.arange(n)
        known: dict[bytes, Array | None] = {}
        found = []
        for i in range(n):
            if self.halted():
                raise Halted
            before = (schedules if isinstance(schedules, Schedule) else schedules[i]).before
            key = parameters[i].tobytes() + before.tobytes()
            if key not in known:
                known[key] = self._settled(parameters[i], before)
            found.append(known[key])
        chosen = np.array([i for i, one in enumerate(found) if one is not None], dtype=np.intp)
        status[[i for i, one in enumerate(found) if one is None]] = Status.NO_BASELINE
        starts = [one for one in found if one is not None]
        return (np.stack(starts) if starts else None), chosen

    def _settled(self, parameters: Array, before: Array) -> Array | None:
        values = self.system.prepare(parameters, before)
        try:
            return settle(self.system, values, self.system.rest(values))
        except (SolverError, ArithmeticError):
            return None
