"""Compiled laws against the laws themselves."""

import numpy as np
import pytest
from probe import compile_nodes

from agreement.members import draws, system
from ketasim.compile.wiring import derivatives, equations, whole_exponents
from ketasim.units import unit

POINTS = 10_000


@pytest.fixture(scope="module")
def points():
    """Random states, parameters and knobs, each within its interval."""
    one, rng = system(), np.random.default_rng(3)
    n, parameters = len(one.state_names), draws(POINTS, spread=0.2, whole=False).T
    rest = one.rest(one.prepare(one.default_parameters, one.neutral_knobs))
    states = (rest + 0.1 * one.scales)[:, None] * rng.uniform(0.1, 3.0, (n, POINTS))
    shares = np.array([s.within[1] == 1.0 for s in one.model.states.values()])
    states[shares] = rng.uniform(0.01, 0.99, (shares.sum(), POINTS))
    highs = np.array([k.bounds[1] * unit(k.unit).factor for k in one.model.knobs.values()])
    neutral = one.neutral_knobs[:, None]
    knobs = neutral + rng.uniform(0.0, 0.5, (len(highs), POINTS)) * (highs[:, None] - neutral)
    return states, parameters, knobs


def sizes(one):
    return {
        "y": len(one.state_names),
        "p": len(one.default_parameters),
        "k": len(one.neutral_knobs),
        "r": len(one.state_names),
    }


@pytest.mark.parametrize("variant", ["whole", "general"])
def test_slopes_agree_to_thirteen_digits(points, variant):
    one = system()
    states, parameters, knobs = points
    whole = whole_exponents(one) if variant == "whole" else {}
    parameters = parameters.copy()
    for column, value in whole.items():
        parameters[column] = value
    evaluate, _ = compile_nodes(equations(one, whole=whole).slopes, sizes(one), 8)
    found = evaluate(y=states, p=parameters, k=knobs, r=np.zeros_like(states))
    values = one.prepare(parameters, knobs)
    wanted = np.array(np.broadcast_arrays(*one.slopes(values, states)))
    flows = sizes_of_flows(one, values)
    assert np.isfinite(wanted).all()
    error = np.abs(found - wanted)
    assert np.mean(error > 1e-13 * flows) < 1e-3
    # The rest are differences of nearly equal terms inside one law, which the last digit of a
    # state changes as much.
    assert np.max(error / (flows + moved_by_states(one, states, parameters, knobs))) < 1e-13


def moved_by_states(one, states, parameters, knobs):
    """Return how far each slope moves when every state changes by all of itself."""
    entries = derivatives(equations(one))
    evaluate, _ = compile_nodes(list(entries.values()), sizes(one), 8)
    found = evaluate(y=states, p=parameters, k=knobs, r=np.zeros_like(states))
    total = np.zeros_like(states)
    for (row, column), slope in zip(entries, found, strict=True):
        total[row] += np.abs(slope * states[column])
    return total


def sizes_of_flows(one, values):
    """Return the sum of the sizes of the flows of each state: what a slope is small beside."""
    n = len(one.state_names)
    total = [1e-300] * (n + 1)
    for law, pick, into, out_of in one._flows:
        rate = np.abs(law(*pick(values)))
        total[into] = total[into] + rate
        total[out_of] = total[out_of] + rate
    return np.array(np.broadcast_arrays(*total[:n]))


def test_the_jacobian_agrees_with_complex_steps_and_differences(points):
    one = system()
    states, parameters, knobs = points
    some = slice(0, 40)
    entries = derivatives(equations(one))
    evaluate, _ = compile_nodes(list(entries.values()), sizes(one), 8)
    found = evaluate(y=states[:, some], p=parameters[:, some], k=knobs[:, some], r=states[:, some])
    n = len(one.state_names)
    for at in range(40):
        values = one.prepare(np.ascontiguousarray(parameters[:, at]), knobs[:, at])
        exact = one.jacobian(values, states[:, at])
        ours = np.zeros((n, n))
        ours[tuple(np.array(list(entries)).T)] = found[:, at]
        # The slope of a saturated fold (AMPA receptors by TrkB, resilience by stable spines, here
        # up to hundreds of times their rest) is a difference of nearly equal terms: right to the
        # last places of its row, 3e-13 of the row's largest, and not of itself.
        size = np.abs(exact).max(axis=1, keepdims=True) + 1e-300
        assert np.max(np.abs(ours - exact) / size) < 1e-12
    rough = differences(one, values, states[:, 39])
    assert np.max(np.abs(ours - rough) / (np.abs(rough) + 1e-3 * np.abs(rough).max())) < 1e-4


def differences(one, values, state):
    """Return the Jacobian by central differences."""
    n = len(state)
    found = np.empty((n, n))
    for j in range(n):
        step = 1e-6 * max(abs(state[j]), 1e-3)
        up, down = state.copy(), state.copy()
        up[j] += step
        down[j] -= step
        high, low = (np.array(one.slopes(list(values), x), float) for x in (up, down))
        found[:, j] = (high - low) / (2.0 * step)
    return found
