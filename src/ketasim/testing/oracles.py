"""What must hold for every parameter draw and for the course of one dose.

First the drug, then glutamate, then signals, then proteins, then spines; function recovers before
the spines do and is kept by them, and all of it is gone in four weeks. Every engine and every
benchmark must reproduce that.
"""

from collections.abc import Callable, Container, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.scenario import hours
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.models.reference import COURSE_NAMES
from ketasim.units import unit

Array = NDArray[np.float64]
NOUGHT = 1e-3  # a resting value below this share of the state's scale counts as 0
COURSE_TIMES = (*hours(0, 8, every=0.05), *hours(9, 96, every=1), *hours(108, 672, every=12))


def draws(model: Model, n: int, *, seed: int, keep: Container[str] = ()) -> Array:
    """Draw parameters within their bounds: log-uniform where the lower is positive, else uniform.

    Returns
    -------
    Array
        Canonical values, shape (n_parameters, n); names in ``keep`` stay at the model's value.
        Draw ``i`` depends on the seed and its own index only.
    """
    rows = [[model.value(name)] * 2 for name in model.parameters]
    for i, (name, one) in enumerate(model.parameters.items()):
        if name not in keep:
            rows[i] = [bound * unit(one.unit).factor for bound in one.bounds]
    low, high = np.array(rows).T
    chances = np.array([np.random.default_rng([seed, i]).random(len(low)) for i in range(n)]).T
    positive = low > 0.0
    spread: Array = low[:, None] + (high - low)[:, None] * chances
    ratio = high[positive] / low[positive]
    spread[positive] = low[positive, None] * ratio[:, None] ** chances[positive]
    return spread


def drawn(model: Model, column: Array, *, keep: Container[str] = ()) -> Model:
    """Return the model at one draw, shape (n_parameters,); names in ``keep`` are left alone."""
    values = {
        name: f"{float(value) / unit(one.unit).factor!r} {one.unit}"
        for (name, one), value in zip(model.parameters.items(), column, strict=True)
        if name not in keep
    }
    return model.with_values(values)


def fixed_point(model: Model, parameters: Array | None = None) -> Array:
    """Return max |dy/dt| [canonical unit/h] at healthy rest, for each draw.

    ``parameters`` has shape (n_parameters,) or (n_parameters, n_members); the result has shape
    () or (n_members,).
    """
    system = System(model)
    chosen = system.default_parameters if parameters is None else parameters
    values = system.prepare(chosen, system.neutral_knobs)
    slopes = np.broadcast_arrays(*system.slopes(values, system.rest(values)))
    largest: Array = np.abs(slopes).max(axis=0)
    return largest


def eigenvalues(model: Model, parameters: Array | None = None) -> NDArray[np.complex128]:
    """Return the eigenvalues [1/h] of the Jacobian at healthy rest, largest real part first.

    Each conserved pool contributes one that is zero.
    """
    system = System(model)
    chosen = system.default_parameters if parameters is None else parameters
    values = system.prepare(chosen, system.neutral_knobs)
    matrix = system.jacobian(values, system.rest(values))
    found: NDArray[np.complex128] = np.linalg.eigvals(matrix).astype(complex)
    return found[np.argsort(-found.real)]


def delivered_by(schedule: Schedule, times: Array) -> Array:
    """Return what has been given into each state [umol] by each time, (n_states, n_times)."""
    begins, ends = schedule.edges[:-1, None], schedule.edges[1:, None]
    spans = np.clip(times, begins, ends) - begins
    given: Array = schedule.rates.T @ spans
    given += schedule.boluses.T @ (times >= schedule.edges[:, None])
    return given


def mass_balance(model: Model, schedule: Schedule, times: Array, states: Array) -> float:
    """Return the largest relative error of a conserved pool's total over a run.

    Parameters
    ----------
    model, schedule
        What was run, with the subject's own values.
    times, states
        The run's output, (n_times,) [h] and (n_states, n_times) canonical, from its first edge.
    """
    rows = {name: i for i, name in enumerate(model.states)}
    given = delivered_by(schedule, times)
    start = states[:, :1] - given[:, :1]
    worst = 0.0
    for pool in model.conserved:
        where = [rows[name] for name in pool]
        want = start[where].sum() + given[where].sum(axis=0)
        error = np.abs(states[where].sum(axis=0) - want).max()
        worst = max(worst, float(error / max(np.abs(want).max(), 1e-300)) if error else 0.0)
    return worst


