"""Fixed points of many members at once, under conditions that have always held.

A year is integrated on the ensemble engine. Its method is L-stable and its steps grow without
limit as a member comes to rest, so what remains at the end is the fixed point to rounding.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.schedule import Schedule
from ketasim.engines.ensemble import Kernel, run_members
from ketasim.engines.status import Status, usable
from ketasim.engines.steady import LONG

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
STRICT = 1e-8  # relative tolerance of the year


def settle_members(
    kernel: Kernel, parameters: Array, schedule: Schedule, *, threads: int | None = None
) -> tuple[Array, Codes]:
    """Return where members rest under ``schedule.before``, and the status of each.

    Parameters
    ----------
    kernel
        One that turns the knobs which ``schedule.before`` moves.
    parameters
        Canonical, shape (n_members, n_parameters).

    Returns
    -------
    states, status
        Shapes (n_members, n_states) and (n_members,); NO_BASELINE where no rest was reached.
    """
    n_states = schedule.rates.shape[1]
    year = replace(
        schedule,
        edges=np.array([0.0, LONG]),
        rates=np.zeros((1, n_states)),
        boluses=np.zeros((2, n_states)),
        knobs=schedule.before[None, :],
        given=(),
        settled=False,
    )
    found = run_members(
        kernel,
        parameters,
        year,
        np.array([LONG]),
        rtol=STRICT,
        threads=threads,
        keep_final=True,
    )
    states = np.empty((0, n_states)) if found.final is None else found.final
    good = usable(found.status) & np.isfinite(states).all(axis=1)
    return states, np.where(good, Status.OK, Status.NO_BASELINE).astype(np.int8)
