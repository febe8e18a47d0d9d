"""The method's own properties: its order, that of its dense output, its stability, its honesty."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from agreement.members import RECORD, draws, kernel, scenario, system, times
from ketasim.compile.wiring import small
from ketasim.engines.ensemble import run_members
from ketasim.engines.inputs import Inputs
from ketasim.engines.ivp import solve_small
from ketasim.engines.kernels import Kernel, processor_shape
from ketasim.engines.rodas5p import RODAS5P

END = 6.0
COUNTS = np.array([48, 96, 192])


def hunt(y):
    """Predator and prey, for nearly one round: smooth and nonlinear."""
    prey, predator = y
    return [prey * (1 - predator), predator * (prey - 1)]


@pytest.fixture(scope="module")
def exact():
    def called(t, y):
        return hunt(y)

    return solve_ivp(
        called, (0.0, END), [1.0, 0.5], method="DOP853", rtol=3e-14, atol=1e-15, dense_output=True
    ).sol


def fixed_steps(n, when):
    """Integrate with n equal steps: as many segments, each entered with a step of its length."""
    one = Kernel(
        system=None,
        trace=lambda _: small(lambda y, p: hunt(y), 2, 0, timed=False),
        record=("y0", "y1"),
        dosed=(),
        turned=(),
        whole={},
        shape=processor_shape(),
        started=(0, 1),
    )
    none = np.empty((n + 1, 0))
    steps = Inputs(
        plans=np.zeros(0, dtype=np.int64),
        firsts=np.array([0, n + 1]),
        edges=np.linspace(0.0, END, n + 1),
        knobs=none,
        rates=none,
        boluses=none,
        columns=(),
        settled=np.zeros(1, dtype=bool),
        before=np.empty((1, 0)),
    )
    found = run_members(
        one, np.empty((1, 0)), steps, when, rtol=1e3, y0=np.array([1.0, 0.5]), first_step=END / n
    )
    assert found.steps[0] == n
    return found.values[0]


def observed_order(error):
    slope, _ = np.polyfit(np.log(COUNTS), np.log(error), 1)
    return -slope


def test_the_order_of_the_solution_is_five(exact):
    error = [np.abs(fixed_steps(n, np.array([END]))[:, 0] - exact(END)).max() for n in COUNTS]
    assert observed_order(error) == pytest.approx(RODAS5P.order, abs=0.3)


@pytest.mark.parametrize("x", [0.2, 0.5, 0.9])
def test_the_dense_output_is_of_order_four_at_least(exact, x):
    error = []
    for n in COUNTS:
        when = (np.arange(n) + x) * END / n
        error.append(np.abs(fixed_steps(n, when) - exact(when)).max())
    assert observed_order(error) > RODAS5P.embedded_order - 0.3


def test_a_very_stiff_component_is_damped_at_once():
    def stiff(y):
        return [-1e9 * (y[0] - y[1]), -y[1]]

    found = solve_small(stiff, [5.0, 1.0], (0.0, 1.0), rtol=1e-6)
    assert found.steps < 200
    assert np.allclose(found.y[:, -1], np.exp(-1.0), rtol=1e-5)


def test_the_coefficients_agree_among_themselves():
    # The weights of the solution are those of the last stage's argument and its own stage, and the
    # dense output passes through both ends whatever its rows; order 1 needs their sums to match.
    a = np.zeros((8, 8))
    c = np.zeros((8, 8))
    for s in range(8):
        a[s, : len(RODAS5P.a[s])] = RODAS5P.a[s]
        c[s, : len(RODAS5P.c[s])] = RODAS5P.c[s]
    to_k = np.linalg.inv(np.eye(8) / RODAS5P.gamma - c)
    weights = np.append(a[7][:7], 1.0) @ to_k
    assert weights.sum() == pytest.approx(1.0, abs=1e-13)
    nodes = (a @ to_k).sum(axis=1)
    assert nodes[-3:] == pytest.approx(1.0, abs=1e-12)
    gammas = to_k.sum(axis=1)
    assert weights @ (nodes + gammas) == pytest.approx(0.5, abs=1e-12)


def test_error_falls_with_the_tolerance():
    # Five-fold a decade, over any two: of a single one, the largest error over states and times
    # makes 5.0 to 15 (15, 7.1, 5.3, 5.0, 7.7, 9.8 from 1e-4 on). The median of few draws is uneven:
    # of 64, two decades made 22 to 26 where all of these make 26.3.
    parameters = draws(1024, seed=1)
    best = run_members(kernel(), parameters, scenario().schedule, times(), rtol=1e-12).values
    size = np.abs(best).max(axis=2, keepdims=True)
    tolerances = 10.0 ** np.arange(-4.0, -11.0, -1.0)
    errors = []
    for rtol in tolerances:
        found = run_members(kernel(), parameters, scenario().schedule, times(), rtol=rtol)
        errors.append((np.abs(found.values - best) / size).max(axis=(1, 2)))
    typical = np.median(errors, axis=1)
    assert np.all(typical[:-2] / typical[2:] > 5.0**2)
    assert np.all(typical <= 100.0 * tolerances)


def test_every_name_recorded_is_there():
    assert kernel().record == RECORD
    assert set(RECORD) <= {*system().model.states, *(q.name for q in system().model.quantities)}
