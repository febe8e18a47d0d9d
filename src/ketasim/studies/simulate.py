"""``simulate``: one scenario in, one Dataset out, with every dose accounted for."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ketasim import __version__
from ketasim.core.protocol import Hold
from ketasim.core.scenario import Scenario
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.reference import METHODS, Trajectory, integrate
from ketasim.errors import SolverError, suggest
from ketasim.results.schema import dataset

DELIVERED_WITHIN = 1e-9  # relative; a dose may not be lost
BALANCED_WITHIN = 1e-9

Array = NDArray[np.float64]


def simulate(scenario: Scenario, *, method: str = "LSODA", rtol: float = 1e-6) -> xr.Dataset:
    """Run one scenario on the reference engine.

    Parameters
    ----------
    scenario
        Model, subject, protocol, times [h] and names to record.
    method
        ``'LSODA'`` (default), ``'BDF'`` or ``'Radau'``.
    rtol
        Relative tolerance; the absolute one is ``1e-3 * rtol`` of each state's own scale.

    Returns
    -------
    xarray.Dataset
        One variable a recorded name with dims ``(member, time)``, shape ``(1, n_times)``, in its
        declared unit; ``status``; doses, work and provenance as attributes.

    Raises
    ------
    SolverError
        When integration stops, or drug was lost or made on the way.
    """
    check_settings(method, rtol)
    model = scenario.settled_model
    system, schedule = System(model), scenario.schedule
    times = np.array(scenario.times)
    run = integrate(system, schedule, times, names=scenario.recorded, method=method, rtol=rtol)
    share = delivered_share(schedule, system, run.final)
    attributes = {
        **provenance(scenario),
        **_doses(schedule, share),
        **_holds(scenario),
        **_work(run, method, rtol),
        "engine": "reference",
    }
    observed = {name: values[None, :] for name, values in run.observed.items()}
    return dataset(model, times, observed, np.zeros(1), {0: "ok"}, attributes)


def check_settings(method: str, rtol: float) -> None:
    """Refuse a solver that does not exist or a tolerance that cannot be met."""
    if method not in METHODS:
        raise SolverError(
            f'engine.method = "{method}": no such method.{suggest(method, METHODS)} '
            f"Choose one of {', '.join(METHODS)}."
        )
    if not 1e-12 <= rtol <= 1e-2:
        raise SolverError(f"engine.rtol = {rtol:g}: must lie between 1e-12 and 0.01.")


def delivered_share(schedule: Schedule, system: System, final: Array) -> float:
    """Return the share of the prescribed drug that is found again in the final state.

    Every micromole is looked for in depots, body and the eliminated pool, enantiomer by enantiomer.

    Raises
    ------
    SolverError
        When segments deliver less or more than prescribed, or drug was lost on the way.
    """
    where = {name: i for i, name in enumerate(system.state_names)}
    prescribed = np.zeros(len(where))
    for one in schedule.given:
        for state, amount in one.into:
            prescribed[where[state]] += amount
    _agree(schedule.delivered, prescribed, DELIVERED_WITHIN, "the segments deliver")
    entered = {state for one in schedule.given for state, _ in one.into}
    found, wanted = 0.0, 0.0
    for pool in system.model.conserved:
        if entered.isdisjoint(pool):
            continue
        rows = [where[name] for name in pool]
        held, given = final[rows].sum(keepdims=True), prescribed[rows].sum(keepdims=True)
        _agree(held, given, BALANCED_WITHIN, f"{pool[0].split('.')[0]} holds")
        found += float(held[0])
        wanted += float(given[0])
    return found / wanted if wanted else 1.0


def _agree(found: Array, wanted: Array, within: float, what: str) -> None:
    gap = np.abs(found - wanted).max(initial=0.0)
    if gap > within * max(float(np.abs(wanted).max(initial=0.0)), 1e-300) and gap > 0.0:
        raise SolverError(
            f"drug was lost: {what} {found.sum():.12g} umol where {wanted.sum():.12g} umol were "
            "prescribed. Please report this scenario; as a remedy try a smaller engine.rtol."
        )


def provenance(scenario: Scenario) -> Mapping[str, Any]:
    """Return what identifies a run: version, model and its digest, subject, scenario name."""
    model = scenario.settled_model
    edits = {name: f"{value:g} {text}" for name, (value, text) in model.edits.items()}
    return {
        "ketasim_version": __version__,
        "model": model.name,
        "model_digest": model.digest,
        "parameter_changes": "; ".join(f"{name} = {text}" for name, text in edits.items()),
        "scenario_name": scenario.name,
        "species": scenario.subject.species,
        "weight_kg": scenario.subject.weight,
    }


def _doses(schedule: Schedule, share: float) -> Mapping[str, Any]:
    return {
        "prescribed_mg": schedule.prescribed,
        "delivered_mg": schedule.prescribed * share,
        "doses": len(schedule.given),
        "dose_starts_h": np.array([one.start for one in schedule.given]),
        "dose_stops_h": np.array([one.stop for one in schedule.given]),
        "dose_mg": np.array([one.milligrams for one in schedule.given]),
    }


def _holds(scenario: Scenario) -> Mapping[str, Any]:
    held = [one for one in scenario.protocol.events if isinstance(one, Hold)]
    return {
        "hold_names": ";".join(one.knob for one in held),
        "hold_starts_h": np.array([one.start for one in held]),
        "hold_stops_h": np.array([one.stop for one in held]),
    }


def _work(run: Trajectory, method: str, rtol: float) -> Mapping[str, Any]:
    return {
        "method": method,
        "rtol": rtol,
        "steps": run.steps,
        "rhs_evaluations": run.evaluations,
        "wall_s": run.wall,
    }
