"""Cuts on a model whose shares are known by hand, and copies that never meet the drug."""

from dataclasses import replace

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.declare import Flow, Inlet, Knob, Mechanism, Parameter, Quantity, Read, State
from ketasim.core.model import Model
from ketasim.core.protocol import Protocol
from ketasim.core.scenario import Scenario, Subject
from ketasim.core.system import System
from ketasim.engines.reference import integrate
from ketasim.errors import ConfigError, ModelError
from ketasim.readouts import parse
from ketasim.studies.cuts import cut, undrugged_of, with_constants, with_undrugged
from ketasim.studies.mediation import explain
from toy import SUBSTANCES, WHY

TIMES = tuple(np.linspace(0.0, 10.0, 21))
BODY = ("body", "disposition", "pk_s", "pk_r", "plasma")


def leave(level, k):
    return k * level


def follow(target, level, k):
    return k * (target - level)


def level_of(amount, push):
    return amount + push


def added(left, right, weight):
    return weight * left + (1 - weight) * right


def branch(name):
    """Return a mechanism that follows the drug and a push of its own."""
    return Mechanism(
        name=name,
        story="A branch.",
        states=(State("level", 0.0, "1", "how far it has come"),),
        parameters=(Parameter("k", 0.5, "1/h", (0.1, 1.0), WHY),),
        reads=(Read("amount", "umol", of="body.s"),),
        knobs=(Knob("push", 0.0, "umol", (0.0, 10.0), "a push"),),
        quantities=(Quantity(level_of, "umol", "drug and push", name="target"),),
        flows=(Flow(push_in, into="level"), Flow(leave, out_of="level")),
    )


def push_in(target, k):
    return k * target


BODY_OF_TOY = Mechanism(
    name="body",
    role="drug",
    story="One pool for each enantiomer.",
    states=(State("s", 0.0, "umol", "S"), State("r", 0.0, "umol", "R")),
    parameters=(Parameter("k", 0.3, "1/h", (0.1, 1.0), WHY),),
    flows=(
        Flow(leave, out_of="s", using={"level": "s"}),
        Flow(leave, out_of="r", using={"level": "r"}),
    ),
    inlets=(Inlet("s_drug", "iv", "s"), Inlet("r_drug", "iv", "r")),
)
END = Mechanism(
    name="end",
    story="Both branches together.",
    parameters=(Parameter("weight", 0.7, "1", (0.0, 1.0), WHY),),
    reads=(Read("left", "1", of="left.level"), Read("right", "1", of="right.level")),
    quantities=(Quantity(added, "1", "what comes of both", name="outcome"),),
)


def toy():
    """Return two linear branches between a drug and an outcome: they carry 70 % and 30 %."""
    return Model((BODY_OF_TOY, branch("left"), branch("right"), END), SUBSTANCES, name="fork")


@pytest.fixture
def scenario():
    dose = ks.dose("10 mg", route="iv", drug="drug")
    return Scenario(toy(), dose, TIMES, Subject("human", 70.0))


@pytest.fixture
def pushed(scenario):
    """The same, while the left branch is recovering from a push: nothing rests without the drug."""
    push = ks.hold("left.push", "3 umol", start="-4 h", until="1 h")
    return scenario.with_protocol(Protocol((*scenario.protocol.events, *push.events)))


def shares(found):
    return {one.label: one.share for one in (*found.nodes, *found.arrows)}


@pytest.mark.parametrize("which", ["scenario", "pushed"])
def test_parallel_branches_carry_their_weights(which, request):
    found = shares(explain(request.getfixturevalue(which), "end.outcome@6h"))
    expected = {"left.level": 0.7, "right.level": 0.3, "drug -> left": 0.7, "drug -> right": 0.3,
                "left -> end": 0.7, "right -> end": 0.3}  # fmt: skip
    for label, share in expected.items():
        assert found[label] == pytest.approx(share, abs=2e-6), label


def test_a_named_quantity_is_cut_where_its_own_laws_read_it(scenario):
    found = explain(scenario, "end.outcome.peak", nodes=["left.target"])
    assert [(one.label, round(one.share, 2)) for one in found.nodes] == [("left.target", 0.7)]


def test_an_undrugged_copy_is_the_model_without_the_drug(pushed):
    model = pushed.model
    whole = with_undrugged(model, {"body.s": 0.0, "body.r": 0.0})
    names = ("left.level", "right.level", "end.outcome")
    bare = pushed.with_protocol(Protocol(pushed.protocol.events[1:]))
    free, treated = (_run(one, one.model, names) for one in (bare, pushed))
    both = _run(pushed, whole, (*names, *map(undrugged_of, names)))
    for name in names:
        assert both[undrugged_of(name)] == pytest.approx(free[name], abs=1e-7)
        assert both[name] == pytest.approx(treated[name], abs=1e-7)
    assert treated["end.outcome"].max() > 2 * free["end.outcome"].max()


