"""``simulate``: one scenario in, one Dataset out, with every dose accounted for."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ketasim.core.protocol import Hold
from ketasim.core.scenario import Scenario
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.limits import METHODS
from ketasim.engines.reference import Trajectory, integrate
from ketasim.errors import SolverError, suggest
from ketasim.results.schema import dataset
from ketasim.studies.identity import provenance

DELIVERED_WITHIN = 1e-9  # relative; a dose may not be lost
BALANCED_WITHIN = 1e-9
ENGINES = ("reference", "ensemble")

Array = NDArray[np.float64]


def simulate(
    scenario: Scenario, *, engine: str = "reference", method: str = "LSODA", rtol: float = 1e-6
) -> xr.Dataset:
    """Run one scenario.

    Parameters
    ----------
    scenario
        Model, subject, protocol, times [h] and names to record.
    engine
        ``'reference'`` (SciPy calls the laws) or ``'ensemble'`` (compiled, as sweeps use it).
    method
        Of the reference engine: ``'LSODA'`` (default), ``'BDF'`` or ``'Radau'``.
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
    check_settings(engine, method, rtol)
    system, schedule = System(scenario.settled_model), scenario.schedule
    run = (
        _compiled(scenario, system, rtol)
        if engine == "ensemble"
        else integrate(
            system,
            schedule,
            np.array(scenario.times),
            names=scenario.recorded,
            method=method,
            rtol=rtol,
        )
    )
    attributes = {
        **provenance(scenario),
        **_doses(schedule, delivered_share(schedule, system, run.final)),
        **_holds(scenario),
        **_work(run, method if engine == "reference" else "Rodas5P", rtol),
        "engine": engine,
    }
    observed = {name: values[None, :] for name, values in run.observed.items()}
    times = np.array(scenario.times)
    return dataset(scenario.settled_model, times, observed, np.zeros(1), {0: "ok"}, attributes)


def _compiled(scenario: Scenario, system: System, rtol: float) -> Trajectory:
    """Run one member on the ensemble engine."""
    from ketasim.engines.ensemble import run_members
    from ketasim.engines.kernels import compile_kernel
    from ketasim.engines.status import Status

    names, began = scenario.recorded, time.perf_counter()
    found = run_members(
        compile_kernel(system, record=names, schedules=scenario.schedule),
        system.default_parameters[None, :],
        scenario.schedule,
        np.array(scenario.times),
        rtol=rtol,
        threads=1,
        keep_final=True,
    )
    status = Status(int(found.status[0]))
    if status not in (Status.OK, Status.OK_AFTER_RETRY) or found.final is None:
        raise SolverError(
            f"the ensemble engine stopped: {status.sentence}. "
            "Run it with engine = reference to see where."
        )
    return Trajectory(
        states=np.empty((0, 0)),
        observed=dict(zip(names, found.values[0], strict=True)),
        final=found.final[0],
        steps=int(found.steps[0] + found.rejected[0]),
        evaluations=0,
        wall=time.perf_counter() - began,
    )


def check_settings(engine: str, method: str, rtol: float) -> None:
    """Refuse an engine or solver that does not exist or a tolerance that cannot be met."""
    for key, given, known in (("name", engine, ENGINES), ("method", method, METHODS)):
        if given not in known:
            raise SolverError(
                f'engine.{key} = "{given}": no such {key}.{suggest(given, known)} '
                f"Choose one of {', '.join(known)}."
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
