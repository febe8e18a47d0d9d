"""How far each verdict leans on numbers that nobody has measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from ketasim.core.bounds import wide
from ketasim.core.declare import CHOSEN
from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.engines.contract import Limits
from ketasim.studies.designs.design import Design
from ketasim.studies.designs.distributions import Distribution, within
from ketasim.studies.designs.draw import random
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.predict import Prediction
from ketasim.studies.findings.scorecard import scorecard
from ketasim.units import unit

Array = NDArray[np.float64]
BLOCK = 250  # draws between two reports, and in memory at once
# Far from the ledger some members crawl: one that takes a hundred times the usual is given up, a
# few more on a busy machine.
BRIEF = Limits(seconds=0.2)


@dataclass(frozen=True)
class Standing:
    """A finding with the share of draws under which it passes.

    The share is of the draws under which a verdict could be given (nan where there is none);
    ``not_computed`` counts the others.
    """

    finding: Finding
    share: float
    not_computed: int = 0


def unmeasured(model: Model) -> tuple[str, ...]:
    """Return the parameters that rest on no measurement and are not settings."""
    return tuple(
        name
        for name, one in model.parameters.items()
        if one.evidence.kind != "measured"
        and one.role not in CHOSEN
        and one.bounds[0] < one.bounds[1]
    )


def believed(model: Model) -> tuple[str, ...]:
    """Return every parameter that is neither a setting nor a constant."""
    ledger = model.parameters.items()
    return tuple(n for n, one in ledger if one.role not in CHOSEN and one.bounds[0] < one.bounds[1])


def anywhere(model: Model, draws: int, *, seed: int = 1, widely: bool = False) -> Design:
    """Return draws of everything that is believed, each anywhere within its bounds.

    ``widely`` takes :func:`ketasim.core.bounds.wide` for the bounds of the ledger.
    """
    return random(model, draws, vary=_spread(model, believed(model), widely=widely), seed=seed)


def pass_shares(
    findings: Sequence[Finding],
    model: Model,
    *,
    draws: int = 1000,
    seed: int = 1,
    limits: Limits | None = None,
    widely: bool = False,
    progress: Callable[[int], object] | None = None,
) -> list[Standing]:
    """Return how often each finding passes when everything not measured is drawn within its bounds.

    Draws are log-uniform (uniform where a bound is 0 or negative) and independent of one another:
    harsher than any real uncertainty. A draw whose runs failed says nothing about a finding.

    The ledger's bounds are in part such that tests hold (:mod:`ketasim.core.bounds`), so a share
    within them flatters the model; ``widely`` draws from ranges that owe nothing to its tests.

    Parameters
    ----------
    findings
        Those with acceptance intervals count.
    model
        The model to score.
    draws, seed
        How many draws, and from which seed.
    limits
        What one run may spend; less when drawn widely.
    widely
        Draw within :func:`ketasim.core.bounds.wide` and not within the ledger's bounds.
    progress
        Hears how many more draws are done.
    """
    names = unmeasured(model)
    limits = limits or (BRIEF if widely else None)
    vary = _spread(model, names, widely=True) if widely else names
    design = random(model, draws, vary=vary, seed=seed)
    card = scorecard(findings, model, limits=limits)
    counts = np.zeros((len(card.findings), 2), dtype=int)
    for begin in range(0, draws, BLOCK):
        rows = design.rows(begin, min(begin + BLOCK, draws))
        members = _parameters(model, names, rows)
        members = members[_possible(model, members)]
        found = card.predict(members) if len(members) else []
        if found:
            counts += [_counted(one, p) for one, p in zip(card.findings, found, strict=True)]
        if progress is not None:
            progress(len(rows))
    return [
        Standing(one, float(passed) / given if given else nan, draws - int(given))
        for one, (passed, given) in zip(card.findings, counts, strict=True)
    ]


def _spread(model: Model, names: Sequence[str], *, widely: bool) -> dict[str, Distribution]:
    found = {}
    for name in names:
        one = model.parameters[name]
        low, high = (wide(one).low, wide(one).high) if widely else one.bounds
        found[name] = within(low, high, one.unit)
    return found


def _parameters(model: Model, names: Sequence[str], rows: Array) -> Array:
    order = list(model.parameters)
    full = np.repeat(System(model).default_parameters[None, :], len(rows), axis=0)
    for column, name in enumerate(names):
        full[:, order.index(name)] = rows[:, column] * unit(model.unit(name)).factor
    return full


def _possible(model: Model, members: Array) -> NDArray[np.bool_]:
    """Return which members (n_members, n_parameters) have a rest within their states' intervals."""
    system = System(model)
    low, high = system.within
    with np.errstate(all="ignore"):
        rests = [system.rest(system.prepare(one, system.neutral_knobs)) for one in members]
    found: NDArray[np.bool_] = np.all((low <= rests) & (rests <= high), axis=1)
    return found


def _counted(one: Finding, prediction: Prediction) -> tuple[int, int]:
    """Count the draws that pass, and those under which there is a verdict.

    As in a single verdict, a read-out that fails settles it, computed though the others may not be.
    """
    judged = [i for i, readout in enumerate(one.readouts) if readout.judged]
    holds = np.array(
        [
            [interval.holds(float(value)) for value in prediction.values[i]]
            for i in judged
            if (interval := one.readouts[i].accepted) is not None
        ]
    )
    known = prediction.computed[judged]
    passed = (holds & known).all(axis=0)
    failed = (~holds & known).any(axis=0)
    return int(passed.sum()), int((passed | failed).sum())
