"""The default hypothesis against the published record, and the nulls beside it."""

import dataclasses

import pytest

from ketasim.config.findings import load_checks
from ketasim.models.antidepressant import antidepressant
from ketasim.models.rivals import NULLS
from ketasim.studies.findings.scorecard import score

pytestmark = pytest.mark.science
FEWEST = 19


@pytest.fixture(scope="module")
def checks():
    return load_checks()


@pytest.fixture(scope="module")
def default(checks):
    return {one.finding.number: one for one in score(checks, antidepressant())}


def test_every_check_of_the_scorecard_is_there(checks):
    assert [one.number for one in checks] == list(range(1, 23))
    assert all(one.rows and one.references for one in checks)


def test_at_least_nineteen_of_twenty_one_pass(default):
    assert sum(one.passed for n, one in default.items() if n <= 21) >= FEWEST


@pytest.mark.parametrize("null", NULLS, ids=lambda one: one.name)
def test_each_null_fails_a_third_of_what_the_default_passes(checks, default, null):
    judged = [c for c in checks if not c.reported and default[c.number].passed]
    failed = [one for one in score(judged, null.model(antidepressant())) if not one.passed]
    assert len(failed) >= len(judged) / 3


def test_a_measure_without_a_value_does_not_pass(checks):
    interval = next(r.accepted for c in checks for r in c.readouts if r.judged)
    assert not interval.holds(float("nan"))
    assert dataclasses.replace(interval, low=0.0, high=1.0).holds(1.0)
    assert not dataclasses.replace(interval, low=0.0, high=1.0).holds(1.0 + 1e-12)
