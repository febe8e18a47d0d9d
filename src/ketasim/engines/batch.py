"""Members handed to compiled code, in chunks that threads take in turn."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.interface import ordered
from ketasim.engines.clock import Clock
from ketasim.engines.inputs import Inputs
from ketasim.engines.kernels import Compiled, Kernel
from ketasim.engines.limits import ATOL_SHARE, LEEWAY, MEMBER, Limits
from ketasim.engines.reading import reading
from ketasim.engines.status import Status
from ketasim.errors import ModelError
from ketasim.readouts.derive import Primitive

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]
FIRST_STEP = 1e-3  # tried at the start of every segment [h]
ANCHOR = 0.0  # what is there just before this time is where a course starts from [h]
CHUNK = 1024  # most members a thread takes at once; no number depends on it


_READ = (
    "times", "columns", "asked", "readings", "shown", "needs", "watched", "kinds", "of", "windows",
)  # fmt: skip
_GIVEN = ("plans", "firsts", "edges", "knobs", "rates", "boluses")
_COUNTED = ("values", "numbers", "status", "steps", "rejected")


@dataclass(frozen=True)
class EnsembleResult:
    """What became of each member, in the order asked for.

    ``values`` (n_members, n_record, n_times) in canonical units, NaN from the point of failure;
    ``numbers`` (n_members, n_primitives, 2), each a value and its time, NaN where one failed;
    ``final`` (n_members, n_states) when it was asked for. ``rounds`` counts steps of all lanes
    together, so that ``(steps + rejected).sum() / (rounds * lanes)`` is the share of lanes in use.
    ``notes`` say what the user should know, such as a cache that could not be written.
    """

    values: Array
    numbers: Array
    status: Codes
    steps: Counts
    rejected: Counts
    rounds: int
    final: Array | None
    notes: tuple[str, ...] = ()


def blank(n: int, n_record: int, n_times: int, n_final: int, n_numbers: int = 0) -> EnsembleResult:
    """Return a result in which no member has run; ``n_final`` is 0 to keep no last states."""
    return EnsembleResult(
        values=np.empty((n, n_record, n_times)),
        numbers=np.full((n, n_numbers, 2), np.nan),
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
    record: tuple[str, ...] = ()
    primitives: tuple[Primitive, ...] = ()
    levels: Array = field(default_factory=lambda: np.empty((0, 0)))


def carry_out(task: Task, members: Counts, how: How) -> EnsembleResult:
    """Run members in the variant that is each one's own."""
    result, rounds, notes = task.result, 0, []
    general = task.kernel.is_general(task.parameters)
    with Clock(how.halted) as clock:
        for variant in (False, True):
            mine = members[general[members] == variant]
            if len(mine):
                batch = _Batch(task, task.kernel.compiled(general=variant), how, clock)
                rounds += batch.run(mine, how.first_step)
                notes += [batch.compiled.note] * bool(batch.compiled.note)
    untouched = np.ones(len(result.status), dtype=bool)
    untouched[members] = False
    untouched |= result.status == Status.NOT_RUN
    result.values[untouched] = np.nan
    result.numbers[untouched] = np.nan
    return replace(result, rounds=rounds, notes=tuple(notes))


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
        self.reading = reading(plan, task.record, task.times, task.primitives)
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
        task, inputs, result = self.task, self.inputs, self.task.result
        reads = {name: getattr(self.reading, name) for name in _READ}
        given = {name: getattr(inputs, name) for name in _GIVEN}
        counted = {name: getattr(result, name) for name in _COUNTED}
        limits, lanes = self.how.limits, self.compiled.plan.lanes
        arguments = {
            **reads, **given, **counted, "members": members, "parameters": task.parameters,
            "starts": self.starts, "levels": task.levels, "atol": self.atol, "low": self.low,
            "high": self.high, "settings": np.array([self.how.rtol, first_step, ANCHOR]),
            "limits": np.array([limits.steps, int(1000 * limits.seconds), lanes]),
            "clock": self.clock.numbers, "workspace": _aligned(self.compiled.plan.size),
            "scratch": np.zeros(self.reading.scratch), "final": self.final,
        }  # fmt: skip
        return int(self.compiled.module.run(*ordered(arguments)))


def _aligned(size: int) -> Array:
    """Return a workspace that starts on a cache line."""
    raw = np.empty(size + 8)
    skip = (-raw.ctypes.data) % 64 // 8
    return raw[skip : skip + size]
