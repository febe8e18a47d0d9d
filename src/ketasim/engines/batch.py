"""Members handed to compiled code, in chunks that threads take in turn, and where they rest.

Compiled code cannot ask for the time: a thread writes it down. For a fixed point, under conditions
that have always held, a very long run is made. The method is L-stable and its steps grow without
limit as a member comes to rest, so it converges as Newton's method does and keeps what is
conserved; the laws themselves then say whether the end is at rest.
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.interface import FORWARD
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.contract import ATOL_SHARE, LEEWAY, MEMBER, Limits
from ketasim.engines.inputs import Inputs, gather, reading, workspace
from ketasim.engines.kernels import Compiled, Kernel
from ketasim.engines.status import Status, usable
from ketasim.errors import ModelError
from ketasim.readouts.derive import Primitive

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]
FIRST_STEP = 1e-3  # tried at the start of every segment [h]
ANCHOR = 0.0  # what is there just before this time is where a course starts from [h]
CHUNK = 1024  # most members a thread takes at once; no number depends on it
LOOSE, STRICT = 1e-2, 1e-8  # relative tolerances of a run to rest; the second where it is needed
LONG = 1e9  # how long such a run is [h]; its last steps are long beside any state's time
STILL = 1e-9  # largest slope accepted as rest, in units of each state's scale [1/h]
TICK = 0.05  # how often the time is written down [s]


class Clock:
    """A context in which ``numbers[0]`` is the time in ms and ``numbers[1]`` asks to stop.

    One thread keeps the time for all clocks of a process, and sleeps while none runs: to start and
    end one for every single run took longer than the run.
    """

    _running: ClassVar[set["Clock"]] = set()
    _wake: ClassVar[threading.Event] = threading.Event()
    _lock: ClassVar[threading.Lock] = threading.Lock()
    _keeper: ClassVar[tuple[int, threading.Thread] | None] = None

    def __init__(self, halted: Callable[[], bool] | None = None) -> None:
        self.numbers: NDArray[np.int64] = np.zeros(8, dtype=np.int64)
        self._halted = halted

    def __enter__(self) -> "Clock":
        """Start counting."""
        self._began = time.monotonic()
        with Clock._lock:
            Clock._running.add(self)
            keeper = Clock._keeper
            if keeper is None or keeper[0] != os.getpid() or not keeper[1].is_alive():
                thread = threading.Thread(target=Clock._keep_time, daemon=True)
                Clock._keeper = os.getpid(), thread
                thread.start()
        Clock._wake.set()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting."""
        with Clock._lock:
            Clock._running.discard(self)

    def stop(self) -> None:
        """Ask whoever looks at the clock to stop."""
        self.numbers[1] = 1

    def _tick(self) -> None:
        self.numbers[0] = int(1000 * (time.monotonic() - self._began))
        if self._halted is not None and self._halted():
            self.stop()

    @staticmethod
    def _keep_time() -> None:
        while True:
            Clock._wake.wait()
            time.sleep(TICK)
            with Clock._lock:
                running = tuple(Clock._running)
                if not running:
                    Clock._wake.clear()
            for one in running:
                one._tick()


_READ = (
    "times", "columns", "asked", "readings", "shown", "needs", "watched", "kinds", "of", "windows",
)  # fmt: skip
_GIVEN = ("plans", "firsts", "edges", "knobs", "rates", "boluses")
_COUNTED = ("values", "numbers", "tape", "status", "steps", "rejected")


@dataclass(frozen=True)
class EnsembleResult:
    """What became of each member, in the order asked for.

    ``values`` (n_members, n_record, n_times) in canonical units, NaN from the point of failure;
    ``numbers`` (n_members, n_primitives, 2), each a value and its time, NaN where one failed;
    ``final`` (n_members, n_states) when it was asked for. ``rounds`` counts steps of all lanes
    together, so that ``(steps + rejected).sum() / (rounds * lanes)`` is the share of lanes in use.
    ``tape`` (n_members, n_tape, n_row) is what running back in time needs of each step, if it was
    asked for. ``notes`` say what the user should know, such as a cache that could not be written.
    """

    values: Array
    numbers: Array
    status: Codes
    steps: Counts
    rejected: Counts
    rounds: int
    final: Array | None
    tape: Array
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
        tape=np.empty((0, 0, 0)),
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
        """Run chunks on as many threads as there are workers, this one among them."""
        left = iter(chunks)  # every thread takes the next of it

        def some() -> int:
            return sum(self._chunk(one, first_step) for one in left)

        others = min(self.how.workers, len(chunks)) - 1
        doing = [_pool(others, os.getpid()).submit(some) for _ in range(others)]
        try:
            rounds = some()
            return rounds + sum(one.result() for one in doing if not one.cancel())
        except BaseException:
            self.clock.stop()
            raise
        finally:
            wait(one for one in doing if not one.cancel())

    def _chunk(self, members: Counts, first_step: float) -> int:
        task, inputs, result = self.task, self.inputs, self.task.result
        reads = {name: getattr(self.reading, name) for name in _READ}
        given = {name: getattr(inputs, name) for name in _GIVEN}
        counted = {name: getattr(result, name) for name in _COUNTED}
        limits, lanes = self.how.limits, self.compiled.plan.lanes
        room = workspace(self.compiled.plan.size + self.reading.scratch)
        arguments = {
            **reads, **given, **counted, "members": members, "parameters": task.parameters,
            "starts": self.starts, "levels": task.levels, "atol": self.atol, "low": self.low,
            "high": self.high, "settings": np.array([self.how.rtol, first_step, ANCHOR]),
            "limits": np.array([limits.steps, int(1000 * limits.seconds), lanes]),
            "clock": self.clock.numbers, "workspace": room,
            "scratch": room[self.compiled.plan.size :], "final": self.final,
        }  # fmt: skip
        return self.compiled.code.run(FORWARD, arguments)


