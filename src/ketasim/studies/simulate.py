"""``simulate``: one scenario in, one Dataset out, with every dose accounted for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Hold
from ketasim.core.scenario import Scenario, around
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines import balance
from ketasim.engines.contract import ALONE, Batch, Outcome, Settings
from ketasim.engines.run import is_ready, make_ready, run
from ketasim.engines.status import Status
from ketasim.errors import SolverError
from ketasim.readouts import Ledger, Lookup, Reading, Readout, Reduction, check_moments, parse_all
from ketasim.readouts.names import check_labels
from ketasim.results.schema import dataset
from ketasim.results.summary import Summary
from ketasim.studies.cautions import provenance
from ketasim.units import unit

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
DAY = 24.0
LSODA = "LSODA"  # of the reference engine, when nothing else is asked for
TOGETHER = 1e-9  # times nearer than this [h] are one


def simulate(
    scenario: Scenario,
    *,
    engine: str | None = None,
    method: str = LSODA,
    rtol: float | None = None,
    readouts: Iterable[str] = (),
) -> "xr.Dataset":
    """Run one scenario.

    Parameters
    ----------
    scenario
        Model, subject, protocol, times [h] and names to record.
    engine
        ``'reference'`` (SciPy calls the laws) or ``'ensemble'`` (compiled, as sweeps use it). By
        default the ensemble engine where its kernel is at hand, else the reference: their numbers
        agree to two millionths of scale, and the result says which one ran.
    method
        Of the reference engine, which any but ``'LSODA'`` asks for: ``'BDF'`` or ``'Radau'``.
    rtol
        Relative tolerance, by default the engine's own (1e-7 reference, 8e-7 ensemble); the
        absolute one is ``1e-3 * rtol`` of each state's own scale.
    readouts
        Numbers to take of the run, such as ``"spines.density.peak"``; see :mod:`ketasim.readouts`.
        No output grid moves them.

    Returns
    -------
    xarray.Dataset
        One variable a recorded name with dims ``(member, time)``, shape ``(1, n_times)``, in its
        declared unit; one a read-out, ``(member,)``; ``status``; doses, work and provenance as
        attributes.

    Raises
    ------
    ConfigError
        When an engine or read-out cannot be understood.
    SolverError
        When integration stops, or drug was lost or made on the way.
    """
    settings = Settings(
        engine or engine_for(scenario, method=method), method, rtol, ALONE, threads=1
    )
    asked = _asked(scenario, readouts)
    reductions = tuple(dict.fromkeys(r for one in asked for r in one.reductions))
    found = _carried_out(scenario, settings, np.array(scenario.times), reductions)
    whole = _labelled(scenario, settings, found)
    bare = found
    if any(isinstance(one, Reading) and one.effect for r in asked for one in r.lookups):
        untreated = replace(scenario, protocol=scenario.protocol.undrugged, record=())
        bare = _carried_out(untreated, settings, np.empty(0), reductions)
    import xarray as xr

    values = _numbers(scenario, asked, reductions, found.reduced, bare.reduced)
    for one in asked:
        labels = {"units": one.unit, "long_name": one.text}
        whole[one.label] = xr.Variable(("member",), values[one.label], labels)
    return whole


def engine_for(*scenarios: Scenario, method: str = LSODA, prepare: bool = False) -> str:
    """Return the engine that runs scenarios when none is named; see :func:`simulate`.

    It is the same for all, or they would differ by rounding. With ``prepare`` a kernel that is not
    at hand is made in the background, for the next time.
    """
    models = [one.resolved_model for one in scenarios]
    if method == LSODA and all(is_ready(one, System(one).default_parameters) for one in models):
        return "ensemble"
    if prepare and method == LSODA:
        for one in models:
            make_ready(one)
    return "reference"


def _numbers(
    scenario: Scenario,
    asked: Sequence[Readout],
    reductions: Sequence[Reduction],
    treated: Array,
    bare: Array,
) -> dict[str, Array]:
    """Return the value of each read-out by its label, each (1,)."""
    columns = {one: k for k, one in enumerate(reductions)}

    def lookup(one: Lookup) -> Array:
        if isinstance(one, Reading):
            value: Array = treated[:, columns[one.reduction]]
            return value - bare[:, columns[one.reduction]] if one.effect else value
        if isinstance(one, Ledger):
            return np.array([scenario.resolved_model.value(one.name)])
        return np.array([scenario.schedule.delivered.sum()])

    return {one.label: np.broadcast_to(one.evaluate(lookup), (1,)) for one in asked}


def _asked(scenario: Scenario, texts: Iterable[str]) -> tuple[Readout, ...]:
    asked = parse_all([texts] if isinstance(texts, str) else texts, scenario.model)
    check_moments(asked, scenario.times[0], scenario.times[-1])
    check_labels([one.label for one in asked], taken=scenario.recorded)
    return asked


def _carried_out(
    scenario: Scenario, settings: Settings, times: Array, reductions: tuple[Reduction, ...]
) -> Outcome:
    """Run one member; raises SolverError with what is known of a failure."""
    model = scenario.resolved_model
    batch = Batch(
        model=model,
        parameters=System(model).default_parameters[None, :],
        schedules=scenario.schedule,
        times=times,
        record=scenario.recorded if len(times) else (),
        reductions=reductions,
        span=(scenario.times[0], scenario.times[-1]),
    )
    found = run(batch, settings)
    status = Status(int(found.status[0]))
    if not status.ok:
        told = f"the {settings.engine} engine stopped: {status.sentence}."
        if settings.engine == "ensemble":
            told += " Run it with engine = reference to see where."
        raise SolverError(found.stories.get(0, told))
    return found


def _labelled(scenario: Scenario, settings: Settings, found: Outcome) -> "xr.Dataset":
    model, schedule = scenario.resolved_model, scenario.schedule
    share = balance.share(schedule, System(model), found.final[0])
    attributes = {
        **provenance(scenario),
        **_doses(schedule, share),
        **_holds(scenario),
        "engine": settings.engine,
        "method": settings.solver,
        "rtol": float(found.rtol[0]),
        "steps": int(found.steps[0]),
        "rhs_evaluations": found.evaluations,
        "wall_s": found.wall,
    }
    observed = dict(zip(scenario.recorded, np.moveaxis(found.values, 1, 0), strict=True))
    meanings = {int(one): one.name.lower() for one in (Status.OK, Status.OK_AFTER_RETRY)}
    times = np.array(scenario.times)
    return dataset(model, times, observed, found.status, meanings, attributes)


@dataclass(frozen=True)
class Look:
    """A run as a person wants to see it.

    ``dataset`` is at the scenario's times, ``drawn`` at more of them: around doses, inputs and
    extremes, so that a picture misses no pulse whatever grid was asked for. ``summary`` holds the
    numbers of every recorded name, which no grid moves.
    """

    dataset: "xr.Dataset"
    drawn: "xr.Dataset"
    summary: Mapping[str, Summary]


def look(
    scenario: Scenario,
    *,
    engine: str | None = None,
    method: str = LSODA,
    rtol: float | None = None,
) -> Look:
    """Run one scenario, and take of it what a figure and a table need; see :func:`simulate`.

    Raises
    ------
    ConfigError, SolverError
        As :func:`simulate`.
    """
    settings = Settings(
        engine or engine_for(scenario, method=method), method, rtol, ALONE, threads=1
    )
    begin, end = scenario.times[0], scenario.times[-1]
    reductions = tuple(r for name in scenario.recorded for r in _summarised(name, begin, end))
    more = _union([*scenario.times, *around(scenario.protocol, begin, end)])
    found = _carried_out(scenario, settings, np.array(more), reductions)
    summary = _summary(scenario, found, reductions)
    tops = [one.time_of_peak for one in summary.values() if np.isfinite(one.time_of_peak)]
    drawn = replace(scenario, times=_union([*more, *tops]))
    if len(drawn.times) > len(more):
        seen = _carried_out(drawn, settings, np.array(drawn.times), ())
        found = replace(seen, wall=found.wall + seen.wall)
    whole = _labelled(drawn, settings, found)
    places = np.searchsorted(drawn.times, np.array(scenario.times) - TOGETHER)
    return Look(whole.isel(time=places), whole, summary)


def _union(moments: Iterable[float]) -> tuple[float, ...]:
    every = np.unique(np.fromiter(moments, float))
    apart = np.concatenate([[True], np.diff(every) > TOGETHER])
    return tuple(every[apart].tolist())


def _summarised(name: str, begin: float, end: float) -> tuple[Reduction, ...]:
    """Return what a row of the summary is made of, in the order of its fields."""
    plain = tuple(Reduction(kind, name) for kind in ("start", "change", "t_change", "area"))
    day = (Reduction("at", name, moment=DAY),) if begin <= DAY <= end else ()
    return (*plain, Reduction("above_half", name), *day)


def _summary(
    scenario: Scenario, found: Outcome, reductions: Sequence[Reduction]
) -> dict[str, Summary]:
    model = scenario.resolved_model
    columns = {(r.name, str(r.kind)): k for k, r in enumerate(reductions)}

    def number(name: str, kind: str) -> float:
        column = columns.get((name, kind))
        if column is None:
            return float("nan")
        factor = unit(reductions[column].declared_unit(model)).factor
        return float(found.reduced[0, column]) / factor

    return {
        name: Summary.of(*(number(name, kind) for kind in Summary.KINDS))
        for name in scenario.recorded
    }


def done(scenario: Scenario) -> Mapping[str, Any]:
    """Return what a scenario does, as the attributes of a result say it."""
    who = {"species": scenario.subject.species, "weight_kg": scenario.subject.weight}
    return {**who, **_doses(scenario.schedule, 1.0), **_holds(scenario)}


def _doses(schedule: Schedule, share: float) -> Mapping[str, Any]:
    return {
        "prescribed_mg": schedule.prescribed,
        "delivered_mg": schedule.prescribed * share,
        "doses": len(schedule.given),
        "dose_starts_h": np.array([one.start for one in schedule.given]),
        "dose_stops_h": np.array([one.stop for one in schedule.given]),
        "dose_mg": np.array([one.milligrams for one in schedule.given]),
        "dose_drugs": ";".join(f"{one.dose.drug} {one.dose.route}" for one in schedule.given),
    }


def _holds(scenario: Scenario) -> Mapping[str, Any]:
    held = [one for one in scenario.protocol.events if isinstance(one, Hold)]
    meanings = (scenario.model.meaning(one.knob).partition(";")[0] for one in held)
    return {
        "hold_names": ";".join(one.knob for one in held),
        "hold_meanings": ";".join(meanings),
        "hold_starts_h": np.array([one.start for one in held]),
        "hold_stops_h": np.array([one.stop for one in held]),
    }
