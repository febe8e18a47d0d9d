"""``ketasim population`` and ``ketasim trial``: what is written, resumed, and refused."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

import ketasim as ks
from ketasim.cli.main import group
from ketasim.config import packaged
from ketasim.config.people import load_people
from ketasim.config.population import load_population
from ketasim.config.trial import load_trial
from ketasim.engines.contract import Halted
from ketasim.errors import KetasimError
from ketasim.results.store import Store
from ketasim.verbs.population import regimens

POPULATION = """\
schema = 1
people = "human"
patients = 34
cohort = 12
match = ["murrough2013"]
predict = ["lii2023"]
[[intervention]]
target = "stress.stressor"
level = 1.0
from = "always"
[engine]
name = "reference"
rtol = 1e-4
"""
TRIAL = """\
schema = 1
population = "POPULATION"
patients = 24
least = 15
visits = ["24 h", "7 d"]
[setting]
expectation = 6
care = 4
[arms.drug]
dosing = [{ amount = "0.5 mg/kg", route = "iv", duration = "40 min" }]
[arms.control]
[power]
sizes = [24, 60]
trials = 20
"""


def typed(*words):
    return CliRunner().invoke(group, [*map(str, words)], catch_exceptions=False)


def rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("population")
    (place / "mine.toml").write_text(POPULATION, encoding="utf-8")
    out = place / "out"
    return place, out, typed("population", place / "mine.toml", "--threads", "1", "-o", out)


def test_a_cohort_is_written_a_row_a_patient_a_column_a_varied_path(made):
    _, out, done = made
    assert done.exit_code == 0, done.output
    found = rows(out / "cohort.csv")
    assert len(found) == 12
    asked = load_people("human").crowd(ks.models.antidepressant(), 34, 1)
    assert list(found[0]) == ["patient", "weight", *asked.columns]
    wanted = asked.rows(0, 34)
    for row in found:
        values = [float(row[name]) for name in asked.columns]
        assert np.array_equal(values, wanted[int(row["patient"])])


def test_what_was_asked_of_it_is_told_with_its_errors_and_what_is_lost(made):
    _, out, done = made
    told = json.loads((out / "population.json").read_text(encoding="utf-8"))
    matches = rows(out / "matches.csv")
    assert {row["statistic"] for row in matches} == {"change", "sd_change", "response"}
    lost = [row for row in matches if row["reproduced"] == "False"]
    assert len(told["not_reproduced"]) == len(lost)
    assert f"{6 - len(lost)} of 6 published numbers" in done.output
    assert told["bending"]["plausible"] == 34
    assert told["sources"]["clearance"].startswith("derived")
    assert {one["trial"] for one in told["predicted"]} == {"lii2023"}
    for name in ("forest", "waterfall", "spaghetti", "response_over_time", "traits"):
        assert (out / f"{name}.png").stat().st_size > 10_000


def test_the_same_command_resumes_and_gives_the_same_bits(made):
    place, out, _ = made
    before = {one.name: one.read_bytes() for one in out.glob("*.csv")}
    store = Store(out / "runs" / "ketamine_0.zarr")
    assert store.manifest.chunks == 2
    store.file("status", 1).unlink()
    again = typed("population", place / "mine.toml", "--threads", "2", "-o", out)
    assert again.exit_code == 0, again.output
    assert {one.name: one.read_bytes() for one in out.glob("*.csv")} == before


def test_what_was_stopped_is_no_population(made):
    place, _, _ = made
    with pytest.raises(Halted):
        ks.population(place / "mine.toml", threads=1, progress=lambda _: True)


def test_a_trial_takes_a_saved_cohort_and_writes_its_power(made):
    place, out, _ = made
    (place / "trial.toml").write_text(
        TRIAL.replace("POPULATION", str(place / "mine.toml")), encoding="utf-8"
    )
    there = place / "trial"
    done = typed("trial", place / "trial.toml", "--cohort", out, "--threads", "1", "-o", there)
    assert done.exit_code == 0, done.output
    told = json.loads((there / "trial.json").read_text(encoding="utf-8"))
    assert [one["patients"] for one in told["arms"]] == [12, 12]
    assert [one["method"] for one in told["effects"]] == ["mixed", "locf", "observed"]
    assert told["truth"]["drug"] < -1.0
    assert [one["patients"] for one in told["power"]] == [24, 60]
    assert len(rows(there / "patients.csv")) == 24
    for name in ("power", "waterfall", "spaghetti", "response_over_time"):
        assert (there / f"{name}.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", ["trials", "trials_million", "mice", "rats"])
def test_what_ships_can_be_read(name):
    asked = load_population(name)
    assert asked.people.crowd(asked.setup.scenario.model, 5).rows(0, 5).shape[0] == 5


def test_a_million_patients_take_two_regimens():
    names = list(regimens(load_population("trials_million").match))
    assert names == ["ketamine_0", "esketamine_1"]


def test_mice_and_rats_are_drawn_without_a_run(tmp_path):
    done = typed("population", "mice", "--cohort", "20", "-o", tmp_path)
    assert done.exit_code == 0, done.output
    weights = [float(row["subject.weight"]) for row in rows(tmp_path / "cohort.csv")]
    assert 0.02 <= min(weights) <= max(weights) <= 0.03


@pytest.mark.parametrize("name", ["nasal_four_weeks", "one_infusion"])
def test_shipped_trials_can_be_read(name):
    plan = load_trial(name).plan
    assert plan.sizes
    assert not plan.arms[plan.control].drugged


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("population", "trails"), 'mean "trials"'),
        (("population", "trials", "--method", "wieghts"), "Choose from: weights, select, accept"),
        (("population", "trials", "--set", "nmda.k_x=1 uM"), "no such parameter"),
        (("population", "trials", "--set", 'people="humans"'), 'mean "human"'),
        (("population", "mice", "--set", 'predict=["lii2023"]'), "name trials to match first"),
        (("trial", "nasal"), "no such file"),
        (("trial", "one_infusion", "--method", "locv"), "Choose from: mixed, locf, observed"),
        (("trial", "one_infusion", "--set", "dropuot.share=0.1"), "no such parameter"),
        (("trial", "one_infusion", "--change", "dropout.share=1.5"), "less than 1"),
        (("trial", "one_infusion", "--change", 'visits=["7 d", "24 h"]'), "each later"),
        (("trial", "one_infusion", "--cohort", "nowhere"), "Give a folder that ketasim population"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words, told, tmp_path):
    with pytest.raises(KetasimError) as caught:
        typed(*words, "-o", tmp_path)
    assert told in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_ground_is_the_package_itself():
    for room in ("patients", "published", "populations", "trials"):
        for one in (packaged.folder() / room).glob("*.toml"):
            assert one.read_text(encoding="utf-8").startswith("# "), one
