"""Patients who differ: drawn together, bounded by construction, read as a rater would."""

import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from scipy.special import ndtri

import ketasim as ks
from ketasim.config.people import load_people
from ketasim.config.published import load_published
from ketasim.core.evidence import assumed
from ketasim.errors import ConfigError, SolverError
from ketasim.studies.designs import from_description
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.designs.patients import Count, correlation, of_crowd
from ketasim.studies.patients.choosing import accepted, chosen, drawn
from ketasim.studies.patients.cohort import gap
from ketasim.studies.patients.crew import Crew, goals_of, scores_of, values_of
from ketasim.studies.patients.people import Effect, Pair, People, Trait, sources
from ketasim.studies.patients.published import Statistic, error_of
from ketasim.studies.patients.reading import Persons, Reader, Setting, chance, rated
from ketasim.studies.patients.settings import between, fitted
from ketasim.studies.patients.weighing import weigh

MODEL = ks.models.antidepressant()
BIB = set(
    re.findall(r"^@\w+\{(\w+),", files("ketasim").joinpath("references.bib").read_text(), re.M)
)
SPECIES = ("human", "rat", "mouse")
TRIALS = ("murrough2013", "daly2018", "fedgchin2019", "popova2019", "chen2023", "lii2023")
WHY = assumed("of a test")
KG, ANY = Distribution("normal", 1.0, 1.0, "kg"), Distribution("normal", 1.0, 1.0, "1")


def crowd(n=500, seed=3, species="human"):
    return load_people(species).crowd(MODEL, n, seed)


def people(*traits, **more):
    return People("human", "of a test", traits, **more)


def test_a_patient_depends_on_seed_and_number_only():
    long, short = crowd(400), crowd(90)
    rows = long.rows(0, 400)
    assert np.array_equal(rows[:90], short.rows(0, 90))
    assert np.array_equal(rows[17:203], long.rows(17, 203))
    assert not np.array_equal(rows[:90], crowd(90, seed=4).rows(0, 90))


@pytest.mark.parametrize("species", SPECIES)
def test_a_design_of_patients_is_known_by_what_it_tells_of_itself(species):
    one = of_crowd(crowd(300, species=species))
    again = from_description(one.description)
    assert np.array_equal(one.rows(0, 300), again.rows(0, 300))
    assert one.digest == again.digest


@pytest.mark.parametrize("species", SPECIES)
def test_no_shipped_patient_is_impossible(species):
    drawn = crowd(4000, species=species)
    rows = drawn.rows(0, 4000)
    for name, values, (low, high) in zip(drawn.columns, rows.T, drawn.extremes, strict=True):
        assert low <= values.min() <= values.max() <= high
        parameter = MODEL.parameters.get(name)
        assert low >= (0.0 if parameter is None or parameter.bounds[0] >= 0.0 else -np.inf)
        assert parameter is None or high <= parameter.grounds.most


@pytest.mark.parametrize("species", SPECIES)
def test_every_shipped_line_says_what_it_rests_on(species):
    for line, evidence in sources(load_people(species)).items():
        assert evidence.note, line
        assert (evidence.kind == "assumed") == (not evidence.keys), line
        assert set(evidence.keys) <= BIB, line


def test_traits_go_together_as_asked_and_keep_their_own_distributions():
    told = people(
        Trait(
            "outcome.score_episode", WHY, Distribution("normal", 33.0, 5.0, "points", 18.0, 50.0)
        ),
        Trait("subject.weight", WHY, Distribution("lognormal", 76.0, 1.23, "kg", 40.0, 160.0)),
        pairs=(Pair("outcome.score_episode", "subject.weight", 0.6, WHY),),
    )
    seen = told.crowd(MODEL, 20_000, 1).people(0, 20_000)
    ranks = seen.argsort(axis=0).argsort(axis=0) + 0.5
    scores = ndtri(ranks / len(seen))
    assert np.corrcoef(scores.T)[0, 1] == pytest.approx(0.6, abs=0.02)
    alone = Distribution("lognormal", 76.0, 1.23, "kg", 40.0, 160.0)
    assert gap(seen[:, 1], alone.at((np.arange(20_000) + 0.5) / 20_000)) < 0.015


