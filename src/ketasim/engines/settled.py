"""Fixed points of many members at once, under conditions that have always held.

A very long run is made on the ensemble engine. Its method is L-stable and its steps grow without
limit as a member comes to rest, so it converges as Newton's method does and keeps what is
conserved; the laws themselves then say whether the end is at rest.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.batch import How, Task, blank, carry_out
from ketasim.engines.inputs import Inputs, gather
from ketasim.engines.kernels import Kernel
from ketasim.engines.status import Status, usable

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Members = NDArray[np.int64]
STRICT = 1e-8  # relative tolerance of the run
LONG = 1e7  # how long it is [h]
STILL = 1e-9  # largest slope accepted as rest, in units of each state's scale [1/h]


def settle_members(
    kernel: Kernel,
    parameters: Array,
    schedules: Schedule | Inputs,
    *,
    members: Members | None = None,
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
    how = replace(how or How(threads=threads), rtol=STRICT, atol=None)
    result = blank(n, len(kernel.record), 0, len(kernel.plan(general=False).scales))
    task = Task(kernel, parameters, always, np.empty(0), None, result)
    firsts, likes = _alike(kernel.system, parameters, always, chosen)
    found = carry_out(task, chosen[firsts], how)
    status, final = found.status, found.final
    status[chosen] = status[chosen[firsts]][likes]
    if final is not None:
        final[chosen] = final[chosen[firsts]][likes]
    states, still = _judged(kernel.system, parameters, always, chosen, final)
    good = np.ones(n, dtype=bool)
    good[chosen] = usable(status)[chosen] & still[chosen]
    return states, np.where(good, Status.OK, Status.NO_BASELINE).astype(np.int8)


def _alike(
    system: System | None, parameters: Array, always: Inputs, chosen: Members
) -> tuple[Members, Members]:
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


def _judged(
    system: System | None,
    parameters: Array,
    always: Inputs,
    chosen: Members,
    final: Array | None,
) -> tuple[Array, NDArray[np.bool_]]:
    """Return states, healthy rest for those not chosen, and who is at rest by the laws."""
    if system is None or final is None:
        raise TypeError("only a model has conditions that have always held")
    knobs = always.knobs[always.firsts[always.plans]]
    with np.errstate(all="ignore"):
        values = system.prepare(np.ascontiguousarray(parameters.T), knobs.T)
        rest = np.broadcast_to(system.rest(values).T, final.shape)
        states = np.array(rest, order="C")  # a copy, even where nothing needed copying
        states[chosen] = final[chosen]
        slopes = np.array(np.broadcast_arrays(*system.slopes(values, states.T)))
        still = (np.abs(slopes) <= STILL * system.scales[:, None]).all(axis=0)
    return states, still
