"""Do the roles of numbers and mechanisms say what lists of names used to say?"""

from dataclasses import replace

import numpy as np
import pytest

import ketasim as ks
import toy
from ketasim.core.declare import CHOSEN, Parameter
from ketasim.core.model import Model
from ketasim.errors import ConfigError, ModelError
from ketasim.studies.designs.columns import Columns
from ketasim.studies.findings.robustness import unmeasured
from ketasim.studies.judge.draws import spreads

MODEL = ks.models.antidepressant()


def of(*mechanisms):
    return {name for name in MODEL.parameters if name.partition(".")[0] in mechanisms}


def test_what_is_chosen_is_the_body_and_the_drivers():
    chosen = {name for name, one in MODEL.parameters.items() if one.role in CHOSEN}
    settings = {n for n in chosen if MODEL.parameters[n].role == "setting"}
    assert chosen - settings == of("body", "drivers") - settings
    assert all(np.ptp(MODEL.parameters[n].bounds) == 0.0 for n in settings)  # constants
    assert of("body", "drivers").isdisjoint({*unmeasured(MODEL), *spreads(MODEL, 1.0)})
    assert len(unmeasured(MODEL)) > 100
    assert {n for n, one in MODEL.parameters.items() if one.role == "gain"} == of("drivers")


def test_what_carries_the_drug():
    assert MODEL.carriers == {"body", "disposition", "pk_s", "pk_r", "plasma"}


def test_the_weight_follows_the_subject():
    asked = ks.Scenario(MODEL, ks.bolus("1 mg"), (0.0, 1.0), ks.Subject("human", 90.0))
    assert MODEL.weight == "body.weight"
    assert asked.resolved_model.value("body.weight") == 90.0
    assert asked.own_values == {"body.weight": "90.0 kg"}
    other = ks.Subject("human", 90.0, {"body.weight": "80 kg"})
    assert replace(asked, subject=other).resolved_model.value("body.weight") == 80.0


def test_a_model_without_a_weight_takes_any_subject():
    for who in (ks.Subject("cell", 70.0), ks.human()):
        asked = ks.Scenario(toy.model(), ks.bolus("1 mg", drug="drug"), (0.0, 1.0), who)
        assert asked.resolved_model.edits == {}


def test_varying_either_weight_moves_the_dose():
    asked = ks.Scenario(MODEL, ks.bolus("1 mg/kg"), (0.0, 1.0), ks.human())
    doses = {}
    for name in ("subject.weight", "body.weight"):
        bound = Columns(asked, ks.designs.grid({name: ["50 kg", "100 kg"]}))
        rows = np.array([[50.0], [100.0]])
        parameters, fine = bound.parameters(rows)
        place = list(MODEL.parameters).index("body.weight")
        assert parameters[:, place].tolist() == [50.0, 100.0]
        doses[name] = [bound.schedule(row).prescribed for row in rows]
        assert fine.all()
    assert doses["subject.weight"] == doses["body.weight"] == [50.0, 100.0]
    both = ks.designs.grid({"subject.weight": ["50 kg"], "body.weight": ["50 kg"]})
    with pytest.raises(ConfigError, match="are the same"):
        Columns(asked, both)


def test_only_one_number_follows_the_weight():
    weights = tuple(
        Parameter(name, 1.0, "kg", (0.1, 10.0), toy.WHY, role="weight") for name in ("w", "v")
    )
    body = toy.body(parameters=(*toy.body().parameters, *weights))
    with pytest.raises(ModelError, match=r"body\.w, body\.v: only one"):
        Model((body, toy.receptor()), toy.SUBSTANCES)
