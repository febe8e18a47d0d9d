"""Do the systems beside the chain do what their stories say, and nothing where they should not?"""

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.system import System
from ketasim.engines.reference import integrate
from ketasim.engines.steady import settle
from ketasim.mechanisms import (
    astro,
    blood,
    ensemble,
    habenula,
    immune,
    monoamines,
    mu,
    regions,
    synapse,
)
from ketasim.models import antidepressant, whole
from ketasim.models.systems import SYSTEMS

CORE = antidepressant()
NAMES = tuple(one.name for one in SYSTEMS)
MODEL = antidepressant(*NAMES)
ON = ("drivers.pruning", "drivers.sickness")
GAINS = tuple(
    name
    for name, one in MODEL.parameters.items()
    if name.startswith("drivers.") and name not in CORE.parameters and one.role == "gain"
)
STRESS = ks.hold("stress.stressor", 1.0, start="always")
# What each system tells the chain, and what it says where nothing has happened.
NEUTRAL = {
    "immune.pruning": 1.0,
    "blood.sickness": 0.0,
    "mu.interneurons_left": 1.0,
    "monoamines.d1_relative": 1.0,
    "habenula.lift": 0.0,
    "astro.glt1_relative": 1.0,
    "astro.site": 1.0,
    "synapse.probability": 1.0,
}


def settled(load, model=MODEL, **held):
    """Return a model's system, values and states where a load (and inputs) have lasted."""
    system = System(model)
    knobs = system.neutral_knobs.copy()
    order = list(model.knobs)
    knobs[order.index("stress.stressor")] = load
    for name, level in held.items():
        knobs[order.index(name.replace("__", "."))] = level
    values = system.prepare(system.default_parameters, knobs)
    states = settle(system, values, system.rest(values))
    system.slopes(values, states)
    return system, values, states


def told(system, values):
    return {name: float(values[slot]) for name, slot in system.slots.items()}


def course(protocol, names, times=(0.0, 1.0, 24.0), subject=None, model=MODEL):
    """Return courses by the reference engine, {name: (n_times,)}."""
    one = ks.Scenario(model, protocol, times, subject or ks.mouse(), tuple(names))
    system = System(one.resolved_model)
    return integrate(system, one.schedule, np.array(one.times), names=one.record).observed


def test_every_gain_of_a_rival_is_off_and_two_are_on():
    assert set(GAINS) >= {"drivers.damping", "drivers.d1", "drivers.bursting", "drivers.terminals"}
    assert {name for name in GAINS if MODEL.value(name) > 0.0} == set(ON)


@pytest.mark.parametrize("name", NAMES)
def test_with_its_gains_off_a_system_leaves_every_slope_of_the_core(name):
    model = antidepressant(name)
    model = model.with_values({g: 0.0 for g in GAINS if g in model.parameters})
    plain, beside = System(CORE), System(model)
    rng = np.random.default_rng(5)
    core = plain.prepare(plain.default_parameters, plain.neutral_knobs)
    own = beside.prepare(beside.default_parameters, beside.neutral_knobs)
    rest = beside.rest(own)
    for _ in range(20):
        states = rest * rng.uniform(0.5, 1.5, len(rest)) + rng.uniform(0.0, 0.2, len(rest))
        n = len(CORE.states)
        wanted = np.array(plain.slopes(core, states[:n]))
        found = np.array(beside.slopes(own, states))[:n]
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("load", [0.0, 0.3, 1.0, 1.7])
def test_couplings_are_neutral_wherever_a_load_has_lasted(load):
    model = MODEL.with_values(dict.fromkeys(GAINS, 1.0))
    system, values, states = settled(load, model)
    own = told(system, values)
    for name, neutral in NEUTRAL.items():
        assert own[name] == pytest.approx(neutral, abs=1e-9), name
    rest = settled(load, CORE)[2]
    assert states[: len(rest)] == pytest.approx(rest, rel=1e-7, abs=1e-9)


def test_under_lasting_stress_nothing_drifts():
    found = course(STRESS, MODEL.states, times=(0.0, 24.0, 720.0))
    for name, one in found.items():
        assert one == pytest.approx(np.full(3, one[0]), rel=1e-7, abs=1e-9), name


def test_microglia_and_tgf_settle_where_the_laws_say():
    own = told(*settled(1.0)[:2])
    fell, gain, part = (MODEL.value(f"immune.{n}") for n in ("fell", "tgf_gain", "stress_part"))
    assert own["immune.tgfb"] == pytest.approx(1.0 - fell)
    assert own["immune.microglia"] == pytest.approx(part / (part + 1.0 - gain * fell))
    assert own["immune.tnf"] == pytest.approx(1.0 + 1.7 * own["immune.microglia"])
    assert own["immune.il6_excess"] == pytest.approx(0.0, abs=1e-9)


