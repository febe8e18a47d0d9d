"""What is written reads back as the same scenario, to the last bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ketasim as ks
from ketasim.config import Setup, dump, load, loads, packaged
from ketasim.errors import ConfigError

MODEL = ks.models.antidepressant()
times = st.floats(0.0, 1e4).map(lambda h: f"{h!r} h")
amounts = st.tuples(st.floats(0.0, 900.0), st.sampled_from(["mg/kg", "mg", "ug", "g/kg"])).map(
    lambda pair: f"{pair[0] / 1000 if pair[1] == 'g/kg' else pair[0]!r} {pair[1]}"
)
doses = st.builds(
    ks.dose,
    amounts,
    route=st.sampled_from(["iv", "ip", "im", "oral"]),
    drug=st.just("ketamine"),
    at=times,
    over=times,
    s_fraction=st.none() | st.floats(0.0, 1.0),
)
courses = st.builds(
    lambda one, count, gaps: ks.repeat(one, times=count, every=gaps),
    doses,
    st.integers(1, 20),
    st.lists(st.floats(0.5, 200.0).map(lambda h: f"{h!r} h"), min_size=1, max_size=3),
)
holds = st.builds(
    lambda level, until: ks.hold("ampa.antagonist", level, start="always", until=until),
    st.floats(0.0, 1.0),
    times.filter(lambda text: text != "0.0 h") | st.none(),
)
baths = st.builds(lambda level, at: ks.bath(f"{level!r} uM", start=at), st.floats(0.0, 1e3), times)


def scenario(protocol, values, name="a scenario"):
    end = max([1.0, *(dose.stop for dose in protocol.doses)]) + 1.0
    model = MODEL.with_values(values)
    return ks.Scenario(
        model, protocol, (0.0, end / 3, end), subject=ks.human(weight="64.3 kg"), name=name
    )


@given(
    parts=st.lists(doses | courses, max_size=4),
    held=st.none() | holds,
    bathed=st.none() | baths,
    affinity=st.floats(0.01, 10.0),
    name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=50),
)
def test_any_scenario_round_trips(parts, held, bathed, affinity, name):
    protocol = sum([*parts, *(p for p in (held, bathed) if p is not None)], ks.Protocol())
    before = scenario(protocol, {"nmda.k_s": f"{affinity!r} uM"}, name)
    after = loads(dump(before)).scenario
    assert after == before
    assert after.resolved_model.digest == before.resolved_model.digest


@pytest.mark.parametrize("name", sorted(packaged.configs()))
def test_every_packaged_configuration_round_trips_without_a_caution(name):
    setup = load(name)
    assert setup.cautions == ()
    assert loads(dump(setup)) == setup


def test_engine_and_tolerance_are_written():
    setup = loads("schema = 1\n[engine]\nmethod = 'Radau'\nrtol = 3e-9\n")
    again = loads(dump(setup))
    assert (again.method, again.rtol) == ("Radau", 3e-9)


def test_a_course_is_written_as_a_course():
    text = dump(load("twice_weekly"))
    assert 'at = { start = "0.0 h", every = ["72.0 h", "96.0 h"], times = 8 }' in text


def test_an_even_grid_is_written_as_a_grid():
    text = dump(loads('schema = 1\n[output]\nuntil = "7 d"\nevery = "30 min"\n'))
    assert 'every = "0.5 h"' in text
    assert "times" not in text


def test_a_model_without_a_name_is_refused():
    from dataclasses import replace

    odd = replace(scenario(ks.Protocol(), {}), model=replace(MODEL, name="odd"))
    with pytest.raises(ConfigError, match='model "odd" has no name'):
        dump(Setup(odd))
