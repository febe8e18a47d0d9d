"""A time course in seven numbers, against shapes whose answers are known."""

from math import isnan

import numpy as np
import pytest

from ketasim.results.summary import summarise


def test_a_triangle():
    found = summarise(np.array([0.0, 10.0, 30.0]), np.array([1.0, 3.0, 1.0]))
    assert (found.baseline, found.peak, found.change, found.time_of_peak) == (1.0, 3.0, 2.0, 10.0)
    assert found.area == pytest.approx(30.0)
    assert found.above_half == pytest.approx(15.0)
    assert found.at_24h == pytest.approx(1.6)


def test_a_dip_counts_like_a_rise():
    times = np.linspace(0.0, 48.0, 4801)
    dip = summarise(times, 2.0 - np.exp(-(((times - 12.0) / 3.0) ** 2)))
    assert dip.change == pytest.approx(-1.0, rel=1e-6)
    assert dip.time_of_peak == pytest.approx(12.0, abs=0.02)
    assert dip.area == pytest.approx(-3.0 * np.sqrt(np.pi), rel=1e-5)
    assert dip.above_half == pytest.approx(6.0 * np.sqrt(np.log(2.0)), rel=1e-4)


def test_the_baseline_is_what_held_before_time_zero():
    found = summarise(np.array([-2.0, -1.0, 0.0, 1.0]), np.array([5.0, 4.0, 9.0, 4.0]))
    assert (found.baseline, found.change, found.time_of_peak) == (4.0, 5.0, 0.0)


def test_of_equal_peaks_the_first_counts():
    found = summarise(np.arange(5.0), np.array([0.0, 1.0, 0.0, 1.000001, 0.0]))
    assert found.time_of_peak == 1.0


def test_what_is_not_reached_is_not_a_number():
    flat = summarise(np.array([0.0, 12.0]), np.array([2.0, 2.0]))
    assert isnan(flat.at_24h)
    assert isnan(flat.time_of_peak)
    assert (flat.change, flat.area, flat.above_half) == (0.0, 0.0, 0.0)


def test_a_failed_run_has_no_summary():
    failed = summarise(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, np.nan]))
    assert all(isnan(one) for one in vars(failed).values())
