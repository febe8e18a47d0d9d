"""The fixed point under conditions that have always held, such as chronic stress."""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import LSODA

from ketasim.core.system import System, Values
from ketasim.errors import SolverError

Array = NDArray[np.float64]
LONG = 24.0 * 365.0  # the slowest processes take weeks [h]
STILL = 1e-11  # largest slope accepted, in units of each state's scale [1/h]


def settle(system: System, values: Values, start: Array) -> Array:
    """Return the state at which nothing changes, reached from ``start``, shape (n_states,).

    A year is integrated, then Newton steps within the conserved pools finish the work.

    Raises
    ------
    SolverError
        When no fixed point is found.
    """
    y = _year(system, values, start)
    pools = _pools(system)
    for _ in range(20):
        slopes = np.array(system.slopes(values, y))
        if np.max(np.abs(slopes) / system.scales) < STILL:
            return y
        matrix = np.vstack([system.jacobian(values, y), pools])
        target = np.concatenate([-slopes, pools @ (start - y)])
        y = y + np.linalg.lstsq(matrix, target, rcond=1e-14)[0]
    worst = int(np.argmax(np.abs(slopes) / system.scales))
    raise SolverError(
        f'no resting state under the conditions held "always": state "{system.state_names[worst]}" '
        f"still moves by {slopes[worst]:.2g} per hour. Start the condition at a time instead."
    )


def _year(system: System, values: Values, start: Array) -> Array:
    solver = LSODA(
        lambda _, y: np.array(system.slopes(values, y)),
        0.0,
        start,
        LONG,
        rtol=1e-8,
        atol=1e-10 * system.scales,
        jac=lambda _, y: system.jacobian(values, y),
    )
    while solver.status == "running":
        solver.step()
    if solver.status == "failed":
        raise SolverError("no resting state under the conditions held always: integration stopped.")
    return cast(Array, solver.y)


def _pools(system: System) -> Array:
    where = {name: i for i, name in enumerate(system.state_names)}
    rows = np.zeros((len(system.model.conserved), len(where)))
    for row, pool in zip(rows, system.model.conserved, strict=True):
        row[[where[name] for name in pool]] = 1.0
    return rows
