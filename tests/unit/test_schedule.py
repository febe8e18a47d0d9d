"""Is every dose delivered, once, when it was prescribed, and never between the steps?"""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toy
from ketasim.core.protocol import Protocol, bath, bolus, dose, hold, infusion, repeat
from ketasim.core.scenario import Scenario, Subject
from ketasim.core.schedule import SNAP, compile_schedule, covering_schedule
from ketasim.errors import ModelError, ProtocolError

TOY = toy.model()
END = 240.0
SECOND = 1 / 3600
MICROMOLES = 1000.0 / 200.0  # in a milligram of the toy drug


def compiled(protocol, *, weight=70.0, begin=0.0, end=END):
    return compile_schedule(protocol, TOY, weight=weight, begin=begin, end=end)


def at_start(over):
    """Begin with the run."""
    return 0.0


def at_end(over):
    """Stop with the run."""
    return END - over


AMOUNTS = st.floats(1e-3, 500.0).map(lambda x: f"{x!r} mg") | st.floats(1e-3, 10.0).map(
    lambda x: f"{x!r} mg/kg"
)
DURATIONS = st.sampled_from([0.0, SECOND, 1 / 60, 40 / 60, 1.0, 24.0]) | st.floats(SECOND, 48.0)
SINGLE = st.tuples(
    AMOUNTS,
    DURATIONS,
    st.sampled_from([("drug", "iv"), ("s_drug", "iv"), ("s_drug", "oral")]),
    # On the grid, off it, at t = 0, at the end, and on the heels of others.
    st.floats(0.0, 190.0) | st.integers(0, 190).map(float) | st.sampled_from([at_start, at_end]),
)


@st.composite
def back_to_back(draw):
    """Infusions that follow one another without a gap."""
    over, first = draw(st.floats(SECOND, 10.0)), draw(st.floats(0.0, 100.0))
    given_by = (draw(AMOUNTS), f"{over!r} h")
    train = infusion(given_by[0], over=given_by[1], drug="drug")
    return repeat(train, times=draw(st.integers(2, 9)), every=given_by[1], start=f"{first!r} h")


@st.composite
def singles(draw):
    """Doses of any kind, free to overlap."""
    joined = Protocol()
    for amount, over, (drug, route), start in draw(st.lists(SINGLE, min_size=1, max_size=8)):
        begin = start(over) if callable(start) else start
        joined += dose(amount, drug=drug, route=route, at=f"{begin!r} h", over=f"{over!r} h")
    return joined


PROTOCOLS = (
    singles() | back_to_back() | st.tuples(singles(), back_to_back()).map(lambda p: p[0] + p[1])
)


def milligrams(one, weight):
    return one.amount * (weight if one.per_weight else 1.0)


def entries(one):
    """Say by hand where each toy dose goes."""
    if one.route == "oral":
        return {"body.gut": 1.0}
    return {"body.s": 1.0} if one.drug == "s_drug" else {"body.s": 0.5, "body.r": 0.5}


def prescribed_by(moment, state, protocol, weight):
    """Return what should have entered a state before a moment, dose by dose [umol]."""
    total = 0.0
    for one in protocol.doses:
        whole = milligrams(one, weight) * MICROMOLES * entries(one).get(state, 0.0)
        if one.over == 0.0:
            total += whole if one.start < moment else 0.0
        else:
            total += whole * min(max((moment - one.start) / one.over, 0.0), 1.0)
    return total


@settings(max_examples=1000)
@given(protocol=PROTOCOLS, weight=st.floats(0.02, 150.0))
def test_what_is_prescribed_is_delivered(protocol, weight):
    schedule = compiled(protocol, weight=weight)
    total = sum(milligrams(one, weight) for one in protocol.doses)
    assert len(schedule.given) == len(protocol.doses)
    assert schedule.prescribed == pytest.approx(total, rel=1e-12)
    assert schedule.delivered.sum() == pytest.approx(total * MICROMOLES, rel=1e-9)
    for i, state in enumerate(TOY.states):
        wanted = prescribed_by(np.inf, state, protocol, weight)
        assert schedule.delivered[i] == pytest.approx(wanted, rel=1e-9)


