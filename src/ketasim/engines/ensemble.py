"""The ensemble engine: one compiled kernel, many members, each on its own clock.

Absolute tolerances are those of the reference engine: ``rtol`` times a thousandth of each state's
own scale. The error of a step is the root mean square over the model's states.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.engines.clock import Clock
from ketasim.engines.inputs import Inputs, gather
from ketasim.engines.kernels import Compiled, Kernel, Schedules, compile_kernel
from ketasim.engines.members import Halted
from ketasim.engines.reference import ATOL_SHARE, Limits
from ketasim.engines.status import Status

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]
FIRST_STEP = 1e-3  # tried at the start of every segment [h]
RETRY_SHARE = 1e-4  # a second try starts with so much of it
CHUNK = 1024  # most members a thread takes at once; no number depends on it
LEEWAY = 100.0  # a state may pass the end of its interval by so many times rtol of its scale
AGAIN = (Status.MAX_STEPS, Status.NONFINITE, Status.STEP_TOO_SMALL, Status.NEGATIVE_STATE)
LONG = 1e7  # a run this long, with steps that grow without bound, ends at rest [h]
STILL = 1e-9  # largest slope accepted as rest, in units of each state's scale [1/h]


@dataclass(frozen=True)
class EnsembleResult:
    """What became of each member, in the order asked for.

    ``values`` (n_members, n_record, n_times) in canonical units, NaN from the point of failure;
    ``final`` (n_members, n_states) when it was asked for. ``rounds`` counts steps of all lanes
    together, so that ``(steps + rejected).sum() / (rounds * lanes)`` is the share of lanes in use.
    ``notes`` say what the user should know, such as a cache that could not be written.
    """

    values: Array
    status: Codes
    steps: Counts
    rejected: Counts
    rounds: int
    final: Array | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Tolerance:
    """``rtol``, and ``atol`` (n_states,) canonical: by default rtol times 1e-3 of each scale."""

    rtol: float = 1e-6
    atol: Array | None = None


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
    limits: Limits = Limits(seconds=10.0),
    into: Array | None = None,
    keep_final: bool = False,
    halted: Callable[[], bool] | None = None,
    chunk: int = CHUNK,
    first_step: float = FIRST_STEP,
) -> EnsembleResult:
    """Integrate members; a member's bits depend on nothing but that member.

    Parameters
    ----------
    kernel
        What to integrate and to record.
    parameters
        Canonical, shape (n_members, n_parameters).
    schedules
        One for all, or one a member.
    times
        Output times (n_times,) [h] within the schedules; at a breakpoint the value after it.
    rtol, atol
        Tolerances; ``atol`` (n_states,) is canonical, by default rtol times 1e-3 of each scale.
    threads
        How many; by default one for each processor.
    y0
        States to start from, (n_states,) or (n_members, n_states); by default rest.
    limits
        Steps, rejected ones included, and seconds that one member may take.
    into
        Where to write values, (n_members, n_record, n_times), so that memory stays flat.
    halted
        Asked twenty times a second; members not finished when it is true keep status NOT_RUN.

    Raises
    ------
    ModelError
        When a schedule feeds a state or turns a knob that the kernel leaves out.
    """
    parameters = np.ascontiguousarray(np.atleast_2d(parameters), dtype=float)
    inputs = schedules if isinstance(schedules, Inputs) else gather(schedules)
    inputs = inputs.for_members(len(parameters))
    n, shape = len(parameters), (len(parameters), len(kernel.record), len(times))
    how = _How(Tolerance(rtol, atol), limits, threads, halted, chunk, first_step)
    whole = EnsembleResult(
        values=np.empty(shape) if into is None else into,
        status=np.full(n, int(Status.NOT_RUN), dtype=np.int8),
        steps=np.zeros(n, dtype=np.int64),
        rejected=np.zeros(n, dtype=np.int64),
        rounds=0,
        final=np.empty((n, _n_states(kernel))) if keep_final else None,
        notes=(),
    )
    settled = inputs.settled[inputs.plans] & (y0 is None)
    members = np.arange(n)
    if settled.any():
        y0, found = _baseline(kernel, parameters, inputs, settled, how)
        whole.status[~found] = Status.NO_BASELINE
        members = members[found]
    return _carry_out(_Task(kernel, parameters, inputs, np.asarray(times, float), y0, whole), members, how)


@dataclass(frozen=True)
class _How:
    tolerance: Tolerance
    limits: Limits
    threads: int | None
    halted: Callable[[], bool] | None
    chunk: int
    first_step: float

    @property
    def workers(self) -> int:
        return max(1, self.threads or os.cpu_count() or 1)


@dataclass(frozen=True)
class _Task:
    kernel: Kernel
    parameters: Array
    inputs: Inputs
    times: Array
    y0: Array | None
    result: EnsembleResult


def _n_states(kernel: Kernel) -> int:
    return len(kernel.compiled().plan.scales)


def _carry_out(task: _Task, members: Counts, how: _How) -> EnsembleResult:
    """Run every member in the variant that is its own, then once more those that failed."""
    result = task.result
    general = task.kernel.is_general(task.parameters)
    rounds, notes = 0, []
    with Clock(how.halted) as clock:
        for variant in (False, True):
            mine = members[general[members] == variant]
            if not len(mine):
                continue
            batch = _Batch(task, task.kernel.compiled(general=variant), how, clock)
            rounds += batch.run(mine, how.first_step)
            rounds += _again(batch, mine, how.first_step * RETRY_SHARE)
            notes += [batch.compiled.note] * bool(batch.compiled.note)
    result.values[~np.isin(np.arange(len(result.status)), members)] = np.nan
    result.values[result.status == Status.NOT_RUN] = np.nan
    return EnsembleResult(
        result.values, result.status, result.steps, result.rejected, rounds, result.final, tuple(notes)
    )


def _again(batch: "_Batch", members: Counts, first_step: float) -> int:
    """Try failed members once more, at the same tolerance, with a smaller first step."""
    status = batch.task.result.status
    failed = members[np.isin(status[members], AGAIN)]
    if not len(failed):
        return 0
    before = status[failed].copy()
    rounds = batch.run(failed, first_step)
    after = status[failed]
    status[failed[after == Status.OK]] = Status.OK_AFTER_RETRY
    status[failed[after == Status.NOT_RUN]] = before[after == Status.NOT_RUN]
    return rounds


class _Batch:
    """Members of one variant, as the compiled function wants them."""

    def __init__(self, task: _Task, compiled: Compiled, how: _How, clock: Clock) -> None:
        self.task, self.compiled, self.how, self.clock = task, compiled, how, clock
        plan, rtol = compiled.plan, how.tolerance.rtol
        self.live = list(plan.live)
        scales = np.array(plan.scales)
        atol = rtol * ATOL_SHARE * scales if how.tolerance.atol is None else how.tolerance.atol
        self.atol = self._for_live(np.broadcast_to(atol, scales.shape))
        self.low = self._for_live(np.array(plan.low) - LEEWAY * rtol * scales)
        self.high = self._for_live(np.array(plan.high) + LEEWAY * rtol * scales)
        self.starts = np.empty((0, len(self.live)))
        if task.y0 is not None:
            self.starts = self._for_live(np.atleast_2d(task.y0))
        self.inputs = task.inputs.narrowed(plan.dosed, plan.turned, plan.neutral)
        n = len(task.parameters) if task.result.final is not None else 0
        self.final = np.empty((n, len(self.live)))

    def _for_live(self, full: Array) -> Array:
        return np.ascontiguousarray(full[..., self.live], dtype=float)

    def run(self, members: Counts, first_step: float) -> int:
        """Integrate members, in chunks that threads take in turn; return rounds of all lanes."""
        self.task.result.status[members] = Status.NOT_RUN
        size = max(1, min(self.how.chunk, -(-len(members) // self.how.workers)))
        chunks = [members[at : at + size] for at in range(0, len(members), size)]
        with ThreadPoolExecutor(min(self.how.workers, len(chunks))) as pool:
            try:
                rounds = sum(pool.map(lambda one: self._chunk(one, first_step), chunks))
            except BaseException:
                self.clock.stop()
                raise
        if self.task.result.final is not None:
            self.task.result.final[members] = 0.0
            self.task.result.final[np.ix_(members, self.live)] = self.final[members]
        return rounds

    def _chunk(self, members: Counts, first_step: float) -> int:
        i, result = self.inputs, self.task.result
        settings = np.array([self.how.tolerance.rtol, first_step])
        limits = np.array([self.how.limits.steps, int(1000 * self.how.limits.seconds)])
        return int(
            self.compiled.module.run(
                members, self.task.parameters, self.starts, i.plans, i.firsts, i.edges, i.knobs,
                i.rates, i.boluses, self.task.times, self.atol, self.low, self.high, settings,
                limits, self.clock.numbers, _aligned(self.compiled.plan.size), result.values,
                self.final, result.status, result.steps, result.rejected,
            )
        )  # fmt: skip


def _aligned(size: int) -> Array:
    """Return a workspace that starts on a cache line."""
    raw = np.empty(size + 8)
    skip = (-raw.ctypes.data) % 64 // 8
    return raw[skip : skip + size]


def _baseline(
    kernel: Kernel, parameters: Array, inputs: Inputs, settled: NDArray[np.bool_], how: _How
) -> tuple[Array, NDArray[np.bool_]]:
    """Return every member's first state, and whether it is at rest under what always held.

    A very long run ends at the fixed point that rest leads to: an L-stable method with unbounded
    steps converges as Newton's does, and keeps conserved pools.
    """
    if kernel.system is None:
        raise TypeError("only a model's schedules can ask for conditions that have always held.")
    always = inputs.opening(LONG)
    tight = _How(Tolerance(1e-8), how.limits, how.threads, how.halted, how.chunk, how.first_step)
    n = len(parameters)
    blank = EnsembleResult(
        values=np.empty((n, len(kernel.record), 0)),
        status=np.full(n, int(Status.NOT_RUN), dtype=np.int8),
        steps=np.zeros(n, dtype=np.int64),
        rejected=np.zeros(n, dtype=np.int64),
        rounds=0,
        final=np.empty((n, _n_states(kernel))),
        notes=(),
    )
    task = _Task(kernel, parameters, always, np.empty(0), None, blank)
    run = _carry_out(task, np.flatnonzero(settled), tight)
    system, ended = kernel.system, np.isin(run.status, (Status.OK, Status.OK_AFTER_RETRY))
    knobs = always.knobs[always.firsts[always.plans]]
    values = system.prepare(parameters.T, knobs.T)
    y0 = np.ascontiguousarray(np.broadcast_to(system.rest(values).T, (n, len(system.scales))))
    if run.final is not None:
        y0 = np.where(settled[:, None], run.final, y0)
    with np.errstate(all="ignore"):
        slopes = np.broadcast_arrays(*system.slopes(values, y0.T))
    still = (np.abs(np.array(slopes)) <= STILL * system.scales[:, None]).all(axis=0)
    return y0, ~settled | (ended & still)


@dataclass(frozen=True)
class EnsembleEngine:
    """Compiled code, many members at a time; see :class:`ketasim.engines.members.Engine`."""

    model: Model
    rtol: float = 1e-6
    limits: Limits = Limits(seconds=10.0)
    threads: int | None = None
    halted: Callable[[], bool] | None = field(default=None, compare=False)
    _kernels: dict[object, Kernel] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """Return ``'ensemble'``."""
        return "ensemble"

    @cached_property
    def system(self) -> System:
        """Return the equations."""
        return System(self.model)

    def kernel(self, schedules: Schedules | Inputs, names: tuple[str, ...]) -> Kernel:
        """Return the kernel for schedules and names to record, kept for the next chunk."""
        inputs = schedules if isinstance(schedules, Inputs) else gather(schedules)
        key = (inputs.dosed, inputs.turned(self.system.neutral_knobs), names)
        if key not in self._kernels:
            self._kernels[key] = compile_kernel(self.system, record=names, schedules=inputs)
        return self._kernels[key]

    def run_chunk(
        self, parameters: Array, schedules: Schedules, times: Array, names: tuple[str, ...]
    ) -> tuple[Array, Codes, Counts]:
        """Integrate the members.

        Raises
        ------
        Halted
            When ``halted()`` became true.
        """
        inputs = gather(schedules)
        found = run_members(
            self.kernel(inputs, names),
            parameters,
            inputs,
            times,
            rtol=self.rtol,
            limits=self.limits,
            threads=self.threads,
            halted=self.halted,
        )
        if self.halted is not None and self.halted():
            raise Halted
        return found.values, found.status, found.steps
