"""The ensemble engine: one compiled kernel, many members, each on its own clock.

Absolute tolerances are those of the reference engine: ``rtol`` times a thousandth of each state's
own scale. The error of a step is the root mean square over the model's states.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.compile import cache
from ketasim.compile.kernel import Plan, plan
from ketasim.compile.wiring import Equations, equations
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.inputs import Inputs, gather
from ketasim.engines.rodas5p import RODAS5P
from ketasim.engines.status import Status

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]
Schedules = Schedule | Sequence[Schedule]
ATOL_SHARE = 1e-3  # as in the reference engine
FIRST_STEP = 1e-3  # tried at the start of every segment [h]
RETRY_SHARE = 1e-4  # a second try starts with so much of it
CHUNK = 1024  # members a thread takes at once; no number depends on it
AGAIN = (Status.MAX_STEPS, Status.NONFINITE, Status.STEP_TOO_SMALL, Status.NEGATIVE_STATE)


@dataclass(frozen=True)
class Kernel:
    """Equations made into machine code.

    ``note`` is not empty when the code could not be kept for the next start; ``compiled`` says
    whether it had to be compiled now.
    """

    eq: Equations
    plan: Plan
    module: ModuleType
    note: str
    compiled: bool

    @property
    def record(self) -> tuple[str, ...]:
        """Return the names computed at output times."""
        return self.plan.record


@dataclass(frozen=True)
class EnsembleResult:
    """What became of each member, in the order asked for.

    ``values`` (n_members, n_record, n_times) in canonical units, NaN from the point of failure;
    ``final`` (n_members, n_states) when it was asked for. ``rounds`` counts steps of all lanes
    together, so that ``(steps + rejected).sum() / (rounds * lanes)`` is the share of lanes in use.
    """

    values: Array
    status: Codes
    steps: Counts
    rejected: Counts
    rounds: int
    final: Array | None = None


@dataclass(frozen=True)
class Effort:
    """What one member may spend: steps, rejected ones included, and time [s]."""

    steps: int = 100_000
    seconds: float = 10.0


def lanes() -> tuple[int, int]:
    """Return lanes per thread and lanes per instruction for this processor."""
    from llvmlite.binding import get_host_cpu_features

    features = get_host_cpu_features()
    width = 8 if features.get("avx512f") else 4 if features.get("avx") else 2
    return 8, width


def compile_kernel(
    system: System,
    *,
    record: Sequence[str],
    schedules: Schedules | None = None,
    lanes_and_width: tuple[int, int] | None = None,
) -> Kernel:
    """Compile a model's equations, or find them compiled.

    With ``schedules`` the kernel serves those and any others that feed the same states and turn
    the same knobs; without, it serves all. What is left out changes no bit of what remains.

    Raises
    ------
    ModelError
        When a law cannot be compiled, or a recorded name is unknown.
    """
    for name in record:
        system.model.role(name)
    everything = schedules is None
    inputs = gather(() if schedules is None else schedules)
    n_states, n_knobs = len(system.state_names), len(system.neutral_knobs)
    dosed = range(n_states) if everything else inputs.dosed
    turned = range(n_knobs) if everything else inputs.turned(system.neutral_knobs)
    return build_kernel(
        equations(system),
        record=record,
        dosed=tuple(dosed),
        turned=tuple(turned),
        lanes_and_width=lanes_and_width,
    )


def build_kernel(
    eq: Equations,
    *,
    record: Sequence[str],
    dosed: tuple[int, ...],
    turned: tuple[int, ...],
    started: tuple[int, ...] = (),
    lanes_and_width: tuple[int, int] | None = None,
) -> Kernel:
    """Compile any traced equations; see :func:`ketasim.compile.kernel.plan`."""
    w, width = lanes_and_width or lanes()
    made = plan(
        eq, RODAS5P, record=record, dosed=dosed, turned=turned, started=started, lanes=w, width=width
    )
    compiled = not cache.is_kept(made.text)
    module, note = cache.load(made.text)
    return Kernel(eq, made, module, note, compiled)


def run_members(
    kernel: Kernel,
    parameters: Array,
    schedules: Schedules | Inputs,
    times: Array,
    *,
    rtol: float = 1e-6,
    atol: Array | None = None,
    threads: int | None = None,
    y0: Array | None = None,
    effort: Effort = Effort(),
    into: Array | None = None,
    keep_final: bool = False,
    halted: Callable[[], bool] | None = None,
    chunk: int = CHUNK,
    first_step: float = FIRST_STEP,
) -> EnsembleResult:
    """Integrate members; a member's bits depend on nothing but that member.

    Parameters
    ----------
    parameters
        Canonical, shape (n_members, n_parameters).
    schedules
        One for all, or one a member.
    times
        Output times (n_times,) [h] within the schedules; at a breakpoint the value after it.
    atol
        Absolute tolerance (n_states,), canonical; by default ``rtol`` times 1e-3 of each scale.
    y0
        States to start from, (n_states,) or (n_members, n_states); by default rest.
    into
        Where to write values, (n_members, n_record, n_times), so that memory stays flat.
    halted
        Asked ten times a second; members not finished when it is true keep status NOT_RUN.

    Returns
    -------
    EnsembleResult

    Raises
    ------
    ModelError
        When a schedule feeds a state or turns a knob that the kernel leaves out.
    """
    job = _Job(kernel, parameters, schedules, times, rtol, atol, y0, effort, into, keep_final)
    job.run(np.arange(job.n), first_step, threads, halted, chunk)
    failed = np.flatnonzero(np.isin(job.status, AGAIN))
    if len(failed):
        before = job.status[failed].copy()
        job.run(failed, first_step * RETRY_SHARE, threads, halted, chunk)
        saved = failed[job.status[failed] == Status.OK]
        job.status[saved] = Status.OK_AFTER_RETRY
        stopped = failed[job.status[failed] == Status.NOT_RUN]
        job.status[stopped] = before[np.isin(failed, stopped)]
    return job.result()


class _Job:
    """Arrays of one call, as the compiled function wants them."""

    def __init__(
        self,
        kernel: Kernel,
        parameters: Array,
        schedules: Schedules | Inputs,
        times: Array,
        rtol: float,
        atol: Array | None,
        y0: Array | None,
        effort: Effort,
        into: Array | None,
        keep_final: bool,
    ) -> None:
        self.kernel, made, eq = kernel, kernel.plan, kernel.eq
        self.parameters = np.ascontiguousarray(np.atleast_2d(parameters), dtype=float)
        self.n, self.live = len(self.parameters), list(made.live)
        self.times = np.ascontiguousarray(times, dtype=float)
        inputs = schedules if isinstance(schedules, Inputs) else gather(schedules)
        self.inputs = inputs.narrowed(made.dosed, made.turned, eq.neutral, self.n)
        scales = np.array(eq.scales)
        full = rtol * ATOL_SHARE * scales if atol is None else np.broadcast_to(atol, scales.shape)
        self.atol = np.ascontiguousarray(full[self.live], dtype=float)
        leeway = 100.0 * rtol * scales
        self.low = np.ascontiguousarray((np.array(eq.low) - leeway)[self.live])
        self.high = np.ascontiguousarray((np.array(eq.high) + leeway)[self.live])
        self.starts = np.empty((0, 0))
        if y0 is not None:
            self.starts = np.ascontiguousarray(np.atleast_2d(y0)[:, self.live], dtype=float)
        shape = (self.n, len(made.record), len(self.times))
        self.values = np.empty(shape) if into is None else into
        self.status = np.full(self.n, int(Status.NOT_RUN), dtype=np.int8)
        self.steps, self.rejected = np.zeros((2, self.n), dtype=np.int64)
        self.final = np.empty((self.n if keep_final else 0, len(self.live)))
        self.rtol, self.effort, self.rounds = rtol, effort, 0
        self.clock = np.zeros(8, dtype=np.int64)

    def run(
        self,
        members: Counts,
        first_step: float,
        threads: int | None,
        halted: Callable[[], bool] | None,
        chunk: int,
    ) -> None:
        """Integrate some members, in chunks taken by threads in turn."""
        self.status[members] = Status.NOT_RUN
        count = max(1, min(threads or os.cpu_count() or 1, -(-len(members) // chunk)))
        if threads is None or threads > 1:
            chunk = max(1, min(chunk, -(-len(members) // (threads or os.cpu_count() or 1))))
            count = max(1, min(threads or os.cpu_count() or 1, -(-len(members) // chunk)))
        chunks = [members[at : at + chunk] for at in range(0, len(members), chunk)]
        settings = np.array([self.rtol, first_step])
        with _Clock(self.clock, halted), ThreadPoolExecutor(count) as pool:
            try:
                found = [pool.submit(self._chunk, one, settings) for one in chunks]
                self.rounds += sum(one.result() for one in found)
            except BaseException:
                self.clock[1] = 1
                raise

    def _chunk(self, members: Counts, settings: Array) -> int:
        if self.clock[1]:
            return 0
        i = self.inputs
        limits = np.array([self.effort.steps, int(1000 * self.effort.seconds)])
        run: Any = self.kernel.module.run
        return int(
            run(
                members, self.parameters, self.starts, i.plans, i.firsts, i.edges, i.knobs, i.rates,
                i.boluses, self.times, self.atol, self.low, self.high, settings, limits, self.clock,
                _aligned(self.kernel.plan.size), self.values, self.final, self.status, self.steps,
                self.rejected,
            )
        )  # fmt: skip

    def result(self) -> EnsembleResult:
        """Return what was found; members never reached are NaN."""
        self.values[self.status == Status.NOT_RUN] = np.nan
        final = None
        if len(self.final):
            final = np.zeros((self.n, len(self.kernel.eq.states)))
            final[:, self.live] = self.final
        return EnsembleResult(
            self.values, self.status, self.steps, self.rejected, self.rounds, final
        )


class _Clock:
    """Tells compiled code the time in milliseconds, and when to stop."""

    def __init__(self, clock: Counts, halted: Callable[[], bool] | None) -> None:
        self.clock, self.halted = clock, halted
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "_Clock":
        self.began = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def _tick(self) -> None:
        while not self.done.wait(0.05):
            self.clock[0] = int(1000 * (time.monotonic() - self.began))
            if self.halted is not None and self.halted():
                self.clock[1] = 1


def _aligned(size: int) -> Array:
    """Return a workspace that starts on a cache line."""
    raw = np.empty(size + 8)
    skip = (-raw.ctypes.data) % 64 // 8
    return raw[skip : skip + size]
