"""What is allowed but probably not meant is said before anything runs, and kept."""

import warnings

import pytest
import xarray as xr

import ketasim as ks
from ketasim.core.scenario import Scenario, Subject
from ketasim.errors import KetasimWarning
from ketasim.studies import designs
from ketasim.studies.cautions import cautions_of
from ketasim.studies.designs.columns import Columns
from ketasim.studies.simulate import simulate

HUMAN = ks.config.load("human_depressed_iv").scenario
TOO_MUCH = '500 mg/kg iv with subject = "human" is 1e+03 times the usual 0.5 mg/kg'
SLIP = "nmda.k_s = 320 uM lies outside its plausible bounds 0.2 to 0.6 uM."


def small(protocol="0.5 mg/kg", subject=None):
    dose = ks.infusion(protocol, over="40 min")
    who = subject or ks.human()
    return Scenario(HUMAN.model, dose, (0.0, 0.5, 1.0), who, ("plasma.ketamine",))


def said(vary, scenario=None, **options):
    design = vary if isinstance(vary, designs.Design) else designs.grid(vary)
    about = scenario or small()
    return "\n".join(cautions_of(about, Columns(about, design), **options))


def test_five_hundred_milligrams_and_a_thousandfold_slip_warn_in_a_sweep(tmp_path):
    vary = {"dosing[0].amount": "0.5, 500 mg/kg", "nmda.k_s": "0.32, 320 uM"}
    options = {"engine": "reference", "threads": 1, "summaries": ["plasma.ketamine.peak"]}
    with pytest.warns(KetasimWarning) as caught:
        found = ks.sweep(small(), vary, **options)
    told = [str(one.message) for one in caught]
    assert any(one.startswith(TOO_MUCH) for one in told)
    assert SLIP in told
    assert found.attrs["cautions"].splitlines() == told
    with pytest.warns(KetasimWarning):
        stored = ks.sweep(small(), vary, **options, store=tmp_path / "s.zarr")
    assert stored.attrs["cautions"].splitlines() == told
    assert xr.open_zarr(tmp_path / "s.zarr").attrs["cautions"].splitlines() == told


def test_what_is_usual_is_silent():
    assert said({"dosing[0].amount": "0.1, 2 mg/kg", "nmda.k_s": "0.2, 0.6 uM"}) == ""
    assert said({"nmda.k_s": "200, 600 nM"}) == ""
    for vary in (None, "everything", "subject", "exponents"):
        assert said(designs.sobol(small(), 8, vary=vary)) == ""
    assert cautions_of(small()) == ()


def test_both_ends_of_a_range_are_told():
    told = said({"nmda.k_s": "logspace(0.01, 10, 9) uM", "dosing[0].amount": "0.001, 5 mg/kg"})
    assert "nmda.k_s = 0.01 uM lies outside" in told
    assert "nmda.k_s = 10 uM lies outside" in told
    assert "0.001 mg/kg iv" in told
    assert "a human dose?" not in told
    assert "5 mg/kg iv with subject" in told
    assert len(told.splitlines()) == 4


def test_a_dose_in_milligrams_is_judged_by_the_lightest_and_the_heaviest():
    vary = {"dosing[0].amount": "35, 350 mg", "subject.weight": "linspace(50, 100, 3) kg"}
    told = said(vary)
    assert '7 mg/kg iv with subject = "human"' in told
    assert len(told.splitlines()) == 1
    fixed = small("120 mg")
    assert cautions_of(fixed) == ()
    assert "3 mg/kg iv" in said({"subject.weight": "40, 70 kg"}, fixed)


def test_a_weight_far_from_the_species_is_told():
    assert "subject.weight = 2 kg is far from the usual 40 to 140 kg" in said(
        {"subject.weight": "2, 70 kg"}
    )
    mixed = designs.people(HUMAN.model, 4)
    assert 'usual 0.2 to 0.4 kg of subject = "rat"' in said(mixed, small("10 mg/kg", ks.rat()))


def test_the_support_of_a_draw_and_the_rows_of_a_table_are_ends():
    wide = designs.sobol(small(), 8, vary={"nmda.k_s": "uniform(0.1, 320) uM"})
    assert SLIP in said(wide)
    tail = designs.sobol(small(), 8, vary={"nmda.k_s": "lognormal(0.32, 2) uM"})
    assert said(tail).count("lies outside") == 2
    assert SLIP in said(designs.table({"nmda.k_s [uM]": [0.3, 320.0, float("nan")]}))
    much = designs.random(small(), 8, vary={"dosing[0].amount": "uniform(0.1, 500) mg/kg"})
    assert TOO_MUCH in said(much)
    person = {"subject.clearance": "lognormal(1, 5)"}
    assert "pk_s.clearance_70" in said(designs.random(small(), 8, vary=person))


def test_unusual_doses_that_are_meant_are_silent():
    assert said({"dosing[0].amount": "0.5, 500 mg/kg"}, doses=False) == ""
    setup = ks.config.loads(
        'schema = 1\nallow_unusual_dose = true\n[[dosing]]\namount = "500 mg/kg"\nroute = "iv"\n'
    )
    assert setup.cautions == ()
    assert ks.config.loads(ks.config.dump(setup)).cautions == ()


def test_what_a_design_replaces_is_not_judged():
    assert said({"dosing[0].amount": "0.5 mg/kg"}, small("500 mg/kg")) == ""
    assert TOO_MUCH in said({"nmda.k_s": "0.3 uM"}, small("500 mg/kg"))
    assert said({"nmda.k_s": "0.3 uM"}, with_slip()) == ""
    assert SLIP in said({"nmda.k_r": "1 uM"}, with_slip())


def with_slip():
    from dataclasses import replace

    base = small()
    return replace(base, model=base.model.with_values({"nmda.k_s": "320 uM"}))


def test_a_run_keeps_its_cautions():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert simulate(small()).attrs["cautions"] == ""
        assert simulate(with_slip()).attrs["cautions"] == SLIP


def test_a_species_that_is_in_no_table_has_no_usual_dose():
    assert cautions_of(small("500 mg/kg", Subject("dog", 10.0))) == ()
