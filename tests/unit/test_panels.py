"""Does a model say itself how it is shown, and is the packaged one shown as ever?"""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import ketasim as ks
import toy
from ketasim.core.describe import Panel, panels_of, read_panels, told
from ketasim.models import antidepressant
from ketasim.plots.panels import DASHED, declared_by, panels
from ketasim.results.summary import headlines

# As before panels were declared: title, measure, unit, then name, label and colour of each curve.
SHOWN = {
    ("Ketamine in plasma", "ng/mL", "ng/mL"): [
        ("plasma.venous", "venous", "#0072B2"),
        ("plasma.arterial", "arterial", "#D55E00"),
    ],
    ("Unbound in brain", "µM", "uM"): [
        ("pk_s.brain", "S-ketamine", "#0072B2"),
        ("pk_r.brain", "R-ketamine", "#D55E00"),
        ("pk_s.brain_hydroxynorketamine", "S-HNK", "#56B4E9"),
        ("pk_r.brain_hydroxynorketamine", "R-HNK", "#E69F00"),
    ],
    ("NMDA block", "fraction", "1"): [
        ("nmda.interneuron_block", "interneurons", "#0072B2"),
        ("nmda.pyramidal_block", "pyramidal", "#D55E00"),
        ("nmda.resting_block", "resting", "#009E73"),
        ("nmda.trapped", "trapped", "#CC79A7"),
    ],
    ("GABA and firing", "× rest", "1"): [
        ("circuit.gaba", "GABA", "#0072B2"),
        ("circuit.pyramidal_rate", "pyramidal firing", "#D55E00"),
    ],
    ("Glutamate", "× rest", "1"): [
        ("glutamate.relative", "dialysate", "#0072B2"),
        ("glutamate.synaptic", "at receptors", "#D55E00"),
    ],
    ("AMPA", "× rest", "1"): [
        ("ampa.current", "current", "#0072B2"),
        ("ampa.number", "surface", "#D55E00"),
    ],
    ("BDNF and TrkB", "× rest", "1"): [
        ("bdnf.extracellular", "BDNF", "#0072B2"),
        ("trkb.signal", "TrkB signal", "#D55E00"),
    ],
    ("mTORC1 and translation", "× rest", "1"): [
        ("translation.mtorc1", "mTORC1", "#0072B2"),
        ("translation.proteins", "proteins", "#D55E00"),
        ("translation.arc", "Arc", "#009E73"),
    ],
    ("Phosphorylated eEF2", "× rest", "1"): [("translation.eef2", "", "#0072B2")],
    ("Spines", "per site", "1"): [
        ("spines.total", "all", "#000000"),
        ("spines.reformed", "re-formed", "#009E73"),
        ("spines.original", "original", "#0072B2"),
        ("spines.labile", "labile", "#E69F00"),
        ("spines.stable", "stable", "#D55E00"),
    ],
    ("Outcome", "× healthy", "1"): [
        ("outcome.function", "function", "#0072B2"),
        ("outcome.mood", "mood", "#D55E00"),
        ("stress.load", "stress load", "grey"),
    ],
    ("Depression score (MADRS)", "points", "points"): [("outcome.score", "", "#0072B2")],
}
BROKEN = {"pk_r.brain", "pk_r.brain_hydroxynorketamine", "outcome.mood"}
FROM_ZERO = {"Ketamine in plasma", "Unbound in brain", "NMDA block", "Spines"}
MODEL = antidepressant()


def result(model, names=()):
    """Return a result of a model in which everything moves."""
    course = np.linspace(0.0, 1.0, 5)[None, :]
    data = {
        name: (
            ("member", "time"),
            course,
            {"units": model.unit(name), "long_name": model.meaning(name)},
        )
        for name in names or model.recordable
    }
    return xr.Dataset(data, {"time": np.arange(5.0), "member": [0]}, {**told(model)})


def looks(found):
    return {
        (p.title, p.measure, p.unit): [(c.name, c.label, c.colour) for c in p.curves] for p in found
    }