def test_correlations_that_cannot_be_together_are_refused():
    pairs = {("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9}
    with pytest.raises(ConfigError, match="no such set of correlations"):
        correlation(["a", "b", "c"], pairs)
    with pytest.raises(ConfigError, match='"d" is no trait'):
        correlation(["a", "b"], {("a", "d"): 0.1})


@pytest.mark.parametrize(
    ("trait", "effects", "told"),
    [
        (Trait("bdnf.share_relese", WHY, spread=0.1), (), 'mean "bdnf.share_release"'),
        (Trait("outcome.by_spines", WHY, KG), (), '"1" is needed'),
        (Trait("outcome.score_span", WHY, spread=0.1), (), "bounds leave room"),
        (Trait("person.courage", WHY), (), "the ledger knows none"),
        (
            Trait("faster", WHY, ANY, scales=("pk_s.clearance_70",)),
            (),
            "never below 0",
        ),
        (
            Trait("bdnf.share_release", WHY, Distribution("normal", 0.7, 0.1, "1", 0.5, 0.95)),
            (Effect("bdnf.share_release", ("bdnf.share_release",), 2.0, 0.0, 1.0, WHY),),
            "which cannot be",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anybody_is_drawn(trait, effects, told):
    with pytest.raises(ConfigError, match=re.escape(told)):
        people(trait, effects=effects).crowd(MODEL, 10)


def test_counts_have_their_chance():
    shares = (np.arange(10_000) + 0.5) / 10_000
    found = Count(2, 0.25).at(shares)
    assert [(found == k).mean() for k in range(3)] == pytest.approx(
        [0.5625, 0.375, 0.0625], abs=1e-3
    )


@pytest.mark.parametrize("knob", ["body.female", "body.cyp_activity"])
def test_sex_and_activity_act_as_through_the_models_own_knobs(knob):
    setup = ks.config.load("human_depressed_iv", sets=["output.until=6 h"])
    held = "1" if knob == "body.female" else "0.6"
    factor = 1.2**0.5 if knob == "body.female" else 0.6
    names = ["pk_s.clearance_70", "pk_r.clearance_70"]
    names += ["disposition.cl_norketamine_70"] if knob == "body.female" else []
    edits = {n: f"{MODEL.value(n) * factor!r} {MODEL.parameters[n].unit}" for n in names}
    scenario = setup.scenario
    asked = [f"plasma.{one}@{time}h" for one in ("ketamine", "norketamine") for time in (1, 6)]
    folded = ks.simulate(replace(scenario, model=scenario.model.with_values(edits)), readouts=asked)
    through = replace(
        scenario, protocol=scenario.protocol + ks.hold(knob, float(held), start="0 h", until="6 h")
    )
    knobbed = ks.simulate(through, readouts=asked)
    for name in asked:
        assert folded[name].item() == pytest.approx(knobbed[name].item(), rel=1e-5)


def test_chance_depends_on_the_number_not_on_who_else_is_there():
    whole = chance(5, 60, np.arange(1000))
    assert np.array_equal(chance(5, 60, np.array([900, 3])), whole[[900, 3]])
    assert not np.array_equal(whole, chance(5, 61, np.arange(1000)))
    many = chance(5, 60, np.arange(200_000))
    assert gap(many, (np.arange(200_000) + 0.5) / 200_000) < 0.005


def somebody(n, **own):
    usual = {"expectation": 1.0, "slope": 0.0, "course": 0.0, "noise": 3.0}
    usual["healthy"] = MODEL.value("outcome.score_healthy")
    return Persons(*(np.broadcast_to(own.get(k, v), n).astype(float) for k, v in usual.items()))


def test_a_rating_is_whole_within_the_scale_and_off_by_its_error():
    who, numbers = somebody(20_000), np.arange(20_000)
    seen = rated(np.full((20_000, 2), 30.0), (0.0, 24.0), who, numbers, 1)
    assert np.array_equal(seen, np.rint(seen))
    assert seen.std(axis=0) == pytest.approx([3.0, 3.0], abs=0.1)
    assert abs(np.corrcoef(seen.T)[0, 1]) < 0.03
    low = rated(np.full((20_000, 1), 1.0), (0.0,), who, numbers, 1)
    assert low.min() == 0.0
    assert np.array_equal(
        low[5:9], rated(np.full((4, 1), 1.0), (0.0,), somebody(4), numbers[5:9], 1)
    )


def test_the_score_is_that_of_the_model():
    sets = ["output.until=28 d", "intervention[1].level=5 points", "intervention[2].level=9 points"]
    setup = ks.config.load("setting_nasal", sets=sets)
    asked = [
        f"{name}@{t}h" for name in ("outcome.mood", "outcome.score") for t in (0, 24, 168, 672)
    ]
    run = ks.simulate(setup.scenario, readouts=asked)
    mood = np.array([[run[name].item() for name in asked[:4]]])
    found = Reader.of(MODEL).scores(mood, (0.0, 24.0, 168.0, 672.0), somebody(1), Setting(5.0, 9.0))
    assert found[0] == pytest.approx([run[name].item() for name in asked[4:]], abs=1e-5)


def test_expectation_changes_from_session_to_session():
    reader, who = Reader.of(MODEL), somebody(1, slope=-0.2)
    mood, times, weekly = np.zeros((1, 3)), (160.0, 330.0, 500.0), (0.0, 168.0, 336.0)
    none = reader.scores(mood, times, somebody(1, expectation=0.0), Setting(10.0, 0.0), weekly)
    less = none - reader.scores(mood, times, who, Setting(10.0, 0.0), weekly)
    assert less[0] == pytest.approx(10.0 * np.exp([0.0, -0.2, -0.4]), rel=0.01)


def test_weights_are_an_exponential_tilt_that_meets_its_goal():
    x = ndtri((np.arange(20_000) + 0.5) / 20_000)
    found = weigh((x - 0.7)[:, None], slack=1e-6)
    assert found.weights @ x == pytest.approx(0.7, abs=1e-4)
    assert found.multipliers == pytest.approx([0.7], rel=1e-2)  # of a normal: mean over variance
    assert found.bent == pytest.approx(0.7**2 / 2.0, rel=1e-2)
    assert found.effective == pytest.approx(20_000 * np.exp(-(0.7**2)), rel=0.02)


def test_a_goal_beyond_all_patients_is_missed_rather_than_met_by_one():
    x = np.linspace(-1.0, 1.0, 1000)
    found = weigh((x - 5.0)[:, None])
    assert found.weights @ x < 1.0
    assert found.effective > 20


def test_draws_follow_weights():
    weights = np.repeat([1.0, 3.0], 500)
    found = drawn(weights, 400, 1)
    assert (found >= 500).sum() == 300
    assert np.array_equal(found, drawn(weights, 400, 1))


def test_the_integer_programme_finds_a_planted_cohort():
    source = np.random.default_rng(2)
    scores = source.normal(1.0, 1.0, (600, 3))
    scores[:100] = source.normal(0.0, 1.0, (100, 3))
    scores[:100] -= scores[:100].mean(axis=0)
    found = chosen(scores, np.full(600, 1 / 600), 100, 1)
    assert len(set(found.tolist())) == 100
    assert np.abs(scores[found].mean(axis=0)).max() < 0.02
    with pytest.raises(SolverError, match="fewer than the 100"):
        chosen(scores, np.r_[np.ones(50), np.zeros(550)], 100, 1)


def test_who_is_accepted_has_the_published_distribution():
    source = np.random.default_rng(4)
    seen = source.normal([30.0, -5.0], [8.0, 8.0], (30_000, 2))
    means, sds = np.array([34.0, -8.0]), np.array([4.0, 5.0])
    found = seen[accepted(seen, means, sds, np.ones(30_000, dtype=bool), 1000, 1)]
    assert found.mean(axis=0) == pytest.approx(means, abs=0.6)
    assert found.std(axis=0) == pytest.approx(sds, abs=0.5)


def test_what_two_arms_share_is_one_number_and_keeps_its_spread():
    start = np.random.default_rng(2).normal(33.0, 6.0, (30_000, 1))
    seen = np.round(np.repeat(start, 2, axis=1))
    everyone = np.ones(len(seen), dtype=bool)
    found = seen[accepted(seen, np.full(2, 35.0), np.array([4.2, 5.2]), everyone, 1000, 1), 0]
    assert found.mean() == pytest.approx(35.0, abs=0.5)
    assert found.std() == pytest.approx(4.7, abs=0.4)


@pytest.mark.parametrize("name", TRIALS)
def test_a_published_trial_can_be_read_and_has_errors(name):
    trial = load_published(name)
    assert set(trial.references) <= BIB
    assert trial.controls
    assert all(one.error > 0.0 for _, one in trial.statistics())


def test_sampling_errors():
    assert error_of("change", -8.0, 25, 10.0) == pytest.approx(2.0)
    assert error_of("sd", 10.0, 51, None) == pytest.approx(1.0)
    assert error_of("response", 0.0, 33, None) > 0.0


@pytest.mark.parametrize("kind", ["mean", "sd", "change", "sd_change", "response", "remission"])
def test_what_patients_add_to_a_statistic_is_nothing_where_it_is_met(kind):
    source = np.random.default_rng(1)
    before = np.rint(source.normal(33.0, 5.0, 5000))
    after = np.rint(before - source.normal(12.0, 9.0, 5000))
    about = {"sd": after.mean(), "sd_change": (after - before).mean()}.get(kind, 0.0)
    value = Statistic(kind, 24.0, 0.0, 1.0, 50).of(before, after, 12.0, np.ones(5000))
    one = Statistic(kind, 24.0, value, 2.0, 50, about)
    assert one.scores(before, after, 12.0).mean() == pytest.approx(0.0, abs=1e-9)


def crew(n, trial, effect=0.15, **own):
    """Return people whose mood rises by ``effect`` under every drug of a trial."""
    episode = 33.0 + 4.0 * ndtri(chance(9, 1, np.arange(n)))
    rest = 1.0 - (episode - 4.0 / episode) / 60.0
    courses = {
        arm.protocol: {time: rest + effect for time in trial.times if time > 0.0}
        for arm in trial.arms if arm.drugged
    }  # fmt: skip
    return Crew(np.arange(n), somebody(n, **own), rest, courses, Reader.of(MODEL))


def test_a_setting_is_that_of_the_control_arm():
    trial = load_published("daly2018")
    some = crew(4000, trial)
    found = fitted(trial, some.reader, some.rest, some.who, some.numbers, 1)
    goals = [g for g in goals_of([trial], [found]) if g.arm.name == "placebo"]
    changes = [g for g in goals if g.statistic.kind == "change"]
    values = values_of(some, changes, np.ones(4000), 1)
    for goal, value in zip(changes, values, strict=True):
        assert abs(value - goal.statistic.value) < goal.statistic.error


def test_a_further_setting_is_known_from_trials_that_tell_of_it_only():
    trials = [load_published(name) for name in ("murrough2013", "daly2018", "fedgchin2019")]
    mean, spread = between(trials, [Setting(10.0, 99.0), Setting(6.0, 1.0), Setting(99.0, 11.0)])
    assert (mean.expectation, mean.care) == (8.0, 6.0)
    assert spread.expectation == pytest.approx(np.std([10, 6], ddof=1) * 1.5**0.5)


def test_whom_a_trial_would_not_let_in_adds_nothing_to_it():
    trial = load_published("fedgchin2019")
    some = crew(2000, trial)
    goals = goals_of([trial], [Setting(5.0, 8.0)])
    scores = scores_of(some, goals, 1)
    rating = some.ratings(trial, trial.arms[0], Setting(5.0, 8.0), 1)
    out = rating[:, 0] < trial.least
    assert out.any()
    assert not scores[out, :4].any()


def test_gap_is_that_of_scipy():
    from scipy.stats import ks_2samp

    source = np.random.default_rng(0)
    one, two = source.normal(size=300), source.normal(0.3, 1.0, 200)
    assert gap(one, two) == pytest.approx(ks_2samp(one, two).statistic)
