"""A number of a finding: the same whatever else is asked, over one span, with its own failures."""

from dataclasses import replace

import numpy as np
import pytest

import ketasim as ks
import toy
from ketasim.core.system import System
from ketasim.engines.contract import Limits
from ketasim.engines.status import Status
from ketasim.errors import ModelError
from ketasim.models import antidepressant
from ketasim.studies.findings.arms import Arm
from ketasim.studies.findings.finding import Finding, ReadOut
from ketasim.studies.findings.needs import BEGIN, END, groups_of
from ketasim.studies.findings.observed import Interval
from ketasim.studies.findings.predict import predictor
from ketasim.studies.findings.reading import Formula, difference, parse
from ketasim.studies.findings.scorecard import scorecard

MODEL = antidepressant()
DOSE = ks.dose("10 mg/kg", route="ip")
LATE = ks.dose("10 mg/kg", route="ip", at="35 d")
NBQX = ks.hold("ampa.antagonist", 1.0, start="-30 min", until="4 h")
ARMS = {
    "ketamine": Arm(ks.mouse(), DOSE, ks.Protocol()),
    "nbqx": Arm(ks.mouse(), DOSE + NBQX, NBQX),
    "rest": Arm(ks.mouse(), ks.hold("nmda.mk801", "1e-12 uM", until="2 h"), ks.Protocol()),
    "weekly": Arm(ks.mouse(), DOSE + LATE, ks.Protocol()),
}
LEDGER = System(MODEL).default_parameters[None, :]


def finding(*texts, of=None):
    """Return a finding with a formula for each text, all of ``of`` where it is given."""
    whole = parse(of, model=MODEL, arms=ARMS) if of else None
    formulas = tuple(Formula(parse(text, model=MODEL, arms=ARMS), whole) for text in texts)
    readouts = (ReadOut("read", formulas, "1", accepted=Interval(reported=True)),)
    return Finding(" ".join(texts), "title", ARMS, readouts, number=1)


def numbers(*findings, draws=LEDGER, **options):
    """Return the values of each finding's formulas, (n_formulas, n_draws)."""
    found = predictor(findings, MODEL, **options).predict(draws)
    assert all(one.computed.all() for one in found)
    return [one.values for one in found]


ALONE = (
    "ketamine.glutamate.relative.peak",
    "ketamine.spines.density.at(24 h)",
    "ketamine.translation.mtorc1.auc(0 h, 4 h)",
    "effect(nbqx, translation.mtorc1.t_peak)",
    "weekly.plasma.venous.peak",
    "ketamine.plasma.venous.at(40 d)",
)


@pytest.fixture(scope="module")
def together():
    return dict(zip(ALONE, numbers(*map(finding, ALONE)), strict=True))


@pytest.mark.parametrize("text", ALONE)
def test_a_number_is_the_same_alone_and_in_company(together, text):
    (alone,) = numbers(finding(text))
    np.testing.assert_allclose(alone, together[text], rtol=1e-6, atol=1e-9)


def test_a_check_and_a_judgement_read_the_same_number(together):
    card = scorecard([finding(one) for one in ALONE], MODEL)
    for text, one in zip(ALONE, card.predict(LEDGER), strict=True):
        np.testing.assert_array_equal(one.values, together[text])


def test_what_is_read_by_hand_of_a_run_is_what_a_finding_reads(together):
    every = ks.Scenario(
        MODEL, ARMS["ketamine"].treated, (BEGIN, 0.6, 24.0, END), ks.mouse(),
        ("spines.density", "glutamate.relative"),
    )  # fmt: skip
    run = ks.simulate(every)
    density = float(run["spines.density"][0, 2])
    assert together["ketamine.spines.density.at(24 h)"] == pytest.approx(density, rel=1e-6)
    fine = replace(every, times=tuple(np.arange(0.0, 1.0, 0.001)))
    peak = float(ks.simulate(fine)["glutamate.relative"].max())
    assert together["ketamine.glutamate.relative.peak"] == pytest.approx(peak, rel=1e-5)


def spans(*texts):
    """Return how long the runs are that formulas ask for, and the span of each group."""
    groups = groups_of([finding(one) for one in texts], MODEL)
    edges = [one.schedule.edges[[0, -1]].tolist() for g in groups for one in g.scenarios]
    return edges, [one.span for one in groups]


def test_a_run_ends_when_all_that_is_asked_is_past():
    (alone,), (span,) = spans("ketamine.spines.density.at(24 h)")
    assert alone == [BEGIN, pytest.approx(24.0, abs=0.1)]
    assert alone[1] > 24.0
    assert span is None
    whole, _ = spans("ketamine.spines.density.peak", "ketamine.spines.density.at(24 h)")
    assert whole == [[BEGIN, END]]