@cache
def _pool(threads: int, _process: int) -> ThreadPoolExecutor:
    """Return threads that stay: a new one waits for its turn on a busy machine, at every call."""
    return ThreadPoolExecutor(threads)


def settle_members(
    kernel: Kernel,
    parameters: Array,
    schedules: Schedule | Inputs,
    *,
    members: Counts | None = None,
    how: How | None = None,
    threads: int | None = None,
) -> tuple[Array, Codes]:
    """Return where members rest under what held before their schedules, and the status of each.

    Parameters
    ----------
    kernel
        A model's kernel that turns the knobs which always held.
    parameters
        Canonical, shape (n_members, n_parameters).
    members
        Which of them to settle, by index; by default all. The others keep their healthy rest.

    Returns
    -------
    states, status
        Shapes (n_members, n_states) and (n_members,); NO_BASELINE where no rest was reached.
    """
    n = len(parameters)
    inputs = schedules if isinstance(schedules, Inputs) else gather(schedules)
    always = inputs.for_members(n).always(LONG)
    chosen = np.arange(n) if members is None else members
    how = how or How(threads=threads)
    result = blank(n, len(kernel.record), 0, len(kernel.plan(general=False).scales))
    task = Task(kernel, parameters, always, np.empty(0), None, result)
    firsts, likes = _alike(kernel.system, parameters, always, chosen)
    own = chosen[firsts]
    states = _rests(kernel.system, parameters, always)
    creep = _come_to_rest(task, own, how, states)
    states[chosen] = states[own][likes]
    good = np.ones(n, dtype=bool)
    good[chosen] = (creep <= STILL)[likes]
    return states, np.where(good, Status.OK, Status.NO_BASELINE).astype(np.int8)


def _come_to_rest(task: Task, members: Counts, how: How, states: Array) -> Array:
    """Put where members come to rest into ``states``; return how fast each still moves, (n,).

    A loose run ends at the same point as a strict one, in half of the time, because its last
    steps are as long as they like and converge as Newton's method does. Who moves after it runs
    again, and keeps the better end.
    """
    creep = np.full(len(members), np.inf)
    for rtol in (LOOSE, STRICT):
        left = np.flatnonzero(creep > STILL)
        if not len(left) or (how.halted is not None and how.halted()):
            break
        there = members[left]
        found = carry_out(task, there, replace(how, rtol=rtol, atol=None))
        if found.final is None:
            raise TypeError("last states are needed")
        now = _creep(task, there, found.final)
        now[~usable(found.status[there])] = np.inf
        better = now < creep[left]
        creep[left[better]] = now[better]
        states[there[better]] = found.final[there[better]]
    return creep


def _alike(
    system: System | None, parameters: Array, always: Inputs, chosen: Counts
) -> tuple[Counts, Counts]:
    """Return which of the chosen to settle, and for each of them which of those it is like.

    What carries a drug that is not there is no part of a rest, unless an input of its own is held.
    """
    before = always.before[always.plans[chosen]]
    keep = np.ones(parameters.shape[1], dtype=bool)
    if system is not None:
        model, carriers = system.model, system.model.carriers
        owned = np.array([name.partition(".")[0] in carriers for name in model.knobs], dtype=bool)
        if not (before[:, owned] != system.neutral_knobs[owned]).any():
            keep = np.array([n.partition(".")[0] not in carriers for n in model.parameters])
    rows = np.ascontiguousarray(np.hstack([parameters[chosen][:, keep], before]))
    whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, firsts, likes = np.unique(whole, return_index=True, return_inverse=True)
    return firsts, likes.ravel()


def _rests(system: System | None, parameters: Array, always: Inputs) -> Array:
    """Return every member's healthy rest (n_members, n_states), in memory of its own."""
    if system is None:
        raise TypeError("only a model has conditions that have always held")
    knobs = always.knobs[always.firsts[always.plans]]
    return system.evaluated(parameters.T, knobs.T)[0].T.copy(order="C")


def _creep(task: Task, members: Counts, final: Array) -> Array:
    """Return each member's largest slope by the laws, in units of a state's scale [1/h]."""
    system, always = task.kernel.system, task.inputs
    if system is None:
        raise TypeError("only a model has conditions that have always held")
    knobs = always.knobs[always.firsts[always.plans[members]]]
    slopes = system.evaluated(task.parameters[members].T, knobs.T, final[members].T)[1]
    found: Array = (np.abs(slopes) / system.scales[:, None]).max(axis=0)
    return np.where(np.isfinite(found), found, np.inf)
