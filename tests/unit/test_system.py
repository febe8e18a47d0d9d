"""Do the called equations equal those written by hand, for one member and for many?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from ketasim.core.declare import Flow, Parameter, Quantity
from ketasim.core.maths import hill, power
from ketasim.core.system import System

TOY = System(toy.model())
P = dict(zip(TOY.model.parameters, TOY.default_parameters, strict=True))
AMOUNT = st.floats(0.0, 1e4)
STATES = st.tuples(AMOUNT, AMOUNT, AMOUNT, st.floats(0.0, 1.0)).map(np.array)
PARAMETERS = st.tuples(
    st.floats(0.01, 2.0), st.floats(0.01, 100.0), st.floats(0.1, 3600.0), st.floats(0.001, 10.0)
).map(np.array)
BATH = st.floats(0.0, 100.0)


def by_hand(parameters, bath, y):
    """Write the toy out as one would on paper."""
    k_el, volume, k_on, affinity = parameters
    s, r, gut, bound = y
    drug = s / volume + bath
    return np.array(
        [
            k_el * gut - k_el * s,
            -k_el * r,
            -k_el * gut,
            k_on * drug * (1 - bound) - k_on * affinity * bound,
        ]
    )


def jacobian_by_hand(parameters, bath, y):
    """Differentiate the toy on paper."""
    k_el, volume, k_on, affinity = parameters
    s, _, _, bound = y
    drug = s / volume + bath
    return np.array(
        [
            [-k_el, 0.0, k_el, 0.0],
            [0.0, -k_el, 0.0, 0.0],
            [0.0, 0.0, -k_el, 0.0],
            [k_on * (1 - bound) / volume, 0.0, 0.0, -k_on * (drug + affinity)],
        ]
    )


def prepared(parameters=TOY.default_parameters, bath=0.0):
    return TOY.prepare(parameters, np.array([bath, 0.0]))


def test_everything_is_canonical():
    assert (
        pytest.approx(
            {"body.k_el": 0.25, "body.volume": 2.0, "receptor.k_on": 7.2, "receptor.affinity": 0.5}
        )
        == P
    )
    assert TOY.scales == pytest.approx([0.1, 0.1, 1.0, 1.0], rel=1e-15)
    assert TOY.neutral_knobs.tolist() == [0.0, 0.0]
    assert TOY.state_names == ("body.s", "body.r", "body.gut", "receptor.bound")


def test_derived_parameters_are_filled_before_the_start():
    values = prepared()
    assert values[TOY.slots["receptor.k_off"]] == pytest.approx(3.6, rel=1e-15)
    assert values[TOY.slots["receptor.half"]] == pytest.approx(0.5, rel=1e-15)


@given(PARAMETERS, BATH, STATES)
def test_slopes_are_those_written_by_hand(parameters, bath, y):
    slopes = TOY.slopes(prepared(parameters, bath), y)
    assert all(type(one) is float for one in slopes)
    scale = max(1.0, float(np.max(np.abs(y)))) * 1e5
    np.testing.assert_allclose(slopes, by_hand(parameters, bath, y), rtol=1e-13, atol=1e-14 * scale)


@given(st.lists(st.tuples(PARAMETERS, BATH, STATES), min_size=1, max_size=5))
def test_one_member_and_many_have_the_same_slopes(members):
    parameters, baths, states = (np.array(column).T for column in zip(*members, strict=True))
    knobs = np.array([baths, np.zeros(len(members))])
    together = TOY.slopes(TOY.prepare(parameters, knobs), states)
    alone = [TOY.slopes(prepared(p, b), y) for p, b, y in members]
    # Bit for bit: a member must not feel its neighbours.
    assert np.array(together).T.tolist() == np.array(alone).tolist()


@given(PARAMETERS, BATH, STATES)
def test_the_jacobian_is_that_written_by_hand(parameters, bath, y):
    found = TOY.jacobian(prepared(parameters, bath), y)
    np.testing.assert_allclose(found, jacobian_by_hand(parameters, bath, y), rtol=1e-12, atol=1e-12)


def test_a_call_leaves_no_trace_on_the_next():
    values, y = prepared(), np.array([3.0, 2.0, 1.0, 0.2])
    first = TOY.slopes(values, y)
    TOY.jacobian(values, y)
    TOY.slopes(values, 100 * y)
    assert TOY.slopes(values, y) == first


def test_turning_a_knob_reaches_the_laws():
    values, y = prepared(), np.array([0.0, 0.0, 0.0, 0.2])
    TOY.turn(values, np.array([3.0, 0.0]))
    assert TOY.slopes(values, y) == pytest.approx(by_hand(TOY.default_parameters, 3.0, y))
    TOY.turn(values, TOY.neutral_knobs)
    assert TOY.slopes(values, y) == pytest.approx(by_hand(TOY.default_parameters, 0.0, y))


def test_a_quantity_of_knobs_alone_turns_with_them():
    def left(blocker):
        """Share of receptors open."""
        return 1 - blocker

    quantities = (*toy.receptor().quantities, Quantity(left, "1", "share open"))
    system = System(toy.model(toy.body(), toy.receptor(quantities=quantities)))
    values = system.prepare(system.default_parameters, np.array([0.0, 0.25]))
    assert values[system.slots["receptor.left"]] == 0.75
    system.turn(values, np.array([0.0, 0.5]))
    assert values[system.slots["receptor.left"]] == 0.5


def test_rest_follows_parameters():
    states = (toy.State("bound", "affinity", "1", ""),)
    unitless = Parameter("affinity", 25.0, "%", (1.0, 100.0), toy.WHY)
    parameters = (toy.receptor().parameters[0], unitless)
    receptor = toy.receptor(states=states, parameters=parameters, derived=(), flows=())
    system = System(toy.model(toy.body(), receptor))
    many = np.tile(system.default_parameters[:, None], (1, 3))
    many[-1] = [0.1, 0.2, 0.3]
    alone = system.rest(system.prepare(system.default_parameters, system.neutral_knobs))
    together = system.rest(system.prepare(many, np.zeros((2, 3))))
    assert alone.tolist() == [0.0, 0.0, 0.0, 0.25]
    assert (together.shape, together[-1].tolist()) == ((4, 3), [0.1, 0.2, 0.3])


def test_observed_values_are_canonical_and_as_long_as_time():
    states = np.array([[0.0, 1.0, 4.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.1, 0.2]])
    names = ("body.plasma", "receptor.drug", "receptor.bound", "receptor.k_off", "body.r")
    seen = TOY.observe(prepared(bath=1.0), states, names)
    assert seen["body.plasma"].tolist() == [0.0, 0.5, 2.0]
    assert seen["receptor.drug"].tolist() == [1.0, 1.5, 3.0]
    assert seen["receptor.k_off"].tolist() == pytest.approx([3.6] * 3)
    assert [len(seen[name]) for name in names] == [3] * 5


def test_a_flow_between_states_loses_nothing():
    values = prepared()
    y = np.array([0.0, 0.0, 5.0, 0.0])
    slopes = TOY.slopes(values, y)
    assert slopes[0] == -slopes[2] == 1.25


def saturate(drug, k_on, affinity):
    """Rise and level off."""
    return k_on * hill(drug, affinity, 1.7)


def test_a_hill_law_is_differentiated_exactly():
    receptor = toy.receptor(flows=(Flow(saturate, into="bound"),))
    system = System(toy.model(toy.body(), receptor))
    values = system.prepare(system.default_parameters, system.neutral_knobs)
    jacobian = system.jacobian(values, np.array([3.0, 0.0, 0.0, 0.0]))
    x = (3.0 / 2.0 / 0.5) ** 1.7
    expected = 7.2 * 1.7 * x / (1 + x) ** 2 / 3.0
    assert jacobian[3, 0] == pytest.approx(expected, rel=1e-13)


@given(base=st.floats(-1e6, 1e6), exponent=st.floats(0.5, 8.0))
def test_power_is_finite_and_alike_for_a_float_and_an_array(base, exponent):
    alone, among = power(base, exponent), power(np.array([base]), exponent)[0]
    assert np.isfinite(alone)
    assert among == pytest.approx(alone, rel=1e-12, abs=1e-140)


@given(x=st.floats(-1.0, 1e3), half=st.floats(0.1, 10.0), steepness=st.floats(0.5, 6.0))
def test_hill_stays_between_none_and_all(x, half, steepness):
    assert 0.0 <= hill(x, half, steepness) <= 1.0
    assert hill(half, half, steepness) == pytest.approx(0.5)
