"""What a draw varies by default, what it leaves alone, and how each is asked for."""

from dataclasses import replace

import numpy as np
import pytest

import ketasim as ks
import toy
from ketasim.core.scenario import Scenario, Subject, hours
from ketasim.errors import ConfigError
from ketasim.models.subjects import PHYSIOLOGY
from ketasim.studies import designs
from ketasim.studies.designs.columns import Columns
from ketasim.studies.sweep.job import as_design

SCENARIO = ks.config.load("human_depressed_iv").scenario
MODEL = SCENARIO.model
LEDGER = MODEL.parameters
BOTH = ("pk_s.clearance_70", "pk_r.clearance_70")


def named(role, model=MODEL):
    return [n for n, p in model.parameters.items() if p.role == role and p.bounds[0] < p.bounds[1]]


def of(species):
    who = ks.models.subjects.subject(species)
    return Scenario(MODEL, ks.dose("1 mg/kg", route="iv"), hours(0, 1, every=0.5), who)


@pytest.mark.parametrize("source", [MODEL, SCENARIO])
def test_what_is_uncertain_is_drawn_and_the_rest_left_alone(source):
    design = designs.sobol(source, 8)
    assert list(design.names) == named("")
    assert len(design.names) > 100
    assert not set(design.names) & {"body.weight", "subject.weight", "body.exponent"}


def test_the_readme_s_sample_moves_no_weight_gain_or_exponent():
    design = as_design("sobol:256", SCENARIO)
    columns = Columns(SCENARIO, design)
    table, fine = columns.parameters(design.rows(0, 256))
    assert fine.all()
    moved = {n for k, n in enumerate(LEDGER) if (table[:, k] != columns.base[k]).any()}
    assert moved == set(named(""))
    assert columns.schedules(design.rows(0, 2), np.ones(2, bool)) is SCENARIO.schedule


@pytest.mark.parametrize(
    ("group", "members"),
    [
        ("uncertain", named("")),
        ("exponents", named("exponent")),
        ("gains", named("gain")),
        ("body", ["subject.weight", "body.exponent"]),
        ("nmda", [n for n in named("") if n.startswith("nmda.")]),
        ("spines", [n for n in named("") if n.startswith("spines.")]),
        ("measured", [n for n in named("") if LEDGER[n].evidence.kind == "measured"]),
        ("assumed", [n for n in named("") if LEDGER[n].evidence.kind == "assumed"]),
        ("subject.clearance", list(BOTH)),
    ],
)
def test_each_group_can_be_asked_for(group, members):
    for vary in (group, [group], {group: None}):
        assert list(designs.random(SCENARIO, 4, vary=vary).names) == members


def test_what_the_subject_sets_is_not_drawn_over_the_ledger_s_bounds():
    own = Subject("human", 70.0, {"body.weight": "70 kg", "nmda.k_s": "0.3 uM"})
    scenario = replace(SCENARIO, subject=own)
    for group in (None, "everything", "nmda"):
        assert "nmda.k_s" not in designs.random(scenario, 4, vary=group).names
    assert designs.random(scenario, 4, vary="nmda.k_s").names == ("nmda.k_s",)


def test_everything_is_everything_with_room():
    names = set(designs.random(SCENARIO, 4, vary="everything").names)
    room = {n for n, p in LEDGER.items() if p.bounds[0] < p.bounds[1]}
    assert names == room - {"body.weight"} | {"subject.weight"}


def test_a_name_outranks_a_group_wherever_it_stands():
    own = designs.uniform("0.2 uM", "0.3 uM")
    for vary in ({"nmda": None, "nmda.k_s": own}, {"nmda.k_s": own, "nmda": None}):
        design = designs.random(SCENARIO, 4, vary=vary)
        assert design.limits[design.names.index("nmda.k_s")] == (0.2, 0.3)
        assert len(design.names) == len(set(design.names))


def test_distributions_may_be_written_as_text():
    text = {"nmda.k_s": "uniform(0.2, 0.3) uM"}
    made = {"nmda.k_s": designs.uniform("0.2 uM", "0.3 uM")}
    assert designs.sobol(MODEL, 8, vary=text) == designs.sobol(MODEL, 8, vary=made)


