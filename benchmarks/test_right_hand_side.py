"""One evaluation of the equations, for one member and for many at once."""

import numpy as np
import pytest

from ketasim.core.system import System
from ketasim.testing import draws


@pytest.mark.parametrize("members", [1, 100, 10_000])
def test_slopes(benchmark, model, members):
    system = System(model)
    parameters = draws(model, members, seed=1)
    knobs = np.repeat(system.neutral_knobs[:, None], members, axis=1)
    values = system.prepare(parameters, knobs)
    states = system.rest(values) * 1.05 + 0.01 * system.scales[:, None]
    slopes = benchmark(system.slopes, values, states)
    benchmark.extra_info["members"] = members
    together = np.array(np.broadcast_arrays(*slopes))
    assert together.shape == (len(system.state_names), members)
    for i in {0, members // 2, members - 1}:
        alone = system.prepare(parameters[:, i], system.neutral_knobs)
        one = np.array(system.slopes(alone, states[:, i]))
        assert together[:, i] == pytest.approx(one, rel=1e-9, abs=1e-11)


def test_jacobian(benchmark, model):
    system = System(model)
    values = system.prepare(system.default_parameters, system.neutral_knobs)
    states = system.rest(values) + 0.01 * system.scales
    found = benchmark(system.jacobian, values, states)
    for i in (0, 20, 40):
        step = 1e-6 * system.scales[i] * np.eye(len(states))[i]
        rise = np.subtract(
            system.slopes(values, states + step), system.slopes(values, states - step)
        )
        assert found[:, i] == pytest.approx(rise / (2 * step[i]), rel=1e-4, abs=1e-5)
