"""How far each verdict leans on numbers that nobody has measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.declare import CHOSEN
from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.studies.designs.draw import random
from ketasim.studies.scorecard import Check, scorecard
from ketasim.units import unit

Array = NDArray[np.float64]
BLOCK = 50  # draws held in memory at once


@dataclass(frozen=True)
class Standing:
    """A check with the share of draws under which it passes."""

    check: Check
    share: float


def unmeasured(model: Model) -> tuple[str, ...]:
    """Return the parameters that rest on no measurement and are not settings."""
    return tuple(
        name
        for name, one in model.parameters.items()
        if one.evidence.kind != "measured"
        and one.role not in CHOSEN
        and one.bounds[0] < one.bounds[1]
    )


def pass_shares(
    checks: Sequence[Check], model: Model, *, draws: int = 1000, seed: int = 1
) -> list[Standing]:
    """Return how often each check passes when everything not measured is drawn within its bounds.

    Draws are log-uniform (uniform where a bound is 0 or negative) and independent of one another:
    harsher than any real uncertainty.
    """
    names = unmeasured(model)
    design = random(model, draws, vary=names, seed=seed)
    card = scorecard(checks, model)
    passed = np.zeros(len(checks))
    for begin in range(0, draws, BLOCK):
        rows = design.rows(begin, min(begin + BLOCK, draws))
        found = card.predict(_parameters(model, names, rows), rtol=1e-5)
        passed += [_passes(check, values) for check, values in zip(checks, found, strict=True)]
    return [Standing(c, float(p) / draws) for c, p in zip(checks, passed, strict=True)]


def _parameters(model: Model, names: Sequence[str], rows: Array) -> Array:
    order = list(model.parameters)
    full = np.repeat(System(model).default_parameters[None, :], len(rows), axis=0)
    for column, name in enumerate(names):
        full[:, order.index(name)] = rows[:, column] * unit(model.unit(name)).factor
    return full


def _passes(check: Check, values: Array) -> int:
    """Count the draws under which every measure of a check agrees."""
    agreed = [
        [measure.passed(float(value)) for value in row]
        for measure, row in zip(check.measures, values, strict=True)
    ]
    return int(np.all(agreed, axis=0).sum())
