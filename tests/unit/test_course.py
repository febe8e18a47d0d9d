"""Numbers of a course against shapes whose answers are known."""

import numpy as np
import pytest

from ketasim.readouts import Reduction
from ketasim.readouts.course import PLACES, Course
from ketasim.readouts.derive import combined, first_run, level_of, second_run
from ketasim.results.summary import Summary


def course(shape, edges, *, before=None, after=None):
    """Return a course of a function of time, one panel between neighbouring edges."""
    edges = np.asarray(edges, float)
    times = edges[:-1, None] + PLACES * np.diff(edges)[:, None]
    values = shape(times)
    start = float(values[0, 0]) if before is None else before
    return Course(edges[:-1], np.diff(edges), values, start, after)


def numbers(one, *kinds, span, window=None):
    """Return reductions of a course as an engine would, in two rounds."""
    asked = [Reduction(kind, "a.b", window=window) for kind in kinds]
    first = {p: np.array([one.take(p, np.nan)]) if p.kind != "at" else
             np.array([(float(one.within(p.moment, np.inf).values[0, 0]), p.moment)])
             for p in first_run(asked)}  # fmt: skip
    later = {p: np.array([one.take(p, float(level_of(p, first)[0]))]) for p in second_run(asked)}
    return combined(asked, {**first, **later}, span)[0]


def triangle(t):
    return np.where(t < 10.0, 1.0 + t / 5.0, 3.0 - (t - 10.0) / 10.0)


def dip(t):
    return 2.0 - np.exp(-(((t - 12.0) / 3.0) ** 2))


def test_a_triangle():
    one = course(triangle, [0.0, 10.0, 30.0])
    kinds = ("start", "peak", "t_peak", "change", "area", "above_half", "t_half", "mean")
    found = dict(zip(kinds, numbers(one, *kinds, span=(0.0, 30.0)), strict=True))
    assert found == pytest.approx(
        {"start": 1.0, "peak": 3.0, "t_peak": 10.0, "change": 2.0, "area": 30.0,
         "above_half": 15.0, "t_half": 5.0, "mean": 2.0}
    )  # fmt: skip


def test_a_dip_counts_like_a_rise():
    one = course(dip, np.linspace(0.0, 48.0, 97))
    change, when, area, half = numbers(
        one, "change", "t_change", "area", "above_half", span=(0.0, 48.0)
    )
    assert change == pytest.approx(-1.0, rel=1e-6)
    assert when == pytest.approx(12.0, abs=1e-3)
    rest = 48.0 * np.exp(-16.0)  # it starts by so little below 2
    assert area == pytest.approx(rest - 3.0 * np.sqrt(np.pi), rel=1e-7)
    assert half == pytest.approx(6.0 * np.sqrt(np.log(2.0)), rel=1e-5)


def test_a_top_between_the_places_is_found():
    one = course(lambda t: np.sin(t), [0.0, 1.1, 2.9, 4.0])
    assert numbers(one, "peak", "t_peak", span=(0.0, 4.0)) == pytest.approx(
        [1.0, np.pi / 2], abs=2e-3
    )


def test_what_is_there_before_counts_as_the_start():
    one = course(lambda t: 9.0 - 5.0 * t, [0.0, 1.0], before=4.0)
    assert numbers(one, "start", "change", "t_change", span=(0.0, 1.0)) == pytest.approx([4, 5, 0])


def test_what_stands_still_has_no_time_of_a_change_and_no_half():
    """It moves by 5e-7 of its size, which may be what integration leaves."""
    one = course(lambda t: 4.0 + 2e-6 * np.sin(t), np.linspace(0.0, 3.0, 31))
    kinds = ("t_peak", "t_trough", "t_change", "t_half", "above_half", "change")
    *times, above, change = numbers(one, *kinds, span=(0.0, 3.0))
    assert np.isnan(times).all()
    assert above == 0.0
    assert change == pytest.approx(2e-6, rel=1e-3)
    larger = course(lambda t: 4.0 + 2e-5 * np.sin(t), np.linspace(0.0, 3.0, 31))
    assert np.isfinite(numbers(larger, *kinds, span=(0.0, 3.0))).all()


def test_of_equal_peaks_the_first_counts():
    one = course(lambda t: np.sin(np.pi * t) ** 2 * (1.0 + 1e-7 * t), np.linspace(0.0, 3.0, 61))
    assert numbers(one, "t_peak", span=(0.0, 3.0)) == pytest.approx([0.5], abs=1e-3)


def test_a_window_is_exact_at_its_ends():
    one = course(lambda t: t**2, np.linspace(0.0, 10.0, 6))
    found = numbers(one, "peak", "auc", "mean", span=(0.0, 10.0), window=(1.3, 7.1))
    area = (7.1**3 - 1.3**3) / 3.0
    assert found == pytest.approx([7.1**2, area, area / 5.8])


def test_what_does_not_move_has_no_time():
    flat = course(lambda t: np.full_like(t, 2.0), [0.0, 12.0])
    change, area, half, t_half = numbers(
        flat, "change", "area", "above_half", "t_half", span=(0.0, 12.0)
    )
    assert (change, area, half) == (0.0, 0.0, 0.0)
    row = Summary.of(2.0, change, 0.0, area, np.nan, half)
    assert np.isnan(row.time_of_peak)
    assert np.isnan(row.at_24h)
    assert t_half == 0.0 or np.isnan(t_half)


def test_a_failed_run_has_no_summary():
    failed = Summary.of(1.0, np.nan, np.nan, np.nan, np.nan, np.nan)
    assert all(np.isnan(one) for one in vars(failed).values())


def test_a_value_after_a_last_bolus_counts():
    one = course(lambda t: 1.0 + 0.0 * t, [0.0, 5.0], after=7.0)
    assert numbers(one, "peak", "t_peak", span=(0.0, 5.0)) == pytest.approx([7.0, 5.0])
