"""Do modules join a model, couple into its laws in any number, and leave it alone when off?"""

import inspect
from dataclasses import replace

import numpy as np
import pytest

import ketasim as ks
from ketasim import config
from ketasim.core.declare import Flow, Mechanism, Parameter, Read, State
from ketasim.core.evidence import assumed
from ketasim.core.module import Coupling, Module
from ketasim.core.system import System
from ketasim.errors import ConfigError, KetasimError, ModelError
from ketasim.models import antidepressant, modules, with_modules
from ketasim.models.modules import modules_of
from ketasim.models.rivals import RIVALS, Hypothesis

CORE = antidepressant()


def follow(level, load, k):
    """A level follows the load."""
    return k * (load - level)


def shifted(before, gain):
    """What was said, and a gain on top."""
    return before + gain


def scaled(before, gain):
    """What was said, so many times."""
    return before * (1 + gain)


GAIN = Parameter("toy_gain", 0.0, "1", (0.0, 1.0), assumed("off by default"), "a gain", role="gain")
LEVEL = Mechanism(
    "toy",
    "A level that follows stress.",
    states=(State("level", 0.0, "1", "a level"),),
    parameters=(Parameter("k", 0.1, "1/h", (0.01, 1.0), assumed("a pace of its own"), "a pace"),),
    reads=(Read("load", "1", of="stress.load"),),
    flows=(Flow(follow, into="level"),),
)
READ = (Read("toy_gain", "1", of="drivers.toy_gain"),)


def coupling(into, law, by, **more):
    return Coupling(into, law, by, using={"gain": "toy_gain"}, reads=READ, **more)


ONE = Module(
    "one",
    "A toy.",
    (LEVEL,),
    (Coupling("drivers", parameters=(GAIN,)), coupling("outcome", "function", shifted)),
)
TWO = Module(
    "two",
    "Another.",
    couplings=(
        Coupling("outcome", "function", scaled, using={"gain": "toy_gain"}),
        coupling("spines", "lose", scaled),
        coupling("stress", "carry", scaled),
    ),
    needs=("one",),
)


@pytest.fixture
def toys(monkeypatch):
    monkeypatch.setattr(modules, "MODULES", {"one": ONE, "two": TWO})


def course(model, name="outcome.mood", rtol=None):
    held = ks.hold("stress.stressor", 1.0, start="always")
    one = ks.Scenario(
        model, ks.dose("10 mg/kg", route="ip") + held, (0.0, 24.0), ks.mouse(), (name,)
    )
    return float(ks.simulate(one, rtol=rtol)[name].to_numpy()[0, -1])


def test_a_model_says_in_its_name_which_modules_it_has(toys):
    both = with_modules(CORE, ["two"])
    assert both.name == "antidepressant+one+two"
    assert modules_of(both) == ("one", "two"), "what one needs comes with it"
    assert modules_of(CORE) == ()
    assert both.digest not in (CORE.digest, with_modules(CORE, ["one"]).digest)
    assert with_modules(both, ["one"]) is both


def test_the_order_of_asking_makes_no_difference(toys):
    assert with_modules(CORE, ["one", "two"]).digest == with_modules(CORE, ["two", "one"]).digest
    later = with_modules(with_modules(CORE, ["one"]), ["two"])
    assert later.digest == with_modules(CORE, ["two", "one"]).digest


def test_couplings_that_are_off_leave_every_number(toys):
    both = with_modules(CORE, ["two"])
    assert course(both, rtol=1e-12) == pytest.approx(course(CORE, rtol=1e-12), rel=1e-9)
    system, plain = System(both), System(CORE)
    rest = system.rest(system.prepare(system.default_parameters, system.neutral_knobs))
    core = plain.rest(plain.prepare(plain.default_parameters, plain.neutral_knobs))
    assert np.array_equal(rest[: len(core)], core)


def test_two_modules_wrap_one_law_each_in_its_turn(toys):
    on = with_modules(CORE, ["two"]).with_values({"drivers.toy_gain": 0.5})
    laws = {wire.name: wire for wire in on.quantities}
    assert laws["outcome.function"].law is scaled
    assert laws["outcome.function"].arguments[0] == "outcome.function_without_two"
    assert laws["outcome.function_without_two"].arguments[0] == "outcome.function_without_one"
    assert laws["outcome.aim"].arguments[0] == "outcome.function", "what reads it gets the last"
    system = System(on)
    values = system.prepare(system.default_parameters, system.neutral_knobs)
    system.slopes(values, system.rest(values))
    assert values[system.slots["outcome.function"]] == pytest.approx((1.0 + 0.5) * 1.5)


def test_every_flow_of_a_wrapped_law_is_wrapped(toys):
    on = with_modules(CORE, ["two"])
    lost = [wire for wire in on.flows if wire.out_of in ("spines.original", "spines.reformed")]
    assert sum(wire.law is scaled for wire in lost) == 2
    assert on.unit("spines.lose_original_without_two") == "1/h"
    assert course(on.with_values({"drivers.toy_gain": 1.0}), "spines.original") < course(
        on, "spines.original"
    )


