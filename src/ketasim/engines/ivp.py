"""The ensemble engine's integrator on any small system of equations given as a plain function."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.wiring import small
from ketasim.engines.contract import ALONE, Limits
from ketasim.engines.ensemble import run_members
from ketasim.engines.inputs import Inputs
from ketasim.engines.kernels import Kernel, processor_shape
from ketasim.engines.status import Status

Array = NDArray[np.float64]
ANY = 1e30  # tolerance for time as a state, which has no error


@dataclass(frozen=True)
class Solution:
    """States ``y`` (n_states, n_times) at times ``t``, how it ended, and the work it took."""

    t: Array
    y: Array
    status: Status
    steps: int
    rejected: int


def solve_small(
    rhs: Callable[..., Sequence[object]],
    y0: Sequence[float] | Array,
    t_span: tuple[float, float],
    p: Sequence[float] | Array = (),
    *,
    rtol: float = 1e-6,
    atol: float | Array | None = None,
    t_eval: Sequence[float] | Array | None = None,
    first_step: float | None = None,
    limits: Limits = ALONE,
) -> Solution:
    """Integrate a system of ordinary differential equations.

    Parameters
    ----------
    rhs
        ``rhs(y)``, ``rhs(y, p)``, ``rhs(t, y)`` or ``rhs(t, y, p)``, returning one slope a state.
        It is traced, so it may use arithmetic and the functions of ``core.maths``, no branches.
    y0, t_span, p
        Initial states, first and last time, parameters.
    rtol, atol
        Tolerances; ``atol`` is one number or one a state, by default ``rtol * 1e-3``.
    t_eval
        Times to report, from the method's own dense output; by default the last.
    first_step
        Step to try first; by default one over which the solution changes by about a hundredth.
    limits
        Steps and seconds allowed.

    Raises
    ------
    ModelError
        When the function cannot be traced.
    """
    names = list(inspect.signature(rhs).parameters)
    timed, given = names[0] == "t", len(names) - (names[0] == "t") > 1
    start, parameters = np.array(y0, dtype=float), np.array(p, dtype=float)

    def traced(*arguments: object) -> Sequence[object]:
        return rhs(*(arguments if given else arguments[:-1]))

    n = len(start)
    full = np.append(start, t_span[0]) if timed else start
    kernel = kernel_of(traced, n, len(parameters), timed=timed)
    times = np.array([t_span[1]] if t_eval is None else t_eval, dtype=float)
    tolerance = np.broadcast_to(rtol * 1e-3 if atol is None else atol, (n,))
    slopes = np.array(traced(*([t_span[0]] * timed), list(start), list(parameters)), dtype=float)
    found = run_members(
        kernel,
        parameters[None, :],
        span(t_span),
        times,
        rtol=rtol,
        atol=np.append(tolerance, ANY) if timed else tolerance,
        y0=full,
        limits=limits,
        first_step=first_step or guess(start, slopes, rtol, tolerance, t_span),
    )
    status = next(one for one in Status if one == found.status[0])
    return Solution(times, found.values[0], status, int(found.steps[0]), int(found.rejected[0]))


def kernel_of(
    rhs: Callable[..., Sequence[object]], n: int, n_parameters: int, *, timed: bool
) -> Kernel:
    """Return the kernel of ``rhs(y, p)``, or ``rhs(t, y, p)`` when ``timed``, with n states."""
    return Kernel(
        system=None,
        trace=lambda _: small(rhs, n, n_parameters, timed=timed),
        record=tuple(f"y{i}" for i in range(n)),
        dosed=(),
        turned=(),
        whole={},
        shape=processor_shape(),
        started=tuple(range(n + timed)),
    )


def span(t_span: tuple[float, float]) -> Inputs:
    """Return the inputs of a system that nothing is done to from the first time to the last."""
    none = np.empty((2, 0))
    return Inputs(
        plans=np.zeros(0, dtype=np.int64),
        firsts=np.array([0, 2]),
        edges=np.array(t_span, dtype=float),
        knobs=none,
        rates=none,
        boluses=none,
        columns=(),
        settled=np.zeros(1, dtype=bool),
        before=np.empty((1, 0)),
    )


def guess(
    start: Array, slopes: Array, rtol: float, atol: Array, t_span: tuple[float, float]
) -> float:
    """Return a first step from the size of the states and of their slopes."""
    size = atol + rtol * np.abs(start)
    states, change = (float(np.sqrt(np.mean((x / size) ** 2))) for x in (start, slopes))
    span = t_span[1] - t_span[0]
    step = 0.01 * states / change if min(states, change) > 1e-5 else 1e-6 * span
    return min(step, 0.1 * span)
