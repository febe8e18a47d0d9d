"""The engines in the race, each given every core."""

import os
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import numpy as np
from setting import OBSERVABLES, scenario, system, varied

from ketasim.engines.ensemble import compile_kernel, run_members
from ketasim.engines.reference import integrate

ATOL_SHARE = 1e-3


def all_of_them(members: int) -> "tuple[Ours | Spread, ...]":
    """Return the contenders, ours first; peers run as many members as a few seconds allow."""
    return (
        Ours(members),
        Spread("libRoadRunner (CVODE)", 400, roadrunner_chunk, "roadrunner"),
        Spread("SciPy LSODA, compiled rhs and Jacobian", 64, compiled_chunk, "scipy"),
        Spread("SciPy LSODA, laws in Python", 16, scipy_chunk, "scipy"),
        Spread("SciPy LSODA, laws on NumPy arrays", 8, numpy_chunk, "scipy"),
    )


@dataclass(frozen=True)
class Ours:
    """The compiled ensemble engine, threads in one process."""

    members: int
    name: str = "ketasim ensemble"

    def available(self) -> bool:
        """Return whether it can run."""
        return True

    def run(self, parameters: np.ndarray, rtol: float, _: Executor) -> np.ndarray:
        """Return observables (n, 8, n_times)."""
        scene = scenario()
        found = run_members(kernel(), parameters, scene.schedule, np.array(scene.times), rtol=rtol)
        return found.values


@cache
def kernel():
    """Return the compiled kernel of the benchmark's question."""
    return compile_kernel(system(), record=OBSERVABLES, schedules=scenario().schedule)


@dataclass(frozen=True)
class Spread:
    """An engine that runs one member at a time, in one process a core."""

    name: str
    members: int
    chunk: object
    needs: str

    def available(self) -> bool:
        """Return whether it is installed."""
        return find_spec(self.needs) is not None

    def run(self, parameters: np.ndarray, rtol: float, pool: Executor) -> np.ndarray:
        """Return observables (n, 8, n_times)."""
        parts = np.array_split(parameters, os.cpu_count() or 1)
        jobs = [pool.submit(self.chunk, part, rtol) for part in parts if len(part)]
        return np.concatenate([job.result() for job in jobs])


def scipy_chunk(parameters: np.ndarray, rtol: float) -> np.ndarray:
    """Our reference engine: SciPy's LSODA calling the laws, with their exact Jacobian."""
    times = np.array(scenario().times)
    runs = [
        integrate(
            system(), scenario().schedule, times, names=OBSERVABLES, rtol=rtol, parameters=row
        ).observed
        for row in parameters
    ]
    return np.array([[run[name] for name in OBSERVABLES] for run in runs])


def numpy_chunk(parameters: np.ndarray, rtol: float) -> np.ndarray:
    """SciPy's LSODA on the right-hand side over NumPy arrays, restarted at each breakpoint."""
    return np.array([_numpy_run(row, rtol) for row in parameters])


def _numpy_run(parameters: np.ndarray, rtol: float) -> np.ndarray:
    schedule = scenario().schedule
    values = system().prepare(parameters[:, None], schedule.before[:, None])

    def slopes(_, state):
        return np.array([float(np.squeeze(one)) for one in system().slopes(values, state[:, None])])

    def segment(i):
        rates = schedule.rates[i]
        return (lambda t, y: slopes(t, np.asarray(y)) + rates), None

    return _integrate(parameters, rtol, segment)


def compiled_chunk(parameters: np.ndarray, rtol: float) -> np.ndarray:
    """SciPy's LSODA on machine code for the right-hand side and the Jacobian."""
    return np.array([_compiled_run(row, rtol) for row in parameters])


def _compiled_run(parameters: np.ndarray, rtol: float) -> np.ndarray:
    from machine_code import machines

    slopes, entries, places = machines()
    rows, columns = np.array(places).T
    schedule, n = scenario().schedule, len(system().state_names)

    def jacobian(_, y):
        full = np.zeros((n, n))
        full[rows, columns] = entries(y)
        return full

    def segment(i):
        for one in (slopes, entries):
            one.set(p=parameters, k=schedule.knobs[i], r=schedule.rates[i])
        return (lambda _, y: slopes(y)), jacobian

    return _integrate(parameters, rtol, segment)


def _integrate(parameters: np.ndarray, rtol: float, segment) -> np.ndarray:
    """Run LSODA over the segments of the schedule and return observables (8, n_times)."""
    from scipy.integrate import solve_ivp

    schedule, times = scenario().schedule, np.array(scenario().times)
    values = system().prepare(parameters, schedule.before)
    y = system().rest(values)
    out = np.empty((len(OBSERVABLES), len(times)))
    for i in range(len(schedule.edges) - 1):
        begin, end = schedule.edges[i], schedule.edges[i + 1]
        last = i == len(schedule.edges) - 2
        chosen = (times >= begin) & ((times <= end) if last else (times < end))
        slopes, jacobian = segment(i)
        run = solve_ivp(
            slopes, (begin, end), y, method="LSODA", rtol=rtol, jac=jacobian,
            atol=rtol * ATOL_SHARE * system().scales, t_eval=np.unique([*times[chosen], end]),
        )  # fmt: skip
        y = run.y[:, -1]
        found = system().observe(values, run.y[:, : chosen.sum()], OBSERVABLES)
        out[:, chosen] = [found[name] for name in OBSERVABLES]
    return out


@cache
def _roadrunner():
    import roadrunner

    from ketasim.export import sbml
    from ketasim.export.names import identifier

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    engine = roadrunner.RoadRunner(sbml(scenario()))
    engine.timeCourseSelections = [identifier(name) for name in OBSERVABLES]
    names = list(scenario().model.parameters)
    return engine, [(i, identifier(names[i])) for i in varied()]


def roadrunner_chunk(parameters: np.ndarray, rtol: float) -> np.ndarray:
    """Run libRoadRunner on the exported model, loaded once a process."""
    engine, names = _roadrunner()
    settings = engine.getIntegrator()
    settings.setValue("relative_tolerance", rtol)
    settings.setValue("absolute_tolerance", rtol * ATOL_SHARE)
    settings.setValue("initial_time_step", 1e-6)
    settings.setValue("maximum_num_steps", 100_000)
    grid = list(scenario().times)
    return np.array([_roadrunner_run(engine, names, row, grid) for row in parameters])


def _roadrunner_run(engine, names, row, grid) -> np.ndarray:
    engine.resetToOrigin()
    for i, identifier in names:
        engine.setValue(identifier, float(row[i]))
    return np.array(engine.simulate(times=grid)).T
