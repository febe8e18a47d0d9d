"""The reference engine: SciPy calls the laws themselves, one segment at a time.

No generated code runs here, so a fault in a generator cannot hide. Integration stops at every
breakpoint of the schedule and restarts after it; output comes from the solver's own dense output
and never alters a step, and numbers are taken of that same output, panel by panel.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import BDF, LSODA, OdeSolver, Radau, _ode

from ketasim.core.schedule import Schedule
from ketasim.core.system import System, Values
from ketasim.engines.contract import (
    ALONE,
    ATOL_SHARE,
    LEEWAY,
    Asked,
    Attempt,
    Batch,
    Halt,
    Halted,
    Limits,
    Settings,
    never,
)
from ketasim.engines.panels import Panels
from ketasim.engines.status import Status, Stopped
from ketasim.engines.steady import settle
from ketasim.errors import SolverError
from ketasim.readouts.course import Course

Array = NDArray[np.float64]
Method = Literal["LSODA", "BDF", "Radau"]
SOLVERS: dict[str, type[OdeSolver]] = {"LSODA": LSODA, "BDF": BDF, "Radau": Radau}


@dataclass(frozen=True)
class Trajectory:
    """States (n_states, n_times) in canonical units, named quantities, and the work it took.

    ``courses`` hold what was watched, as the solver knows it between the times.
    """

    states: Array
    observed: dict[str, Array]
    final: Array
    steps: int
    evaluations: int
    wall: float
    courses: Mapping[str, Course] = field(default_factory=dict)


def tolerances(system: System, rtol: float) -> Array:
    """Return the absolute tolerance of each state, fixed for the run, shape (n_states,)."""
    atol: Array = rtol * ATOL_SHARE * system.scales
    return atol


def integrate(
    system: System,
    schedule: Schedule,
    times: Array,
    *,
    names: tuple[str, ...] = (),
    method: str = "LSODA",
    rtol: float = 1e-6,
    limits: Limits = ALONE,
    parameters: Array | None = None,
    first_step: float | None = None,
    watch: Sequence[str] = (),
    halted: Halt = never,
) -> Trajectory:
    """Integrate one member from its resting (or settled) state through a schedule.

    ``times`` (n_times,) [h] must lie within the schedule. At a breakpoint the value after a bolus
    is reported. ``parameters`` (n_parameters,), canonical, replace the model's own values;
    ``first_step`` [h] is tried first in every segment, in place of the solver's own guess. Names in
    ``watch`` come back as courses.

    Raises
    ------
    Halted
        When ``halted()`` became true.
    Stopped
        When the solver stops; the message names the time, the state and the likeliest cause, and
        the error carries what was reached.
    """
    began = time.perf_counter()
    run = _Run(system, schedule, times, SOLVERS[method], rtol, limits, began, first_step)
    run.panels, run.halted = Panels(system, tuple(watch)), halted
    try:
        with np.errstate(all="ignore"), one_at_a_time(method):
            return run.carry_out(names, parameters)
    except Stopped as error:
        raise run.so_far(error) from None
    except (ArithmeticError, ValueError) as error:  # what SciPy says of what is not finite
        told = f"a law could not be evaluated: {error}{_zeros(system)}."
        raise run.so_far(Stopped(told, Status.NONFINITE)) from error


_LSODA = threading.RLock()


def one_at_a_time(method: str) -> AbstractContextManager[object]:
    """Return what keeps a second LSODA waiting where SciPy's holds its state in common."""
    shared = hasattr(_ode.lsoda, "active_global_handle")  # until SciPy 1.16
    return _LSODA if shared and method == "LSODA" else nullcontext()


