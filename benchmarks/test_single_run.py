"""The work of one run: seconds are reported, steps and evaluations asserted."""

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.scenario import hours
from ketasim.core.system import System
from ketasim.engines.reference import integrate
from ketasim.testing import COURSE_NAMES, COURSE_TIMES, course_faults

FORTNIGHT = tuple(t for t in COURSE_TIMES if t <= 336.0)
MOST_STEPS, MOST_EVALUATIONS = 900, 1800
BUDGET = 0.15  # [s] for the quickest round: a busy machine is not a slower program
DOSES = {
    "human": (ks.human(), ks.infusion("0.5 mg/kg", over="40 min")),
    "mouse": (ks.mouse(), ks.dose("10 mg/kg", route="ip")),
}


def scenario(model, who, times):
    subject, dose = DOSES[who]
    return ks.Scenario(model, dose, times, subject=subject, record=COURSE_NAMES, name=who)


@pytest.mark.parametrize("who", DOSES)
def test_a_fortnight(benchmark, model, who):
    asked = scenario(model, who, FORTNIGHT)
    run = benchmark(ks.simulate, asked, engine="reference")
    assert course_faults(run) == ()
    assert course_faults(ks.simulate(scenario(model, who, COURSE_TIMES), engine="reference")) == ()
    benchmark.extra_info.update(steps=run.attrs["steps"], evaluations=run.attrs["rhs_evaluations"])
    assert run.attrs["steps"] <= MOST_STEPS
    assert run.attrs["rhs_evaluations"] <= MOST_EVALUATIONS
    assert benchmark.stats.stats.min < BUDGET


@pytest.mark.parametrize("method", ["LSODA", "BDF", "Radau"])
def test_the_solver_alone(benchmark, model, method):
    asked = scenario(model, "human", FORTNIGHT)
    system, times = System(asked.resolved_model), np.array(asked.times)
    schedule = asked.schedule
    run = benchmark(integrate, system, schedule, times, names=("spines.density",), method=method)
    rise = run.observed["spines.density"] - run.observed["spines.density"][0]
    at = {hour: float(np.interp(hour, times, rise)) for hour in (6.0, 24.0, 336.0)}
    assert at[6.0] < 0.1 * rise.max() < 0.5 * rise.max() < at[24.0]
    assert at[336.0] < 0.25 * rise.max()
    benchmark.extra_info.update(steps=run.steps, evaluations=run.evaluations)
    assert run.steps <= MOST_STEPS


def test_two_doses_a_week_for_four_weeks(benchmark, model):
    dose = ks.infusion("0.5 mg/kg", over="40 min")
    twice = ks.repeat(dose, times=8, every=["3 d", "4 d"])
    asked = ks.Scenario(
        model, twice, hours(0, 672, every=0.5), subject=ks.human(), record=COURSE_NAMES
    )
    run = benchmark(ks.simulate, asked, engine="reference")
    spines = run["spines.density"].to_numpy()[0]
    peaks = [spines[(run.time >= t) & (run.time < t + 72)].max() for t in (0.0, 504.0)]
    assert peaks[1] > peaks[0], "doses build on one another"
    assert run.attrs["delivered_mg"] == pytest.approx(8 * 35.0, rel=1e-9)
    assert run.attrs["steps"] <= 8 * MOST_STEPS
