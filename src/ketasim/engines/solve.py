"""``solve_ivp``: the compiled integrator on equations of your own, called as SciPy's is.

Absolute tolerances that are left to it follow from the solution: a state is wanted to ``rtol`` of
the smallest value that is reported of it, or of a thousand-millionth of its largest where it
passes through zero. The solution is computed again until that holds, and refused when it does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketasim.engines.contract import MEMBER, Limits
from ketasim.engines.ensemble import EnsembleResult, run_members
from ketasim.engines.ivp import ANY, guess, kernel_of, span
from ketasim.engines.kernels import Kernel
from ketasim.engines.status import Status, usable
from ketasim.errors import ConfigError, SolverError

Array = NDArray[np.float64]
LEAST = 1e-9  # of a state's largest value; what is smaller is taken for a passage through zero
SEEN = 64  # moments, evenly and by ratio, at which the size of states is looked at
ROUNDS, ALIKE = 8, 10.0  # of looking for tolerances, and how far they may be off
TIGHTEST, LOOSEST = 1e-13, 1e-1


@dataclass(frozen=True)
class Solution:
    """What came of a system of equations.

    ``t`` (n_times,) are the times of ``y``: (n_states, n_times), or (n_members, n_states, n_times)
    where several initial values or arguments were given. ``status`` says how each member ended,
    ``success`` whether all did well and ``message`` what went wrong first. ``steps`` and
    ``rejected`` are counts, ``atol`` (n_states,) the absolute tolerances that were kept to.
    ``sol(t)`` gives the solution at other times, from the same steps, when it was asked for.
    """

    t: Array
    y: Array
    status: NDArray[np.int8]
    message: str
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]
    atol: Array
    sol: Callable[[ArrayLike], Array] | None = None

    @property
    def success(self) -> bool:
        """Return whether every member came to the end."""
        return bool(usable(self.status).all())


@dataclass(frozen=True)
class _Problem:
    """Equations with their members: initial values (m, n), arguments (m, n_args)."""

    kernel: Kernel
    t_span: tuple[float, float]
    y0: Array
    arguments: Array
    slopes: Array
    timed: bool
    rtol: float
    first_step: float | None
    limits: Limits
    threads: int | None
    atol: Array = field(default_factory=lambda: np.empty(0))

    def run(self, times: Array) -> EnsembleResult:
        """Return the members at some times; the steps are the same whatever the times."""
        n, atol = self.y0.shape[1], self.atol
        clock = np.full((len(self.y0), 1), self.t_span[0])
        found = run_members(
            self.kernel,
            self.arguments,
            span(self.t_span),
            times,
            rtol=self.rtol,
            atol=np.append(atol, ANY) if self.timed else atol,
            y0=np.hstack([self.y0, clock]) if self.timed else self.y0,
            limits=self.limits,
            threads=self.threads,
            first_step=self.first_step or self._first_step(),
        )
        return replace(found, values=found.values[:, :n])

    def _first_step(self) -> float:
        pairs = zip(self.y0, self.slopes, strict=True)
        return min(guess(y, f, self.rtol, self.atol, self.t_span) for y, f in pairs)

    def scaled(self, times: Array) -> "_Problem":
        """Return the same with absolute tolerances that follow from the solution.

        Raises
        ------
        SolverError
            When they cannot be found.
        """
        first, last = self.t_span
        seen = first + (last - first) * np.linspace(0.0, 1.0, SEEN)
        near = first + (last - first) * np.logspace(-12.0, 0.0, SEEN)
        looked = np.unique(np.clip(np.concatenate([times, seen, near]), first, last))
        largest = float(np.abs(self.y0).max()) or float(np.abs(self.slopes).max()) or 1.0
        one = replace(self, atol=np.full(self.y0.shape[1], self.rtol * LEAST * largest))
        for _ in range(ROUNDS):
            found = one.run(looked)
            if not usable(found.status).all():
                break
            wanted = self.rtol * _sizes(found.values, np.isin(looked, times))
            if (wanted >= one.atol / ALIKE).all() and (wanted <= one.atol * ALIKE).all():
                return one
            one = replace(one, atol=wanted)
        raise SolverError(
            "absolute tolerances could not be found from the solution; give atol, one number or "
            "one a state: the size below which its error does not matter."
        )


def _sizes(values: Array, reported: NDArray[np.bool_]) -> Array:
    """Return the size (n_states,) to which each state is wanted, of the member that wants most."""
    size = np.abs(values)
    peak = size.max(axis=2)
    shown = np.where(size[:, :, reported] > 0.0, size[:, :, reported], np.inf).min(axis=2)
    each = np.where(np.isfinite(shown), np.clip(shown, LEAST * peak, None), peak)
    each = np.where(each > 0.0, each, np.inf).min(axis=0)
    whole = float(peak.max()) or 1.0
    return np.where(np.isfinite(each), each, whole)


def solve_ivp(
    fun: Callable[..., Sequence[object]],
    t_span: tuple[float, float],
    y0: ArrayLike,
    *,
    t_eval: ArrayLike | None = None,
    args: Sequence[ArrayLike] = (),
    rtol: float = 1e-6,
    atol: ArrayLike | None = None,
    dense_output: bool = False,
    first_step: float | None = None,
    limits: Limits = MEMBER,
    threads: int | None = None,
) -> Solution:
    """Solve an initial value problem, or many at once, with compiled code.

    Parameters
    ----------
    fun
        ``fun(t, y, *args)`` returning one slope a state. It is traced once and compiled, so it may
        use arithmetic, ``ketasim.core.maths`` and loops, but must not branch on values.
    t_span
        First and last time, the last one later.
    y0
        Initial values, (n_states,) or (n_members, n_states).
    t_eval
        Times to report, within ``t_span`` and rising; by default the first and the last.
    args
        Further arguments of ``fun``: each a number, or one a member (n_members,).
    rtol, atol
        Tolerances; ``atol`` is one number or one a state. By default it follows from the solution
        (see ``.atol`` of the result), which takes two or more runs.
    dense_output
        Whether ``.sol`` is there: the solution at any times, from the same steps.
    first_step
        Step to try first.
    limits
        Steps and seconds that a member may take.
    threads
        How many members are computed at once; by default one a core.

    Returns
    -------
    Solution
        ``.t``, ``.y``, ``.status``, ``.success``, ``.message``, ``.steps``, ``.atol``, ``.sol``.
        A member that fails has NaN from there on; it raises nothing and harms no other.

    Raises
    ------
    ConfigError
        When times, shapes or tolerances do not fit.
    ModelError
        When the function cannot be traced.
    SolverError
        When absolute tolerances are needed and cannot be found.

    References
    ----------
    SciPy's function of this name, 10.1038/s41592-019-0686-2; the method is Rodas5P,
    10.1007/s10543-023-00967-x.
    """
    ends = _span(t_span)
    times = _times(t_eval, ends)
    states, arguments, many = _members(y0, args)
    if not TIGHTEST <= rtol <= LOOSEST:
        raise ConfigError(f"rtol = {rtol!r}: between {TIGHTEST:g} and {LOOSEST:g}.")
    traced, timed = _traced(fun, states.shape[1], arguments.shape[1])
    kernel = kernel_of(traced, states.shape[1], arguments.shape[1], timed=timed)
    slopes = np.array([_slope(fun, ends[0], y, a) for y, a in zip(states, arguments, strict=True)])
    problem = _Problem(
        kernel, ends, states, arguments, slopes, timed, rtol, first_step, limits, threads
    )
    if atol is None:
        problem = problem.scaled(times)
    else:
        problem = replace(problem, atol=_tolerances(atol, states.shape[1]))
    found = problem.run(times)
    bad = found.status[~usable(found.status)]
    message = "every member came to the end" if not len(bad) else Status(int(bad[0])).sentence
    return Solution(
        t=times,
        y=found.values if many else found.values[0],
        status=found.status,
        message=message,
        steps=found.steps,
        rejected=found.rejected,
        atol=problem.atol,
        sol=_dense(problem, many=many) if dense_output else None,
    )


def _dense(problem: _Problem, *, many: bool) -> Callable[[ArrayLike], Array]:
    """Return the solution as a function of time; it takes the same steps again, to the bit."""

    def sol(t: ArrayLike) -> Array:
        asked = np.atleast_1d(np.asarray(t, dtype=float))
        unique, places = np.unique(asked, return_inverse=True)
        values = problem.run(_times(unique, problem.t_span)).values[:, :, places.ravel()]
        shown = values if np.ndim(t) else values[:, :, 0]
        return shown if many else shown[0]

    return sol


def _span(t_span: tuple[float, float]) -> tuple[float, float]:
    first, last = (float(one) for one in t_span)
    if not (np.isfinite(first) and np.isfinite(last) and first < last):
        raise ConfigError(f"t_span = ({first:g}, {last:g}): two finite times, the second later.")
    return first, last


def _times(t_eval: ArrayLike | None, ends: tuple[float, float]) -> Array:
    times = np.array(ends if t_eval is None else t_eval, dtype=float)
    fine = times.ndim == 1 and len(times) and bool((np.diff(times) > 0.0).all())
    if not fine or not ends[0] <= times[0] <= times[-1] <= ends[1]:
        raise ConfigError(f"t_eval: rising times between {ends[0]:g} and {ends[1]:g} are needed.")
    return times


def _members(y0: ArrayLike, args: Sequence[ArrayLike]) -> tuple[Array, Array, bool]:
    """Return initial values (m, n), arguments (m, n_args), and whether several were given."""
    states = np.asarray(y0, dtype=float)
    given = [np.asarray(one, dtype=float) for one in args]
    if states.ndim not in (1, 2) or not states.size or any(one.ndim > 1 for one in given):
        raise ConfigError(
            "y0 is (n_states,) or (n_members, n_states), and each of args a number or (n_members,)."
        )
    counts = {len(states)} if states.ndim == 2 else set()
    counts |= {len(one) for one in given if one.ndim}
    if len(counts) > 1:
        raise ConfigError(f"y0 and args: {sorted(counts)} members; give one, or as many each.")
    m = next(iter(counts), 1)
    arguments = np.empty((m, len(given)))
    for i, one in enumerate(given):
        arguments[:, i] = one
    whole = np.ascontiguousarray(np.broadcast_to(states, (m, states.shape[-1])))
    if not (np.isfinite(whole).all() and np.isfinite(arguments).all()):
        raise ConfigError("y0 and args: finite numbers are needed.")
    return whole, arguments, bool(counts)


def _tolerances(atol: ArrayLike, n: int) -> Array:
    given = np.asarray(atol, dtype=float)
    if given.shape not in ((), (n,)) or not (given > 0.0).all() or not np.isfinite(given).all():
        raise ConfigError(f"atol: one number > 0, or one for each of {n} states.")
    return np.array(np.broadcast_to(given, (n,)))


def _traced(
    fun: Callable[..., Sequence[object]], n: int, n_args: int
) -> tuple[Callable[..., Sequence[object]], bool]:
    """Return the function as it is traced, and whether it asks for the time."""

    def timeless(y: Any, p: Any) -> Sequence[object]:
        return fun(_NoTime(), y, *p)

    try:
        kernel_of(timeless, n, n_args, timed=False).trace({})
    except _Asked:
        return lambda t, y, p: fun(t, y, *p), True
    return timeless, False


class _Asked(Exception):
    """The time was asked for."""


class _NoTime:
    """Stands for the time where a function may not need it."""

    def _asked(self, *_: object) -> Any:
        raise _Asked

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __pos__ = _asked
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __float__ = __abs__ = __bool__ = _asked
    __lt__ = __le__ = __gt__ = __ge__ = __array__ = __getattr__ = _asked


def _slope(fun: Callable[..., Sequence[object]], t: float, y: Array, arguments: Array) -> Array:
    with np.errstate(all="ignore"):
        try:
            found = np.array(fun(t, y.tolist(), *arguments.tolist()), dtype=float)
        except (ZeroDivisionError, OverflowError, ValueError):
            found = np.zeros(len(y))
    whole: Array = np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)
    return whole