def test_a_moment_beyond_the_span_moves_no_whole_course():
    edges, groups = spans("ketamine.plasma.venous.peak", "ketamine.plasma.venous.at(40 d)")
    assert edges[0] == [BEGIN, END]
    assert edges[1][1] > 960.0
    assert groups == [(BEGIN, END), None]


def test_no_run_ends_before_the_last_dose_does():
    ((_, end),), _ = spans("weekly.spines.density.at(24 h)")
    assert end >= 840.0


def test_a_run_without_the_drug_is_made_for_effects_only():
    edges, _ = spans("ketamine.spines.density.at(24 h)", "nbqx.spines.density.at(24 h)")
    assert len(edges) == 2
    edges, _ = spans("effect(ketamine, spines.density.at(24 h))")
    assert len(edges) == 2


def test_short_names_are_read_and_a_number_is_taken_as_it_is():
    short, full, hours, minutes = numbers(
        finding("effect(ketamine, spines@24h)"),
        finding("effect(ketamine, spines.density.at(24 h))"),
        finding("ketamine.glutamate.relative.t_peak"),
        finding("60 * ketamine.glutamate.relative.t_peak"),
    )
    assert short == full
    assert minutes == pytest.approx(60.0 * hours)


def test_a_share_of_no_effect_is_no_number():
    none = finding("effect(ketamine, spines@24h)", of="0 * effect(ketamine, spines@24h)")
    (found,) = numbers(none)
    assert np.isnan(found).all()
    (half,) = numbers(
        finding("effect(ketamine, spines@24h) / 2", of="effect(ketamine, spines@24h)")
    )
    assert half == pytest.approx(0.5)


def test_where_nothing_changes_there_is_no_half_of_a_change():
    half, beyond = numbers(
        *(
            finding(*(f"{arm}.circuit.pyramidal_rate.{kind}" for arm in ("rest", "ketamine")))
            for kind in ("t_half", "above_half")
        )
    )
    assert np.isnan(half[0, 0])
    assert half[1, 0] > 0.0
    assert beyond[0, 0] == 0.0
    assert beyond[1, 0] > 0.0


def test_what_integration_cannot_tell_from_nothing_is_nothing():
    found = difference(np.array([1.0 + 9e-6, 1.0 + 2e-5]), np.ones(2))
    assert found.tolist() == [0.0, pytest.approx(2e-5)]


def test_a_value_of_the_ledger_is_the_draw_and_a_dose_is_that_of_the_arm():
    draws = np.repeat(LEDGER, 2, axis=0)
    draws[1, list(MODEL.parameters).index("nmda.k_s")] *= 2.0
    ledger, given = numbers(finding("parameter(nmda.k_s)"), finding("given(ketamine)"), draws=draws)
    assert ledger[0, 1] == pytest.approx(2.0 * ledger[0, 0])
    wanted = ARMS["ketamine"].scenario(MODEL, begin=0.0, end=1.0).schedule.delivered.sum()
    assert given[0].tolist() == [wanted, wanted]


def test_draws_in_blocks_give_the_same_bits(monkeypatch):
    draws = np.repeat(LEDGER, 5, axis=0)
    draws[:, list(MODEL.parameters).index("nmda.k_s")] *= np.linspace(0.8, 1.2, 5)
    asked = finding("ketamine.spines.density.at(24 h)", "parameter(nmda.k_s)")
    (whole,) = numbers(asked, draws=draws)
    monkeypatch.setattr("ketasim.studies.findings.predict.MEMBERS", 2)
    (blocks,) = numbers(asked, draws=draws)
    np.testing.assert_array_equal(blocks, whole)
    assert len(np.unique(whole[0])) == 5


def test_a_failure_belongs_to_the_numbers_that_rest_on_it():
    asked = finding("ketamine.spines.density.at(1 min)", "ketamine.spines.density.peak",
                    "parameter(nmda.k_s)")  # fmt: skip
    (found,) = predictor([asked], MODEL, limits=Limits(steps=3, seconds=10.0)).predict(LEDGER)
    assert found.status[:2, 0].tolist() == [Status.MAX_STEPS] * 2
    assert found.status[2, 0] == Status.OK
    assert np.isnan(found.values[:2, 0]).all()


def test_a_name_that_another_model_lacks_is_refused():
    with pytest.raises(ModelError, match=r"outcome\.mood"):
        predictor([finding("ketamine.outcome.mood.at(24 h)")], toy.model())
