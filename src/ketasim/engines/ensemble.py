"""The ensemble engine: one compiled kernel, many members, each on its own clock.

Absolute tolerances are those of the reference engine: ``rtol`` times a thousandth of each state's
own scale. The error of a step is the root mean square over the model's states.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.batch import (
    CHUNK,
    FIRST_STEP,
    EnsembleResult,
    How,
    Task,
    blank,
    carry_out,
    settle_members,
)
from ketasim.engines.contract import MEMBER, Asked, Attempt, Batch, Halt, Halted, Limits, Settings
from ketasim.engines.inputs import Inputs, gather
from ketasim.engines.kernels import Kernel, Schedules, Shape, compile_kernel, kernel_for
from ketasim.engines.status import Status, usable
from ketasim.readouts.derive import Primitive

__all__ = ["EnsembleResult", "Inputs", "Kernel", "Shape", "compile_kernel", "gather", "run_members"]

Array = NDArray[np.float64]


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
    limits: Limits = MEMBER,
    into: Array | None = None,
    keep_final: bool = False,
    halted: Callable[[], bool] | None = None,
    chunk: int = CHUNK,
    first_step: float = FIRST_STEP,
    record: Sequence[str] | None = None,
    primitives: Sequence[Primitive] = (),
    levels: Array | None = None,
    tape: Array | None = None,
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
        States to start from, (n_states,) or (n_members, n_states); by default rest, or the fixed
        point under conditions that have always held where a schedule asks for it.
    limits
        Steps, rejected ones included, and seconds that one member may take.
    into
        Where to write values, (n_members, n_record, n_times), so that memory stays flat.
    record
        Names to show at the times, by default those the kernel was made with.
    primitives, levels
        Numbers to take of every member as it runs, and a level (n_members, n_primitives) of each
        where it needs one; by default the primitive's own.
    tape
        Where to keep steps, for those who take derivatives back through them; shape (n_members,
        most steps, :func:`ketasim.engines.inputs.tape_row`).
    halted
        Asked twenty times a second; members not finished when it is true keep status NOT_RUN.

    Raises
    ------
    ModelError
        When a schedule feeds or ``y0`` fills a state, or a schedule turns a knob, that the kernel
        leaves out.
    ValueError
        When ``into`` has another shape or layout than results have.
    """
    parameters = np.ascontiguousarray(np.atleast_2d(parameters), dtype=float)
    inputs = schedules if isinstance(schedules, Inputs) else gather(schedules)
    inputs = inputs.for_members(len(parameters))
    n, n_states = len(parameters), len(kernel.plan(general=False).scales)
    how = How(rtol, atol, first_step, limits, threads, chunk, halted)
    names = kernel.record if record is None else tuple(record)
    result = blank(n, len(names), 0, n_states if keep_final else 0, len(primitives))
    shape = (n, len(names), len(times))
    result = replace(result, values=np.empty(shape) if into is None else _fitting(into, shape))
    if tape is not None:
        result = replace(result, tape=tape)
    members = np.arange(n)
    settled = np.flatnonzero(inputs.settled[inputs.plans])
    if y0 is None and len(settled):
        y0, resting = settle_members(kernel, parameters, inputs, members=settled, how=how)
        result.status[:] = np.where(usable(resting), result.status, resting)
        members = np.flatnonzero(result.status == Status.NOT_RUN)
    task = Task(
        kernel, parameters, inputs, np.ascontiguousarray(times, float), y0, result, names,
        tuple(primitives), _levels(primitives, levels, n),
    )  # fmt: skip
    return carry_out(task, members, how)


def _levels(primitives: Sequence[Primitive], levels: Array | None, n: int) -> Array:
    if levels is None:
        own = [np.nan if one.level is None else one.level for one in primitives]
        levels = np.tile(np.array(own, dtype=float), (n, 1))
    return np.ascontiguousarray(levels, dtype=float)


def attempt(
    batch: Batch, asked: Asked, settings: Settings, *, first_step: float | None, halted: Halt
) -> Attempt:
    """Try every member of a batch once; see :func:`ketasim.engines.run.run`.

    Raises
    ------
    Halted
        When ``halted()`` became true.
    """
    inputs = gather(batch.schedules).for_members(len(batch))
    members = max(batch.total, len(batch))
    kernel = kernel_for(batch.model, inputs, members=members, covering=batch.covering)
    found = run_members(
        kernel,
        batch.parameters,
        inputs,
        asked.times,
        rtol=settings.tolerance,
        limits=settings.limits,
        threads=settings.threads,
        halted=halted,
        into=batch.into if len(asked.record) else None,
        keep_final=True,
        first_step=FIRST_STEP if first_step is None else first_step,
        record=asked.record,
        primitives=asked.primitives,
        levels=asked.levels,
    )
    if (found.status == Status.NOT_RUN).any() or found.final is None:
        raise Halted
    return Attempt(
        values=found.values,
        numbers=found.numbers,
        final=found.final,
        status=found.status,
        steps=found.steps + found.rejected,
        notes=found.notes,
    )


def _fitting(into: Array, shape: tuple[int, ...]) -> Array:
    if into.shape != shape or into.dtype != np.float64 or not into.flags.c_contiguous:
        raise ValueError(f"into must be a contiguous array of doubles of shape {shape}")
    return into