def test_without_c3_stress_leaves_the_share_that_is_not_through_it():
    own = told(*settled(1.0, immune__c3_knockout=1.0)[:2])
    share = MODEL.value("immune.share")
    floor = MODEL.value("immune.floor") / (own["immune.marked_usual"] + 0.01)
    assert own["immune.pruning"] == pytest.approx(1.0 - share + share * floor)
    assert own["spines.density"] > told(*settled(1.0)[:2])["spines.density"] + 0.1


def test_endotoxin_arrives_as_one_dose_and_is_cleared():
    given = ks.hold("immune.endotoxin", "10 1/h", start="0 h", until="6 min")
    found = course(given, ("immune.lps", "outcome.mood"), times=(0.0, 0.1, 2.1, 100.0))
    k = MODEL.value("immune.k_lps")
    assert found["immune.lps"][1] == pytest.approx(10.0 / k * (1.0 - np.exp(-0.1 * k)), rel=1e-5)
    assert found["immune.lps"][2] == pytest.approx(
        found["immune.lps"][1] * np.exp(-2.0 * k), rel=1e-4
    )
    assert found["outcome.mood"][-1] == pytest.approx(1.0, abs=0.01)


def test_the_sign_of_d_serine_is_a_number():
    dose = ks.dose("10 mg/kg", route="ip")
    falls = course(dose, ("astro.d_serine",))["astro.d_serine"][1]
    turned = MODEL.with_values({"astro.sign": 1.0})
    rises = course(dose, ("astro.d_serine",), model=turned)["astro.d_serine"][1]
    assert falls < 0.98
    assert rises - 1.0 == pytest.approx(1.0 - falls, rel=1e-4)


DOSE = ks.dose("10 mg/kg", route="ip") + STRESS
MOVES = {  # a gain at 1, and what it moves: name, time [h], sign
    "drivers.damping": ("immune.tnf", 1.0, -1),
    "drivers.mu": ("circuit.interneuron_rate", 1.0, -1),
    "drivers.d1": ("bdnf.calcium", 1.0, 1),
    "drivers.bursting": ("outcome.mood", 1.0, 1),
    "drivers.uptake": ("glutamate.synaptic", 24.0, -1),
    "drivers.d_serine": ("glutamate.coagonist", 1.0, -1),
    "drivers.terminals": ("synapse.paired_pulse", 1.0, 1),
    "drivers.ensemble": ("spines.reformed", 24.0, -1),
}


def test_every_gain_of_a_rival_is_tried():
    assert set(MOVES) == set(GAINS) - set(ON)


@pytest.mark.parametrize("gain", MOVES)
def test_a_gain_moves_what_it_should(gain):
    name, when, sign = MOVES[gain]
    endotoxin = ks.hold("immune.endotoxin", "10 1/h", start="-12 min", until="-6 min")
    protocol = DOSE + endotoxin if gain == "drivers.damping" else DOSE
    times = (-0.5, 0.0, when)
    off = course(protocol, (name,), times)[name][-1]
    on = course(protocol, (name,), times, model=MODEL.with_values({gain: 1.0}))[name][-1]
    assert sign * (on - off) > 1e-4 * abs(off)


def test_what_mu_receptors_add_to_disinhibition_comes_to_an_end():
    high = MODEL.parameters["mu.weight"].bounds[1]
    model = MODEL.with_values({"drivers.mu": 1.0, "mu.weight": high})
    name = "glutamate.synaptic"
    found = course(DOSE, (name,), (-0.5, 24.0, 720.0), model=model)[name]
    assert found[-1] == pytest.approx(1.0, abs=0.02)


def test_laws_of_couplings_return_what_was_said_when_neutral():
    assert immune.pruned(2.0, 1.0, 1.0) == blood.sickened(2.0, 0.0, 1.0) == 2.0
    assert mu.held_down(2.0, 1.0, 1.0) == habenula.lifted(2.0, 0.0) == 2.0
    assert monoamines.through_d1(2.0, 1.3, 0.1, 0.7, 0.2, 1.0, 1.0) == 2.0
    assert astro.cleared(2.0, 1.0) == astro.leaked(2.0, 0.2, 0.1, 1.0) == 2.0
    assert astro.filled(2.0, 0.4, 0.5, 1.0, 1.0) == pytest.approx(2.0, rel=1e-15)
    assert synapse.released(2.0, 1.0) == ensemble.returned(2.0, 0.2, 0.1, 5.0, 1.0) == 2.0


def test_a_regions_spines_follow_the_load_and_the_drive_of_cortex():
    own = told(*settled(1.0)[:2])
    assert own["hippocampus.lost"] == pytest.approx(MODEL.value("hippocampus.lost_rest"))
    assert regions.formation(11.0, 0.0) == 1.0
    assert regions.formation(11.0, 0.8) == pytest.approx(9.0)
    found = course(DOSE, ("hippocampus.density", "accumbens.density"))
    gained = {name: one[-1] - one[0] for name, one in found.items()}
    assert gained["hippocampus.density"] > 0.1 > 0.02 > gained["accumbens.density"]


def test_the_whole_model_has_about_a_hundred_states():
    assert abs(len(whole().states) - 100) <= 10
