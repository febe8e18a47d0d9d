"""Do chains draw from what they are told to, and say when they have forgotten their beginning?"""

import numpy as np
import pytest

from ketasim.studies.posterior.walk import Chains, Shape, alike_in, correlation, walk


def drawn(losses, middle, root, **more):
    given = {"chains": 400, "warm": 10, "most": 200, "alike": 0.1, "rng": np.random.default_rng(3)}
    return walk(losses, middle, root, **{**given, **more})


def datum(z, _):
    """One datum of error 0.5 that says the first coordinate is 1: the posterior is N(0.8, 0.2)."""
    return ((z[:, 0] - 1.0) / 0.5) ** 2


def test_chains_find_a_normal_posterior_from_an_approximation_that_is_off():
    found = drawn(datum, np.array([0.0, 0.5, -0.5]), np.diag([1.0, 0.7, 1.5]))
    assert found.z.mean(axis=0) == pytest.approx([0.8, 0.0, 0.0], abs=0.2)
    assert found.z.std(axis=0) == pytest.approx([np.sqrt(0.2), 1.0, 1.0], rel=0.15)
    assert max(found.alike, found.alike_told) <= 0.1


def test_a_wall_that_the_approximation_does_not_know_is_kept():
    def walled(z, _):
        return np.where(z[:, 0] > 0.0, 0.0, 1e12)

    found = drawn(walled, np.zeros(2), np.eye(2))
    assert (found.z[:, 0] > 0.0).all()
    assert found.z[:, 0].mean() == pytest.approx(np.sqrt(2.0 / np.pi), abs=0.12)


def test_a_loss_beyond_the_limit_need_not_be_known():
    def lazy(z, most):
        lost = datum(z, most)
        return np.where(lost < most, lost, 1e9)

    whole, saved = (drawn(one, np.zeros(2), np.eye(2)) for one in (datum, lazy))
    assert np.array_equal(whole.z, saved.z)


def test_chains_that_hardly_move_say_how_much_they_remember():
    def shell(z, _):
        return (((z**2).sum(axis=1) - 8.0) / 0.05) ** 2

    told = []
    found = drawn(shell, np.zeros(8), np.eye(8), warm=5, most=3, tell=told.append)
    assert found.steps == 3
    assert found.alike > 0.5
    assert sum(line.startswith("step 1:") for line in told) == 3  # settled again, twice


def test_chains_that_settle_again_go_on_from_the_beginning_they_had():
    told = []
    drawn(datum, np.zeros(3), np.eye(3), most=2, alike=-1.0, tell=told.append)
    alike = [float(one.partition("alike ")[2].partition(",")[0]) for one in told if "alike" in one]
    assert len(alike) == 6
    assert max(alike[2:]) < alike[0]  # a new beginning would be resembled as much as the first


@pytest.mark.parametrize(("kept", "sign"), [(0.0, -1), (1.0, 1)])
def test_paces_follow_what_is_accepted_as_far_as_asked(kept, sign):
    def all_or_none(z, most):
        return np.where(kept > 0.0, most - 1.0, most + 1.0) * np.ones(len(z))

    one = Chains(
        all_or_none, Shape.of(np.zeros(3), np.eye(3)), np.zeros((8, 3)), np.zeros(8),
        np.random.default_rng(1), np.array([True, True, False]),
    )  # fmt: skip
    paces = [(one.pace, one.stride)]
    for follow in (0.0, 0.1, 1.0):
        one.move(follow)
        paces.append((one.pace, one.stride))
    moved = sign * np.diff(np.log(paces), axis=0)
    assert np.allclose(moved[0], 0.0)
    assert (moved[1] > 0.0).all()
    assert (moved[2] > moved[1]).all()


def test_a_shape_is_read_in_its_own_units():
    root = np.array([[2.0, 0.0], [1.0, 0.1]])
    shape = Shape.of(np.array([1.0, -1.0]), root)
    z = shape.outward(np.random.default_rng(1).standard_normal((5000, 2)))
    assert np.cov(z.T) == pytest.approx(root @ root.T, abs=0.2)
    assert shape.inward(z).std(axis=0) == pytest.approx([1.0, 1.0], rel=0.05)
    assert shape.told[np.argmin(shape.spreads)] > 0.98


def test_what_is_remembered_is_asked_where_data_tell_most():
    rng = np.random.default_rng(2)
    first, now = rng.standard_normal((2, 500, 2))
    now[:, 1] = first[:, 1]  # the second direction has not moved
    shape = Shape(np.zeros(2), np.eye(2), np.array([1.0, 0.01]))
    pooled, told = alike_in(shape, first, shape.outward(now))
    assert pooled == pytest.approx(0.5, abs=0.1)
    assert told == pytest.approx(1.0)
    assert correlation(first, first) == pytest.approx(1.0)


def test_chains_begun_too_narrow_become_as_wide_as_the_prior_where_nothing_is_known():
    begun = 0.2 * np.random.default_rng(5).standard_normal((400, 3))
    root = np.diag([np.sqrt(0.2), 1.0, 1.0])
    found = drawn(datum, np.array([0.8, 0.0, 0.0]), root, begun=begun, warm=5, most=20)
    assert found.z.std(axis=0)[1:] == pytest.approx([1.0, 1.0], rel=0.12)
