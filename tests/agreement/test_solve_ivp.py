"""The integrator as others use it: SciPy's conventions, SciPy's numbers, nobody's tolerances."""

import numpy as np
import pytest
import scipy.integrate

import ketasim as ks
from agreement.test_ivp import PROBLEMS, RHS
from ketasim.core.maths import exp
from ketasim.engines.contract import Limits
from ketasim.errors import ConfigError, ModelError, SolverError

ARGUMENTS = {"VDPOL": (1e-6,)}


def function(name):
    if name in ARGUMENTS:
        return lambda t, y, p: RHS[name](y, [p])
    return lambda t, y: RHS[name](y)


def decay(t, y, k):
    return [-k * y[0], k * y[0] - 0.1 * k * y[1]]


def wheel(t, y):
    return [y[1], -y[0]]


@pytest.mark.parametrize(
    ("name", "rtol", "least"),
    [
        *((name, 1e-6, 4.0 if name == "OREGO" else 4.5) for name in RHS),
        *((name, 1e-8, 5.5 if name == "OREGO" else 6.5) for name in RHS),
    ],
)
def test_digits_without_a_word_about_absolute_tolerances(name, rtol, least):
    told = PROBLEMS[name]
    span = (told["t0"], told["t_end"])
    found = ks.solve_ivp(function(name), span, told["y0"], args=ARGUMENTS.get(name, ()), rtol=rtol)
    wanted = np.array([float(one) for one in told["reference"]])
    assert found.success, found.message
    digits = -np.log10(np.max(np.abs(found.y[:, -1] / wanted - 1.0)))
    print(f"{name} rtol {rtol:g}: {digits:.1f} digits")  # noqa: T201  (for docs/solve-ivp.md)
    assert digits >= least


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e12])
def test_the_size_of_a_state_is_found_out(scale):
    """Where a fixed absolute tolerance is wrong by orders and says nothing."""
    when = np.linspace(0.0, 5.0, 6)
    found = ks.solve_ivp(decay, (0.0, 5.0), [scale, 0.0], t_eval=when, args=(2.0,))
    assert np.allclose(found.y[0], scale * np.exp(-2.0 * when), rtol=3e-5, atol=0.0)
    second = scale * 2.0 / 1.8 * (np.exp(-0.2 * when) - np.exp(-2.0 * when))
    assert np.allclose(found.y[1], second, rtol=3e-5, atol=0.0)


def test_states_of_very_different_size():
    def both(t, y):
        return [-y[0], -1e3 * (y[1] - 1e-15 * y[0])]

    found = ks.solve_ivp(both, (0.0, 3.0), [1e6, 0.0])
    assert found.y[1, -1] == pytest.approx(1e-9 * np.exp(-3.0) / (1.0 - 1e-3), rel=1e-5)
    ratio = found.atol[0] / found.atol[1]
    assert 1e12 < ratio < 1e18


def test_what_passes_through_zero_is_no_trouble():
    when = np.linspace(0.0, 4.0 * np.pi, 9)  # at zero in every second
    found = ks.solve_ivp(wheel, (0.0, 13.0), [0.0, 1.0], t_eval=when)
    assert found.success
    assert np.abs(found.y[0] - np.sin(when)).max() < 1e-4
    assert found.steps[0] < 3_000


@pytest.mark.parametrize("dense", [False, True])
def test_it_is_called_as_scipys(dense):
    when = np.linspace(0.0, 3.0, 7)
    how = {"t_eval": when, "args": (1.5,), "rtol": 1e-8, "dense_output": dense}
    mine = ks.solve_ivp(decay, (0.0, 3.0), [1.0, 0.0], **how)
    theirs = scipy.integrate.solve_ivp(
        decay, (0.0, 3.0), [1.0, 0.0], method="Radau", atol=1e-12, **how
    )
    assert mine.y.shape == theirs.y.shape == (2, 7)
    assert np.array_equal(mine.t, theirs.t)
    assert np.allclose(mine.y, theirs.y, rtol=1e-6, atol=1e-12)
    assert (mine.sol is not None) == dense
    if dense:
        assert np.array_equal(mine.sol(when), mine.y)
        assert np.allclose(mine.sol(0.123), theirs.sol(0.123), rtol=1e-6)
        assert mine.sol([2.0, 1.0, 1.0]).shape == (2, 3)


