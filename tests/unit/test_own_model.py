"""Does a model of the user's own get all that ours gets, and one changed law its comparison?"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ketasim as ks
from ketasim import export
from ketasim.core.declare import Mechanism
from ketasim.errors import ConfigError, ModelError, ProtocolError
from ketasim.plots import overlay, timecourse
from ketasim.studies.mediation import explain

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "three_mechanisms.py"
PAGE = (ROOT / "docs" / "bring-your-own-model.md").read_text(encoding="utf-8")
MODEL = ks.models.load(EXAMPLE)
ASKED = ks.Scenario(
    MODEL,
    ks.bolus("10 mg", drug="testamine") + ks.hold("blocker", 0.5, start="2 h", until="4 h"),
    ks.hours(0, 24, every=0.25),
    ks.Subject("cell", 70.0),
)
RUN = ks.simulate(ASKED)


def words(figure):
    return [one.get_text() for one in figure.texts]


def measures(figure):
    return [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]


def test_both_engines_agree():
    other = ks.simulate(ASKED, engine="ensemble")
    for name in MODEL.recordable:
        np.testing.assert_allclose(other[name], RUN[name], rtol=2e-4, atol=2e-6)
    assert float(RUN["response.level"].max()) > 1.3


def test_a_held_input_by_its_short_name_acts():
    free = ks.simulate(ASKED.with_protocol(ks.bolus("10 mg", drug="testamine")))
    held = RUN["response.level"].sel(time=4.0).item()
    assert free["response.level"].sel(time=4.0).item() > held + 0.05
    assert ASKED.protocol.events[1].knob == "response.antagonist"


def test_it_is_swept_over_parameters_inputs_and_weight():
    levels = ks.sweep(
        ASKED,
        {"receptor.k_on": ["1 1/uM/h", "2 1/uM/h"], "intervention[0].level": ["0", "1"]},
        record=("response", "occupancy"),
    )
    assert levels["response.level"].dims == ("member", "time")
    peaks = levels["response.level"].max("time").to_numpy()
    assert peaks[0] < peaks[2]
    assert peaks[1] < peaks[0]
    by_weight = ks.sweep(ASKED, {"subject.weight": ["60 kg", "70 kg"]}, record=("drug",))
    assert (by_weight["status"].to_numpy() == 0).all()


def test_its_figure_has_its_panels():
    figure = timecourse.draw(RUN.drop_vars("compartment.amount"))
    assert [text for text in words(figure) if text[0].isupper()] == [
        "Compartment: drug in plasma",
        "Occupancy",
        "Response",
    ]
    assert {"response", "aim"} <= set(words(figure))
    assert measures(figure) == ["µM", "fraction", "× rest"]
    quiet = timecourse.draw(RUN, names=["receptor"])
    assert [text for text in words(quiet) if text[0].isupper()] == ["Occupancy"]


def test_its_effect_is_explained():
    found = explain(ASKED, "response.level@4h")
    assert [(one.source, round(one.share, 3)) for one in found.nodes] == [("receptor.bound", 1.0)]
    arrows = {(one.source, one.into) for one in found.arrows}
    assert arrows == {("drug", "receptor"), ("receptor", "response")}


def test_it_is_exported_as_sbml_and_as_equations():
    text = export.sbml(ASKED)
    for name in (*MODEL.states, *MODEL.parameters):
        assert f'id="{name.replace(".", "__")}"' in text
    sheet = export.sheet(MODEL)
    for mechanism in MODEL.mechanisms:
        assert mechanism.story in sheet
    assert "bound" in sheet


def test_the_page_does_what_it_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    space = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    source = "\n".join(blocks)
    path = ROOT / "docs" / "bring-your-own-model.py"
    exec(compile(source, str(path), "exec"), space)  # noqa: S102
    assert space["run"]["response.level"].shape == (1, 97)
    assert space["peaks"]["response.level.peak"].shape == (4,)
    assert "Response" in words(space["figure"])
    assert space["both"]["response@6h"].shape == (2,)


# Loading.


def loaded(tmp_path, text, name="mine.py"):
    path = tmp_path / name
    path.write_text(f"from ketasim.core.declare import Mechanism, State\n{text}\n", "utf-8")
    return ks.models.load(path)


IMPORT = "from ketasim.core.model import Model\n"
ONE = 'A = Mechanism("a", "Alone.", states=(State("x", 1.0, "1", "x"),))'
TWO = 'B = Mechanism("b", "Beside.", states=(State("x", 1.0, "1", "x"),))'


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n{TWO}",
        f"ALL = [{ONE[4:]}, {TWO[4:]}]",
        f"{ONE}\n{TWO}\nALL = (A, B)",
        f"def model():\n    return [{ONE[4:]}, {TWO[4:]}]",
        f"{IMPORT}{ONE}\n{TWO}\nMINE = Model((A, B), name='mine')",
        f"{IMPORT}def model():\n    return Model(({ONE[4:]}, {TWO[4:]}), name='mine')",
    ],
)
def test_a_file_may_hold_a_model_a_function_or_mechanisms(tmp_path, text):
    model = loaded(tmp_path, text)
    assert [one.name for one in model.mechanisms] == ["a", "b"]
    assert model.name == "mine"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("X = 1", "declares no Model and no Mechanism"),
        ("1 / 0", "ZeroDivisionError: division by zero."),
        ("def f(:", "SyntaxError"),
        ("def model():\n    return 3", "model() gives a int"),
        ("def model(weight):\n    return 3", "model() asks for weight"),
        (f"{ONE}\nB = Mechanism('a', 'Again.')", "two mechanisms of this model have the same name"),
        ("A = Mechanism('a b', 'x', states=(State('y z', 1.0, '1', 'y'),))", "cannot be used"),
        (f"{IMPORT}{ONE}\nM = Model((A,))\nN = Model((A,))", "several models (M, N)"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_a_sentence(tmp_path, text, told):
    with pytest.raises(ModelError) as error:
        loaded(tmp_path, text)
    assert told in str(error.value)
    assert str(error.value).startswith("mine.py: ")


@pytest.mark.parametrize("name", ["absent.py", "mine.toml"])
def test_a_file_that_is_none_is_refused(tmp_path, name):
    (tmp_path / "mine.toml").write_text("x = 1", "utf-8")
    with pytest.raises(ModelError, match="no such Python file"):
        ks.models.load(tmp_path / name)


def test_a_file_read_again_is_read_anew(tmp_path):
    first = loaded(tmp_path, ONE)
    second = loaded(tmp_path, ONE.replace("1.0", "2.0"))
    assert first.initial("a.x") == 1.0
    assert second.initial("a.x") == 2.0
    assert first.digest != second.digest


def test_a_law_edited_and_loaded_again_is_another_model(tmp_path):
    law = "def leave(x):\n    return {} * x\n"
    mechanism = (
        "from ketasim.core.declare import Flow\n"
        'A = Mechanism("a", "Leaves.", states=(State("x", 1.0, "1", "x"),), '
        'flows=(Flow(leave, out_of="x"),))'
    )
    first = loaded(tmp_path, law.format(1) + mechanism)
    second = loaded(tmp_path, law.format(2222) + mechanism)
    assert first.digest != second.digest


# One law changed.


def bind(drug, bound, k_on):
    return k_on * drug * drug * (1 - bound)


def lazy(drug, bound, k_on, k_off):
    return k_on * drug * (1 - bound) * 0 * k_off


@pytest.mark.parametrize("engine", ["reference", "ensemble"])
def test_both_variants_are_run_and_read(engine):
    both = ks.compare_laws(
        ASKED,
        {"receptor.bind": bind},
        readouts=("response@6h", "occupancy.peak", "response.level.t_peak"),
        engine=engine,
    )
    assert list(both["variant"].to_numpy()) == ["default", "changed"]
    plain = both.sel(variant="default")
    np.testing.assert_allclose(plain["response.level"], RUN["response.level"][0], rtol=1e-4)
    changed = ks.simulate(
        ks.Scenario(
            MODEL.with_law("receptor.bind", bind), ASKED.protocol, ASKED.times, ASKED.subject
        )
    )
    np.testing.assert_allclose(
        both["receptor.bound"].sel(variant="changed"), changed["receptor.bound"][0], atol=1e-5
    )
    course = both["response.level"].sel(time=6.0)
    np.testing.assert_allclose(both["response@6h"], course, rtol=1e-9)
    on_grid = both["receptor.bound"].max("time")  # the grid is coarse, the peak is not on it
    assert (both["occupancy.peak"] >= on_grid).all()
    np.testing.assert_allclose(both["occupancy.peak"], on_grid, rtol=0.01)
    assert both["response.level.t_peak"].attrs["units"] == "h"
    assert len(set(both["model_digest"].to_numpy())) == 2


def test_what_is_read_need_not_be_recorded():
    asked = ks.Scenario(MODEL, ASKED.protocol, ASKED.times, ASKED.subject, record=("drug",))
    both = ks.compare_laws(asked, {"receptor.bind": bind}, readouts=("occupancy.peak",))
    assert {"compartment.concentration", "occupancy.peak"} <= set(both)
    assert not {"response.level", "receptor.bound"} & set(both)


def test_both_variants_are_drawn():
    both = ks.compare_laws(ASKED, {"receptor.bind": bind})
    figure = overlay.draw(both)
    assert {"default", "changed", "Occupancy", "Response"} <= set(words(figure))


def test_a_law_of_ours_is_replaced_wherever_it_acts():
    model = ks.models.antidepressant()
    changed = model.with_law("nmda.bind", lambda felt, blocked: felt * (1 - blocked))
    moved = [
        new.label
        for old, new in zip(model.flows, changed.flows, strict=True)
        if old.law is not new.law
    ]
    assert len(moved) == 3
    assert {one.partition(".")[0] for one in moved} == {"nmda"}
    assert changed.digest != model.digest
    assert model.with_law("spines.density", lambda total: total).quantities != model.quantities


def test_a_new_law_may_ask_for_other_names_of_its_mechanism():
    model = MODEL.with_law("receptor.bind", lazy)
    run = ks.simulate(ks.Scenario(model, ASKED.protocol, ASKED.times, ASKED.subject))
    assert float(run["receptor.bound"].max()) == 0.0


@pytest.mark.parametrize(
    ("laws", "told"),
    [
        ({"receptor.bnd": bind}, 'Did you mean "receptor.bind"?'),
        ({"receptor.bind": lambda drug, bund: drug * bund}, 'Did you mean "bound"?'),
    ],
)
def test_a_law_that_does_not_fit_is_refused(laws, told):
    with pytest.raises(ModelError) as error:
        ks.compare_laws(ASKED, laws)
    assert told in str(error.value)


def test_no_law_is_refused():
    with pytest.raises(ConfigError, match="no law is given"):
        ks.compare_laws(ASKED, {})


def test_an_unreadable_readout_is_refused():
    with pytest.raises(ConfigError):
        ks.compare_laws(ASKED, {"receptor.bind": bind}, readouts=("response",))


def test_a_law_typed_into_a_prompt_has_a_digest():
    space = {}
    exec("def bind(drug, bound, k_on):\n    return k_on * drug * (1 - bound)", space)  # noqa: S102
    first = MODEL.with_law("receptor.bind", space["bind"]).digest
    exec("def bind(drug, bound, k_on):\n    return k_on * drug", space)  # noqa: S102
    assert MODEL.with_law("receptor.bind", space["bind"]).digest != first


# Short names.


def test_short_names_are_written_out_once_and_refusals_know_both():
    asked = ks.Scenario(
        MODEL, ASKED.protocol, ASKED.times, ASKED.subject, record=("drug", "response.level")
    )
    assert asked.recorded == ("compartment.concentration", "response.level")
    with pytest.raises(ProtocolError, match='Did you mean "occupancy"'):
        ks.Scenario(MODEL, ASKED.protocol, ASKED.times, ASKED.subject, record=("ocupancy",))
    with pytest.raises(ProtocolError, match='Did you mean "blocker"'):
        _ = ASKED.with_protocol(ks.hold("bloker", 1.0)).schedule
    with pytest.raises(ConfigError, match='Did you mean "occupancy"'):
        ks.sweep(ASKED, {"receptor.k_off": ["1 1/h", "2 1/h"]}, record=("ocupancy",))


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [("twice", "twice", "stands for both"), ("two words", "", "cannot be used as a short name")],
)
def test_short_names_stand_for_one_thing(first, second, told):
    from ketasim.core.declare import State
    from ketasim.core.model import Model

    states = (
        State("x", 1.0, "1", "x", short=first),
        State("y", 1.0, "1", "y", short=second),
    )
    with pytest.raises(ModelError, match=told):
        Model((Mechanism("a", "Short.", states=states),))


def test_data_are_fitted_by_it(tmp_path):
    truth = 2.0 * MODEL.value("receptor.k_on")
    other = MODEL.with_values({"receptor.k_on": f"{truth} 1/uM/h"})
    seen = ks.simulate(replace(ASKED, model=other))
    rows = [f"{t},occupancy,{seen['receptor.bound'].sel(time=t).item()!r},0.01,low"
            for t in (1.0, 3.0, 6.0, 12.0)]  # fmt: skip
    path = tmp_path / "own.csv"
    path.write_text("\n".join(["time [h],readout,value,error,arm", *rows]) + "\n")
    data = ks.load_data(path, arms={"low": ASKED})
    found = ks.fit(data, free=["receptor.k_on"], starts=2)
    assert found.values["receptor.k_on"] == pytest.approx(truth, rel=1e-3)
    assert found.profiles[0].verdict == "identified"
    files = {one.name for one in found.save(tmp_path / "out")}
    assert {"fit.json", "data.png"} <= files
    assert not any(name.startswith("best_") for name in files)  # no file can name the model
    drawn = ks.posterior(data, free=["receptor.k_on"], particles=128)
    assert drawn.missing == ()
    path.write_text("time [h],readout,value,error,arm\n1,occupancy,0.5,0.01,rat_10\n")
    with pytest.raises(ConfigError, match="for one of your own give scenarios"):
        ks.load_data(path, model=MODEL)
