"""Does the door to the engines tell the truth? Faults are put in, and each must be named."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.system import System
from ketasim.engines import balance, contract, steady
from ketasim.engines import batch as batches
from ketasim.engines import run as door
from ketasim.engines.contract import Batch, Halted, Limits, Settings
from ketasim.engines.run import run
from ketasim.engines.status import Status
from ketasim.errors import ConfigError, SolverError
from ketasim.readouts import Reduction

MODEL = ks.models.antidepressant()
DOSE = ks.infusion("0.5 mg/kg", over="40 min")
STRESS = ks.hold("stress.stressor", 1.0, start="always")
PEAK = (Reduction("peak", "spines.density"), Reduction("mean", "spines.density"))
ENGINES = ["ensemble", "reference"]


def scenario(protocol=DOSE, until=24.0):
    return ks.Scenario(MODEL, protocol, ks.hours(0, until, every=4.0), subject=ks.human())


def batch(asked=None, n=1, **changes):
    asked = asked or scenario()
    model = asked.resolved_model
    parameters = np.repeat(System(model).default_parameters[None, :], n, axis=0)
    for name, value in changes.items():
        parameters[:, list(model.parameters).index(name.replace("__", "."))] = value
    return Batch(
        model, parameters, asked.schedule, np.array(asked.times), ("spines.density",), PEAK
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_lost_dose_is_named(engine, monkeypatch):
    whole = batch()
    schedule = whole.schedules
    lost = replace(schedule, rates=schedule.rates * (1.0 - 1e-6))  # a millionth of the dose
    found = run(replace(whole, schedules=lost), Settings(engine))
    assert found.status[0] == Status.DRUG_LOST
    assert np.isnan(found.reduced).all()
    assert "drug was lost: the segments deliver" in found.stories[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_drug_lost_on_the_way_is_named(engine, monkeypatch):
    fine = balance._pools
    monkeypatch.setattr(balance, "_pools", lambda system: [pool[:-1] for pool in fine(system)])
    found = run(batch(), Settings(engine))
    assert found.status[0] == Status.DRUG_LOST
    assert "drug was lost: pk_" in found.stories[0]


@pytest.mark.parametrize("edges", ["shared", "own"])
def test_each_member_is_weighed_against_its_own_schedule(edges):
    once = scenario().schedule
    twice = replace(once, rates=2.0 * once.rates, given=())
    if edges == "own":
        twice = replace(twice, edges=once.edges.copy())
    whole = replace(batch(n=3), schedules=[once, twice, once])
    found = run(whole, Settings("ensemble"))
    assert (found.status == Status.OK).all()
    held = found.final[[0, 0, 2]]  # the second holds what the first was given
    lost, told = balance.check(System(whole.model), whole, held, found.usable)
    assert lost.tolist() == [False, True, False]
    assert list(told) == [1]


def test_a_single_run_that_loses_drug_is_refused(monkeypatch):
    fine = balance._pools
    monkeypatch.setattr(balance, "_pools", lambda system: [pool[:-1] for pool in fine(system)])
    with pytest.raises(SolverError, match="drug was lost"):
        ks.simulate(scenario())


def test_a_rest_that_is_none_is_named(monkeypatch):
    monkeypatch.setattr(batches, "LONG", 30.0)  # nobody is at rest a day after stress begins
    found = run(batch(scenario(STRESS + DOSE)), Settings("ensemble"))
    assert found.status[0] == Status.NO_BASELINE
    assert np.isnan(found.values).all()


def test_a_rest_is_found_whatever_the_run_towards_it(monkeypatch):
    asked = scenario(STRESS)
    system, before = System(asked.resolved_model), asked.schedule.before
    a_year = door.steady_state(system, before)
    monkeypatch.setattr(steady, "LONG", 24.0 * 30)  # spines still move then
    a_month = door.steady_state(system, before)
    slopes = system.slopes(system.prepare(system.default_parameters, before), a_month)
    assert np.abs(slopes / system.scales).max() < 1e-11
    assert np.abs((a_month - a_year) / system.scales).max() < 1e-9


@pytest.mark.parametrize("engine", ENGINES)
def test_negative_drug_is_refused_by_both_engines(engine):
    found = run(batch(disposition__to_norketamine=1.5), Settings(engine))
    assert found.status[0] == Status.NEGATIVE_STATE
    with pytest.raises(SolverError):
        ks.simulate(
            replace(scenario(), model=MODEL.with_values({"disposition.to_norketamine": 1.5})),
            engine=engine,
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_limit_of_steps_is_named(engine):
    found = run(batch(n=3), Settings(engine, limits=Limits(steps=7)))
    assert (found.status == Status.MAX_STEPS).all()
    assert np.isnan(found.reduced).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_retry_is_told(engine, monkeypatch):
    first = door._attempt
    tries = []

    def fails_once(part, asked, settings, how, halted):
        tries.append(how)
        found = first(part, asked, settings, how, halted)
        if len(tries) == 1:
            found.status[1] = Status.STEP_TOO_SMALL
        return found

    monkeypatch.setattr(door, "_attempt", fails_once)
    found = run(batch(n=3), Settings(engine))
    assert found.status.tolist() == [Status.OK, Status.OK_AFTER_RETRY, Status.OK]
    assert len(tries) == 2
    assert tries[1].first_step < 1e-3
    np.testing.assert_allclose(found.reduced[1], found.reduced[0], rtol=1e-5)


def test_every_attempt_is_made_before_a_member_is_given_up(monkeypatch):
    first = door._attempt
    seen = []

    def never(part, asked, settings, how, halted):
        seen.append((how.engine, settings.rtol))
        found = first(part, asked, settings, how, halted)
        found.status[:] = Status.MAX_STEPS
        return found

    monkeypatch.setattr(door, "_attempt", never)
    found = run(batch(), Settings("ensemble", rtol=1e-5, allow_looser=True))
    assert found.status[0] == Status.MAX_STEPS
    assert seen == [(None, 1e-5), (None, 1e-5), ("reference", 1e-5), ("reference", 1e-3)]
    assert found.rtol[0] == 1e-5


def test_a_looser_attempt_is_told_in_its_row(monkeypatch):
    first = door._attempt

    def strict_fails(part, asked, settings, how, halted):
        found = first(part, asked, settings, how, halted)
        if settings.rtol < 1e-5:
            found.status[:] = Status.STEP_TOO_SMALL
        return found

    monkeypatch.setattr(door, "_attempt", strict_fails)
    found = run(batch(), Settings("reference", rtol=1e-6, allow_looser=True))
    assert found.status[0] == Status.OK_AFTER_RETRY
    assert found.rtol[0] == pytest.approx(1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_cannot_start_is_a_row(engine):
    found = run(batch(n=2, bdnf__k_clear=np.array([np.nan, 4.0])), Settings(engine))
    assert found.status.tolist() == [Status.BAD_PARAMETER, Status.OK]
    assert np.isnan(found.reduced[0]).all()
    assert np.isfinite(found.reduced[1]).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_who_asks_to_stop_is_heard(engine):
    with pytest.raises(Halted):
        run(batch(n=3), Settings(engine), halted=lambda: True)


def test_settings_are_checked_in_one_place():
    for wrong in ({"engine": "ensembel"}, {"method": "LSODE"}, {"rtol": 0.5}):
        with pytest.raises(ConfigError, match=r"engine\."):
            Settings(**wrong)
        with pytest.raises(ConfigError, match=r"engine\."):
            ks.simulate(scenario(), **wrong)
    with pytest.raises(ConfigError, match="limits"):
        Settings(limits=Limits(steps=0))


def test_a_batch_and_an_outcome_travel():
    sent = pickle.loads(pickle.dumps(batch(n=2)))  # noqa: S301
    found = run(sent, Settings("ensemble"))
    here = pickle.loads(pickle.dumps(found))  # noqa: S301
    np.testing.assert_array_equal(here.reduced, run(batch(n=2), Settings("ensemble")).reduced)


def test_members_that_rest_alike_are_settled_once(monkeypatch):
    ran = []
    carry_out = batches.carry_out
    monkeypatch.setattr(
        batches,
        "carry_out",
        lambda task, who, how: ran.append(len(who)) or carry_out(task, who, how),
    )
    asked = scenario(STRESS + DOSE)
    two = batch(asked, n=6)
    two.parameters[3:, list(two.model.parameters).index("spines.labile_rest")] *= 1.1
    two.parameters[:, list(two.model.parameters).index("pk_s.clearance_70")] *= np.arange(1, 7)
    found = run(two, Settings("ensemble"))
    assert ran == [2]
    alone = run(two.some(np.array([4])), Settings("ensemble"))
    np.testing.assert_array_equal(found.reduced[4], alone.reduced[0])


def test_small_values_are_exact_too():
    """An absolute tolerance of a whole scale would let what is left of a drug wander."""
    asked = scenario(until=48.0)
    model = asked.resolved_model
    parameters = System(model).default_parameters[None, :]
    names = ("pk_s.brain", "pk_r.brain")
    rows = []
    for rtol in (1e-4, 1e-9):
        one = Batch(model, parameters, asked.schedule, np.array([36.0, 48.0]), names)
        rows += [run(one, Settings(engine, rtol=rtol)).values[0] for engine in ENGINES]
    scale = np.array([System(model).scales[list(model.states).index("pk_s.central")]])
    assert (rows[2] < 0.05).all()
    for loose in rows[:2]:
        assert np.abs(loose - rows[2]).max() < 2e-5 * max(1.0, float(scale[0]))


def test_the_order_of_attempts_is_one_table():
    assert set(contract.ATTEMPTS) == {"ensemble", "reference"}
    assert not any(tries[0].is_retry for tries in contract.ATTEMPTS.values())
    assert all(one.is_retry for tries in contract.ATTEMPTS.values() for one in tries[1:])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_thousandth_of_a_dose_is_followed_too(engine):
    # Absolute tolerances lie far below each state's scale, or small courses would be noise.
    asked = scenario(ks.infusion("0.5 ug/kg", over="40 min"))
    exact = ks.simulate(asked, engine="reference", rtol=1e-10)["plasma.venous"].values
    found = ks.simulate(asked, engine=engine)["plasma.venous"].values
    assert found[..., 1:] == pytest.approx(exact[..., 1:], rel=1e-5, abs=0.0)
