"""Nested sampling against an answer known by hand, and the sentence when it is not installed."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from ketasim.engines.status import Status
from ketasim.errors import ConfigError, MissingExtra
from ketasim.models import antidepressant
from ketasim.models.rivals import NULLS
from ketasim.studies.findings.finding import Finding, ReadOut
from ketasim.studies.findings.observed import Number
from ketasim.studies.findings.predict import Prediction
from ketasim.studies.judge.draws import spreads
from ketasim.studies.judge.nested import _Likelihood, dynesty, nested, telling
from ketasim.studies.judge.prepare import Comparison

MODEL = antidepressant()
NAME = "nmda.k_s"
COLUMN = list(MODEL.parameters).index(NAME)


class Straight(Comparison):
    """A comparison whose one read-out is a parameter itself, and fails where one is large."""

    fails_above = np.inf
    fails_by = COLUMN

    def predict(self, parameters):
        values = parameters[None, :, COLUMN]
        failed = parameters[None, :, self.fails_by] > self.fails_above
        status = np.where(failed, Status.MAX_STEPS, Status.OK).astype(np.int8)
        return Prediction(np.where(failed, np.nan, values), status)

    def rows(self, hypothesis, draws, gains):
        return draws


@pytest.fixture
def one():
    return Finding("e", "t", {}, (ReadOut("e", (), "uM", Number(0.32, 0.01)),), grade="A")


def ready(seed=1):
    return Straight(MODEL, (), None, None, 1.0, 64, seed, 0.5)  # type: ignore[arg-type]


def test_the_sampler_finds_evidence_and_posterior(one):
    pytest.importorskip("dynesty")
    found = nested(NULLS[0], ready(), [one], parameters=1, live=100)
    assert found.parameters == (NAME,)
    low, high = np.sqrt(0.3 * 0.2), np.sqrt(0.3 * 0.6)
    x = np.exp(np.linspace(np.log(low), np.log(high), 200001))
    like = one.observed.likelihood(np.asarray(0.32), x, one.outlier_probability)
    assert found.evidence == pytest.approx(np.log(like.mean()), abs=4 * found.error + 0.05)
    mean = (x * like).sum() / like.sum()
    assert found.means[0] == pytest.approx(mean, abs=0.006)
    assert nested(NULLS[0], ready(), [one], parameters=1, live=100) == found


def test_the_most_telling_parameter_is_found(one):
    assert list(telling(NULLS[0], ready(), [one], 1)) == [NAME]


def test_a_point_whose_run_failed_keeps_the_likelihood_at_the_ledger(one):
    straight = ready()
    object.__setattr__(straight, "fails_above", 0.4)
    likelihood = _Likelihood(NULLS[0], straight, [one], {NAME: spreads(MODEL, 0.5)[NAME]})
    at_ledger, near, failed = (likelihood(np.array([k])) for k in (0.3, 0.32, 0.5))
    assert near > at_ledger
    assert failed == at_ledger
    assert likelihood.not_computed == 1


def test_draws_whose_run_failed_do_not_choose_what_is_sampled(one):
    one = replace(one, readouts=(replace(one.readouts[0], observed=Number(0.5, 0.1)),))
    straight = ready()
    object.__setattr__(straight, "fails_by", list(MODEL.parameters).index("nmda.k_r"))
    object.__setattr__(straight, "fails_above", MODEL.value("nmda.k_r"))
    assert list(telling(NULLS[0], straight, [one], 1)) == [NAME]
    object.__setattr__(straight, "fails_above", 0.0)
    with pytest.raises(ConfigError, match="no draw in which every finding was computed"):
        telling(NULLS[0], straight, [one], 1)


def test_without_dynesty_one_sentence_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "dynesty", None)
    with pytest.raises(MissingExtra, match=r'needs dynesty: pip install "ketasim\[fit\]"\.'):
        dynesty()