@pytest.mark.parametrize("rival", RIVALS, ids=lambda one: one.name)
def test_a_rival_applies_to_a_composed_model(toys, rival):
    both = rival.model(with_modules(CORE, ["two"]), 0.5)
    plain = rival.model(CORE, 0.5)
    assert all(both.value(name) == plain.value(name) for name in rival.values)


def test_a_mechanism_that_stands_in_keeps_the_couplings_of_the_one_it_replaces(toys):
    mine = next(one for one in CORE.mechanisms if one.name == "outcome")
    mine = replace(mine, story="Mine.")
    found = Hypothesis("mine", "Mine.", mechanisms=(mine,)).structure(with_modules(CORE, ["two"]))
    assert "outcome.function_without_two" in found.recordable


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (coupling("outcome", "functoin", shifted), 'no law "functoin". Did you mean "function"'),
        (Coupling("outcome", "function", follow), "has no argument 'before'"),
        (Coupling("drivers", parameters=(GAIN, GAIN)), "declared twice"),
    ],
)
def test_a_coupling_that_does_not_fit_is_refused(monkeypatch, one, told):
    gain = Coupling("drivers", parameters=(GAIN,))
    module = Module("wrong", "Wrong.", couplings=(gain, one) if one.law else (one,))
    monkeypatch.setattr(modules, "MODULES", {"wrong": module})
    with pytest.raises(ModelError, match=told):
        with_modules(CORE, ["wrong"])


def test_an_unknown_module_is_one_sentence(toys):
    with pytest.raises(ModelError, match=r'"oen": no such module. Did you mean "one"\?'):
        with_modules(CORE, ["oen"])


FILE = """schema = 1
[model]
with = ["safety"]
[[dosing]]
amount = "0.5 mg/kg"
route = "iv"
duration = "40 min"
"""


def test_a_file_says_which_modules_it_needs_and_is_written_back():
    setup = config.loads(FILE)
    assert setup.scenario.model.name == "antidepressant+safety"
    text = config.dump(setup)
    assert 'with = ["safety"]' in text
    assert config.loads(text).scenario.model.digest == setup.scenario.model.digest
    off = config.loads(FILE, sets=["model.with=[]"])
    assert off.scenario.model is CORE
    assert config.loads(FILE, modules=["safety"]).scenario.model is setup.scenario.model


def test_a_file_with_an_unknown_module_is_one_sentence():
    text = FILE.replace("safety", "safty")
    with pytest.raises(ConfigError, match=r'model.with = "safty": no such module. Did you mean'):
        config.loads(text, source="a.toml")


def test_modules_are_added_to_files_only():
    setup = config.loads(FILE)
    with pytest.raises(ConfigError, match="modules: added to files"):
        ks.run(setup, modules=["safety"])
    with pytest.raises(ConfigError, match="modules: added to files"):
        ks.sweep(setup, "sobol:4", modules=["safety"])
    with pytest.raises(ConfigError, match="modules: a Model has its own"):
        ks.check(model=CORE, modules=["safety"])


@pytest.mark.parametrize(
    "asked",
    [
        lambda **more: ks.sweep(
            "rat_10", {"safety.c50": ["0.4 uM", "0.6 uM"]}, engine="reference",
            summaries="safety.cadss.peak", **more,
        ),
        lambda **more: ks.explain("rat_10", "safety.cadss.peak", nodes=["safety.site"], **more),
        lambda **more: ks.app("rat_10", **more).html,
    ],
    ids=["sweep", "explain", "app"],
)  # fmt: skip
def test_every_verb_that_takes_a_file_takes_modules(asked):
    short = ["output.until=1 h", "output.every=30 min"]
    with pytest.raises(KetasimError, match="safety"):
        asked(modules=["safty"], sets=short)
    assert asked(modules=["safety"], sets=short) is not None


def test_every_verb_that_takes_changes_takes_modules():
    own = ("population", "trial")  # these read files of their own kind, which name their model
    verbs = [getattr(ks, name) for name in ks.__all__ if name not in own]
    verbs = [one for one in verbs if inspect.isfunction(one)]
    taking = [one for one in verbs if "sets" in inspect.signature(one).parameters]
    assert len(taking) >= 7
    lacking = [one for one in taking if "modules" not in inspect.signature(one).parameters]
    assert lacking == []


def test_the_whole_model_has_every_module_and_the_core_none():
    assert modules_of(ks.models.whole()) == tuple(ks.models.MODULES)
    assert CORE.digest == "aea2ea6901fd3179"


def test_data_in_an_arm_with_modules_are_of_the_model_with_them(tmp_path):
    sheet = tmp_path / "pressure.csv"
    sheet.write_text(
        "# arm ketamine = human_safety\n# arm plain = human_healthy_iv\n"
        "time [h],readout,value,error,unit,arm\n"
        "0.5,safety.sbp_rise,5.5,1.5,mmHg,ketamine\n0.5,plasma.venous,150,20,ng/mL,plain\n"
    )
    found = ks.load_data(sheet)
    assert found.model.name == "antidepressant+safety"
    assert set(found.arms) == {"ketamine", "plain"}
