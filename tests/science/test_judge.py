"""Does a judgement name the right hypothesis, and hold its tongue where findings cannot tell?"""

from dataclasses import replace

import numpy as np
import pytest

import ketasim as ks
from ketasim.config.findings import load_checks, load_findings, reference_effect
from ketasim.errors import ConfigError
from ketasim.models import antidepressant
from ketasim.models.rivals import DISINHIBITION, HYDROXYNORKETAMINE, LHB, OPIOID, Hypothesis
from ketasim.studies.findings.observed import WAYS, Number, seen
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.record import record
from ketasim.studies.judge.scores import (
    evidence,
    log_likelihoods,
    model_recovery,
    score,
    simulated,
)

pytestmark = pytest.mark.science
REPEATS = 100
GATED = ("disinhibition", "opioid")  # apart in nothing but how naltrexone acts


@pytest.fixture(scope="module")
def judgement():
    return ks.judge(draws=128)


@pytest.fixture(scope="module")
def truths():
    """Hypotheses under draws that the judgement has not seen."""
    return {
        one.name: one for one in ks.judge(candidates=[], mix=False, draws=100, seed=2).hypotheses
    }


def observed(findings, values):
    """Return findings with other observations."""
    ways = {number: name for name, number in WAYS.items()}
    found = []
    for one, value in zip(findings, values, strict=True):
        what = float(value) if isinstance(one.observed, Number) else ways[float(value)]
        found.append(seeing(one, replace(one.observed, observed=what)))
    return found


def seeing(one, observed):
    """Return a finding with another observation."""
    return replace(one, readouts=(replace(one.readouts[0], observed=observed),))


def named(judgement, findings):
    """Return the hypothesis to which observations give most evidence."""
    totals = [evidence(log_likelihoods(findings, one.drawn)) for one in judgement.hypotheses]
    return judgement.names[int(np.argmax(totals))]


def rescored(judgement, findings):
    """Return the judgement on other observations of the same findings."""
    held_out = np.ones(len(findings), dtype=bool)
    scores = tuple(score(one, findings, held_out, seed=1) for one in judgement.hypotheses)
    parts = model_recovery(judgement.hypotheses, findings, seed=1)
    return replace(judgement, findings=tuple(findings), scores=scores, recovery=parts)


def without(judgement, *names):
    """Return the judgement without some findings."""
    keep = [i for i, one in enumerate(judgement.findings) if one.name not in names]
    hypotheses = tuple(
        replace(one, predicted=one.predicted[keep], drawn=one.drawn[keep])
        for one in judgement.hypotheses
    )
    findings = tuple(judgement.findings[i] for i in keep)
    return rescored(replace(judgement, hypotheses=hypotheses, mixed=None), findings)


@pytest.mark.parametrize("name", ["resting", "hydroxynorketamine", "trkb", "lhb"])
def test_simulated_data_are_attributed_to_the_hypothesis_that_made_them(judgement, truths, name):
    rng = np.random.default_rng(11)
    data = simulated(truths[name].drawn, judgement.findings, rng)
    right = sum(
        named(judgement, observed(judgement.findings, data[:, r])) == name for r in range(REPEATS)
    )
    assert right >= 90


@pytest.mark.parametrize("name", GATED)
def test_data_of_two_hypotheses_apart_in_one_finding_go_to_one_of_the_two(judgement, truths, name):
    rng = np.random.default_rng(12)
    data = simulated(truths[name].drawn, judgement.findings, rng)
    found = [named(judgement, observed(judgement.findings, row)) for row in data.T]
    assert sum(one in GATED for one in found) >= 95
    assert found.count(name) >= 70


def test_where_findings_cannot_tell_nothing_is_chosen(judgement):
    blind = without(judgement, "trial_naltrexone")
    assert not blind.recovery.separable(*GATED)
    assert blind.chosen is None
    assert blind.verdict.startswith("Not separable by these findings: ")
    assert all(name in blind.verdict for name in GATED)


def test_data_that_all_hypotheses_make_alike_choose_none(judgement):
    keep = [judgement.findings[i].name for i in judgement.undecided]
    drop = [one.name for one in judgement.findings if one.name not in keep]
    blind = without(judgement, *drop)
    assert len(blind.contenders) >= 4
    assert blind.chosen is None


def test_clear_data_choose_one(judgement, truths):
    rng = np.random.default_rng(13)
    data = simulated(truths["lhb"].drawn[:, :5], judgement.findings, rng)
    for row in data.T:
        found = rescored(judgement, observed(judgement.findings, row))
        assert found.chosen is not None
        assert found.chosen.name == "lhb"
        assert found.verdict.startswith("lhb stands")


def test_hypotheses_show_the_same_effect_before_they_are_judged(judgement):
    reference = reference_effect("mouse")
    found = ks.judge([one.hypothesis for one in judgement.hypotheses], [with_target(reference)],
                     candidates=[], mix=False, draws=16)  # fmt: skip
    for one in found.hypotheses:
        assert one.predicted[0] == pytest.approx(found.target, rel=0.012)
        assert one.drawn[0] == pytest.approx(np.full(16, found.target), rel=0.012)