class _Run:
    """One integration in progress; it lives no longer than its call."""

    def __init__(
        self,
        system: System,
        schedule: Schedule,
        times: Array,
        solver: type[OdeSolver],
        rtol: float,
        limits: Limits,
        began: float,
        first_step: float | None,
    ) -> None:
        self.system, self.schedule, self.times = system, schedule, times
        self.solver, self.rtol, self.limits, self.began = solver, rtol, limits, began
        self.atol, self.first_step = tolerances(system, rtol), first_step
        self.values: Values = []
        self.observed: dict[str, Array] = {}
        self.steps = self.evaluations = 0
        self.panels, self.halted = Panels(system, ()), never
        low, high = system.within
        leeway = LEEWAY * rtol * system.scales
        self.low, self.high = low - leeway, high + leeway

    def start(self) -> Array:
        rest = self.system.rest(self.values)
        if not self.schedule.settled:
            return rest
        try:
            return settle(self.system, self.values, rest)
        except SolverError as error:
            raise Stopped(str(error), Status.NO_BASELINE) from error

    def so_far(self, error: Stopped) -> Stopped:
        """Return the error with what was reached before it."""
        error.observed, error.steps = self.observed, self.steps
        return error

    def carry_out(self, names: tuple[str, ...], parameters: Array | None) -> Trajectory:
        given = self.system.default_parameters if parameters is None else parameters
        observed = {name: np.full(len(self.times), np.nan) for name in names}
        self.observed = observed
        self.values = self.system.prepare(given, self.schedule.before)
        y = self.start()
        self.panels.begin(self.values, y)
        states = np.full((len(y), len(self.times)), np.nan)
        for i, window in enumerate(self.windows()):
            y = y + self.schedule.boluses[i]
            self.system.turn(self.values, self.schedule.knobs[i])
            try:
                y = self.segment(i, y, self.times[window], states[:, window])
            finally:
                self.observe(names, states[:, window], observed, window)
        y = y + self.schedule.boluses[-1]
        self.finish(names, y, states, observed)
        courses = self.panels.courses(y if self.schedule.boluses[-1].any() else None)
        wall = time.perf_counter() - self.began
        return Trajectory(states, observed, y, self.steps, self.evaluations, wall, courses)

    def windows(self) -> list[slice]:
        """Share the output times out: a time on a breakpoint belongs to the segment it opens."""
        inner = np.searchsorted(self.times, self.schedule.edges[1:-1], "left")
        bounds = [0, *inner.tolist(), len(self.times)]
        return [slice(a, b) for a, b in pairwise(bounds)]

    def finish(
        self, names: tuple[str, ...], y: Array, states: Array, observed: dict[str, Array]
    ) -> None:
        """Show a bolus given at the very end in the last output time."""
        if self.schedule.boluses[-1].any() and self.times[-1] >= self.schedule.edges[-1]:
            states[:, -1] = y
            self.observe(names, states[:, -1:], observed, slice(len(self.times) - 1, None))

    def observe(
        self, names: tuple[str, ...], states: Array, into: dict[str, Array], window: slice
    ) -> None:
        reached = np.isfinite(states[0]) if len(states) else slice(None)
        for name, found in self.system.observe(self.values, states, names).items():
            into[name][window][reached] = found[reached]

    def segment(self, i: int, y: Array, times: Array, into: Array) -> Array:
        begin, end = float(self.schedule.edges[i]), float(self.schedule.edges[i + 1])
        rates = self.schedule.rates[i]
        inputs = rates if rates.any() else None
        solver = self.solver(
            self.slopes(inputs),
            begin,
            y,
            end,
            rtol=self.rtol,
            atol=self.atol,
            jac=self.jacobian,
            first_step=None if self.first_step is None else min(self.first_step, end - begin),
        )
        self.panels.enter(self.values)
        done = 1 if len(times) and times[0] <= begin else 0
        into[:, :done] = y[:, None]
        while solver.status == "running":
            complaint = solver.step()
            self.steps += 1
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                raise self.failure(solver, complaint)
            self.check_limits(solver)
            self.check_bounds(solver)
            self.panels.add(solver)
            stop = int(np.searchsorted(times, solver.t, "right"))
            if stop > done:
                into[:, done:stop] = solver.dense_output()(times[done:stop])
                done = stop
        self.evaluations += solver.nfev
        self.panels.leave()
        return cast(Array, solver.y)

    def slopes(self, inputs: Array | None) -> Any:
        system, values = self.system, self.values
        if inputs is None:
            return lambda _, y: np.array(system.slopes(values, y))
        return lambda _, y: np.array(system.slopes(values, y)) + inputs

    def jacobian(self, _: float, y: Array) -> Array:
        return self.system.jacobian(self.values, y)

    def check_bounds(self, solver: OdeSolver) -> None:
        outside = (solver.y < self.low) | (solver.y > self.high)
        if outside.any():
            i = int(np.argmax(outside))
            name, value = self.system.state_names[i], solver.y[i]
            told = f'state "{name}" left the interval it cannot leave ({value:.3g})'
            raise self.stopped(solver, told, Status.NEGATIVE_STATE)

    def check_limits(self, solver: OdeSolver) -> None:
        if self.halted():
            raise Halted
        if self.steps > self.limits.steps:
            raise self.stopped(solver, f"more than {self.limits.steps} steps", Status.MAX_STEPS)
        if time.perf_counter() - self.began > self.limits.seconds:
            told = f"more than {self.limits.seconds:g} s"
            raise self.stopped(solver, told, Status.TIME_LIMIT)

    def failure(self, solver: OdeSolver, complaint: str | None) -> Stopped:
        finite = bool(np.isfinite(solver.y).all())
        status = Status.STEP_TOO_SMALL if finite else Status.NONFINITE
        reason = (complaint or "the states are no longer finite").strip().rstrip(".")
        sizes = np.where(np.isfinite(solver.y), np.abs(solver.y) / self.system.scales, -1.0)
        worst = int(np.argmax(sizes))
        if sizes[worst] > 0.0:
            name = self.system.state_names[worst]
            reason += f' (state "{name}" grew to {solver.y[worst]:.3g})'
        return self.stopped(solver, reason, status)

    def stopped(self, solver: OdeSolver, reason: str, status: Status) -> Stopped:
        told = (
            f"run stopped at t = {solver.t:.4g} h: {reason}. "
            f"Usually a rate is too large{likeliest(self.system)}"
        )
        return Stopped(told, status)


