"""Does a protocol say what was written, and refuse what cannot be carried out?"""

import math

import pytest

import toy
from ketasim.core.protocol import (
    MAX_EVENTS,
    Bath,
    Dose,
    Hold,
    Protocol,
    bath,
    bolus,
    dose,
    hold,
    infusion,
    repeat,
)
from ketasim.core.scenario import FINE, MAX_TIMES, Scenario, Subject, around, clock, hours, until
from ketasim.errors import KetasimError, ProtocolError, UnitError

TOY = toy.model()
SHOT = bolus("1 mg")
PAIR = SHOT + SHOT
WHO = Subject("toy", 70.0)


def message(build, kind):
    with pytest.raises(kind) as caught:
        build()
    assert isinstance(caught.value, KetasimError)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_doses_hold_what_was_written():
    assert infusion("0.5 mg/kg", over="40 min").events == (
        Dose(0.5, True, "iv", "ketamine", 0.0, 40 / 60),
    )
    assert bolus("500 ug", at="2 d", drug="drug").events == (
        Dose(0.5, False, "iv", "drug", 48.0, 0.0),
    )
    assert dose("10 mg/kg", route="ip", s_fraction=0.0).events[0].s_fraction == 0.0
    assert infusion("1 mg", over="1 h", at="-1 h").events[0].stop == 0.0


def test_windows_hold_what_was_written():
    assert bath("20 nM", until="1 h").events == (Bath("ketamine", 0.02, 0.0, 1.0),)
    assert hold("a.b", 1.0).events == (Hold("a.b", 1.0, 0.0, math.inf),)
    assert hold("a.b", "5 uM", start="always", until="2 h").events == (
        Hold("a.b", "5 uM", -math.inf, 2.0),
    )


def test_joining_keeps_everything_in_order():
    one, other = bolus("1 mg"), hold("a.b", 1.0)
    assert (one + other).events == (*one.events, *other.events)
    assert (one + other).doses == one.events
    assert (one + one).events == (*one.events, *one.events)


def test_shifting_moves_every_event():
    moved = (infusion("1 mg", over="1 h") + hold("a.b", 1.0, until="2 h")).shifted("1 d")
    assert [(e.start, e.stop) for e in moved.events] == [(24.0, 25.0), (24.0, 26.0)]
    forever = hold("a.b", 1.0, start="always").shifted("1 d").events[0]
    assert (forever.start, forever.stop) == (-math.inf, math.inf)


def test_twice_a_week_for_four_weeks():
    course = repeat(infusion("0.5 mg/kg", over="40 min"), times=8, every=["3 d", "4 d"])
    assert [one.start / 24 for one in course.doses] == [0, 3, 7, 10, 14, 17, 21, 24]
    later = repeat(bolus("1 mg"), times=2, every="1 d", start="12 h")
    assert [one.start for one in later.doses] == [12.0, 36.0]