@pytest.mark.parametrize("carried", [True, False], ids=["new result", "result of an older version"])
def test_the_packaged_model_is_shown_as_ever(carried):
    run = result(MODEL)
    if not carried:
        run.attrs.clear()
    found = panels([run])
    assert looks(found) == SHOWN
    assert list(looks(found)) == list(SHOWN)
    assert {c.name for p in found for c in p.curves if c.dash == DASHED} == BROKEN
    assert {p.title for p in found if p.from_zero} == FROM_ZERO
    assert {p.title: p.share for p in found if p.share != 1.0} == {"Spines": 1.6}
    assert [p.title for p in found if p.drug] == ["Ketamine in plasma", "Unbound in brain"]
    assert [p.title for p in found if p.human] == ["Depression score (MADRS)"]


def test_every_declared_curve_can_be_recorded_in_its_unit():
    for panel in MODEL.panels:
        assert {MODEL.unit(curve.name) for curve in panel.curves} == {panel.unit}


def with_fields(model, **fields):
    """Return the toy model with fields of its receptor's state changed."""
    receptor = toy.receptor(states=(replace(toy.receptor().states[0], **fields),))
    return replace(model, mechanisms=(toy.body(), receptor))


def test_a_model_that_says_nothing_has_a_panel_for_each_mechanism_and_unit():
    found = panels_of(toy.model())
    titles = {panel.title: [c.name for c in panel.curves] for panel in found}
    assert titles == {
        "Body: S enantiomer": ["body.s"],
        "Body, umol": ["body.r", "body.gut"],
        "Body: S in plasma": ["body.plasma"],
        "Receptor: share of receptors that hold drug": ["receptor.bound"],
        "Receptor: drug at the receptor": ["receptor.drug"],
    }


def test_what_has_a_short_name_stands_for_its_mechanism():
    model = with_fields(toy.model(), short="occupancy")
    names = [c.name for p in panels_of(model) for c in p.curves if c.name.startswith("receptor.")]
    assert names == ["receptor.bound"]


def test_a_name_joins_the_panel_it_asks_for():
    own = Panel("Binding", "of all", "1")
    model = replace(with_fields(toy.model(), panel="Binding"), panels=(own,))
    (found,) = panels([result(model, ("receptor.bound",))])
    assert (found.title, found.measure) == ("Binding", "of all")
    assert [curve.name for curve in found.curves] == ["receptor.bound"]


def test_a_result_carries_its_panels():
    run = ks.simulate(
        ks.Scenario(
            toy.model(), ks.bolus("1 mg", drug="drug"), ks.hours(0, 1, every=0.5),
            ks.Subject("cell", 1.0),
        )
    )  # fmt: skip
    assert read_panels(run.attrs["panels"]) == panels_of(toy.model())
    assert len(declared_by([run])) == len(panels_of(toy.model()))
    assert headlines(run) == ()


def test_headlines_are_read_from_drug_to_mood():
    run = result(MODEL)
    assert headlines(run) == (
        "plasma.venous", "plasma.brain", "nmda.interneuron_block", "circuit.gaba",
        "glutamate.relative", "ampa.current", "bdnf.extracellular", "trkb.active",
        "translation.mtorc1", "translation.proteins", "spines.density", "outcome.function",
        "outcome.score",
    )  # fmt: skip
    assert headlines(run.drop_vars("plasma.venous"))[0] == "plasma.brain"


def test_panels_that_cannot_be_read_are_no_panels():
    for text in ("", "{", '[{"title": 1}]', "3"):
        assert read_panels(text) == ()


def test_presentation_leaves_the_digest_alone():
    bare = tuple(
        replace(
            m,
            role="",
            reading=(),
            states=tuple(replace(s, short="", panel="", identifiers=()) for s in m.states),
            quantities=tuple(replace(q, short="", panel="") for q in m.quantities),
            knobs=tuple(replace(k, short=()) for k in m.knobs),
            parameters=tuple(replace(p, role="") for p in m.parameters),
        )
        for m in MODEL.mechanisms
    )
    assert replace(MODEL, mechanisms=bare, panels=()).digest == MODEL.digest
