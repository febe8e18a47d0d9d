"""How likely an observation is: Gaussian for numbers, probit for directions, doubt for both."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from ketasim.studies.findings.observed import TWO_SIDED, VAGUE, Direction, Number, seen

GRID = np.array([-2.0, -0.3, 0.0, 0.1, 0.7, 5.0])


def test_a_sure_number_is_gaussian_up_to_its_peak():
    outcome = Number(0.4, 0.2)
    found = outcome.likelihood(np.asarray(0.4), GRID, 0.0)
    assert found == pytest.approx(norm.pdf(0.4, GRID, 0.2) / norm.pdf(0.0, 0.0, 0.2), abs=1e-12)


def test_a_number_with_doubt_is_still_a_density():
    outcome, doubt = Number(0.0, 0.5), 0.1
    peak = norm.pdf(0.0, 0.0, 0.5)
    reach = VAGUE * np.sqrt(2 * np.pi) * 0.5 / 2

    def density(y):
        return peak * float(outcome.likelihood(np.asarray(y), np.asarray(0.0), doubt))

    assert quad(density, -reach, reach, limit=200)[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("doubt", [0.0, 0.05, 0.2])
def test_directions_are_probabilities(doubt):
    outcome = Direction("up", 0.05)
    total = sum(outcome.likelihood(np.asarray(way), GRID, doubt) for way in (-1.0, 0.0, 1.0))
    assert total == pytest.approx(np.ones(len(GRID)))


def test_a_direction_is_called_when_the_estimate_passes_two_standard_errors():
    outcome = Direction("up", 0.05)
    found = outcome.likelihood(np.asarray(1.0), np.array([0.0, 0.05, 0.1]), 0.0)
    assert found == pytest.approx([norm.cdf(-TWO_SIDED), 0.5, norm.cdf(TWO_SIDED)])


@pytest.mark.parametrize("outcome", [Number(1.0, 0.1), Direction("up", 0.1)])
def test_no_report_can_decide_alone(outcome):
    far = outcome.likelihood(np.asarray(seen(outcome)), np.array([-1e9]), 0.02)
    near = outcome.likelihood(np.asarray(seen(outcome)), np.array([1.0]), 0.02)
    assert 0.0 < np.log(near / far).item() < 6.3
    assert np.log(near / far).item() > 2.0


@pytest.mark.parametrize("outcome", [Number(1.0, 0.1), Direction("none", 0.1)])
def test_what_cannot_be_predicted_counts_as_doubt_alone(outcome):
    doubt = 0.05
    found = outcome.likelihood(np.asarray(seen(outcome)), np.array([np.nan]), doubt)
    assert found == pytest.approx([doubt / VAGUE if isinstance(outcome, Number) else doubt / 3])
    assert np.isnan(outcome.agreement(np.array([np.nan])))[0]


def test_simulated_numbers_follow_their_own_likelihood():
    outcome, rng = Number(None, 0.3), np.random.default_rng(1)
    drawn = outcome.simulate(np.full(20000, 2.0), 0.1, rng)
    near = np.abs(drawn - 2.0) < 0.3
    tail = 0.1 * 2 * 0.3 / (VAGUE * np.sqrt(2 * np.pi) * 0.3)
    assert near.mean() == pytest.approx(0.9 * 0.6827 + tail, abs=0.01)


def test_simulated_directions_follow_their_own_likelihood():
    outcome, rng = Direction(None, 0.1), np.random.default_rng(2)
    for predicted in (0.0, 0.08, -0.3):
        drawn = outcome.simulate(np.full(20000, predicted), 0.05, rng)
        for way in (-1.0, 0.0, 1.0):
            chance = float(outcome.likelihood(np.asarray(way), np.asarray(predicted), 0.05))
            assert (drawn == way).mean() == pytest.approx(chance, abs=0.012)


def test_agreement_in_words():
    number, up, none = Number(1.0, 0.1), Direction("up", 0.1), Direction("none", 0.1)
    assert number.agreement(np.array([1.19, 1.29, 1.31])).tolist() == [2.0, 1.0, 0.0]
    assert up.agreement(np.array([0.06, 0.02, 0.0, -1.0])).tolist() == [2.0, 1.0, 0.0, 0.0]
    assert none.agreement(np.array([0.0, 0.14, 0.18, -1.0])).tolist() == [2.0, 2.0, 1.0, 0.0]