@settings(max_examples=300)
@given(protocol=PROTOCOLS, moment=st.floats(0.0, END))
def test_it_is_delivered_on_time(protocol, moment):
    schedule = compiled(protocol)
    edges, state = schedule.edges, 0
    spent = np.clip(moment - edges[:-1], 0.0, np.diff(edges))
    so_far = spent @ schedule.rates[:, state] + schedule.boluses[edges < moment, state].sum()
    early, late = (
        prescribed_by(moment + d, "body.s", protocol, 70.0) for d in (-2 * SNAP, 2 * SNAP)
    )
    slack = 1e-9 * schedule.delivered[state]
    assert early - slack <= so_far <= late + slack


@settings(max_examples=300)
@given(protocol=PROTOCOLS, begin=st.floats(0.0, 100.0))
def test_every_start_and_stop_is_a_breakpoint(protocol, begin):
    edges = compiled(protocol, begin=begin).edges
    assert np.all(np.diff(edges) > SNAP)
    assert edges[0] == min([begin, *(d.start for d in protocol.doses)])
    assert edges[-1] == pytest.approx(END, abs=SNAP)
    for one, moment in itertools.product(protocol.doses, ("start", "stop")):
        assert np.min(np.abs(edges - getattr(one, moment))) <= SNAP


def test_an_empty_protocol_is_one_quiet_segment():
    schedule = compiled(Protocol())
    assert schedule.edges.tolist() == [0.0, END]
    assert (schedule.prescribed, schedule.delivered.tolist()) == (0, [0.0] * 4)
    assert not schedule.settled


def test_a_dose_at_the_very_end_is_still_given():
    schedule = compiled(bolus("10 mg", at="10 d", drug="drug"))
    assert schedule.edges.tolist() == [0.0, END]
    assert schedule.boluses[-1].tolist() == [25.0, 25.0, 0.0, 0.0]


def test_a_train_that_ends_with_the_run_is_not_late_by_rounding():
    train = repeat(infusion("1 mg", over="6 min", drug="drug"), times=3, every="6 min")
    assert train.doses[-1].stop > 0.3  # three tenths do not add up exactly
    scenario = Scenario(TOY, train, (0.0, 0.3), Subject("toy", 70.0))
    assert scenario.schedule.delivered.sum() == pytest.approx(3 * MICROMOLES, rel=1e-12)
    assert scenario.schedule.edges.tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3], rel=1e-15)
    assert len(scenario.schedule.given) == 3


def test_a_dose_after_the_end_is_refused():
    with pytest.raises(ProtocolError, match=r"a dose stops at 240\.5 h, after the run"):
        compiled(infusion("1 mg", over="1 h", at="239.5 h", drug="drug"))


def test_a_dose_too_large_to_compute_with_is_refused():
    with pytest.raises(ProtocolError, match="too large to compute with"):
        compiled(bolus("1e308 mg/kg", drug="drug"))


def test_the_share_of_an_enantiomer_can_be_chosen():
    schedule = compiled(dose("10 mg", drug="drug", route="iv", s_fraction=0.8))
    assert schedule.delivered.tolist() == pytest.approx([40.0, 10.0, 0.0, 0.0])
    with pytest.raises(ProtocolError, match='"s_drug" is a single enantiomer'):
        compiled(dose("10 mg", drug="s_drug", route="iv", s_fraction=0.8))


def test_a_drug_that_is_never_given_by_vein_can_be_given_otherwise():
    oral = toy.model(toy.body(inlets=toy.body().inlets[2:]), toy.receptor())
    schedule = compile_schedule(
        dose("1 mg", drug="s_drug", route="oral"), oral, weight=70.0, begin=0.0, end=1.0
    )
    assert schedule.delivered.sum() == pytest.approx(MICROMOLES)


@pytest.mark.parametrize(
    ("drug", "route", "said"),
    [
        ("drug", "oral", '"drug" cannot be given by the route "oral".'),
        ("drag", "iv", 'no such drug. Did you mean "drug"?'),
        ("drug", "orl", 'no such route. Did you mean "oral"?'),
    ],
)
def test_an_impossible_dose_is_refused(drug, route, said):
    with pytest.raises(ModelError) as caught:
        compiled(dose("1 mg", drug=drug, route=route))
    assert said in str(caught.value)


