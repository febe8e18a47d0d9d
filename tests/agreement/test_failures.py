"""Members that cannot be integrated: each says so, and none touches another."""

import time

import numpy as np
import pytest

from agreement.members import RECORD, draws, kernel, scenario, system, times
from ketasim.engines.contract import Limits
from ketasim.engines.ensemble import run_members
from ketasim.engines.ivp import solve_small
from ketasim.engines.status import Status
from ketasim.errors import ModelError

N = 300


def place(name):
    return list(system().model.parameters).index(name)


def run(parameters, **how):
    return run_members(kernel(), parameters, scenario().schedule, times(), **how)


@pytest.fixture(scope="module")
def clean():
    parameters = draws(N, seed=9)
    return parameters, run(parameters)


def test_a_poisoned_member_of_each_kind_leaves_the_others_alone(clean):
    parameters, wanted = clean
    poisoned = parameters.copy()
    poisoned[10, place("bdnf.k_clear")] = np.nan
    poisoned[20, place("nmda.k_s")] = np.inf
    poisoned[30, place("disposition.to_norketamine")] = 1.5
    found = run(poisoned)
    assert found.status[10] == found.status[20] == Status.BAD_PARAMETER
    assert found.status[30] == Status.NEGATIVE_STATE
    others = np.setdiff1d(np.arange(N), [10, 20, 30])
    assert found.values[others].tobytes() == wanted.values[others].tobytes()
    assert (found.status[others] == wanted.status[others]).all()
    assert np.isnan(found.values[[10, 20]]).all()


def test_what_came_before_a_failure_is_kept(clean):
    parameters, _ = clean
    poisoned = parameters[:1].copy()
    poisoned[0, place("disposition.to_norketamine")] = 1.5
    found = run(poisoned)
    missing = np.isnan(found.values[0])
    assert not missing[:, :24].any()
    assert missing[:, 30:].all()
    first = missing[0].argmax()
    assert (missing == (np.arange(len(times())) >= first)).all()


def test_the_limit_of_steps(clean):
    parameters, wanted = clean
    found = run(parameters, limits=Limits(steps=100))
    assert (found.status == Status.MAX_STEPS).all()
    assert (found.steps + found.rejected == 100).all()
    enough = run(parameters, limits=Limits(steps=5000))
    assert enough.values.tobytes() == wanted.values.tobytes()


def test_the_limit_of_time():
    def endless(y):
        return [1e6 * y[1], -1e6 * y[0]]

    solve_small(endless, [1.0, 0.0], (0.0, 1e-9))  # compiled: that counts for nobody's time
    began = time.perf_counter()
    found = solve_small(endless, [1.0, 0.0], (0.0, 1e9), rtol=1e-10, limits=Limits(10**12, 1.0))
    assert found.status == Status.TIME_LIMIT
    assert time.perf_counter() - began < 12.0
    assert np.isnan(found.y).all()


def test_a_state_that_runs_away():
    found = solve_small(lambda y: [y[0] * y[0]], [1.0], (0.0, 2.0))
    assert found.status in (Status.STEP_TOO_SMALL, Status.NONFINITE, Status.MAX_STEPS)
    assert np.isnan(found.y).all()


def test_halting_leaves_the_rest_not_run():
    parameters = draws(20_000, seed=1)
    calls = []

    def halted():
        calls.append(1)
        return len(calls) > 2

    began = time.perf_counter()
    found = run(parameters, halted=halted)
    assert time.perf_counter() - began < 2.0
    left = found.status == Status.NOT_RUN
    assert left.any()
    assert np.isnan(found.values[left]).all()
    assert not np.isnan(found.values[found.status == Status.OK]).any()


def test_a_schedule_the_kernel_was_not_made_for_is_refused():
    from ketasim.core.protocol import hold
    from ketasim.core.scenario import Scenario
    from ketasim.models import antidepressant, human

    other = Scenario(
        antidepressant(), hold("ampa.antagonist", 1.0, until="5 h"), (0.0, 10.0), human()
    )
    with pytest.raises(ModelError, match="compiled for other schedules"):
        run_members(kernel(), draws(2), other.schedule, np.array([0.0, 10.0]))


def test_results_go_where_they_are_wanted(clean):
    parameters, wanted = clean
    into = np.full((N, len(RECORD), len(times())), 7.0)
    found = run(parameters, into=into)
    assert found.values is into
    assert into.tobytes() == wanted.values.tobytes()


def test_a_start_that_the_kernel_leaves_out_is_refused():
    start = np.zeros(len(system().state_names))
    start[system().state_names.index("pk_s.gut")] = 1.0
    with pytest.raises(ModelError, match="leaves out states"):
        run(draws(1), y0=start)


def test_a_place_for_results_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="into must be"):
        run(draws(2), into=np.empty((2, len(RECORD), 3)))
