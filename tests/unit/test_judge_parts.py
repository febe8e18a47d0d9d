"""Calibration, draws, weights, mixtures and expected information, each on numbers known by hand."""

import numpy as np
import pytest
from scipy.special import logsumexp

from ketasim.errors import ConfigError, ModelError
from ketasim.models import antidepressant
from ketasim.models.rivals import DISINHIBITION, LHB, NULLS, OPIOID, RESTING, Hypothesis, mixture
from ketasim.studies.findings.finding import Finding, ReadOut
from ketasim.studies.findings.observed import Direction, Number
from ketasim.studies.judge.calibrate import ALMOST, CLOSE, calibrate
from ketasim.studies.judge.draws import parameter_draws
from ketasim.studies.judge.information import information
from ketasim.studies.judge.scores import log_mean, weights_of

MODEL = antidepressant()


def test_the_gain_that_gives_the_effect_is_found_for_each_draw():
    powers = np.array([0.5, 1.0, 2.0, 5.0])
    found = calibrate(lambda i, g: 3.0 * g ** powers[i], 4, 1.2)
    assert found.reached.all()
    assert 3.0 * found.gains**powers == pytest.approx(np.full(4, 1.2), rel=CLOSE)


def test_a_bent_curve_is_closed_in_on_quickly():
    asked = []

    def effect(which, gains):
        asked.append(len(which))
        return gains**60

    found = calibrate(effect, 1, 0.05)
    assert found.gains**60 == pytest.approx([0.05], rel=CLOSE)
    assert len(asked) < 25


def test_a_negative_effect_is_reached_too():
    found = calibrate(lambda i, g: -8.0 * g, 1, -2.0)
    assert found.gains == pytest.approx([0.25], rel=CLOSE)


def test_what_is_out_of_reach_is_not_reached():
    ceilings = np.array([0.9, 1.1, np.nan, 1.0 - 0.5 * ALMOST])
    found = calibrate(lambda i, g: ceilings[i] * g, 4, 1.0)
    assert found.reached.tolist() == [False, True, False, True]
    assert found.gains[3] == 1.0
    assert found.full[0] == pytest.approx(0.9)


def test_an_inverted_u_is_reached_on_its_rising_side():
    found = calibrate(lambda i, g: 4.0 * g * (1.0 - g), 1, 0.6)
    assert found.gains[0] < 0.5
    assert 4.0 * found.gains * (1 - found.gains) == pytest.approx([0.6], rel=CLOSE)


def test_a_jump_is_not_an_effect_reached():
    assert not calibrate(lambda i, g: np.where(g < 0.37, 0.0, 2.0), 1, 1.0).reached[0]


def test_draws_stay_within_reach_and_leave_settings_alone():
    rows = parameter_draws(MODEL, 200, seed=3, prior_width=0.5)
    names = list(MODEL.parameters)
    for name in ("drivers.disinhibition", "body.weight"):
        assert np.ptp(rows[:, names.index(name)]) == 0.0
    k = rows[:, names.index("nmda.k_s")]  # 0.3 uM within 0.2 to 0.6
    assert np.sqrt(0.3 * 0.2) <= k.min() < k.max() <= np.sqrt(0.3 * 0.6)
    assert np.ptp(k) > 0.1


def test_a_draw_does_not_depend_on_how_many_there_are():
    few, many = (parameter_draws(MODEL, n, seed=5) for n in (7, 300))
    assert np.array_equal(few, many[:7])
    assert not np.array_equal(few, parameter_draws(MODEL, 7, seed=6))


@pytest.mark.parametrize(
    ("n", "prior_width"), [(0, 0.2), (-3, 0.2), (10**7, 0.2), (5, 1.5), (5, -0.1)]
)
def test_draws_out_of_range_are_refused(n, prior_width):
    with pytest.raises(ConfigError, match=r"draws = |prior width = "):
        parameter_draws(MODEL, n, prior_width=prior_width)


def test_without_prior_width_every_draw_is_the_ledger():
    rows = parameter_draws(MODEL, 3, prior_width=0.0)
    assert rows[0].tolist() == [MODEL.value(name) for name in MODEL.parameters]
    assert np.ptp(rows, axis=0).max() == 0.0


def test_the_log_of_a_mean_survives_what_exponentials_do_not():
    assert log_mean(np.array([-1e4, -1e4 + np.log(3.0)])) == pytest.approx(-1e4 + np.log(2.0))


def test_weights_survive_scores_far_apart():
    found = weights_of(np.array([-1e5, -1e5 + np.log(3.0), -2e5]))
    assert found == pytest.approx([0.25, 0.75, 0.0])