@pytest.mark.parametrize(
    ("build", "kind", "said"),
    [
        (lambda: bolus("0.5"), UnitError, 'dose.amount = 0.5: a unit is needed, e.g. "0.5 mg/kg".'),
        (lambda: bolus(0.5), UnitError, 'dose.amount = 0.5: a unit is needed, e.g. "0.5 mg/kg".'),
        (lambda: dose("0.5 mg/L", route="iv", where="dosing[0]"), UnitError,
         'dosing[0].amount = "0.5 mg/L": that is a concentration; a dose per body weight is needed '
         "(mg/kg), or a total dose (mg) with subject.weight."),
        (lambda: bolus("3 umol"), UnitError, 'dose.amount = "3 umol": that is a molar amount;'),
        (lambda: bolus("-1 mg/kg"), ProtocolError, "dose.amount = -1 mg/kg: must be"),
        (lambda: bolus("nan mg"), UnitError, "dose.amount = nan: a finite number is needed."),
        (lambda: bolus("inf mg"), UnitError, "dose.amount = inf: a finite number is needed."),
        (lambda: bolus("1 mg", at=5), UnitError, 'dose.at = 5: a unit is needed, e.g. "5 h".'),
        (lambda: bolus("1 mg", at="nan h"), UnitError, "dose.at = nan: a finite number is needed."),
        (lambda: bolus("1 mg", at=True), UnitError, "dose.at = True: write a number and a unit"),
        (lambda: infusion("1 mg", over="-1 h"), ProtocolError, 'dose.duration = "-1 h": must'),
        (lambda: infusion("1 mg", over="3 mg"), UnitError, 'dose.duration: "mg" is a dose; a time'),
        (lambda: dose("1 mg", route="iv", s_fraction=1.1), ProtocolError, "dose.s_fraction = 1.1"),
        (lambda: dose("1 mg", route="iv", s_fraction=math.nan), ProtocolError, "dose.s_fraction"),
        (lambda: bath("-1 uM", until="1 h"), ProtocolError, 'bath.concentration = "-1 uM": must'),
        (lambda: bath("1 mg", until="1 h"), UnitError, 'bath.concentration: "mg" is a dose; a'),
        (lambda: bath("1 uM", start="2 h", until="1 h"), ProtocolError,
         'bath: its window is empty, from "2 h" until "1 h".'),
        (lambda: hold("a.b", 1.0, start="1 h", until="1 h"), ProtocolError, "hold: its window is"),
        (lambda: hold("a.b", 1.0, until=3), UnitError, 'hold.until = 3: a unit is needed, e.g.'),
        (lambda: repeat(SHOT, times=0, every="1 d"), ProtocolError, "times = 0: must lie"),
        (lambda: repeat(SHOT, times=MAX_EVENTS + 1, every="1 d"), ProtocolError, "times ="),
        (lambda: repeat(SHOT, times=2, every="0 d"), ProtocolError, "every = '0 d': an int"),
        (lambda: repeat(SHOT, times=2, every=[]), ProtocolError, "every = []: an interval"),
        (lambda: repeat(PAIR, times=MAX_EVENTS, every="1 d"), ProtocolError,
         f"{2 * MAX_EVENTS} events; at most {MAX_EVENTS} can be carried out."),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_out_is_refused(build, kind, said):
    assert message(build, kind).startswith(said)


def scenario(protocol=None, times=(0.0, 1.0), **more):
    return Scenario(TOY, protocol or Protocol(), times, WHO, **more)


def test_a_run_that_ends_before_its_last_dose_is_refused():
    early = until("30 min", every="10 min")
    said = message(lambda: scenario(infusion("1 mg", over="40 min"), early), ProtocolError)
    assert said == (
        'output.until = "30 min" ends before the last dose stops (40 min). '
        'Use at least "40 min"; 7 d shows the spine effect.'
    )


@pytest.mark.parametrize(
    "times",
    [(), (0.0,), (0.0, 0.0), (1.0, 0.0), (0.0, math.nan), (0.0, math.inf), range(MAX_TIMES + 1)],
)
def test_times_are_finite_and_increase(times):
    message(lambda: scenario(times=times), ProtocolError)


def test_a_recorded_name_exists():
    assert scenario(record=("body.plasma", "body.s")).recorded == ("body.plasma", "body.s")
    assert scenario().recorded == (*TOY.states, "body.plasma", "receptor.drug")
    assert message(lambda: scenario(record=("body.plasm",)), ProtocolError) == (
        'record "body.plasm": no such state or quantity. Did you mean "body.plasma"?'
    )


@pytest.mark.parametrize("weight", [0.0, -70.0, math.nan, math.inf])
def test_a_subject_weighs_something(weight):
    assert "must be > 0 and finite" in message(lambda: Subject("rat", weight), ProtocolError)


def test_the_users_own_edits_outrank_the_subjects_values():
    who = Subject("rat", 0.3, {"body.k_el": "2 1/h", "body.volume": "100 mL"})
    mine = TOY.with_values({"body.k_el": "0.01 1/min"})
    settled = Scenario(mine, Protocol(), (0.0, 1.0), who).resolved_model
    assert settled.value("body.k_el") == pytest.approx(0.6)
    assert settled.value("body.volume") == pytest.approx(0.1)


def test_a_picture_is_taken_just_before_whatever_begins_or_ends():
    asked = infusion("1 mg", over="17 min").shifted("61 min")
    times = around(asked, 0.0, 6.0)
    for moment in (61.0 / 60.0, 78.0 / 60.0):
        near = min(times, key=lambda time: abs(time - moment))
        before = max(time for time in times if time < near)
        assert near == pytest.approx(moment, abs=1e-6)
        assert 0.0 < moment - before < FINE / 50.0


def test_evenly_spaced_times_include_both_ends():
    assert hours(0, 1, every=0.25) == (0.0, 0.25, 0.5, 0.75, 1.0)
    times = until("7 d", every="10 min")
    assert (len(times), times[0], times[-1]) == (1009, 0.0, 168.0)
    assert until("1 h", every="30 min", start="-1 h") == (-1.0, -0.5, 0.0, 0.5, 1.0)


@pytest.mark.parametrize("every", ["0 h", "-1 h", "1e-9 s", "1e-300 h"])
def test_an_impossible_interval_is_refused(every):
    assert "an interval longer than zero" in message(
        lambda: until("7 d", every=every), ProtocolError
    )


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (40 / 60, "40 min"),
        (3.0, "3 h"),
        (24.0, "24 h"),
        (168.0, "7 d"),
        (1 / 3600, "1 s"),
        (0, "0 s"),
    ],
)
def test_times_are_said_as_people_say_them(moment, said):
    assert clock(moment) == said


def test_the_former_name_of_the_resolved_model_still_works_and_says_so():
    asked = Scenario(TOY, Protocol(), (0.0, 1.0), Subject("rat", 0.3))
    with pytest.warns(DeprecationWarning, match="resolved_model"):
        assert asked.settled_model is asked.resolved_model
