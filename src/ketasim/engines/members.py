"""What a sweep asks of an engine, and the reference engine answering it one member at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.limits import Limits
from ketasim.engines.status import Status, Stopped
from ketasim.units import unit

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]
Schedules = Schedule | Sequence[Schedule]
LEEWAY = 100.0  # a state may pass the end of its interval by this many times rtol of its scale


class Engine(Protocol):
    """Integrates many members; a member's numbers depend on nothing but that member.

    ``run_chunk`` takes parameters (n, n_parameters), one schedule or one a member, output times
    (n_times,) [h] and names to record. It returns values (n, n_names, n_times), NaN from the point
    of failure, status codes (n,) and steps taken (n,); everything canonical.
    """

    @property
    def name(self) -> str:
        """Return what a result says about who computed it."""
        ...

    def run_chunk(
        self, parameters: Array, schedules: Schedules, times: Array, names: tuple[str, ...]
    ) -> tuple[Array, Codes, Counts]:
        """Integrate the members."""
        ...


class Halted(Exception):
    """Somebody asked the engine to stop between two members."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class ReferenceEngine:
    """SciPy, one member after another; slow, and independent of any generated code."""

    model: Model
    method: str = "LSODA"
    rtol: float = 1e-6
    limits: Limits = field(default_factory=lambda: Limits(seconds=10.0))
    halted: Callable[[], bool] = field(default=_never, compare=False)
    first_step: float | None = None

    @property
    def name(self) -> str:
        """Return ``'reference'``."""
        return "reference"

    @cached_property
    def system(self) -> System:
        """Return the equations."""
        return System(self.model)

    @cached_property
    def _bounds(self) -> tuple[Array, Array]:
        states = self.model.states.values()
        factors = np.array([unit(s.unit).factor for s in states])
        low, high = np.array([s.within for s in states]).T * factors
        leeway = LEEWAY * self.rtol * self.system.scales
        return low - leeway, high + leeway

    def run_chunk(
        self, parameters: Array, schedules: Schedules, times: Array, names: tuple[str, ...]
    ) -> tuple[Array, Codes, Counts]:
        """Integrate the members in order; see :class:`Engine`.

        Raises
        ------
        Halted
            When ``halted()`` became true.
        """
        n = len(parameters)
        values = np.full((n, len(names), len(times)), np.nan)
        status = np.full(n, Status.NOT_RUN, dtype=np.int8)
        steps = np.zeros(n, dtype=np.int64)
        for i in range(n):
            if self.halted():
                raise Halted
            schedule = schedules if isinstance(schedules, Schedule) else schedules[i]
            status[i], steps[i] = self._one(parameters[i], schedule, times, names, values[i])
        return values, status, steps

    def _one(
        self,
        parameters: Array,
        schedule: Schedule,
        times: Array,
        names: tuple[str, ...],
        into: Array,
    ) -> tuple[Status, int]:
        from ketasim.engines.reference import integrate  # SciPy: only when it is asked for

        try:
            run = integrate(
                self.system,
                schedule,
                times,
                names=names,
                method=self.method,
                rtol=self.rtol,
                limits=self.limits,
                parameters=parameters,
                first_step=self.first_step,
            )
        except Stopped as error:
            for row, name in zip(into, names, strict=True):
                row[:] = error.observed.get(name, np.nan)
            return error.status, error.steps
        for row, name in zip(into, names, strict=True):
            row[:] = run.observed[name]
        return self._judge(run.states, into), run.steps

    def _judge(self, states: Array, into: Array) -> Status:
        """Blank everything from where a state left its interval or stopped being finite."""
        low, high = self._bounds
        broken = ~np.isfinite(np.vstack([states, into])).min(axis=0)
        outside = ((states < low[:, None]) | (states > high[:, None])).max(axis=0)
        wrong: NDArray[np.bool_] = np.logical_or(broken, outside)
        if not wrong.any():
            return Status.OK
        first = int(np.argmax(wrong))
        into[:, first:] = np.nan
        return Status.NONFINITE if broken[first] else Status.NEGATIVE_STATE
