"""Virtual trials: who is let in, who leaves, what an analysis finds, and how many it takes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import ketasim as ks
from ketasim.core.protocol import Protocol, infusion
from ketasim.errors import SolverError
from ketasim.studies.patients.crew import Crew
from ketasim.studies.patients.reading import Persons, Reader, Setting, chance
from ketasim.studies.trial.analyse import carried, effects, mixed
from ketasim.studies.trial.conduct import Pool, conduct
from ketasim.studies.trial.plan import Blinding, Dropout, Plan, Rescue, TrialArm
from ketasim.studies.trial.power import Power, needed, powers, wilson

DRUG = infusion("0.5 mg/kg", over="40 min")
VISITS = (24.0, 168.0, 336.0)
POINTS = 60.0


def plan(**own):
    usual = {
        "name": "test",
        "title": "of a test",
        "arms": (TrialArm("drug", DRUG), TrialArm("control", Protocol())),
        "visits": VISITS,
        "patients": 200,
        "setting": Setting(4.0, 0.0),
        "blinding": Blinding(kept=True),
    }
    return Plan(**(usual | own))


def pool(n=2000, effect=8.0, peak=12.0, noise=3.0):
    """Return people who score 33 (SD 4), whom the drug takes ``effect`` points at every visit."""
    episode = 33.0 + 4.0 * ndtri(chance(9, 1, np.arange(n)))
    rest = 1.0 - (episode - 4.0 / episode) / POINTS
    ones = np.ones(n)
    who = Persons(ones, 0.0 * ones, 0.0 * ones, noise * ones, 2.0 * ones)
    crew = Crew(np.arange(n), who, rest, {}, Reader.of(ks.models.antidepressant()))
    mood = np.repeat(rest[:, None] + effect / POINTS, len(VISITS), axis=1)
    return Pool(crew, {DRUG: mood}, {DRUG: np.full(n, peak)})


def test_arms_are_of_the_size_they_should_be():
    arms = (TrialArm("drug", DRUG, 2.0), TrialArm("control", Protocol(), 1.0))
    found = conduct(pool(), plan(arms=arms), 150, 1)
    assert np.bincount(found.arm).tolist() == [100, 50]
    assert not np.array_equal(np.sort(found.arm), found.arm)


def test_a_trial_is_the_same_again_and_another_with_another_seed():
    one, again, other = (conduct(pool(), plan(), 80, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.scores, again.scores)
    assert np.array_equal(one.arm, again.arm)
    assert not np.array_equal(one.scores, other.scores)


def test_only_those_with_the_score_asked_for_are_let_in():
    asked = plan(least=32.0, most=40.0)
    found = conduct(pool(noise=0.0), asked, 100, 1)
    assert found.baseline.min() >= 32.0
    with pytest.raises(SolverError, match="change least or most"):
        conduct(pool(), plan(least=59.0), 100, 1)


def test_scores_are_whole_and_bounded_unless_asked_otherwise():
    found = conduct(pool(effect=40.0), plan(), 100, 1)
    assert np.array_equal(found.scores, np.rint(found.scores))
    assert found.scores.min() >= 0.0
    parts = conduct(pool(), plan(whole=False), 100, 1)
    assert not np.array_equal(parts.scores, np.rint(parts.scores))


def test_so_many_leave_as_are_to_and_more_of_those_who_are_worse():
    usual = conduct(pool(), plan(dropout=Dropout(share=0.3)), 4000, 1)
    assert usual.lost.mean() == pytest.approx(0.3, abs=0.03)
    lack = conduct(pool(), plan(dropout=Dropout(share=0.3, lack=1.0)), 4000, 1)
    assert lack.lost[lack.arm == 1].mean() > lack.lost[lack.arm == 0].mean() + 0.1
    adverse = conduct(pool(), plan(dropout=Dropout(adverse=0.2)), 4000, 1)
    assert adverse.lost[adverse.arm == 0].mean() == pytest.approx(0.2, abs=0.03)
    assert not adverse.lost[adverse.arm == 1].any()
    gone = ~lack.seen
    assert not (gone[:, :-1] & ~gone[:, 1:]).any()


def test_who_dissociates_believes_and_expects_more():
    kept, open_ = plan(), plan(blinding=Blinding(half=6.0, width=1.0, believed=1.5, doubted=0.5))
    quiet, loud = (conduct(pool(effect=0.0), one, 2000, 1) for one in (kept, open_))
    assert loud.believes[loud.arm == 0].mean() > 0.95
    assert loud.believes[loud.arm == 1].mean() < 0.05
    (none,), (some,) = (effects(one, plan(), "observed") for one in (quiet, loud))
    assert abs(none.estimate) < 3.0 * none.error
    assert some.estimate == pytest.approx(-4.0, abs=3.0 * some.error)  # 4 points times 1.5 - 0.5


def test_who_is_rescued_scores_less_from_the_next_visit():
    rescue = Rescue(least=25.0, start=24.0, gain=10.0)
    without, with_ = (conduct(pool(), plan(rescue=r), 400, 1) for r in (Rescue(), rescue))
    assert not with_.rescued[:, 0].any()
    begun = with_.rescued[:, 1]
    assert np.array_equal(begun, with_.scores[:, 0] >= 25.0)
    assert with_.scores[begun, 1] == pytest.approx(without.scores[begun, 1] - 10.0, abs=1e-9)
    alone = with_.analysed("hypothetical")
    assert np.isnan(alone[begun, 1]).all()


def data(n=400, lost=0.0, seed=0):
    """Return baseline, arm and ratings with a known effect of -5 at the last of three visits."""
    source = np.random.default_rng(seed)
    arms = (np.arange(n) % 2).astype(float)[:, None]
    baseline = source.normal(33.0, 5.0, n)
    own = source.normal(0.0, 6.0, n)
    steps = np.array([-2.0, -4.0, -5.0])
    ratings = (
        0.6 * baseline[:, None] + own[:, None] + arms * steps + source.normal(0.0, 4.0, (n, 3))
    )
    for j in (1, 2):  # those who are worse leave
        leaves = (ratings[:, j - 1] > np.quantile(ratings[:, j - 1], 0.6)) & (
            source.random(n) < lost
        )
        ratings[leaves | np.isnan(ratings[:, j - 1]), j] = np.nan
    return baseline, arms, ratings


def test_with_everybody_there_the_mixed_model_is_that_of_the_last_visit():
    baseline, arms, ratings = data()
    value, covariance, _ = mixed(baseline, arms, ratings)
    table = np.column_stack([arms, np.ones(400), baseline])
    wanted, left, *_ = np.linalg.lstsq(table, ratings[:, -1], rcond=None)
    error = np.sqrt(np.linalg.inv(table.T @ table)[0, 0] * left[0] / (400 - 3))
    assert value[0] == pytest.approx(wanted[0])
    assert np.sqrt(covariance[0, 0]) == pytest.approx(error, rel=0.02)


def likely(baseline, arms, ratings, steps=400):
    """Return the effect at the last visit by maximum likelihood, found by expectation steps."""
    n, visits = ratings.shape
    table = np.column_stack([arms, np.ones(n), baseline])
    means, cover = np.zeros((table.shape[1], visits)), np.eye(visits) * 50.0
    for _ in range(steps):
        fitted = table @ means
        filled, extra = ratings.copy(), np.zeros((visits, visits))
        for i in range(n):
            gone = np.isnan(ratings[i])
            if gone.any():
                seen = ~gone
                by = np.linalg.solve(cover[np.ix_(seen, seen)], cover[np.ix_(seen, gone)]).T
                filled[i, gone] = fitted[i, gone] + by @ (ratings[i, seen] - fitted[i, seen])
                extra[np.ix_(gone, gone)] += (
                    cover[np.ix_(gone, gone)] - by @ cover[np.ix_(seen, gone)]
                )
        means = np.linalg.lstsq(table, filled, rcond=None)[0]
        rest = filled - table @ means
        cover = (rest.T @ rest + extra) / n
    return means[0, -1]


def test_with_losses_the_mixed_model_is_that_of_maximum_likelihood():
    baseline, arms, ratings = data(n=120, lost=0.6)
    assert np.isnan(ratings).any()
    value, _, _ = mixed(baseline, arms, ratings)
    assert value[0] == pytest.approx(likely(baseline, arms, ratings), abs=1e-4)


def test_its_error_is_the_spread_of_its_estimates():
    many = [mixed(*data(n=200, lost=0.5, seed=k)) for k in range(300)]
    estimates = np.array([value[0] for value, _, _ in many])
    errors = np.array([np.sqrt(covariance[0, 0]) for _, covariance, _ in many])
    assert estimates.mean() == pytest.approx(-5.0, abs=0.2)
    assert errors.mean() == pytest.approx(estimates.std(ddof=1), rel=0.12)


def test_carrying_forward_takes_the_last_rating():
    ratings = np.array([[20.0, np.nan, np.nan], [25.0, 15.0, np.nan], [np.nan] * 3])
    assert carried(np.array([30.0, 31.0, 32.0]), ratings).tolist() == [20.0, 15.0, 32.0]


def test_nobody_comes_back():
    baseline, arms, ratings = data(n=40)
    ratings[3, 1] = np.nan
    with pytest.raises(SolverError, match="came back"):
        mixed(baseline, arms, ratings)


def test_too_few_are_told_so():
    with pytest.raises(SolverError, match="too few"):
        mixed(*data(n=4))


def test_power_is_that_of_the_test_where_everything_is_normal():
    asked = plan(sizes=(40,), trials=300, whole=False, method="observed", visits=(24.0,))
    some = pool(effect=3.0)
    some = replace(some, moods={DRUG: some.moods[DRUG][:, :1]})
    (found,) = powers(some, asked)
    # Baseline and rating err by 3 each about a score with an SD of 4; covariance takes its share.
    slope = 16.0 / 25.0
    left = np.sqrt(25.0 - slope * 16.0)
    wanted = ndtr(3.0 / (left * np.sqrt(4.0 / 40.0)) - 1.96)
    assert found.share == pytest.approx(wanted, abs=0.08)
    assert found.effect == pytest.approx(-3.0, abs=0.3)


def test_nothing_is_found_where_nothing_is_but_by_chance():
    (found,) = powers(pool(effect=0.0), plan(sizes=(60,), trials=400))
    assert found.share < 0.06  # one side of a twentieth


def test_the_size_needed_lies_on_the_curve_through_the_powers():
    slope, edge = 0.25, ndtri(0.975)
    curve = [
        Power("drug", n, 100_000, float(ndtr(slope * np.sqrt(n) - edge)), 0, 0, 0, 0, 0)
        for n in (60, 120, 240)
    ]
    low, high = needed(curve, 0.05, (0.8, 0.99))
    assert low.patients == pytest.approx(((edge + ndtri(0.8)) / slope) ** 2, abs=2)
    assert low.inside
    assert not high.inside
    flat = [replace(one, share=0.0) for one in curve]
    assert needed(flat, 0.05, (0.8,))[0].patients is None


def test_wilsons_interval():
    assert wilson(0, 20)[0] == 0.0
    assert wilson(10, 20) == pytest.approx((0.299, 0.701), abs=1e-3)
