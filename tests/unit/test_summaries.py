"""Summaries: one number from a time course, read from text and computed for many members."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from ketasim import units
from ketasim.errors import ConfigError, KetasimError, UnitError
from ketasim.studies import measures, summaries

MODEL = toy.model()
TIMES = np.array([0.0, 1.0, 2.0, 4.0])
VALUES = np.array([[0.0, 2.0, 1.0, 1.0], [3.0, 3.0, 0.0, 3.0]])


def compute(text, values=VALUES, times=TIMES):
    one = summaries.read(text, MODEL)
    return one.compute(times, dict.fromkeys(one.names, values))


@pytest.mark.parametrize(
    ("text", "expected", "unit"),
    [
        ("receptor.bound.peak", [2, 3], "1"),
        ("receptor.bound.t_peak", [1, 0], "h"),
        ("receptor.bound.trough", [0, 0], "1"),
        ("receptor.bound.t_trough", [0, 2], "h"),
        ("receptor.bound.at(2 h)", [1, 0], "1"),
        ("receptor.bound.at(120min)", [1, 0], "1"),
        ("receptor.bound.auc", [1 + 1.5 + 2, 3 + 1.5 + 3], "h"),
        ("receptor.bound.auc(1h, 4h)", [1.5 + 2, 1.5 + 3], "h"),
        ("receptor.bound.peak(2h,4h)", [1, 3], "1"),
        ("receptor.bound.mean", [4.5 / 4, 7.5 / 4], "1"),
        ("receptor.bound.above(1)", [0.5 + 1.0, 1 + 2 / 3 + 4 / 3], "h"),
        ("receptor.bound.below(1)", [0.5, 1 / 3 + 2 / 3], "h"),
        ("receptor.bound.time_to(1)", [0.5, 1 + 2 / 3], "h"),
        ("receptor.bound.time_to(9)", [np.nan, np.nan], "h"),
        ("receptor.bound.at(1h) / receptor.bound.at(2h)", [2, np.inf], "1"),
        ("receptor.bound.peak - 2 * receptor.bound.at(2h)", [0, 3], "1"),
        ("-(receptor.bound.peak + 1)", [-3, -4], "1"),
        ("body.plasma.auc", [4.5, 7.5], "uM*h"),
        ("body.s.peak", [2, 3], "nmol"),
        ("body.s.auc / body.plasma.peak", [4.5 / 2, 7.5 / 3], "mL*h"),
    ],
)
def test_measures_by_hand(text, expected, unit):
    one = summaries.read(text, MODEL)
    found = one.compute(TIMES, dict.fromkeys(one.names, VALUES)) * units.unit(one.unit).factor
    np.testing.assert_allclose(found, np.array(expected) * units.unit(unit).factor, rtol=1e-14)
    assert units.unit(one.unit).dimension == units.unit(unit).dimension


def test_levels_and_sums_convert_units():
    assert summaries.read("body.plasma.above(500 nM)", MODEL).atoms[0].level == 0.5
    found = compute("body.s.peak + body.r.peak")
    np.testing.assert_allclose(found, VALUES.max(axis=1) * (1 + 1000))


def test_what_must_be_among_the_times():
    one = summaries.read("receptor.bound.at(1h) / receptor.bound.auc(0h, 90 min)", MODEL)
    assert one.moments == (0.0, 1.0, 1.5)
    assert one.names == ("receptor.bound",)
    with pytest.raises(ConfigError, match="lies outside the run, which goes from 0 s to 1 h"):
        summaries.check_moments([one], 0.0, 1.0)


def test_lists_are_split_outside_brackets_and_named():
    found = summaries.read_all(
        ["receptor.bound.auc(0h, 4h), receptor.bound.peak", "x = receptor.bound.at(1h)"], MODEL
    )
    assert [one.label for one in found] == [
        "receptor.bound.auc(0h,4h)", "receptor.bound.peak", "x",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="two summaries are called"):
        summaries.read_all(["receptor.bound.peak, receptor.bound.peak"], MODEL)


def test_a_label_can_be_a_folder():
    one = summaries.read("receptor.bound.at(1h) / receptor.bound.at(0h)", MODEL)
    assert one.label == "receptor.bound.at(1h) per receptor.bound.at(0h)"


@pytest.mark.parametrize("hostile", ["../x", "/x", "..", "a\\b", "a:b", "x\n", "", ".", "a/../b"])
def test_a_label_never_leads_out_of_a_store(hostile):
    try:
        label = summaries.read(f"{hostile} = receptor.bound.peak", MODEL).label
    except ConfigError:
        return
    assert not set(label) & set("/\\:\n")
    assert label.strip(". ") == label != ""


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("receptor.bond.peak", ConfigError, 'Did you mean "receptor.bound"'),
        ("receptor.bound", ConfigError, "does not end in a measure"),
        ("receptor.bound.peek", ConfigError, 'Did you mean "peak"'),
        ("receptor.bound.at(24)", UnitError, "a unit is needed"),
        ("receptor.bound.at", ConfigError, "needs one argument"),
        ("receptor.bound.above(1 uM)", UnitError, "dimensionless number"),
        ("body.plasma.peak + 1", UnitError, "a concentration and a dimensionless number"),
        ("receptor.bound.peak(4h, 1h)", ConfigError, "window is empty"),
        ("3 + 4", ConfigError, "no recorded name"),
        ("(" * 60 + "receptor.bound.peak" + ")" * 60, ConfigError, "too deeply"),
        ("receptor.bound.peak " * 200, ConfigError, "at most 2000"),
        ("__import__('os').system('x')", ConfigError, "does not end in a measure|cannot be read"),
        ("receptor.bound.peak)", ConfigError, "cannot be read"),
        ("", ConfigError, "needed"),
    ],
)
def test_faulty_summaries_are_refused(text, kind, told):
    with pytest.raises(kind, match=told):
        summaries.read(text, MODEL)


@given(st.text(alphabet="receptor.bound()+-*/=,0123 hatpeksum_'[]:\n", max_size=80))
def test_any_text_is_a_summary_or_a_sentence(text):
    with suppress(KetasimError):
        summaries.read_all([text], MODEL)


courses = st.lists(
    st.lists(st.floats(-10, 10, allow_nan=False), min_size=4, max_size=4), min_size=1, max_size=9
)


@given(courses)
def test_a_member_does_not_depend_on_its_neighbours(rows):
    values = np.array(rows)
    for name in ("peak", "auc", "above(0.5)", "time_to(1)", "mean", "t_peak"):
        together = compute(f"receptor.bound.{name}", values)
        alone = [
            compute(f"receptor.bound.{name}", values[i : i + 1])[0] for i in range(len(values))
        ]
        np.testing.assert_array_equal(together, alone)


@given(courses, st.floats(-9, 9))
def test_above_and_below_share_the_time(rows, level):
    values = np.array(rows)
    spent = measures.above(TIMES, values, level) + measures.below(TIMES, values, level)
    flat = ((values[:, 1:] == level) & (values[:, :-1] == level)) @ np.diff(TIMES)
    np.testing.assert_allclose(spent + flat, 4.0, rtol=1e-9)