def knob_at(schedule, moment, column):
    segment = np.searchsorted(schedule.edges, moment, side="right") - 1
    return schedule.knobs[segment, column]


def test_windows_open_and_close_on_breakpoints():
    held = hold("receptor.blocker", "95 %", start="-30 min", until="24 h")
    schedule = compiled(bath("3 uM", drug="s_drug", start="1 h", until="2 h") + held)
    assert schedule.edges.tolist() == [-0.5, 1.0, 2.0, 24.0, END]
    blocked = [knob_at(schedule, t, 1) for t in (-0.4, 0.5, 23.9, 24.1)]
    assert blocked == pytest.approx([0.95, 0.95, 0.95, 0.0], rel=1e-15)
    assert [knob_at(schedule, t, 0) for t in (0.9, 1.1, 1.9, 2.1)] == [0.0, 3.0, 3.0, 0.0]
    assert not schedule.settled


def test_always_means_before_the_start_too():
    schedule = compiled(hold("receptor.blocker", 0.5, start="always"))
    assert schedule.settled
    assert schedule.edges.tolist() == [0.0, END]
    assert schedule.knobs[:, 1].tolist() == [0.5]


def test_a_window_without_an_end_lasts_to_the_end():
    schedule = compiled(hold("receptor.blocker", "10 %", start="239 h"))
    assert schedule.knobs[:, 1].tolist() == [0.0, 0.1]


def test_back_to_back_windows_are_not_overlapping_by_rounding():
    steps = repeat(hold("receptor.blocker", 0.1, until="6 min"), times=3, every="6 min")
    assert steps.events[-1].stop > 0.3
    after = hold("receptor.blocker", 0.2, start="0.3 h", until="1 h")
    schedule = compiled(steps + after)
    assert schedule.edges.tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3, 1.0, END], rel=1e-15)
    assert schedule.knobs[:, 1].tolist() == [0.1, 0.1, 0.1, 0.2, 0.0]


def test_two_windows_on_one_knob_at_once_are_refused():
    one = hold("receptor.blocker", 0.1, until="2 h")
    other = hold("receptor.blocker", 0.2, start="1 h", until="3 h")
    for both in (one + other, other + one):
        with pytest.raises(ProtocolError, match=r"two windows hold receptor\.blocker at once"):
            compiled(both)


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [
        ("receptor.bloker", 0.1, '"receptor.bloker": no such target. Did you mean '
         '"receptor.blocker"? "ketasim list targets" shows all 2.'),
        ("receptor.blocker", "101 %", "receptor.blocker = 101 %: must lie between 0 and 100 %."),
        ("receptor.bath_drug", "-1 nM", "receptor.bath_drug = -1 nM: must lie between 0 and "
         "100 uM."),
    ],
)  # fmt: skip
def test_an_impossible_hold_is_refused(knob, value, said):
    with pytest.raises(ProtocolError) as caught:
        compiled(hold(knob, value))
    assert str(caught.value) == said


def test_a_long_train_compiles_in_about_a_second():
    train = repeat(bolus("1 mg", drug="drug"), times=20_000, every="30 s")
    windows = repeat(hold("receptor.blocker", 0.1, until="10 s"), times=20_000, every="30 s")
    schedule = compiled(train + windows, end=200.0)
    assert len(schedule.edges) == pytest.approx(40_001, abs=2)
    assert schedule.delivered.sum() == pytest.approx(20_000 * MICROMOLES, rel=1e-9)


def test_a_covering_schedule_feeds_and_turns_what_any_member_may():
    quiet = hold("receptor.blocker", "0 %", start="1 h", until="2 h")
    protocol = dose("0 mg", route="iv", drug="drug") + quiet + bath("0 uM", drug="s_drug")
    found = covering_schedule(compiled(protocol), TOY, protocol=protocol)
    fed = {name for name, column in zip(TOY.states, found.rates.T, strict=True) if column.all()}
    assert fed == {"body.s", "body.r"}
    held = np.isnan(found.knobs).all(axis=0)
    assert dict(zip(TOY.knobs, held, strict=True)) == {
        "receptor.bath_drug": True,
        "receptor.blocker": True,
    }
    assert not covering_schedule(compiled(Protocol()), TOY, protocol=Protocol()).rates.any()