def with_target(reference):
    """Return the reference effect as a finding."""
    return replace(seeing(reference, Number(0.1, 0.05)), name="shown")


def test_calibration_takes_away_what_loudness_gave():
    loud = Hypothesis(
        "loud",
        "The habenula, twice as loud by default.",
        {**LHB.values, "outcome.weight_habenula": 1.2},
        "drivers.lhb",
    )
    pair, how = [LHB, loud], {"candidates": [], "mix": False, "draws": 32}
    fair = {one.name: one.logs.sum() for one in ks.judge(pair, **how).scores}
    unfair = {one.name: one.logs.sum() for one in ks.judge(pair, calibrated=False, **how).scores}
    assert abs(fair["loud"] - fair["lhb"]) < 0.5
    assert abs(unfair["loud"] - unfair["lhb"]) > 2.0


def test_without_calibration_the_ranking_by_aicc_is_another(judgement):
    loud = ks.judge(candidates=[], mix=False, draws=16, calibrated=False)
    ranks = [
        [one.name for one in sorted(found.scores, key=lambda s: s.aicc)]
        for found in (judgement, loud)
    ]
    assert ranks[0] != ranks[1]


def test_a_hypothesis_that_cannot_reach_the_effect_is_refused_with_the_reason():
    found = ks.judge([DISINHIBITION, HYDROXYNORKETAMINE], candidates=[], reference="human",
                     mix=False, draws=16)  # fmt: skip
    assert [one.name for one in found.hypotheses] == ["disinhibition"]
    (why,) = found.refused
    assert why.startswith('"hydroxynorketamine" is left out: it cannot reach the reference effect')
    assert "at full gain it shows" in why


def test_when_none_can_be_calibrated_that_is_an_error():
    with pytest.raises(ConfigError, match=r"no hypothesis can be judged\..*hydroxynorketamine"):
        ks.judge([HYDROXYNORKETAMINE], candidates=[], reference="human", draws=16)


def test_the_same_question_has_the_same_answer_to_the_last_bit(judgement):
    again = ks.judge(draws=128, threads=1)
    assert record(again) == record(judgement)
    for one, other in zip(judgement.hypotheses, again.hypotheses, strict=True):
        assert np.array_equal(one.drawn, other.drawn, equal_nan=True)


def test_another_seed_gives_other_draws(judgement, truths):
    for one in judgement.hypotheses:
        assert not np.array_equal(one.drawn[:, :100], truths[one.name].drawn, equal_nan=True)


def test_the_record_is_used_in_full(judgement):
    assert len(judgement.findings) == len(load_findings()) >= 30
    assert all(one.rows and one.references and one.grade for one in judgement.findings)
    assert all(np.isfinite(seen(one.observed)) for one in judgement.findings)
    assert {"human", "rat", "mouse"} == {one.species for one in judgement.findings}
    said = " ".join(judgement.remarks)
    assert all(one.name in said for one in judgement.findings if one.contested)


def test_known_failures_are_shown(judgement):
    marks = dict(zip((e.name for e in judgement.findings), judgement.agreement, strict=True))
    default = judgement.names.index("disinhibition")
    for name in ("trial_rapamycin_day_1", "mouse_sv2a", "trial_masked", "r_over_s_day_1"):
        assert marks[name][default] != 2.0, name
    assert judgement.unexplained


def test_naltrexone_would_decide_about_the_gate(judgement):
    parted = [one.finding.name for one in judgement.information[:2]]
    if set(judgement.contenders) == {judgement.names.index(name) for name in GATED}:
        assert "naltrexone_mouse" in parted
    bits = {one.finding.name: one.bits for one in judgement.information}
    assert all(0.0 <= value <= np.log2(len(judgement.hypotheses)) for value in bits.values())


def test_a_mixture_is_scored_with_every_weight_counted(judgement):
    assert judgement.mixed is not None
    assert judgement.mixed.free >= 2
    assert judgement.mixed.predicted.shape == (len(judgement.findings),)


def test_findings_the_model_was_fitted_to_are_marked(judgement):
    rows = {row for check in load_checks() if not check.reported for row in check.rows}
    for one, held_out in zip(judgement.findings, judgement.held_out, strict=True):
        assert held_out == rows.isdisjoint(one.rows), one.name
    assert 10 < judgement.held_out.sum() < len(judgement.findings)


def test_a_model_of_ones_own_can_be_judged():
    model = antidepressant().with_values({"spines.k_assembly": "0.2 1/h"})
    found = ks.judge([DISINHIBITION, OPIOID], candidates=[], model=model, mix=False, draws=16)
    assert isinstance(found, Judgement)
    assert found.about["model_digest"] == model.digest
