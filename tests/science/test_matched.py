"""Rivals are counted at the same effect, not at their loudest."""

from math import isnan

import pytest

import ketasim as ks
from ketasim.models.reference import STRESS, TREATED
from ketasim.models.rivals import NULLS, RIVALS
from ketasim.studies.judge.calibrate import matched_to_reference

MODEL = ks.models.antidepressant()
pytestmark = pytest.mark.science


def effect(model):
    runs = (
        ks.simulate(ks.Scenario(model, done, ks.hours(0, 24, every=12), ks.mouse()))
        for done in (TREATED, STRESS)
    )
    treated, control = (float(run["outcome.mood"][0, -1]) for run in runs)
    return treated - control


# At the ledger's values: with affinities as measured, and half of the metabolite's effect at 3.5 uM
OUT_OF_REACH = ("resting", "lhb", "hydroxynorketamine")


@pytest.mark.parametrize("rival", RIVALS[1:], ids=lambda one: one.name)
def test_each_rival_reaches_the_same_effect_or_says_that_it_cannot(rival):
    if rival.name in OUT_OF_REACH:
        assert isnan(matched_to_reference(rival, MODEL)[1])
        return
    model, gain = matched_to_reference(rival, MODEL)
    assert 0.0 < gain <= 1.0
    assert effect(model) == pytest.approx(effect(MODEL), rel=0.01)


def test_a_hypothesis_that_cannot_reach_it_says_so():
    weak = MODEL.with_values({"outcome.weight_habenula": 1e-3})
    model, gain = matched_to_reference(next(r for r in RIVALS if r.name == "lhb"), weak)
    assert isnan(gain)
    assert model.value("drivers.lhb") == 1.0


def test_a_null_stands_as_it_is():
    model, gain = matched_to_reference(NULLS[0], MODEL)
    assert isnan(gain)
    assert model.value("drivers.disinhibition") == 0.0