def test_a_mixture_shares_its_gains():
    found = mixture([DISINHIBITION, RESTING, LHB], [3, 1, 0])
    assert found.gains == pytest.approx({"drivers.disinhibition": 1.0, "drivers.resting": 1 / 3})
    model = found.model(MODEL, 0.6)
    assert model.value("drivers.disinhibition") == pytest.approx(0.6)
    assert model.value("drivers.resting") == pytest.approx(0.2)
    assert model.value("drivers.lhb") == 0.0


def test_a_mixture_with_the_gate_is_half_gated():
    found = mixture([RESTING, OPIOID], [1, 1])
    assert found.values["drivers.opioid"] == pytest.approx(0.5)
    assert found.gains == pytest.approx({"drivers.disinhibition": 1.0, "drivers.resting": 1.0})


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [1.0, -1.0]])
def test_weights_that_mix_nothing_are_refused(weights):
    with pytest.raises(ModelError, match="one weight >= 0 for each hypothesis"):
        mixture([DISINHIBITION, RESTING], weights)


def test_a_hypothesis_with_parameters_of_its_own_is_not_mixed():
    own = Hypothesis("own", "", {"spines.k_mature": "0.1 1/h"}, "drivers.disinhibition")
    for one in (own, NULLS[1]):
        with pytest.raises(ModelError, match=r"only hypotheses made of drivers\.\* alone"):
            mixture([one, RESTING], [1, 1])


def test_a_mechanism_can_be_replaced_by_one_of_its_name():
    other = next(m for m in MODEL.mechanisms if m.name == "opioid")
    found = Hypothesis("same", "", strength="drivers.disinhibition", mechanisms=(other,))
    assert found.model(MODEL, 1.0).digest == MODEL.digest
    wrong = Hypothesis("wrong", "", mechanisms=(type(other)("opiod", "a typo"),))
    with pytest.raises(ModelError, match=r'"opiod": no such mechanism.*"opioid"'):
        wrong.model(MODEL)


def candidate(observed):
    return Finding("c", "a candidate", {}, (ReadOut("c", (), "1", observed),))


EVEN = np.array([0.5, 0.5])


def test_what_both_predict_alike_tells_nothing():
    same = np.linspace(0.0, 1.0, 50)
    for outcome in (Number(None, 0.1), Direction(None, 0.1)):
        assert information(candidate(outcome), [same, same], EVEN) == pytest.approx(0.0, abs=1e-12)


def test_what_sets_them_apart_tells_almost_a_bit():
    low, high = np.zeros(20), np.ones(20)
    assert information(candidate(Number(None, 0.05)), [low, high], EVEN) > 0.85
    assert information(candidate(Direction(None, 0.05)), [low, high], EVEN) > 0.85


def test_a_blunter_experiment_tells_less():
    low, high = np.zeros(20), np.ones(20)
    bits = [information(candidate(Number(None, e)), [low, high], EVEN) for e in (0.1, 0.5, 2.0)]
    assert bits[0] > bits[1] > bits[2] > 0.0


@pytest.mark.parametrize("unit", [1000.0, -1000.0, 0.001])
def test_bits_do_not_depend_on_the_unit(unit):
    """Three accounts, two of them far off to one side, told in another unit with its error."""
    drawn = [np.zeros(100), np.full(40, 12.0), np.full(40, 16.0)]
    weights = np.full(3, 1.0 / 3.0)
    plain = information(candidate(Number(None, 1.0)), drawn, weights)
    other = candidate(Number(None, abs(unit)))
    found = information(other, [unit * one for one in drawn], weights)
    assert found == pytest.approx(plain, rel=1e-3)
    assert plain > 1.3


def test_having_nothing_to_read_is_an_outcome_too():
    there, gone = np.ones(20), np.full(20, np.nan)
    assert information(candidate(Number(None, 0.1)), [there, gone], EVEN) == pytest.approx(1.0)


def test_having_nothing_to_read_half_of_the_time_is_worth_what_it_is():
    there, half = np.ones(20), np.where(np.arange(20) < 10, np.nan, 1.0)
    bits = (np.log2(4 / 3) + 0.5 * np.log2(2 / 3) + 0.5) / 2  # outcomes 1, 0 against 1/2, 1/2
    assert information(candidate(Number(None, 0.1)), [there, half], EVEN) == pytest.approx(bits)


def test_information_of_two_normals_agrees_with_quadrature():
    error, gap = 1.0, 1.5
    found = information(candidate(Number(None, error)), [np.zeros(3), np.full(3, gap)], EVEN)
    y = np.linspace(-12, 14, 20001)
    logs = np.stack([-0.5 * y**2, -0.5 * (y - gap) ** 2]) - 0.5 * np.log(2 * np.pi)
    mixed = logsumexp(logs, axis=0) - np.log(2)
    true = np.trapezoid((np.exp(logs) * (logs - mixed)).mean(axis=0), y) / np.log(2)
    assert found == pytest.approx(true, rel=0.08)  # a doubt of 2 % blurs it a little
    assert found < true
