"""Trajectories of the compiled engine against an independent, much tighter solution."""

import numpy as np
import pytest

from agreement.members import RECORD, draws, kernel, scenario, system, times
from ketasim.core.protocol import bolus, hold, infusion, repeat
from ketasim.core.scenario import Scenario, hours
from ketasim.engines.ensemble import compile_kernel, run_members
from ketasim.engines.reference import integrate
from ketasim.engines.status import usable
from ketasim.models import antidepressant, human, rat

RTOL = 1e-6


def tight(parameters, schedule, when, names, *, rtol=1e-10):
    """Return names (n_names, n_times) by Radau on the laws themselves."""
    run = integrate(
        system(), schedule, when, names=names, method="Radau", rtol=rtol, parameters=parameters
    )
    return np.array([run.observed[name] for name in names])


def worst(found, wanted):
    """Return the largest error at any saved point, relative to the size of each course."""
    return np.max(np.abs(found - wanted) / np.abs(wanted).max(axis=-1, keepdims=True))


@pytest.mark.parametrize("whole", [True, False])
def test_members_against_radau(whole):
    parameters = draws(3, seed=1, whole=whole)
    found = run_members(kernel(), parameters, scenario().schedule, times(), rtol=RTOL)
    assert usable(found.status).all()
    for i in range(len(parameters)):
        wanted = tight(parameters[i], scenario().schedule, times(), RECORD)
        assert worst(found.values[i], wanted) < 100.0 * RTOL


@pytest.mark.slow
def test_two_thousand_members():
    parameters = draws(2000, seed=2, whole=False)
    found = run_members(kernel(), parameters, scenario().schedule, times(), rtol=RTOL)
    best = run_members(kernel(), parameters, scenario().schedule, times(), rtol=1e-11)
    good = usable(found.status) & usable(best.status)
    assert good.mean() > 0.99
    for i in np.flatnonzero(good)[:20]:
        wanted = tight(parameters[i], scenario().schedule, times(), RECORD, rtol=1e-12)
        assert worst(best.values[i], wanted) < 1e-9
    size = np.abs(best.values[good]).max(axis=2, keepdims=True)
    error = (np.abs(found.values[good] - best.values[good]) / size).max(axis=(1, 2))
    assert np.mean(error <= 100.0 * RTOL) >= 0.999
    assert error.max() <= 1e-3


def twice_weekly():
    return repeat(infusion("0.5 mg/kg", over="40 min"), times=4, every=["3 d", "4 d"])


PROTOCOLS = {
    "bolus off the grid": bolus("0.3 mg/kg", at="1.37 h"),
    "overlapping": infusion("0.2 mg/kg", over="3 h") + infusion("0.3 mg/kg", over="1 h", at="2 h"),
    "twice weekly": twice_weekly(),
    "a second long": infusion("0.1 mg/kg", over="1 s", at="5 h"),
    "blocked": infusion("0.5 mg/kg", over="40 min", at="2 h")
    + hold("ampa.antagonist", 1.0, start="1 h", until="4 h"),
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_against_radau(name):
    asked = Scenario(antidepressant(), PROTOCOLS[name], hours(0, 400, every=2.5), subject=human())
    one = compile_kernel(system(), record=RECORD, schedules=asked.schedule)
    when = np.array(asked.times)
    found = run_members(one, system().default_parameters, asked.schedule, when, rtol=RTOL)
    wanted = tight(system().default_parameters, asked.schedule, when, RECORD)
    assert usable(found.status).all()
    assert worst(found.values[0], wanted) < 100.0 * RTOL


def test_members_follow_their_own_schedules():
    doses = ("0.1 mg/kg", "0.5 mg/kg", "2 mg/kg")
    starts = ("3 h", "24 h", "30.5 h")
    schedules = [
        Scenario(
            antidepressant(), infusion(d, over="40 min", at=a), scenario().times, subject=human()
        ).schedule
        for d, a in zip(doses, starts, strict=True)
    ]
    parameters = np.tile(system().default_parameters, (3, 1))
    found = run_members(kernel(), parameters, schedules, times(), rtol=RTOL)
    for i, schedule in enumerate(schedules):
        wanted = tight(parameters[i], schedule, times(), RECORD)
        assert worst(found.values[i], wanted) < 100.0 * RTOL


def test_a_bolus_shows_from_its_own_moment_on():
    names = ("pk_s.central",)
    protocol = bolus("0.5 mg/kg", at="1 h") + bolus("0.5 mg/kg", at="3 h")
    asked = Scenario(antidepressant(), protocol, (0.0, 0.5, 1.0, 2.0, 3.0), subject=human())
    one = compile_kernel(system(), record=names, schedules=asked.schedule)
    found = run_members(one, system().default_parameters, asked.schedule, np.array(asked.times))
    values, given = found.values[0, 0], asked.schedule.boluses.max()
    assert values[0] == values[1] == 0.0
    assert values[2] == given
    assert values[4] > given > values[3] > 0.0
    wanted = tight(system().default_parameters, asked.schedule, np.array(asked.times), names)
    assert np.allclose(values, wanted[0], rtol=1e-5)


def test_conditions_that_always_held_are_settled_first():
    protocol = hold("stress.stressor", 1.0, start="always") + bolus("0.5 mg/kg", at="2 h")
    asked = Scenario(antidepressant(), protocol, hours(0, 48, every=1), subject=rat())
    base = system()
    one = compile_kernel(base, record=RECORD, schedules=asked.schedule)
    when = np.array(asked.times)
    parameters = draws(2, seed=4)
    found = run_members(one, parameters, asked.schedule, when, rtol=RTOL)
    assert usable(found.status).all()
    for i in range(len(parameters)):
        wanted = tight(parameters[i], asked.schedule, when, RECORD, rtol=1e-9)
        assert worst(found.values[i], wanted) < 100.0 * RTOL


def test_rest_is_kept_without_a_drug():
    untreated = Scenario(antidepressant(), infusion("0 mg", over="1 h"), (0.0, 720.0), human())
    names = tuple(system().model.states)
    one = compile_kernel(system(), record=names, schedules=untreated.schedule)
    parameters = draws(16, seed=6)
    found = run_members(one, parameters, untreated.schedule, np.array(untreated.times))
    drift = np.abs(found.values[:, :, 1] - found.values[:, :, 0]) / system().scales
    assert usable(found.status).all()
    assert drift.max() < 1e-6
