"""A failed run is never a refuted theory: words, shares, residuals and scores, by hand."""

import dataclasses
import warnings

import numpy as np
import pytest

import ketasim as ks
from ketasim.engines.status import Status
from ketasim.errors import ConfigError
from ketasim.studies.findings.finding import Finding, ReadOut
from ketasim.studies.findings.former import Renamed
from ketasim.studies.findings.observed import Curve, Interval, Number
from ketasim.studies.findings.predict import Prediction
from ketasim.studies.findings.robustness import _counted
from ketasim.studies.findings.scorecard import Verdict
from ketasim.studies.judge.information import ExpectedInformation, expected_information
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.prepare import Prepared
from ketasim.studies.judge.scores import Score

NAN = float("nan")
OK, STEPS, RETRY = Status.OK, Status.MAX_STEPS, Status.OK_AFTER_RETRY


def check(*intervals):
    """Return a finding with a read-out for each interval."""
    readouts = [ReadOut(f"r{i}", (), "1", None, one) for i, one in enumerate(intervals)]
    return Finding("c", "a check", {}, tuple(readouts), number=1)


UNIT = Interval(0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "status", "word"),
    [
        ((0.5, 0.5), (OK, RETRY), "agrees"),
        ((0.5, 1.5), (OK, OK), "fails"),
        ((0.5, NAN), (OK, OK), "fails"),  # computed, and there is no such number
        ((0.5, NAN), (OK, STEPS), "not computed: max_steps"),
        ((NAN, NAN), (Status.NO_BASELINE, STEPS), "not computed: no_baseline"),
        ((1.5, NAN), (OK, STEPS), "fails"),  # what was computed is enough to refute
    ],
)
def test_a_verdict_tells_failure_from_refutation(values, status, word):
    found = Verdict(check(UNIT, UNIT), values, status)
    assert found.word == word
    assert found.failed == (word == "fails")
    assert found.passed == (word == "agrees")
    assert found.computed == (not word.startswith("not"))


def test_what_is_only_reported_is_no_verdict():
    found = Verdict(check(Interval(reported=True)), (3.0,), (OK,))
    assert (found.word, found.words, found.passed) == ("reported", ("reported",), True)
    lost = Verdict(check(Interval(reported=True)), (NAN,), (STEPS,))
    assert lost.words == ("not computed: max_steps",)


def test_pass_shares_count_only_draws_with_a_verdict():
    values = np.array([[0.5, 2.0, 0.5, NAN, NAN], [0.5, 0.5, NAN, 2.0, NAN]])
    status = np.array([[0, 0, 0, 2, 2], [0, 0, 2, 0, 2]], dtype=np.int8)
    assert _counted(check(UNIT, UNIT), Prediction(values, status)) == (1, 3)


def finding(name, observed=None):
    """Return a finding with a number."""
    return Finding(name, name, {}, (ReadOut(name, (), "1", observed or Number(0.0, 1.0)),))


BOTH = [finding("a"), finding("b")]


def test_a_candidate_that_one_hypothesis_cannot_be_run_for_is_not_ranked():
    rows = [[np.zeros(5), np.zeros(5)], [np.ones(5), np.empty(0)]]
    found = expected_information(BOTH, rows, [0, 1])
    assert [one.finding.name for one in found] == ["a"]


def test_a_curve_without_values_keeps_its_errors():
    assert Curve((1.0, 2.0), None, (0.1, 0.2)).points == (Number(None, 0.1), Number(None, 0.2))


class Thing(Renamed):
    """Something with a former name."""

    FORMER = {"old": "new"}  # noqa: RUF012
    new = 5


def test_a_former_name_answers_and_warns():
    with pytest.warns(DeprecationWarning, match='"old" is now "new"'):
        assert Thing().old == 5
    with pytest.raises(AttributeError, match="no attribute 'older'"):
        _ = Thing().older


@pytest.mark.parametrize("kind", [Judgement, Score, Prepared, ExpectedInformation])
def test_former_names_stand_for_names_that_exist(kind):
    fields = {one.name for one in dataclasses.fields(kind)}
    assert kind.FORMER
    for old, new in kind.FORMER.items():
        assert new in fields or hasattr(kind, new)
        assert old not in fields


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("experiments", "findings", []),
        ("reach", "prior_width", 0.5),
        ("told", "progress", lambda _: None),
    ],
)
def test_former_arguments_of_judge_warn_and_are_passed_on(monkeypatch, old, new, value):
    from ketasim.config import judging

    given = {}
    monkeypatch.setattr(judging.run, "judge", lambda *a, **k: given.update(k, findings=a[1]))
    with pytest.warns(DeprecationWarning, match=f'"{old}" is now "{new}"'):
        ks.judge(candidates=[], **{old: value})
    assert given[new] == value
    with pytest.raises(ConfigError, match=f'"{old}" is the former name of "{new}"'):
        ks.judge(candidates=[], **{old: value, new: value})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ks.judge(candidates=[], **{new: value})
    assert given[new] == value
