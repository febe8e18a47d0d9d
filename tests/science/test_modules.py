"""The modules against the published record: what passes, and why the rest does not."""

from functools import cache

import pytest

import ketasim as ks
from ketasim.core.system import System
from ketasim.studies.simulate import simulate
from ketasim.verbs.check import check_modules, checked_modules, module_checks

pytestmark = pytest.mark.science
FEWEST = 30


@cache
def verdicts(name):
    return check_modules([name])[name][0]


@pytest.mark.parametrize("name", checked_modules())
def test_a_check_says_which_module_it_is_of_and_where_it_comes_from(name):
    for one in module_checks(name):
        assert name in one.modules
        assert one.rows
        assert one.references
        assert one.grade


@pytest.mark.slow
@pytest.mark.parametrize("name", checked_modules())
def test_what_fails_says_why_and_what_passes_does_not(name):
    for one in verdicts(name):
        assert one.computed, one.finding.name
        assert bool(one.finding.fails) == one.failed, one.finding.name


@pytest.mark.slow
def test_at_least_thirty_module_checks_pass():
    assert sum(one.passed for name in checked_modules() for one in verdicts(name)) >= FEWEST


def mood(**arm):
    """Return what a dose adds to mood at 24 h in a stressed mouse, under what is held beside."""
    model = ks.models.antidepressant("serotonin").with_values({"drivers.serotonin": arm["gain"]})
    held = ks.hold("stress.stressor", 1.0, start="always")
    held += ks.hold("pcpa", arm["pcpa"], start="-3 d")
    both = (ks.dose("10 mg/kg", route="ip") + held, held)
    ends = [
        simulate(ks.Scenario(model, one, (-72.0, 24.0), ks.mouse(), ("outcome.mood",)))
        for one in both
    ]
    treated, control = (float(run["outcome.mood"][0, -1]) for run in ends)
    return treated - control


def test_the_serotonin_account_needs_serotonin_and_the_default_does_not():
    usual = mood(gain=0.0, pcpa=0.0)
    assert mood(gain=0.0, pcpa=1.0) == pytest.approx(usual, rel=1e-4)
    assert mood(gain=1.0, pcpa=0.0) == pytest.approx(usual, rel=0.05)
    assert mood(gain=1.0, pcpa=1.0) < 0.3 * usual


def test_in_the_stressed_state_the_gate_is_open():
    model = ks.models.antidepressant("serotonin").with_values({"drivers.serotonin": 1.0})
    held = ks.hold("stress.stressor", 1.0, start="always")
    names = ("outcome.strength", "outcome.strength_without_serotonin", "serotonin.permit")
    run = simulate(ks.Scenario(model, held, (0.0, 720.0), ks.mouse(), names))
    ours, before, permit = (run[name].to_numpy()[0] for name in names)
    assert ours == pytest.approx(before, rel=1e-9)
    assert permit == pytest.approx([1.0, 1.0], rel=1e-9)


def test_born_spines_keep_pace_with_what_a_dose_adds():
    model = ks.models.antidepressant("serotonin")
    held = ks.hold("stress.stressor", 1.0, start="always")
    names = ("spines.total", "serotonin.born")
    times = (0.0, 24.0, 72.0, 168.0, 336.0)
    treated, control = (
        simulate(ks.Scenario(model, one, times, ks.mouse(), names))
        for one in (ks.dose("10 mg/kg", route="ip") + held, held)
    )
    added = treated["spines.total"].to_numpy()[0] - control["spines.total"].to_numpy()[0]
    born = treated["serotonin.born"].to_numpy()[0]
    assert abs(born[1:] - added[1:]).max() < 0.1 * added.max()


def test_an_opioid_and_esketamine_meet_at_sensitivity_alone():
    model = ks.models.antidepressant("safety")
    system = System(model)
    slot = system.slots["safety.depression"]
    found = []
    for opioid, plasma in ((1.0, 0.0), (2.0, 0.534), (1.0, 1e6)):
        knobs = system.neutral_knobs.copy()
        knobs[list(model.knobs).index("safety.opioid_agonist")] = opioid
        values = system.prepare(system.default_parameters, knobs)
        rest = system.rest(values)
        rest[list(model.states).index("pk_s.central")] = (
            plasma * values[system.slots["disposition.v_central"]]
        )
        system.slopes(values, rest)
        found.append(float(values[slot]))
    alone, doubled, flooded = found
    through = 0.8 * 0.39
    assert alone == pytest.approx(0.4)
    assert doubled - 0.8 * 0.61 * 2 / 3 == pytest.approx(through / 2, rel=0.01)
    assert flooded == pytest.approx(0.8 * 0.61 / 2, rel=1e-3)
