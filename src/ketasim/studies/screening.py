"""Gradients of read-outs at every member of a design, for screening what matters."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.engines.contract import Batch, Settings
from ketasim.engines.run import gradients
from ketasim.errors import ConfigError
from ketasim.readouts import Ledger, Lookup, Reading, Readout, Reduction, check_moments, parse_all
from ketasim.studies.designs.columns import Columns
from ketasim.studies.designs.design import Design
from ketasim.studies.gradients import FORMULA
from ketasim.units import unit

Array = NDArray[np.float64]
STRETCH = 256  # members differentiated at once


def sampled(
    scenario: Scenario,
    design: Design,
    readouts: Iterable[str],
    *,
    rtol: float | None = None,
    bar: Callable[[range], Iterable[int]] = iter,
) -> tuple[Array, Array, dict[str, str]]:
    """Return read-outs and their gradients for every member of a design.

    Parameters
    ----------
    design
        Of parameters alone; see :mod:`ketasim.studies.designs`.
    readouts
        Numbers of a treated run.
    bar
        Shows how far it has come, over the beginnings of stretches.

    Returns
    -------
    tuple
        Read-outs (n_members, n_readouts), their derivatives by the design's columns in its units
        (n_members, n_readouts, n_columns), both NaN where a member failed, and the read-outs' units
        by label.

    Raises
    ------
    ConfigError
        When a read-out cannot be read, or the design moves doses, weight or the untreated run.
    """
    asked = parse_all(list(readouts), scenario.model)
    check_moments(asked, scenario.times[0], scenario.times[-1])
    columns = Columns(scenario, design)
    if columns.events or columns.weight is not None:
        raise ConfigError("derivatives are screened by parameters alone; leave doses and weight.")
    if any(isinstance(one, Reading) and one.effect for r in asked for one in r.lookups):
        raise ConfigError("derivatives are screened of treated runs alone; leave effect(...).")
    model = scenario.resolved_model
    places = [list(model.parameters).index(name) for name in design.names]
    factors = np.array([unit(one).factor for one in design.units])
    reductions = tuple(dict.fromkeys(r for one in asked for r in one.reductions))
    values = np.full((len(design), len(asked)), np.nan)
    slopes = np.full((len(design), len(asked), len(places)), np.nan)
    for at in bar(range(0, len(design), STRETCH)):
        rows, _ = columns.parameters(design.rows(at, min(at + STRETCH, len(design))))
        batch = Batch(
            model=model, parameters=rows, schedules=scenario.schedule, reductions=reductions,
            span=(scenario.times[0], scenario.times[-1]), total=len(design),
        )  # fmt: skip
        found = gradients(batch, Settings(rtol=rtol))
        by = found.by_parameter[:, :, places] * factors
        for k, one in enumerate(asked):
            part = _formula(one, found.values, by, reductions, rows, places, model)
            values[at : at + len(rows), k], slopes[at : at + len(rows), k] = part
    return values, slopes, {one.label: one.unit for one in asked}


def _formula(
    one: Readout,
    values: Array,
    by: Array,
    reductions: Sequence[Reduction],
    rows: Array,
    places: Sequence[int],
    model: Model,
) -> tuple[Array, Array]:
    """Return a formula's values (n,) and its derivatives (n, n_columns), of many members."""
    known: dict[Lookup, tuple[Array, Array]] = {}
    for each in one.lookups:
        if isinstance(each, Reading):
            k = list(reductions).index(each.reduction)
            known[each] = values[:, k], by[:, k]
        elif isinstance(each, Ledger):
            place = list(model.parameters).index(each.name)
            own = np.array([float(p == place) for p in places])
            known[each] = rows[:, place], np.broadcast_to(own, (len(rows), len(places)))
        else:
            raise ConfigError("derivatives are screened of read-outs without what was given.")
    total = np.zeros((len(rows), len(places)))
    for each, (size, slope) in known.items():
        nudge = FORMULA * np.where(size != 0.0, np.abs(size), 1.0)
        sizes = {e: value for e, (value, _) in known.items()}
        ends = [
            one.evaluate({**sizes, each: size + sign * nudge}.__getitem__) for sign in (1.0, -1.0)
        ]
        total += ((ends[0] - ends[1]) / (2.0 * nudge))[:, None] * slope
    return one.evaluate(lambda e: known[e][0]), total
