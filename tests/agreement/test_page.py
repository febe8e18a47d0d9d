"""The page in a browser gives the numbers that Python gives: its scripts are run under node."""

import re

import numpy as np
import pytest

import ketasim as ks
from agreement.random_scenarios import scenario
from ketasim.config import load, loads, packaged
from ketasim.models.modules import modules_of
from ketasim.models.rivals import RIVALS
from ketasim.models.subjects import PHYSIOLOGY
from ketasim.page.build import read
from ketasim.page.setting import setting_of
from ketasim.studies.designs.choice import distribution_of
from ketasim.studies.judge.calibrate import matched_to_reference
from ketasim.units import unit
from page_node import answers, known

CLOSE = 1e-6  # of the largest size of each course
PAGE_RTOL = float(re.search(r"RTOL = ([\de-]+)", read("js/main.js"))[1])  # at which the page runs
QUICK, ALL = 20, 500
MODEL = ks.models.antidepressant()


def _worst(seeds):
    """Return the largest difference from Python over scenarios, in sizes of each course."""
    table, _ = known()
    names = list(table["names"])
    asked = [scenario(seed) for seed in seeds]
    found = answers(
        {"ask": "courses", "setting": setting_of(one), "names": names, "times": one.times,
         "rtol": PAGE_RTOL}
        for one in asked
    )  # fmt: skip
    worst = (0.0, "", -1)
    for seed, one, mine in zip(seeds, asked, found, strict=True):
        assert mine["status"] == 0, f"scenario {seed} ended with status {mine['status']}"
        theirs = ks.simulate(one, engine="ensemble", rtol=1e-10)
        for name, values in zip(names, mine["values"], strict=True):
            expected = theirs[name].to_numpy()[0]
            got = np.array(values, dtype=float) / table["names"][name]["factor"]
            size = np.abs(expected).max()
            if size > 0.0:
                worst = max(worst, (float(np.abs(got - expected).max() / size), name, seed))
    return worst


def test_random_settings_agree():
    off, name, seed = _worst(range(QUICK))
    assert off <= CLOSE, f"{name} of scenario {seed} is off by {off:.1e} of its size"


@pytest.mark.slow
def test_many_random_settings_agree():
    off, name, seed = _worst(range(ALL))
    assert off <= CLOSE, f"{name} of scenario {seed} is off by {off:.1e} of its size"


def test_the_reference_engine_agrees_too():
    asked = load("twice_weekly").scenario
    (mine,) = answers(
        [{"ask": "courses", "setting": setting_of(asked), "names": ["outcome.score"],
          "times": asked.times, "rtol": PAGE_RTOL}]
    )  # fmt: skip
    theirs = ks.simulate(asked, rtol=1e-10)["outcome.score"].to_numpy()[0]
    assert np.abs(np.array(mine["values"][0]) - theirs).max() <= CLOSE * theirs.max()


@pytest.mark.parametrize("page", ["human_depressed_iv", "human_safety"])
def test_every_preset_comes_back_from_the_pages_toml(page):
    names = list(known(page)[0]["presets"])
    asked = [load(name).scenario for name in names]
    texts = answers(({"ask": "toml", "setting": setting_of(one)} for one in asked), page)
    for name, one, text in zip(names, asked, texts, strict=True):
        made = loads(text).scenario
        assert setting_of(made) == setting_of(one), name
        assert modules_of(made.model) == modules_of(load(page).scenario.model)


def test_a_page_offers_what_its_model_can_run():
    core, safe = (known(one)[0]["presets"] for one in ("human_depressed_iv", "human_safety"))
    assert {*safe} - {*core} == {"human_safety", "chronic_pain"}
    assert {*core} < {*packaged.configs()}


def test_changed_parameters_come_back_from_the_pages_toml():
    setting = setting_of(load("rat_10").scenario)
    setting["params"] = {"nmda.k_s": 0.5, "glutamate.part": 0.2}
    (text,) = answers([{"ask": "toml", "setting": setting}])
    model = loads(text).scenario.model
    for name, value in setting["params"].items():
        assert model.value(name) == pytest.approx(value * unit(model.unit(name)).factor)


