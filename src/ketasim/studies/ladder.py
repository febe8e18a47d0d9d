"""What is tried, in which order, when a member cannot be integrated.

The tolerance stays the same: first a smaller first step, then another method, then the member is
given up with the status of its first attempt. Only ``allow_looser`` adds a last, looser attempt.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.compiled import EnsembleEngine, compile_members
from ketasim.engines.kernels import Kernel
from ketasim.engines.limits import Limits
from ketasim.engines.members import Engine, ReferenceEngine, Schedules
from ketasim.engines.status import Status, usable
from ketasim.studies.designs.columns import Columns
from ketasim.studies.settings import Settings

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]

LOG = logging.getLogger("ketasim.sweep")
FIRST_STEP = 1e-6  # [h]; four milliseconds, faster than anything in the models
LOOSER = 100.0
LOOSEST = 1e-2
AGAIN = (Status.MAX_STEPS, Status.NONFINITE, Status.STEP_TOO_SMALL, Status.NEGATIVE_STATE)


@dataclass(frozen=True)
class Rung:
    """One attempt: an engine, and the relative tolerance it works at."""

    engine: Engine
    rtol: float


@dataclass(frozen=True)
class Attempted:
    """What became of each member: values (n, n_names, n_times), canonical, and how it went."""

    values: Array
    status: Codes
    steps: Counts
    rtol: Array


def ladder(
    targets: Columns, names: tuple[str, ...], settings: Settings, halted: Callable[[], bool]
) -> tuple[Rung, ...]:
    """Return the attempts a sweep makes; compiles a kernel for ``names`` when one is needed."""
    model = targets.scenario.settled_model
    method, rtol, limits = settings.method, settings.rtol, settings.limits
    if settings.engine == "reference":
        rungs = reference_ladder(model, method, rtol, limits, halted)
    else:
        kernel = _ready(compile_members(System(model), names, targets.covering_schedule))
        fast = EnsembleEngine(kernel, rtol, limits, halted)
        other = ReferenceEngine(model, "Radau", rtol, limits, halted)
        rungs = (Rung(fast, rtol), Rung(other, rtol))
    if settings.allow_looser:
        rungs = (*rungs, looser(model, rtol, limits, halted))
    return rungs


def _ready(kernel: Kernel) -> Kernel:
    """Compile now, in the main thread and with a word, what would else stall every worker."""
    if not kernel.is_compiled():
        LOG.info("compiling the model; this is done once and takes some seconds")
    kernel.compiled()
    return kernel


def reference_ladder(
    model: Model, method: str, rtol: float, limits: Limits, halted: Callable[[], bool]
) -> tuple[Rung, ...]:
    """Return the attempts of the reference engine."""
    other = "Radau" if method != "Radau" else "BDF"
    attempts: tuple[tuple[str, float | None], ...] = (
        (method, None),
        (method, FIRST_STEP),
        (other, None),
    )
    return tuple(
        Rung(ReferenceEngine(model, name, rtol, limits, halted, first), rtol)
        for name, first in attempts
    )


def looser(model: Model, rtol: float, limits: Limits, halted: Callable[[], bool]) -> Rung:
    """Return the last attempt, at a looser tolerance, which every row it serves will tell."""
    loose = min(rtol * LOOSER, LOOSEST)
    return Rung(ReferenceEngine(model, "Radau", loose, limits, halted), loose)


def climb(
    rungs: Sequence[Rung],
    parameters: Array,
    schedules: Schedules,
    times: Array,
    names: tuple[str, ...],
) -> Attempted:
    """Integrate members (n, n_parameters), those that fail once more on each further rung."""
    first = rungs[0]
    values, status, steps = first.engine.run_chunk(parameters, schedules, times, names)
    rtol = np.full(len(status), first.rtol)
    _blank_nonfinite(values, status)
    for rung in rungs[1:]:
        failed = np.flatnonzero(np.isin(status, AGAIN))
        if not len(failed):
            break
        some = schedules if isinstance(schedules, Schedule) else [schedules[int(i)] for i in failed]
        again, ended, taken = rung.engine.run_chunk(parameters[failed], some, times, names)
        steps[failed] += taken
        _blank_nonfinite(again, ended)
        saved = usable(ended)
        values[failed[saved]] = again[saved]
        status[failed[saved]] = Status.OK_AFTER_RETRY
        rtol[failed[saved]] = rung.rtol
    return Attempted(values, status, steps, rtol)


def _blank_nonfinite(values: Array, status: Codes) -> None:
    """Give up members of which a recorded law is not finite, and blank them from there on."""
    with np.errstate(all="ignore"):
        doubtful = ~np.isfinite(values.sum(axis=(1, 2))) & usable(status)
    for i in np.flatnonzero(doubtful):
        broken = ~np.isfinite(values[i]).all(axis=0)
        if broken.any():
            values[i, :, int(np.argmax(broken)) :] = np.nan
            status[i] = Status.NONFINITE