def test_time_in_the_equations():
    def forced(t, y):
        return [-1e3 * (y[0] - exp(-t)) - exp(-t)]

    when = np.linspace(0.0, 3.0, 7)
    found = ks.solve_ivp(forced, (0.0, 3.0), [1.0], t_eval=when, rtol=1e-8)
    assert np.allclose(found.y[0], np.exp(-when), rtol=1e-7)


def test_many_at_once_are_each_what_they_are_alone():
    rates = np.array([0.5, 1.0, 2.0, 4.0, 8.0])
    starts = np.array([[1.0, 0.0], [2.0, 0.5], [0.1, 3.0], [5.0, 5.0], [1.0, 1.0]])
    tolerances = [1e-10, 1e-10]
    how = {"t_eval": [0.0, 1.0, 2.0], "atol": tolerances, "first_step": 1e-3}
    many = ks.solve_ivp(decay, (0.0, 2.0), starts, args=(rates,), threads=2, **how)
    assert many.y.shape == (5, 2, 3)
    for i in range(5):
        alone = ks.solve_ivp(decay, (0.0, 2.0), starts[i], args=(rates[i],), **how)
        assert np.array_equal(alone.y, many.y[i])
    shared = ks.solve_ivp(decay, (0.0, 2.0), [1.0, 0.0], args=(rates,))
    assert np.allclose(shared.y[:, 0, -1], np.exp(-2.0 * rates), rtol=1e-4)
    again = ks.solve_ivp(decay, (0.0, 2.0), starts, args=(2.0,))
    assert again.y.shape == (5, 2, 2)
    assert again.success


def test_a_member_that_fails_harms_no_other():
    def explode(t, y, k):
        return [k * y[0] * y[0]]

    found = ks.solve_ivp(explode, (0.0, 2.0), [1.0], args=([0.1, 1.0, 0.2],), atol=1e-9)
    assert not found.success
    assert list(found.status == 0) == [True, False, True]
    assert np.isnan(found.y[1, 0, -1])
    assert found.y[0, 0, -1] == pytest.approx(1.0 / (1.0 - 0.2), rel=1e-5)
    assert found.message


def test_tolerances_that_cannot_be_found_are_asked_for():
    with pytest.raises(SolverError, match="give atol"):
        ks.solve_ivp(lambda t, y: [y[0] * y[0]], (0.0, 2.0), [1.0])
    with pytest.raises(SolverError, match="give atol"):
        ks.solve_ivp(wheel, (0.0, 1e9), [0.0, 1.0], limits=Limits(1_000, 5.0))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"t_span": (1.0, 0.0)}, "the second later"),
        ({"t_span": (0.0, np.inf)}, "two finite times"),
        ({"t_eval": [0.5, 0.2]}, "rising times between 0 and 1"),
        ({"t_eval": [0.5, 2.0]}, "rising times between 0 and 1"),
        ({"y0": [[[1.0]]]}, "y0 is"),
        ({"y0": [np.nan, 1.0]}, "finite numbers"),
        ({"args": ([1.0, 2.0],), "y0": np.ones((3, 2))}, r"\[2, 3\] members"),
        ({"rtol": 1.0}, "rtol = 1.0: between"),
        ({"atol": 0.0}, "atol: one number > 0"),
        ({"atol": [1e-9, 1e-9, 1e-9]}, "one for each of 2 states"),
    ],
)
def test_what_does_not_fit_is_refused(change, told):
    call = {"fun": decay, "t_span": (0.0, 1.0), "y0": [1.0, 0.0], "args": (1.0,)}
    with pytest.raises(ConfigError, match=told):
        ks.solve_ivp(**{**call, **change})


def test_a_branch_or_a_wrong_number_of_slopes_is_refused():
    with pytest.raises(ModelError, match="branch"):
        ks.solve_ivp(lambda t, y: [1.0 if y[0] > 0 else 0.0], (0.0, 1.0), [1.0])
    with pytest.raises(ModelError, match="1 slopes for 2 states"):
        ks.solve_ivp(lambda t, y: [y[0]], (0.0, 1.0), [1.0, 2.0])