def attempt(
    batch: Batch, asked: Asked, settings: Settings, *, first_step: float | None, halted: Halt
) -> Attempt:
    """Try every member of a batch once, in order; see :func:`ketasim.engines.run.run`.

    Raises
    ------
    Halted
        When ``halted()`` became true.
    """
    system, n = System(batch.model), len(batch)
    found = Attempt(
        values=np.full((n, len(asked.record), len(asked.times)), np.nan),
        numbers=np.full((n, len(asked.primitives), 2), np.nan),
        final=np.full((n, len(system.state_names)), np.nan),
        status=np.zeros(n, dtype=np.int8),
        steps=np.zeros(n, dtype=np.int64),
    )
    evaluations = 0
    schedules = batch.each_schedule
    for i in range(n):
        if halted():
            raise Halted
        one = schedules[0 if len(schedules) == 1 else i]
        evaluations += _member(system, batch, asked, settings, one, first_step, halted, i, found)
    return replace(found, evaluations=evaluations)


def _member(
    system: System,
    batch: Batch,
    asked: Asked,
    settings: Settings,
    schedule: Schedule,
    first_step: float | None,
    halted: Halt,
    i: int,
    found: Attempt,
) -> int:
    """Run one member and write what became of it; return the evaluations it took."""
    moments = [one.moment for one in asked.primitives if one.moment is not None]
    grid = asked.times if asked.record else np.empty(0)
    times = np.unique(np.concatenate([grid, moments]))
    watched = tuple(dict.fromkeys(p.name for p in asked.primitives if p.kind != "at"))
    at = tuple(dict.fromkeys(p.name for p in asked.primitives if p.kind == "at"))
    names = tuple(dict.fromkeys([*asked.record, *at]))
    on_grid = np.searchsorted(times, grid)
    try:
        run = integrate(
            system, schedule, times, names=names, method=settings.method, rtol=settings.tolerance,
            limits=settings.limits, parameters=batch.parameters[i], first_step=first_step,
            watch=watched, halted=halted,
        )  # fmt: skip
    except Stopped as error:
        found.status[i], found.steps[i] = error.status, error.steps
        found.stories[i] = str(error)
        for row, name in enumerate(asked.record):
            found.values[i, row] = error.observed.get(name, np.full(len(times), np.nan))[on_grid]
        return 0
    for row, name in enumerate(asked.record):
        found.values[i, row] = run.observed[name][on_grid]
    for k, one in enumerate(asked.primitives):
        if one.moment is not None:
            value = run.observed[one.name][np.searchsorted(times, one.moment)]
            found.numbers[i, k] = value, one.moment
        else:
            found.numbers[i, k] = run.courses[one.name].take(one, float(asked.levels[i, k]))
    found.final[i], found.steps[i] = run.final, run.steps
    finite = all(np.isfinite(run.observed[name]).all() for name in names)
    finite = finite and all(np.isfinite(one.values).all() for one in run.courses.values())
    if not finite:
        found.status[i] = Status.NONFINITE
    return run.evaluations


def _zeros(system: System) -> str:
    """Name the parameters that are 0 although their plausible bounds exclude it."""
    model = system.model
    empty = [n for n, p in model.parameters.items() if model.value(n) == 0.0 < p.bounds[0]]
    return f" ({', '.join(empty)} = 0; give a positive value)" if empty else ""


def likeliest(system: System) -> str:
    """Name the parameter furthest outside its plausible bounds, if any is."""
    worst, factor = "", 1.0
    for name, parameter in system.model.parameters.items():
        default = system.model.parameters[name].value
        number, unit = system.model.edits.get(name, (default, parameter.unit))
        if default and number > 0.0 and abs(np.log(number / default)) > abs(np.log(factor)):
            worst, factor = f"{name} = {number:g} {unit}", number / default
    if not worst or not (factor > 2.0 or factor < 0.5):
        return "."
    return f": {worst} is {factor:.3g} x its default."
