"""What would decide, on numbers known by hand: information, errors, arms, and one run for all."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import logsumexp

import ketasim as ks
from ketasim.config.findings import candidates, load_findings
from ketasim.core.protocol import Dose
from ketasim.engines.contract import Limits
from ketasim.errors import ConfigError, SolverError
from ketasim.models import antidepressant
from ketasim.models.rivals import DISINHIBITION, OPIOID
from ketasim.studies.judge import decide as module
from ketasim.studies.judge.decide import GROUPS, TIMES, USUAL, decide, error_in
from ketasim.studies.judge.information import spread_information
from ketasim.studies.judge.likelihood import SHARED
from ketasim.studies.judge.plans import errors_of, plans
from ketasim.studies.judge.prepare import Prepared, space
from ketasim.studies.judge.record import designs_record, designs_table

MODEL = antidepressant()
FINDINGS = {one.name: one for one in load_findings()}
FEW = [FINDINGS["nbqx_effect"], FINDINGS["spines_24h"], FINDINGS["trial_naltrexone"]]
EVEN = np.array([0.5, 0.5])
RNG = np.random.default_rng(4)


def bits(a, b, error, worth=1e9):
    found = spread_information([a[None, :], b[None, :]], np.array([error]), [worth] * 2, [EVEN])
    return float(found[0, 0])


def test_information_of_two_normals_agrees_with_quadrature():
    gap, sd, error = 2.0, 0.5, 0.7
    draws = np.random.default_rng(1).standard_normal((2, 20000)) * sd
    found = bits(draws[0], draws[1] + gap, error)
    wide = np.hypot(sd, error)
    y = np.linspace(-8, 10, 20001)
    logs = np.stack([-0.5 * ((y - m) / wide) ** 2 for m in (0.0, gap)]) - np.log(
        wide * np.sqrt(2 * np.pi)
    )
    mixed = logsumexp(logs, axis=0) - np.log(2)
    true = np.trapezoid((np.exp(logs) * (logs - mixed)).mean(axis=0), y) / np.log(2)
    assert found == pytest.approx(true, rel=0.08)  # a chance of 2 % that it says nothing
    assert found < true


def test_what_both_predict_alike_tells_nothing():
    same = np.linspace(0.0, 1.0, 40)
    assert bits(same, same, 0.1) == pytest.approx(0.0, abs=1e-12)
    assert bits(np.zeros(9), np.zeros(9), 0.1) == pytest.approx(0.0, abs=1e-12)


def test_two_hypotheses_do_not_look_different_for_the_lack_of_draws():
    pairs = RNG.standard_normal((40, 2, 30))
    found = [bits(a, b, 1e-3, worth=30) for a, b in pairs]
    assert np.mean(found) < 0.1  # a tiny error and unlike draws would tell them apart: 1 bit
    assert bits(np.zeros(30), np.ones(30), 1e-3) > 0.8


def test_a_larger_group_has_a_smaller_error_but_never_loses_what_a_paper_shares():
    error = error_in(np.array([6, USUAL, 10**9]), np.full(3, 0.2))
    assert error[0] > error[1]
    assert error[1] == pytest.approx(0.2)
    assert error[2] == pytest.approx(0.2 * np.sqrt(SHARED))


def test_errors_are_those_that_findings_state():
    one = FINDINGS["nbqx_effect"]
    found = errors_of([one], MODEL)
    arm = one.arms["ketamine"]
    runs = [
        ks.simulate(arm.scenario(MODEL, begin=-0.5, end=24.0, drug=drug))["outcome.mood"][0, -1]
        for drug in (True, False)
    ]
    effect = abs(float(runs[0] - runs[1]))
    assert found == {"outcome.mood": pytest.approx(one.observed.error * effect, rel=1e-3)}


def test_arms_keep_to_what_was_done_in_their_species():
    found = plans([*FINDINGS.values(), *candidates()])
    held = {kind: {one.held for one in found if one.species == kind} for kind in ("human", "mouse")}
    assert any("ampa.antagonist" in one for one in held["mouse"])
    assert not any("ampa.antagonist" in one for one in held["human"])
    assert any("naltrexone" in one for one in held["human"])
    assert len({(one.species, one.drug, one.held) for one in found}) == len(found)
    for one in found:
        assert set(one.arm.control.events) < set(one.arm.treated.events)
        assert any(getattr(e, "knob", "") == "stress.stressor" for e in one.arm.control.events)


def test_doses_are_tried_at_a_third_and_at_three_times_up_to_the_largest_given():
    found = plans([FINDINGS["spines_24h"], FINDINGS["mtor_rat_10"], FINDINGS["mtor_rat_80"]])
    amounts: dict[str, list[float]] = {"mouse": [], "rat": []}
    for one in found:
        amounts[one.species] += [e.amount for e in one.arm.treated.events if isinstance(e, Dose)]
    assert sorted(set(amounts["mouse"])) == pytest.approx([10 / 3, 10])
    assert sorted(set(amounts["rat"])) == pytest.approx([10 / 3, 10, 80 / 3, 80])


@pytest.fixture(scope="module")
def judged():
    """Two hypotheses with prior draws in place of a posterior."""
    rng = np.random.default_rng(7)
    heard = []
    for one in (DISINHIBITION, OPIOID):
        where = space(one, MODEL, prior_width=0.1, free=True)
        at = rng.standard_normal((12, where.n_dim))
        heard.append(Prepared(one, where, at, np.empty(0), np.empty(0), 12, 0))
    return SimpleNamespace(
        missing=(), hypotheses=heard, findings=tuple(FEW), names=("disinhibition", "opioid"),
        in_question=(0, 1), ranking=(0, 1),
        scores=[SimpleNamespace(effective_draws=12.0)] * 2,
    )  # fmt: skip


@pytest.fixture(scope="module")
def designs(judged):
    return decide(judged, draws=12)


def test_designs_are_ranked_and_complete(designs):
    assert (np.diff(np.round(designs.bits, 9)) <= 0.0).all()
    assert ((designs.bits >= 0.0) & (designs.bits <= 1.0)).all()
    assert set(designs.group) == set(GROUPS)
    assert set(designs.time) == set(TIMES)
    keys = {*zip(designs.arm, designs.readout, designs.time, designs.group, strict=True)}
    assert len(keys) == len(designs)
    assert "naltrexone" in designs.arms[designs.arm[0]].held  # what sets opioid apart


def test_a_larger_group_never_tells_less(designs):
    table = {}
    for arm, readout, time, group, value in zip(
        designs.arm, designs.readout, designs.time, designs.group, designs.bits, strict=True
    ):
        table.setdefault((arm, readout, time), {})[group] = value
    for one in table.values():
        assert np.diff([one[n] for n in GROUPS]).min() > -0.01


def test_the_best_of_an_arm_needs_no_larger_group_than_it_must(designs):
    for i in designs.best(5):
        same = (designs.arm == designs.arm[i]) & (designs.readout == designs.readout[i])
        same &= designs.time == designs.time[i]
        most = designs.bits[designs.arm == designs.arm[i]].max()
        assert designs.bits[i] >= 0.9 * most
        smaller = same & (designs.group < designs.group[i])
        assert (designs.bits[smaller] < 0.9 * most).all()


def test_the_effect_is_that_of_single_runs(designs, judged):
    i = int(np.flatnonzero((designs.time == 24.0) & (designs.group == USUAL))[0])
    plan, name = designs.arms[designs.arm[i]], designs.readouts[designs.readout[i]]
    one = judged.hypotheses[0]
    effects = []
    for row in one.space.rows(one.at):
        values = {
            key: f"{value!r} {ks.units.unit(MODEL.unit(key)).canonical}"
            for key, value in zip(MODEL.parameters, row.tolist(), strict=True)
        }
        model = one.space.model.with_values(values)
        runs = [
            ks.simulate(plan.arm.scenario(model, begin=-0.5, end=24.0, drug=drug))[name][0, -1]
            for drug in (True, False)
        ]
        effects.append(float(runs[0] - runs[1]))
    assert designs.medians[i, 0] == pytest.approx(np.median(effects), rel=1e-3, abs=1e-6)


def test_no_word_where_the_posterior_is_no_result(judged):
    with pytest.raises(SolverError, match=r"what would decide: no result\. few draws"):
        decide(SimpleNamespace(**{**vars(judged), "missing": ("few draws",)}))


@pytest.mark.parametrize(
    ("changed", "given", "message"),
    [
        ({"hypotheses": ["one"]}, {}, "name at least two hypotheses"),
        ({"findings": (FINDINGS["rat_glutamate_30"],)}, {}, "reads an effect at a moment"),
        ({}, {"draws": 2}, "draws = 2: 8 at least"),
        ({}, {"groups": (0, 5)}, "give sizes of a group, 1 or more"),
    ],
)
def test_what_cannot_be_decided_is_said_in_one_sentence(judged, changed, given, message):
    with pytest.raises(ConfigError, match=message):
        decide(SimpleNamespace(**{**vars(judged), **changed}), **given)


def test_arms_that_fail_are_named_and_never_ranked(judged, monkeypatch):
    monkeypatch.setattr(module, "LIMITS", replace(Limits(), steps=3))
    with pytest.raises(SolverError, match="arms failed under some hypothesis"):
        decide(judged, draws=8)


def test_the_table_holds_every_design(designs):
    head, *rows = designs_table(designs)
    assert len(rows) == len(designs)
    assert rows[0][head.index("bits")] == designs.bits[0]
    told = designs_record(designs, 3)
    assert told["designs"] == len(designs)
    assert len(told["best"]) == 3
    assert told["between"] == ["disinhibition", "opioid"]
