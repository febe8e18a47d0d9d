"""The engines in the race, each with one thread, in one process, as a user calls them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import cvodes
import numpy as np
from setting import OBSERVABLES, draws, scenario, system, varied

import ketasim as ks
from ketasim.engines.inputs import gather
from ketasim.engines.kernels import kernel_for
from ketasim.engines.reference import integrate
from ketasim.units import unit

ATOL_SHARE = 1e-3
Run = Callable[[str, np.ndarray, float], Any]


@dataclass(frozen=True)
class Contender:
    """An engine: its name, how many members a turn has, and whether it is here.

    ``read`` makes observables (n, 8, n_times), canonical, of what a run gives; nobody times it.
    ``precision`` is that of its laws and stages.
    """

    name: str
    members: int
    run: Run
    available: Callable[[], bool] = lambda: True
    read: Callable[[str, Any], np.ndarray] = lambda _, found: found
    precision: str = "double"


@cache
def all_of_them() -> tuple[Contender, ...]:
    """Return the contenders, ours first; each runs as many members as about a second allows."""
    return (
        Contender("ketasim, `ks.sweep`", 2048, ours, read=read_ours),
        Contender("CVODES + KLU in C, -O3", 256, cvodes.run, cvodes.available),
        Contender("libRoadRunner (CVODE)", 64, roadrunner_run, lambda: _installed("roadrunner")),
        Contender("SciPy LSODA, compiled rhs and Jacobian", 16, compiled_run),
        Contender("SciPy LSODA, laws in Python", 3, scipy_run),
    )


def _installed(name: str) -> bool:
    return find_spec(name) is not None


def warm(scene: str) -> None:
    """Run our sweep until its own kernel is at hand, as it is from a user's second sweep on."""
    inputs, states = gather(scenario(scene).schedule), len(system(scene).state_names)
    for _ in range(60):
        ours(scene, draws(2048), 1e-5)
        if len(kernel_for(system(scene).model, inputs, members=0).dosed) < states:
            return
        time.sleep(2.0)


def ours(scene: str, parameters: np.ndarray, rtol: float) -> Any:
    """Run the public sweep; returns its whole result."""
    names = [list(scenario(scene).model.parameters)[i] for i in varied()]
    columns = {name: parameters[:, i] for name, i in zip(names, varied(), strict=True)}
    units = {name: _canonical(scene, name) for name in names}
    design = ks.designs.table(columns, units=units)
    return ks.sweep(scenario(scene), design, record=OBSERVABLES, rtol=rtol, threads=1)


def read_ours(scene: str, found: Any) -> np.ndarray:
    """Return observables (n, 8, n_times) of our result."""
    return np.stack([found[name].to_numpy() for name in OBSERVABLES], axis=1) * _factors(scene)


def _canonical(scene: str, name: str) -> str:
    return unit(scenario(scene).model.parameters[name].unit).canonical


@cache
def _factors(scene: str) -> np.ndarray:
    model = scenario(scene).model
    return np.array([unit(model.unit(name)).factor for name in OBSERVABLES])[None, :, None]


def scipy_run(scene: str, parameters: np.ndarray, rtol: float) -> np.ndarray:
    """Our reference engine: SciPy's LSODA calling the laws, with their exact Jacobian."""
    times, schedule = np.array(scenario(scene).times), scenario(scene).schedule
    runs = [
        integrate(
            system(scene), schedule, times, names=OBSERVABLES, rtol=rtol, parameters=row
        ).observed
        for row in parameters
    ]
    return np.array([[run[name] for name in OBSERVABLES] for run in runs])


def compiled_run(scene: str, parameters: np.ndarray, rtol: float) -> np.ndarray:
    """SciPy's LSODA on machine code for the right-hand side and the Jacobian."""
    return np.array([_compiled_run(scene, row, rtol) for row in parameters])


def _compiled_run(scene: str, parameters: np.ndarray, rtol: float) -> np.ndarray:
    from machine_code import machines

    slopes, entries, places = machines()
    rows, columns = np.array(places).T
    schedule, n = scenario(scene).schedule, len(system(scene).state_names)

    def jacobian(_, y):
        full = np.zeros((n, n))
        full[rows, columns] = entries(y)
        return full

    def segment(i):
        for one in (slopes, entries):
            one.set(p=parameters, k=schedule.knobs[i], r=schedule.rates[i])
        return (lambda _, y: slopes(y)), jacobian

    return _integrate(scene, parameters, rtol, segment)


def _integrate(scene: str, parameters: np.ndarray, rtol: float, segment) -> np.ndarray:
    """Run LSODA over the segments of the schedule and return observables (8, n_times)."""
    from scipy.integrate import solve_ivp

    one, schedule, times = system(scene), scenario(scene).schedule, np.array(scenario(scene).times)
    y = one.rest(one.prepare(parameters, schedule.before))
    out = np.empty((len(OBSERVABLES), len(times)))
    for i in range(len(schedule.edges) - 1):
        begin, end = schedule.edges[i], schedule.edges[i + 1]
        last = i == len(schedule.edges) - 2
        chosen = (times >= begin) & ((times <= end) if last else (times < end))
        slopes, jacobian = segment(i)
        run = solve_ivp(
            slopes, (begin, end), y + schedule.boluses[i], method="LSODA", rtol=rtol, jac=jacobian,
            atol=rtol * ATOL_SHARE * one.scales, t_eval=np.unique([*times[chosen], end]),
        )  # fmt: skip
        y = run.y[:, -1]
        values = one.prepare(parameters, schedule.knobs[i])
        found = one.observe(values, run.y[:, : chosen.sum()], OBSERVABLES)
        out[:, chosen] = [found[name] for name in OBSERVABLES]
    return out


@cache
def _roadrunner(scene: str):
    import roadrunner

    from ketasim.export import sbml
    from ketasim.export.names import identifier

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    engine = roadrunner.RoadRunner(sbml(scenario(scene)))
    engine.timeCourseSelections = [identifier(name) for name in OBSERVABLES]
    names = list(scenario(scene).model.parameters)
    return engine, [(i, identifier(names[i])) for i in varied()]


def roadrunner_run(scene: str, parameters: np.ndarray, rtol: float) -> np.ndarray:
    """Run libRoadRunner on the exported model, loaded once."""
    engine, names = _roadrunner(scene)
    settings = engine.getIntegrator()
    settings.setValue("relative_tolerance", rtol)
    settings.setValue("absolute_tolerance", rtol * ATOL_SHARE)
    settings.setValue("initial_time_step", 1e-6)
    settings.setValue("maximum_num_steps", 100_000)
    grid = list(scenario(scene).times)
    return np.array([_roadrunner_once(engine, names, row, grid) for row in parameters])


def _roadrunner_once(engine, names, row, grid) -> np.ndarray:
    engine.resetToOrigin()
    for i, identifier in names:
        engine.setValue(identifier, float(row[i]))
    return np.array(engine.simulate(times=grid)).T
