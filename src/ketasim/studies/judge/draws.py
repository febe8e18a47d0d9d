"""Parameter draws that carry what is not known, the same for every hypothesis.

A ledger's bounds are plausible extremes of one number at a time; two hundred numbers at their
extremes at once are not plausible. Draws therefore keep to a share, the prior width, of the way
from each value to its bounds (in logarithms where both bounds are positive). With 1 the bounds are
filled; with 0 every draw is the ledger itself. Driver gains and bodies are settings, not drawn.

Some values of the ledger were fitted under the default hypothesis. Where hypotheses are compared,
those are drawn about the middle of their bounds instead, so that none begins where another ended.
"""

import numpy as np
from numpy.typing import NDArray

from ketasim.core.declare import CHOSEN
from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.errors import ConfigError
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.designs.draw import Seed, random
from ketasim.units import unit

Array = NDArray[np.float64]
PRIOR_WIDTH = 0.25
MOST_DRAWS = 100_000


def parameter_draws(
    model: Model, n: int, *, seed: Seed = 1, prior_width: float = PRIOR_WIDTH
) -> Array:
    """Return canonical parameter values, shape (n, n_parameters); row i depends on seed and i.

    Raises
    ------
    ConfigError
        When the number of draws or the prior width is out of range.
    """
    check_draws(n, prior_width)
    full = np.repeat(System(model).default_parameters[None, :], n, axis=0)
    vary = {} if prior_width == 0.0 else spreads(model, prior_width)
    if not vary:
        return full
    order = {name: column for column, name in enumerate(model.parameters)}
    rows = random(model, n, vary=vary, seed=seed).rows(0, n)
    for column, name in enumerate(vary):
        full[:, order[name]] = rows[:, column] * unit(model.unit(name)).factor
    return full


def check_draws(n: int, prior_width: float) -> None:
    """Refuse numbers of draws and prior widths that make no sense; see :func:`parameter_draws`."""
    if not 1 <= n <= MOST_DRAWS:
        raise ConfigError(f"draws = {n!r}: a whole number from 1 to {MOST_DRAWS:,} is needed.")
    if not 0.0 <= prior_width <= 1.0:
        raise ConfigError(
            f"prior width = {prior_width!r}: must lie between 0 (the ledger) and 1 (its bounds)."
        )


def spreads(model: Model, prior_width: float, *, unfitted: bool = False) -> dict[str, Distribution]:
    """Return how each number that may vary is distributed.

    With ``unfitted``, numbers that were fitted are spread about the middle of their bounds.
    """
    found = {}
    for name, one in model.parameters.items():
        value = model.value(name) / unit(one.unit).factor
        low, high = min(one.bounds[0], value), max(one.bounds[1], value)
        if one.role in CHOSEN or not low < high:
            continue
        if unfitted and one.evidence.kind == "fitted":
            value = float(np.sqrt(low * high)) if low > 0.0 else (low + high) / 2.0
        if low > 0.0:
            ends = value * (low / value) ** prior_width, value * (high / value) ** prior_width
            found[name] = Distribution("loguniform", *ends, one.unit)
        else:
            ends = value + prior_width * (low - value), value + prior_width * (high - value)
            found[name] = Distribution("uniform", *ends, one.unit)
    return found
