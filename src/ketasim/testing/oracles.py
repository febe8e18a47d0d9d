"""What must hold for every parameter draw and for the course of one dose.

Every engine and every benchmark must reproduce that course (:mod:`ketasim.studies.course`).
"""

from collections.abc import Container, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.units import unit

Array = NDArray[np.float64]
NOUGHT = 1e-3  # a resting value below this share of the state's scale counts as 0


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