@pytest.mark.parametrize("species", PHYSIOLOGY)
@pytest.mark.parametrize("name", ["subject.weight", "body.weight"])
def test_a_weight_comes_from_the_species(species, name):
    trait = PHYSIOLOGY[species]["weight"]
    scenario = of(species)
    design = designs.sobol(scenario, 4096, vary=[name])
    weights = design.rows(0, 4096)[:, 0]
    low, high = trait.within
    assert low <= weights.min() < weights.max() <= high
    assert np.median(weights) == pytest.approx(trait.median, rel=0.02)
    assert Columns(scenario, design).weight == 0


def test_both_enantiomers_rise_and_fall_together_in_a_person():
    design = designs.random(SCENARIO, 4000, vary="subject.clearance")
    s, r = design.rows(0, 4000).T
    np.testing.assert_allclose(s / r, MODEL.value(BOTH[0]) / MODEL.value(BOTH[1]), rtol=1e-12)
    assert np.std(s) / np.mean(s) == pytest.approx(0.19, rel=0.05)
    assert design.together == (BOTH,)
    drawn = {"subject.clearance": "lognormal(1, 1.5)"}
    wide = designs.random(SCENARIO, 4000, vary=drawn).rows(0, 4000)[:, 0]
    assert np.std(np.log(wide)) == pytest.approx(np.log(1.5), rel=0.05)


def test_a_person_starts_from_the_scenario_s_own_clearance():
    changed = SCENARIO.model.with_values({"pk_s.clearance_70": "60 L/h"})
    design = designs.sobol(changed, 1024, vary="subject.clearance")
    assert np.median(design.rows(0, 1024)[:, 0]) == pytest.approx(60.0, rel=0.01)


def test_people_differ_in_every_trait():
    design = designs.people(SCENARIO, 50, seed=2)
    assert design.names[0] == "subject.weight"
    assert set(BOTH) < set(design.names)
    assert len(design) == 50
    assert design == designs.random(SCENARIO, 50, vary="subject", seed=2)
    rats = designs.people(of("rat"), 50)
    assert 0.2 <= rats.rows(0, 50)[:, 0].min() < rats.rows(0, 50)[:, 0].max() <= 0.4


@pytest.mark.parametrize(
    ("vary", "told"),
    [
        ("nmdaa", 'no such parameter or group. Did you mean "nmda"'),
        ("drivers", 'nothing in it is uncertain .* "gains"'),
        ("settings", "nothing in it is uncertain"),
        ("subject.wait", 'Did you mean "weight"'),
        ("dosing[0].amount", "give a distribution"),
        ({"nmda": "uniform(0, 1)"}, "a group takes no distribution"),
        ({"subject.clearance": "normal(1, 0.1) kg"}, "so it has no unit"),
        ("body.reference_weight", "its bounds leave no room"),
    ],
)
def test_what_cannot_be_drawn_is_refused(vary, told):
    with pytest.raises(ConfigError, match=told):
        designs.random(SCENARIO, 4, vary=vary)


def test_a_species_without_a_table_is_told():
    dog = Scenario(MODEL, ks.dose("1 mg/kg", route="iv"), (0.0, 1.0), Subject("dog", 10.0))
    with pytest.raises(ConfigError, match="no distribution for a dog"):
        designs.people(dog, 4)


def test_a_model_of_one_s_own_has_groups_too():
    model = toy.model()
    assert designs.random(model, 4, vary="body").names == ("body.k_el", "body.volume")
    assert designs.random(model, 4, vary="receptor").names == (
        "receptor.k_on",
        "receptor.affinity",
    )


def test_a_draw_says_what_it_varies_and_leaves_alone():
    told = designs.in_a_line(designs.sobol(SCENARIO, 4), SCENARIO)
    assert told == (
        f"draws {len(named(''))} uncertain parameters; leaves 1 exponent, {len(named('gain'))} "
        "driver gains, 2 traits of the body alone (--vary exponents, gains, subject, everything)."
    )
    person = designs.sobol(SCENARIO, 4, vary=["subject.weight", "subject.clearance"])
    told = designs.in_a_line(person, SCENARIO)
    assert "draws 2 uncertain parameters, 1 trait of the body" in told
    assert "(pk_s.clearance_70, pk_r.clearance_70 move together)" in told
    assert designs.in_a_line(designs.random(toy.model(), 4), toy.model()) == (
        "draws 4 uncertain parameters."
    )


def test_a_relative_clearance_is_drawn_and_not_set():
    with pytest.raises(ConfigError, match="it is drawn"):
        Columns(SCENARIO, designs.grid({"subject.clearance": "1, 2"}))