@pytest.mark.parametrize(
    ("config", "name"),
    [("human_depressed_iv", "outcome.score"), ("rat_10", "glutamate.relative"),
     ("mouse_ip_after_stress", "translation.mtorc1")],
)  # fmt: skip
def test_read_outs_are_those_of_python(config, name):
    asked = load(config).scenario
    begin, end = max(0.0, asked.times[0]), asked.times[-1]
    texts = [f"{name}.start", f"{name}.change", f"{name}.at(24 h)",
             f"{name}.auc({begin} h,{end} h)"]  # fmt: skip
    theirs = ks.simulate(asked, engine="ensemble", rtol=1e-9, readouts=texts)
    start, peak, day, area = (float(theirs[one][0]) for one in texts)
    factor = unit(MODEL.unit(name)).factor
    (mine,) = answers(
        [{"ask": "summary", "setting": setting_of(asked), "name": name, "start": start * factor,
          "from": begin, "until": end}]
    )  # fmt: skip
    assert mine["peak"] / factor == pytest.approx(start + peak, rel=1e-5)
    assert mine["day"] / factor == pytest.approx(day, rel=1e-6)
    assert mine["area"] / factor == pytest.approx(area - start * (end - begin), rel=1e-4)


@pytest.mark.parametrize(
    ("config", "text", "readout"),
    [
        ("human_depressed_iv", "outcome.mood.at(24 h)",
         {"name": "outcome.mood", "kind": "at", "at": 24.0}),
        ("rat_10", "spines.density.auc(0 h, 100 h)",
         {"name": "spines.density", "kind": "auc", "from": 0.0, "until": 100.0}),
        ("mouse_ip_after_stress", "bdnf.extracellular.peak(0 h, 100 h)",
         {"name": "bdnf.extracellular", "kind": "peak", "from": 0.0, "until": 100.0}),
    ],
)  # fmt: skip
def test_gradients_are_those_of_python(config, text, readout):
    asked = load(config).scenario
    theirs = ks.gradient(config, text).dataset
    expected = dict(
        zip(theirs["by"].to_numpy(), theirs["elasticity"].to_numpy()[0], strict=True)
    )  # fmt: skip
    (mine,) = answers([{"ask": "gradient", "setting": setting_of(asked), "readout": readout}])
    pairs = [
        (got, expected[name])
        for name, got in zip(MODEL.parameters, mine["elasticity"], strict=True)
        if name in expected and name != MODEL.weight  # a heavier subject is given more
    ]
    got, want = np.array(pairs).T
    assert len(pairs) > 150
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.slow
@pytest.mark.parametrize("account", RIVALS, ids=lambda one: one.name)
def test_accounts_are_matched_as_python_matches_them(account):
    _, gain = matched_to_reference(account, MODEL)
    (mine,) = answers([{"ask": "gain", "account": account.name}])
    assert np.isnan(gain) if mine is None else mine == pytest.approx(gain, abs=2e-3)


@pytest.mark.parametrize("species", PHYSIOLOGY)
def test_traits_are_drawn_as_python_draws_them(species):
    shares = np.array([0.001, 0.02, 0.3, 0.5, 0.77, 0.99, 0.9995])
    table, _ = known()
    traits = table["traits"][species]
    found = answers({"ask": "draws", "one": one, "shares": shares.tolist()} for one in traits)
    for mine, trait in zip(found, PHYSIOLOGY[species].values(), strict=True):
        assert mine == pytest.approx(distribution_of(trait).at(shares), rel=1e-9)


def test_a_subject_does_not_depend_on_how_the_work_is_shared():
    setting = setting_of(load("human_depressed_iv").scenario)
    same = {"ask": "subjects", "setting": setting, "scope": "both", "seed": 3,
            "name": "outcome.score", "times": [1.0, 24.0, 168.0]}  # fmt: skip
    one, two = answers([{**same, "cuts": [0, 40]}, {**same, "cuts": [0, 13, 40]}])
    assert one == two
    low, middle, high = np.array(one["bands"], dtype=float)
    assert (low < middle).all()
    assert (middle < high).all()


def test_the_numbers_of_subjects_are_even():
    first, other = answers(
        {"ask": "shares", "seed": 1, "members": 20_000, "column": column} for column in (0, 1)
    )
    assert np.histogram(first, 20, (0.0, 1.0))[0] == pytest.approx(np.full(20, 1000), abs=150)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.03


def test_what_cannot_be_asked_is_refused_in_a_sentence():
    setting = setting_of(load("rat_10").scenario)
    held = {"knob": "ampa.antagonist", "level": 0.5, "from": 0.0, "until": 4.0}
    twice, high, late = answers(
        {"ask": "refused", "setting": {**setting, **change}}
        for change in (
            {"holds": [held, {**held, "from": 2.0}]},
            {"holds": [{**held, "level": 3.0}]},
            {"until": -1.0},
        )
    )
    assert "two windows" in twice
    assert "must lie between 0 and 1" in high
    assert "look longer" in late


def test_a_setting_comes_back_from_the_address():
    state = {"setting": setting_of(load("ketamine_nbqx").scenario), "accounts": ["lhb"]}
    state["setting"]["name"] = "µ-opioid – ½"
    (again,) = answers([{"ask": "address", "state": state}])
    assert again == state
