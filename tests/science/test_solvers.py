"""Does the answer depend on the solver, its tolerance, the output grid, or idle breakpoints?"""

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.system import System
from ketasim.testing import drawn, draws
from science.subjects import DOSES, IV, KEEP, MODEL, STRESS, run

RTOL = 1e-6
TIMES = np.array([0.0, 0.25, 0.5, 2 / 3, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 72.0, 168.0, 336.0])
SCALES = System(MODEL).scales[:, None]
SOME = draws(MODEL, 4, seed=22, keep=KEEP)


def gap(one, other):
    """Return the largest difference, relative to the value or a thousandth of its scale's size."""
    size = np.maximum(np.abs(one).max(axis=1, keepdims=True), SCALES * 1e-3)
    return float((np.abs(one - other) / size).max())


@pytest.fixture(scope="module")
def exact():
    return run(MODEL, ks.human(), IV, TIMES, method="Radau", rtol=1e-10).states


@pytest.mark.parametrize("method", ["LSODA", "BDF", "Radau"])
def test_methods_agree(method, exact):
    found = run(MODEL, ks.human(), IV, TIMES, method=method, rtol=RTOL).states
    assert gap(exact, found) < 100 * RTOL


@pytest.mark.parametrize("i", range(4))
@pytest.mark.parametrize("who", DOSES)
def test_methods_agree_on_draws(who, i):
    subject, dose = DOSES[who]
    model = drawn(MODEL, SOME[:, i], keep=KEEP)
    exact = run(model, subject, dose, TIMES, method="LSODA", rtol=1e-10).states
    for method in ("LSODA", "BDF"):
        assert gap(exact, run(model, subject, dose, TIMES, method=method).states) < 100 * RTOL


def test_a_tighter_tolerance_is_honoured(exact):
    errors = [
        gap(exact, run(MODEL, ks.human(), IV, TIMES, rtol=rtol).states)
        for rtol in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[1] < errors[0] / 5
    assert errors[2] < errors[1] / 5


@pytest.mark.parametrize("count", [3, 50, 3000])
def test_the_output_grid_changes_no_common_point(count, exact):
    grid = np.unique(np.concatenate([TIMES, np.linspace(0.0, 336.0, count)]))
    plain = run(MODEL, ks.human(), IV, TIMES).states
    found = run(MODEL, ks.human(), IV, grid).states[:, np.isin(grid, TIMES)]
    # Steps are the same to the last bit; what lies between them is interpolated, to rounding.
    assert np.array_equal(plain[:, -1], found[:, -1])
    assert gap(plain, found) < 1e-12


def neutral(knob, start, until):
    one = MODEL.knobs[knob]
    return ks.hold(knob, f"{one.neutral} {one.unit}", start=start, until=until)


IDLE = (
    neutral("ampa.antagonist", "10 min", "20 min")
    + neutral("nmda.magnesium", "30 min", "5 h")
    + neutral("translation.rapamycin", "1 h", "10 d")
    + neutral("spines.photo_erasure", "2 d", "3 d")
)


def test_windows_at_the_neutral_value_change_nothing(exact):
    found = run(MODEL, ks.human(), IV + IDLE, TIMES).states
    assert gap(exact, found) < 100 * RTOL


def test_all_knobs_held_neutral_change_nothing():
    held = sum((neutral(knob, "5 min", "1 h") for knob in MODEL.knobs), IV)
    plain = run(MODEL, ks.human(), IV, TIMES, rtol=1e-9).states
    assert gap(plain, run(MODEL, ks.human(), held, TIMES, rtol=1e-9).states) < 1e-6


def test_a_zero_dose_is_no_dose():
    nothing = run(MODEL, ks.human(), ks.Protocol(), TIMES).states
    zero = run(MODEL, ks.human(), ks.infusion("0 mg/kg", over="40 min"), TIMES).states
    assert gap(nothing, zero) < RTOL


def test_a_long_course_of_doses_agrees_across_methods():
    twice = ks.repeat(IV, times=8, every=["3 d", "4 d"]) + STRESS
    times = np.linspace(0.0, 672.0, 57)
    one = run(MODEL, ks.human(), twice, times).states
    other = run(MODEL, ks.human(), twice, times, method="BDF").states
    assert gap(one, other) < 200 * RTOL
