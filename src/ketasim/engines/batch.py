"""Members handed to compiled code, in chunks that threads take in turn."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.clock import Clock
from ketasim.engines.inputs import Inputs
from ketasim.engines.kernels import Compiled, Kernel
from ketasim.engines.limits import ATOL_SHARE, MEMBER, Limits
from ketasim.engines.status import Status
from ketasim.errors import ModelError

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]
FIRST_STEP = 1e-3  # tried at the start of every segment [h]
RETRY_SHARE = 1e-4  # a second try starts with so much of it
CHUNK = 1024  # most members a thread takes at once; no number depends on it
LEEWAY = 100.0  # a state may pass the end of its interval by so many times rtol of its scale
AGAIN = (Status.MAX_STEPS, Status.NONFINITE, Status.STEP_TOO_SMALL, Status.NEGATIVE_STATE)


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
    notes: tuple[str, ...] = ()


def blank(n: int, n_record: int, n_times: int, n_final: int) -> EnsembleResult:
    """Return a result in which no member has run; ``n_final`` is 0 to keep no last states."""
    return EnsembleResult(
        values=np.empty((n, n_record, n_times)),
        status=np.full(n, int(Status.NOT_RUN), dtype=np.int8),
        steps=np.zeros(n, dtype=np.int64),
        rejected=np.zeros(n, dtype=np.int64),
        rounds=0,
        final=np.zeros((n, n_final)) if n_final else None,
    )


@dataclass(frozen=True)
class How:
    """How a batch is carried out; of these only the tolerances and the first step touch numbers."""

    rtol: float = 1e-6
    atol: Array | None = None
    first_step: float = FIRST_STEP
    limits: Limits = MEMBER
    threads: int | None = None
    chunk: int = CHUNK
    halted: Callable[[], bool] | None = None

    @property
    def workers(self) -> int:
        """Return how many threads to use."""
        return max(1, self.threads or os.cpu_count() or 1)


@dataclass(frozen=True)
class Task:
    """What is to be integrated, and where the results go."""

    kernel: Kernel
    parameters: Array
    inputs: Inputs
    times: Array
    starts: Array | None
    result: EnsembleResult


def carry_out(task: Task, members: Counts, how: How) -> EnsembleResult:
    """Run members in the variant that is each one's own, and those that failed once more."""
    result, rounds, notes = task.result, 0, []
    general = task.kernel.is_general(task.parameters)
    with Clock(how.halted) as clock:
        for variant in (False, True):
            mine = members[general[members] == variant]
            if len(mine):
                batch = _Batch(task, task.kernel.compiled(general=variant), how, clock)
                rounds += batch.run(mine, how.first_step)
                rounds += _again(batch, mine, how.first_step * RETRY_SHARE)
                notes += [batch.compiled.note] * bool(batch.compiled.note)
    untouched = np.ones(len(result.status), dtype=bool)
    untouched[members] = False
    result.values[untouched | (result.status == Status.NOT_RUN)] = np.nan
    return replace(result, rounds=rounds, notes=tuple(notes))


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

    def __init__(self, task: Task, compiled: Compiled, how: How, clock: Clock) -> None:
        self.task, self.compiled, self.how, self.clock = task, compiled, how, clock
        plan = compiled.plan
        self.live = np.array(plan.live, dtype=np.int64)
        scales = np.array(plan.scales)
        atol = how.rtol * ATOL_SHARE * scales if how.atol is None else how.atol
        leeway = LEEWAY * how.rtol * scales
        self.atol = self._for_live(np.broadcast_to(atol, scales.shape))
        self.low = self._for_live(np.array(plan.low) - leeway)
        self.high = self._for_live(np.array(plan.high) + leeway)
        self.starts = np.empty((0, len(self.live)))
        if task.starts is not None:
            self.starts = self._started(np.atleast_2d(task.starts))
        self.inputs = task.inputs.narrowed(plan.dosed, plan.turned, plan.neutral)
        n = len(task.parameters) if task.result.final is not None else 0
        self.final = np.empty((n, len(self.live)))

    def _for_live(self, full: Array) -> Array:
        return np.ascontiguousarray(full[..., self.live], dtype=float)

    def _started(self, starts: Array) -> Array:
        left_out = np.setdiff1d(np.arange(starts.shape[1]), self.live)
        if starts[:, left_out].any():
            some = [int(i) for i in left_out if starts[:, i].any()]
            raise ModelError(
                f"this kernel leaves out states {some}, which start empty and are never fed; "
                "compile one without schedules to start them elsewhere."
            )
        return self._for_live(starts)

    def run(self, members: Counts, first_step: float) -> int:
        """Integrate members; return how many steps all lanes took together."""
        self.task.result.status[members] = Status.NOT_RUN
        size = max(1, min(self.how.chunk, -(-len(members) // self.how.workers)))
        chunks = [members[at : at + size] for at in range(0, len(members), size)]
        if min(self.how.workers, len(chunks)) == 1:
            rounds = sum(self._chunk(one, first_step) for one in chunks)
        else:
            rounds = self._in_threads(chunks, first_step)
        if self.task.result.final is not None:
            self.task.result.final[np.ix_(members, self.live)] = self.final[members]
        return rounds

    def _in_threads(self, chunks: list[Counts], first_step: float) -> int:
        with ThreadPoolExecutor(min(self.how.workers, len(chunks))) as pool:
            try:
                return sum(pool.map(lambda one: self._chunk(one, first_step), chunks))
            except BaseException:
                self.clock.stop()
                raise

    def _chunk(self, members: Counts, first_step: float) -> int:
        i, result = self.inputs, self.task.result
        settings = np.array([self.how.rtol, first_step])
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
