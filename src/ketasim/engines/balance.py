"""Whether what was given is all there: every conserved pool that a dose enters is weighed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ketasim.core.schedule import Schedule, delivered
from ketasim.core.system import System
from ketasim.engines.contract import Array, Batch

WITHIN = 1e-9  # relative; a dose may not be lost
Flags = NDArray[np.bool_]


def prescribed(schedule: Schedule, system: System) -> Array:
    """Return what each state was to be given [umol], shape (n_states,); doses as prescribed."""
    where = {name: i for i, name in enumerate(system.state_names)}
    wanted = np.zeros(len(where))
    for one in schedule.given:
        for state, amount in one.into:
            wanted[where[state]] += amount
    return wanted


def share(schedule: Schedule, system: System, final: Array) -> float:
    """Return the share of the prescribed drug that is in the last states (n_states,)."""
    wanted = prescribed(schedule, system)
    pools = [pool for pool in _pools(system) if wanted[pool].any()]
    given = float(sum(wanted[pool].sum() for pool in pools))
    return float(sum(final[pool].sum() for pool in pools)) / given if given else 1.0


def check(
    system: System, batch: Batch, final: Array, finished: Flags
) -> tuple[Flags, dict[int, str]]:
    """Return which finished members lost or made drug, and a sentence for each of the first few.

    Parameters
    ----------
    final
        Last states, shape (n_members, n_states).
    finished
        Which members are to be weighed, shape (n_members,).
    """
    lost = np.zeros(len(batch), dtype=bool)
    told: dict[int, str] = {}
    schedules = batch.each_schedule
    each = _delivered(schedules)
    gaps = _prescription_gaps(schedules, system)
    for pool in _pools(system):
        wanted = np.broadcast_to(each[:, pool].sum(axis=1), len(batch))
        held = final[:, pool].sum(axis=1)
        wrong = finished & (wanted > 0.0) & ~(np.abs(held - wanted) <= WITHIN * wanted)
        for i in np.flatnonzero(wrong & ~lost)[:10]:
            owner = system.state_names[pool[0]].partition(".")[0]
            told[int(i)] = _sentence(f"{owner} holds", float(held[i]), float(wanted[i]))
        lost |= wrong
    for i in np.flatnonzero(np.broadcast_to(gaps, len(batch)) & finished):
        one = schedules[0 if len(schedules) == 1 else int(i)]
        delivered, wanted = one.delivered.sum(), prescribed(one, system).sum()
        told[int(i)] = _sentence("the segments deliver", float(delivered), float(wanted))
        lost[i] = True
    return lost, told


def _sentence(what: str, held: float, wanted: float) -> str:
    return (
        f"drug was lost: {what} {held:.12g} umol where {wanted:.12g} umol were prescribed. Please "
        "report this scenario; as a remedy try a smaller engine.rtol."
    )


def _pools(system: System) -> list[list[int]]:
    where = {name: i for i, name in enumerate(system.state_names)}
    return [[where[name] for name in pool] for pool in system.model.conserved]


def _delivered(schedules: Sequence[Schedule]) -> Array:
    """Return what the segments of each deliver [umol], (n_schedules, n_states)."""
    edges = schedules[0].edges
    if all(one.edges is edges for one in schedules):
        rates = np.array([one.rates for one in schedules])
        return delivered(edges, rates, np.array([one.boluses for one in schedules]))
    known = {id(one): one for one in schedules}
    found = {key: one.delivered for key, one in known.items()}
    return np.stack([found[id(one)] for one in schedules])


def _prescription_gaps(schedules: Sequence[Schedule], system: System) -> Flags:
    """Return for which schedules the segments do not deliver what was prescribed."""
    known: dict[int, bool] = {}
    for one in schedules:
        if id(one) not in known and one.given:
            wanted = prescribed(one, system)
            gap = np.abs(one.delivered - wanted).max(initial=0.0)
            known[id(one)] = not gap <= WITHIN * np.abs(wanted).max(initial=0.0)
    return np.array([known.get(id(one), False) for one in schedules])
