"""Are the vector functions as exact as the library's, and is their code vector code?"""

import numpy as np
import pytest
from probe import compile_nodes

from ketasim.compile.trace import Graph

N = 20_000


@pytest.fixture(scope="module")
def functions():
    graph = Graph()
    x, e = graph.leaf("y", 0), graph.leaf("y", 1)
    nodes = [graph.exp(x), graph.log(x), graph.pow(x, e), graph.recip(x), graph.sqrt(x)]
    nodes += [graph.rough(x), graph.inverse(x)]
    nodes += [graph.max(x, e), graph.where(x, e, x, graph.neg(x)), abs(x)]
    return compile_nodes(nodes, {"y": 2}, 8)


def call(functions, x, e=1.0):
    x = np.atleast_1d(np.array(x, dtype=float))
    return functions[0](y=np.array([x, np.broadcast_to(e, x.shape)]))


def ulps(found, wanted):
    return np.max(np.abs(found - wanted) / np.spacing(np.abs(wanted)))


def test_exp_within_two_ulps(functions):
    x = np.random.default_rng(0).uniform(-700.0, 700.0, N)
    assert ulps(call(functions, x)[0], np.exp(x)) <= 2.0
    near = np.random.default_rng(1).uniform(-1.0, 1.0, N)
    assert ulps(call(functions, near)[0], np.exp(near)) <= 2.0


def test_log_within_two_ulps(functions):
    x = 10.0 ** np.random.default_rng(2).uniform(-290.0, 290.0, N)
    assert ulps(call(functions, x)[1], np.log(x)) <= 2.0
    near = np.random.default_rng(3).uniform(0.5, 2.0, N)
    found, wanted = call(functions, near)[1], np.log(near)
    assert np.max(np.abs(found - wanted)) < 2.3e-16


def test_power_to_fourteen_digits(functions):
    rng = np.random.default_rng(4)
    x, e = 10.0 ** rng.uniform(-4.0, 4.0, N), rng.uniform(-4.0, 4.0, N)
    assert np.max(np.abs(call(functions, x, e)[2] / x**e - 1.0)) < 1e-14


def test_reciprocals_without_a_divider(functions):
    x = np.concatenate(
        [s * 10.0 ** np.random.default_rng(5).uniform(-200, 200, N) for s in (1, -1)]
    )
    found = call(functions, x)
    assert np.max(np.abs(found[5] * x - 1.0)) < 2.1e-3
    assert ulps(found[6], 1.0 / x) <= 2.0


def test_the_edges(functions):
    assert call(functions, [0.0, -1.0, -1e-12], 1.5)[2].tolist() == [0.0, 0.0, 0.0]
    assert call(functions, [0.0])[0].tolist() == [1.0]
    assert call(functions, [1.0], 2.7)[1:3, 0].tolist() == [0.0, 1.0]
    assert np.isfinite(call(functions, [1e4, -1e4])[0]).all()
    assert np.isfinite(call(functions, [1e300, 1e-300], 50.0)[2]).all()


def test_what_is_not_a_number_stays_so(functions):
    found = call(functions, [np.nan])
    assert np.isnan(found).all()
    assert not np.isfinite(call(functions, [np.inf])[[1, 2, 7]]).any()


def test_the_rest(functions):
    x = np.array([-2.0, 0.5, 3.0])
    found = call(functions, x, 1.0)
    assert found[3].tolist() == (1.0 / x).tolist()
    assert found[7].tolist() == [1.0, 1.0, 3.0]
    assert found[8].tolist() == [2.0, -0.5, 3.0]
    assert found[9].tolist() == [2.0, 0.5, 3.0]


def test_the_code_uses_vector_registers(functions):
    from llvmlite.binding import get_host_cpu_features

    features = get_host_cpu_features()
    _, machine = functions
    code = "".join(machine.inspect_asm().values())
    if features.get("avx512f"):
        assert "%zmm" in code
    elif features.get("avx"):
        assert "%ymm" in code
    else:
        pytest.skip("this processor has no wide vector registers")
    assert "vfmadd" in code or not features.get("fma")
