"""Slopes of what goals come to: in reverse mode where that can be, else by differences.

Reverse mode gives all slopes of a cohort's value for about four runs of it. Moments move the steps
themselves, but what a shifted infusion does is known from the same run: it gives its rate where it
now begins and takes it where it no longer is, each worth the state's adjoint there. So doses, gaps
and durations cost no more than doses alone.

Where a few patients count (the worst tenth, visit by visit), only these are run, under every
shifted schedule, in one batch: to first order nobody else has a say. Read-outs that are formulas,
boluses, and the reference engine take differences too.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.schedule import SNAP, Schedule
from ketasim.engines.run import gradients
from ketasim.readouts import Reading, Readout
from ketasim.studies.schedules.goals import Goal
from ketasim.studies.schedules.plan import Visits
from ketasim.studies.schedules.runs import Found, Runs
from ketasim.units import unit

Array = NDArray[np.float64]
SHIFT = 2e-3  # of a variable's range, by which differences move it
TINY = 1e-6  # the same where only arithmetic is differentiated
MANY = 0.5  # share of a cohort that counts from which on reverse mode is the cheaper


def slopes(runs: Runs, point: Array) -> Array:
    """Return the slopes of every output at a point, (n_outputs, n_free)."""
    found = runs.at(point[None, :])
    rows = np.full((runs.n_outputs, len(point)), np.nan)
    for k, goal in enumerate(runs.owner):
        if not goal.of_runs:
            rows[k] = _of_schedule(runs, str(goal.what), point)
        elif can_reverse(runs, goal, point):
            rows[k] = by_reverse(runs, point, goal, found.counts[0, k])
    left = np.flatnonzero(np.isnan(rows).any(axis=1))
    if len(left):
        rows[left] = by_differences(runs, point, found, left.tolist())
    return rows


def shifted(point: Array) -> Array:
    """Return the points (n_free, n_free) with one number moved each, within the cube."""
    moved = np.tile(point, (len(point), 1))
    ways = np.where(point + SHIFT <= 1.0, SHIFT, -SHIFT)
    moved[np.diag_indices(len(point))] += ways
    return moved


def by_differences(runs: Runs, point: Array, found: Found, outputs: Sequence[int]) -> Array:
    """Return slopes (n_outputs, n_free) of some outputs, of the patients who count in them."""
    chosen = np.array(outputs)
    counts = found.counts[0, chosen]
    places = np.flatnonzero((counts > 0.0).any(axis=(0, 1)))
    some = replace(runs, cohort=runs.cohort.some(places, runs.cohort.weights[places]))
    moved = shifted(point)
    values = some.at(np.vstack([point, moved])).patients[:, chosen]
    change = np.where(counts[:, :, places] > 0.0, values[1:] - values[0], 0.0)
    whole = (change * counts[:, :, places]).sum(axis=(2, 3))
    return np.asarray((whole / (np.diag(moved) - point)[:, None]).T)


def _of_schedule(runs: Runs, word: str, point: Array) -> Array:
    """Return the slopes of a number of the schedule itself, (n_free,)."""
    moved = shifted(point)
    ends = runs.plan.number(word, runs.plan.visits_of(np.vstack([point, moved])))
    return np.asarray((ends[1:] - ends[0]) / (np.diag(moved) - point))


def can_reverse(runs: Runs, goal: Goal, point: Array) -> bool:
    """Say whether a goal's slopes can be taken back through its runs, and should be."""
    visits = runs.plan.visits_of(point[None, :])
    infused = float(visits.durations.min()) > SNAP and float(visits.amounts.min()) > 0.0
    return (
        runs.settings.engine == "ensemble"
        and infused
        and not goal.each_visit
        and goal.share >= MANY
        and isinstance(goal.what, Readout)
        and isinstance(goal.what.node, Reading)
        and not goal.what.node.effect
    )


def by_reverse(runs: Runs, point: Array, goal: Goal, counts: Array) -> Array:
    """Return the slopes of one goal, (n_free,); NaN where a run that counts has none.

    Parameters
    ----------
    counts
        What each patient counts in each draw, (n_draws, n_patients).
    """
    if not isinstance(goal.what, Readout):
        return np.full(len(point), np.nan)
    visits = runs.plan.visits_of(point[None, :])
    batch = runs.batch(runs.protocols(visits), reductions=goal.what.reductions)
    counted = counts.reshape(-1, 1)
    weights = counted / unit(goal.what.unit).factor
    found = gradients(batch, runs.settings, weights=weights, with_rest=False)
    matter = counted[:, 0] > 0.0
    by_rate = np.where(matter[:, None, None], found.by_rate[:, 0], 0.0)
    adjoint = np.where(matter[:, None, None], found.by_bolus[:, 0], 0.0)
    before = runs.bound.schedules(runs.problem.scenario.protocol)
    total = np.zeros((3, runs.plan.visits))
    for i, (own, other) in enumerate(zip(batch.each_schedule, before, strict=True)):
        total += _of_doses(visits, own, other, by_rate[i], adjoint[i])
    return _chained(runs, point, total)


def _of_doses(
    visits: Visits, own: Schedule, other: Schedule, by_rate: Array, adjoint: Array
) -> Array:
    """Return one member's slopes by amounts, starts and durations, (3, n_visits).

    ``other`` is its schedule without the visits; ``by_rate`` and ``adjoint`` (n_edges, n_states)
    are its slopes by the rate of each segment, and by a bolus at each edge.
    """
    found = np.zeros((3, visits.starts.shape[1]))
    columns = zip(visits.amounts[0], visits.starts[0], visits.stops[0], strict=True)
    for j, (amount, start, stop) in enumerate(columns):
        if stop > own.edges[-1] + SNAP:
            continue  # it is not given
        first, last = (int(np.abs(own.edges - moment).argmin()) for moment in (start, stop))
        middle = own.edges[first : first + 2].mean()
        there = int(np.searchsorted(other.edges, middle)) - 1
        rate = own.rates[first] - other.rates[there]
        spread = float(rate @ by_rate[first:last].sum(axis=0))
        begins, ends = float(rate @ adjoint[first]), float(rate @ adjoint[last])
        found[:, j] = spread / amount, ends - begins, ends - spread / (stop - start)
    return found


def _chained(runs: Runs, point: Array, total: Array) -> Array:
    """Return slopes by the free numbers from those by amounts, starts and durations."""
    steps = TINY * np.eye(len(point))
    many = runs.plan.visits_of(np.vstack([point + steps, point - steps]))
    parts = np.stack([many.amounts, many.starts, many.durations], axis=1)
    n = len(point)
    return np.asarray(((parts[:n] - parts[n:]) / (2.0 * TINY) * total).sum(axis=(1, 2)))