def _run(scenario, model, names):
    system = System(model)
    schedule = replace(scenario, model=model).schedule
    return integrate(system, schedule, np.array(TIMES), names=names, rtol=1e-9).observed


def test_edits_reach_the_undrugged_copy():
    edited = toy().with_values({"left.k": "0.9 1/h"})
    whole = with_undrugged(edited, {"body.s": 0.0, "body.r": 0.0})
    assert whole.value("left_undrugged.k") == 0.9


def test_a_cut_leaves_out_a_state_that_nobody_reads():
    model, instead = with_constants(toy(), {"left.level": 0.25})
    found = cut(model, instead)
    assert "left.level" not in found.states
    assert found.value("clamped.left_level") == 0.25


def test_a_cut_for_one_reader_leaves_the_others(scenario):
    model, instead = with_constants(toy(), {"body.s": 0.0})
    found = cut(model, instead, readers=("left",))
    seen = _run(scenario, found, ("left.level", "right.level"))
    assert np.ptp(seen["left.level"]) == 0.0
    assert np.ptp(seen["right.level"]) > 0.1


def test_a_pool_that_was_cut_keeps_no_partner_below_its_whole():
    model = ks.models.antidepressant()
    spines = next(one for one in model.mechanisms if one.name == "spines")
    assert ("original", "vacated", "reformed") in spines.conserved
    clamped, instead = with_constants(model, {"spines.vacated": 0.3})
    found = cut(clamped, instead)
    assert model.states["spines.reformed"].within == (0.0, 1.0)
    assert found.states["spines.reformed"].within == (0.0, np.inf)
    assert found.states["ampa.surface"].within == model.states["ampa.surface"].within


def test_only_states_and_quantities_are_cut():
    with pytest.raises(ModelError, match=r"left\.k is a parameter"):
        cut(toy(), {"left.k": "left.level"})


def test_a_constant_and_an_undrugged_copy_agree_in_the_whole_model():
    setup = ks.config.load("human_depressed_iv", sets=['output.until="1 d"'])
    model = setup.scenario.resolved_model
    base = replace(setup.scenario, model=model, times=(0.0, 24.0), record=())
    free = replace(base, protocol=Protocol(base.protocol.events[1:]))
    through = "glutamate.synaptic"  # which every effect of the default passes
    start = _all(free, model)
    body = {n: float(v[0]) for n, v in start.items() if n.partition(".")[0] in BODY}
    constant, instead = with_constants(model, {through: float(start[through][0])})
    found = [
        _all(base, cut(constant, instead))["outcome.mood"][-1],
        _all(base, cut(with_undrugged(model, body), {through: undrugged_of(through)}))[
            "outcome.mood"
        ][-1],
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-7)
    assert found[0] == pytest.approx(start["outcome.mood"][-1], abs=1e-4)


def _all(scenario, model):
    schedule = replace(scenario, model=model).schedule
    made = ("outcome.mood", "trkb.signal", "glutamate.synaptic")
    names = (*made, *(n for n in _known(model) if n.split(".")[0] in BODY))
    return integrate(
        System(model), schedule, np.array(scenario.times), names=names, rtol=1e-9
    ).observed


def _known(model):
    return (*model.states, *(str(one.name) for one in model.quantities))


@pytest.mark.parametrize(
    ("effect", "nodes", "message"),
    [
        ("end.outcom@6h", (), r'no such state or quantity\. Did you mean "end\.outcome"'),
        ("end.outcome@6", (), "a unit is needed"),
        ("end.outcome@6h", ("left.k",), r"--node left\.k: a state or quantity between the drug"),
        ("end.outcome@6h", ("body.s",), r"--node body\.s: a state or quantity between the drug"),
        ("left.push@6h", (), "no such state or quantity"),
    ],
)
def test_what_cannot_be_explained_is_said_in_one_sentence(scenario, effect, nodes, message):
    with pytest.raises((ConfigError, ValueError), match=message):
        explain(scenario, effect, nodes=nodes)


def test_without_a_drug_or_an_effect_there_is_nothing_to_explain(scenario):
    push = ks.hold("left.push", "3 umol", start="1 h", until="2 h")
    with pytest.raises(ConfigError, match="gives no drug"):
        explain(scenario.with_protocol(push), "end.outcome@6h")
    with pytest.raises(ConfigError, match="no effect on it there"):
        explain(scenario, "end.outcome@0h")


def test_at_is_short_for_a_moment():
    model = ks.models.antidepressant()
    short = parse("spines.density@24h", model)
    assert short.node == parse("spines.density.at(24 h)", model).node
