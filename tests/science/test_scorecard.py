"""The default hypothesis against the published record, and the nulls beside it."""

import dataclasses

import pytest

from ketasim.config.findings import load_checks
from ketasim.models.antidepressant import antidepressant
from ketasim.models.rivals import NULLS
from ketasim.studies.findings.flags import flagged, without_response
from ketasim.studies.findings.scorecard import score

pytestmark = pytest.mark.science
FEWEST = 18
FAILS = {12}  # what the model does not show; the model card says how it misses each
COUNTED, INPUTS, REPORTED = range(1, 21), (*range(21, 25), 27), range(25, 27)
MODEL = antidepressant()


@pytest.fixture(scope="module")
def checks():
    return load_checks()


@pytest.fixture(scope="module")
def counted(checks):
    return [one for one in checks if one.number in COUNTED]


@pytest.fixture(scope="module")
def default(checks):
    return {one.finding.number: one for one in flagged(checks, MODEL)}


def test_every_check_of_the_scorecard_is_there(checks):
    assert [one.number for one in checks] == sorted([*COUNTED, *INPUTS, *REPORTED])
    assert all(one.rows and one.references for one in checks)
    assert [one.number for one in checks if one.consistency] == list(INPUTS)
    assert [one.number for one in checks if one.reported] == list(REPORTED)
    assert all(one.grade for one in checks if one.number in COUNTED)


def test_at_least_eighteen_of_twenty_pass(default):
    assert sum(default[number].passed for number in COUNTED) >= FEWEST


def test_every_other_check_passes(default):
    assert {number for number in COUNTED if not default[number].passed} <= FAILS


def test_every_input_comes_back(default):
    assert all(default[number].passed for number in INPUTS)


@pytest.mark.parametrize("null", NULLS, ids=lambda one: one.name)
def test_each_null_fails_two_thirds(counted, null):
    failed = [one for one in score(counted, null.model(MODEL)) if not one.passed]
    assert len(failed) >= 2 * len(counted) / 3


def test_a_model_in_which_nothing_answers_the_drug_fails_two_thirds(counted):
    failed = [one for one in score(map(without_response, counted), MODEL) if not one.passed]
    assert len(failed) >= 2 * len(counted) / 3


def test_every_counted_check_asks_something_that_no_null_can_answer(default):
    for number in COUNTED:
        one = default[number]
        kinds = [{flag.kind for flag in own} for own in one.flags]
        assert any("null" not in own for own in kinds), number


def test_no_measure_of_the_counted_checks_is_its_own_input(default):
    for number in COUNTED:
        kinds = {flag.kind for own in default[number].flags for flag in own}
        assert "input" not in kinds, number


def test_a_measure_without_a_value_does_not_pass(checks):
    interval = next(r.accepted for c in checks for r in c.readouts if r.judged)
    assert not interval.holds(float("nan"))
    assert dataclasses.replace(interval, low=0.0, high=1.0).holds(1.0)
    assert not dataclasses.replace(interval, low=0.0, high=1.0).holds(1.0 + 1e-12)