def excursion(model: Model, states: Array) -> tuple[float, str]:
    """Return how far any state leaves its interval, in units of its scale, and which one does."""
    worst, who = 0.0, ""
    for (name, one), row in zip(model.states.items(), states, strict=True):
        factor = unit(one.unit).factor
        low, high = (bound * factor for bound in one.within)
        beyond = max(low - float(row.min()), float(row.max()) - high, 0.0) / (one.scale * factor)
        worst, who = max((worst, who), (beyond, name))
    return worst, who


def residue(model: Model, before: Array, after: Array) -> Mapping[str, float]:
    """Return how far each state still is from where it started, as a share.

    The share is of the value before, or of the state's scale where that was 0. Amounts that have
    left the body are not expected back.
    """
    scales: Any = System(model).scales
    reference = np.where(np.abs(before) > NOUGHT * scales, np.abs(before), scales)
    gaps = np.abs(after - before) / reference
    return {
        name: float(gap)
        for name, gap in zip(model.states, gaps, strict=True)
        if not name.endswith(".eliminated")
    }


class _Course:
    """One member's changes from its start; it lives no longer than one call."""

    def __init__(self, run: xr.Dataset, member: int) -> None:
        self.time: Array = run["time"].to_numpy()
        curves = (run[name].to_numpy()[member] for name in COURSE_NAMES)
        changes: list[Array] = [curve - curve[0] for curve in curves]
        self.glutamate, self.trkb, self.mtorc1, self.proteins = changes[:4]
        self.spines, self.function = changes[4:]

    def at(self, curve: Array, hour: float) -> float:
        return float(np.interp(hour, self.time, curve))

    def most(self, curve: Array, begin: float, end: float) -> float:
        return float(curve[(self.time >= begin) & (self.time <= end)].max())

    def peak(self, curve: Array) -> float:
        return float(curve.max())

    def when(self, curve: Array) -> float:
        return float(self.time[curve.argmax()])


_SENTENCES: dict[str, Callable[[_Course], bool]] = {
    "glutamate is up within the hour": lambda c: c.most(c.glutamate, 0, 1) > 0.1,
    "glutamate is back within three hours": lambda c: (
        abs(c.at(c.glutamate, 3)) < min(0.1, 0.25 * c.peak(c.glutamate))
    ),
    "glutamate peaks before TrkB and mTORC1": lambda c: (
        c.when(c.glutamate) < min(c.when(c.trkb), c.when(c.mtorc1))
    ),
    "TrkB and mTORC1 peak before synaptic proteins": lambda c: (
        max(c.when(c.trkb), c.when(c.mtorc1)) < c.when(c.proteins)
    ),
    "synaptic proteins peak before spines": lambda c: c.when(c.proteins) < c.when(c.spines),
    "mTORC1 is back within a few hours": lambda c: c.at(c.mtorc1, 4) < 0.1 * c.peak(c.mtorc1),
    "spines have changed by less than a tenth at 3-6 h": lambda c: (
        abs(c.at(c.spines, 3)) < 0.1 * c.peak(c.spines)
        and abs(c.at(c.spines, 6)) < 0.1 * c.peak(c.spines)
    ),
    "spines have changed by more than half at 24 h": lambda c: (
        c.at(c.spines, 24) > 0.5 * c.peak(c.spines)
    ),
    "function improves within six hours, before the spines": lambda c: (
        c.most(c.function, 0, 6) > max(0.25 * c.peak(c.function), 0.01)
    ),
    "function is kept at 24 h": lambda c: c.at(c.function, 24) > 0.2 * c.peak(c.function),
    "spines and function are gone by four weeks": lambda c: (
        abs(c.at(c.spines, 672)) < 0.05 * c.peak(c.spines)
        and abs(c.at(c.function, 672)) < 0.05 * c.peak(c.function)
    ),
}
_LONGEST = "spines and function are gone by four weeks"


def course_faults(run: xr.Dataset, *, member: int = 0) -> tuple[str, ...]:
    """Return the sentences about one dose at time 0 that a run contradicts; none is good.

    The run must record ``COURSE_NAMES``, finely enough to tell the peaks apart (``COURSE_TIMES``),
    to 7 d at least; what happens by four weeks is judged in runs that last so long.
    """
    course = _Course(run, member)
    judged = dict(_SENTENCES)
    if course.time[-1] < 672:
        del judged[_LONGEST]
    return tuple(sentence for sentence, holds in judged.items() if not holds(course))
