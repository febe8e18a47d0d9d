"""Are the vector functions as exact as the library's, and is their code vector code?"""

from functools import reduce

import numpy as np
import pytest
from probe import WORKSPACE, compile_nodes

from ketasim.compile import elementary, emit
from ketasim.compile import machine as machine_module
from ketasim.compile.machine import assembled, written
from ketasim.compile.specialise import render
from ketasim.compile.target import Target, target
from ketasim.compile.trace import Graph, reach

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


def test_a_power_is_as_exact_at_the_edges_of_its_pieces(functions):
    """A base is looked up by its leading bits, so that its neighbours may go by other entries."""
    edges = np.ldexp(1.0 + np.arange(17) / 16.0, [[-3], [-1], [0], [7]]).ravel()
    x = np.concatenate([edges, np.nextafter(edges, 0.0), np.nextafter(edges, np.inf)])
    for e in (-3.3, 0.5, 1.0, 2.75, 9.0):
        # The series are within 6e-16; the logarithm and its product are rounded once each.
        error = np.abs(call(functions, x, e)[2] / x**e - 1.0)
        assert (error < 1e-15 + np.finfo(float).eps * np.abs(e * np.log2(x))).all()


def test_a_power_rises_with_its_base(functions):
    """Nothing steps down where one piece ends, beyond the last places."""
    x = np.linspace(0.9, 2.1, 100_001)
    found = call(functions, x, 3.7)[2]
    assert np.min(np.diff(found) / found[1:]) > 0.0


def test_powers_of_one_are_one_to_the_bit(functions):
    """So that what is at rest stays at rest, whatever the steepness."""
    e = np.random.default_rng(6).uniform(-20.0, 20.0, 1000)
    assert (call(functions, np.ones(1000), e)[2] == 1.0).all()


@pytest.mark.parametrize("width", [1, 2, 4])
def test_every_width_has_the_same_bits(functions, width):
    graph = Graph()
    x, e = graph.leaf("y", 0), graph.leaf("y", 1)
    narrow, _ = compile_nodes([graph.log(x), graph.pow(x, e)], {"y": 2}, width)
    rng = np.random.default_rng(7)
    x, e = 10.0 ** rng.uniform(-6.0, 6.0, 2000), rng.uniform(-6.0, 6.0, 2000)
    x[:3], e[:3] = (0.0, -1.0, np.nan), (2.5, 1.5, 1.0)
    wide = functions[0](y=np.array([x, e]))
    found = narrow(y=np.array([x, e]))
    assert found.tobytes() == wide[1:3].tobytes()


def code_of(nodes):
    return str(assembled(compile_nodes(nodes, {"y": 3}, 8)[1].source))


def test_powers_of_one_base_share_its_logarithm_and_divide_by_nothing():
    graph = Graph()
    x, y, e = (graph.leaf("y", i) for i in range(3))
    one = code_of([graph.pow(x, e)]).count("@llvm.fma")
    shared = code_of([graph.pow(x, e), graph.pow(x, y)]).count("@llvm.fma")
    apart = code_of([graph.pow(x, e), graph.pow(y, e)])
    assert one < shared < apart.count("@llvm.fma")
    assert "fdiv" not in apart


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
    made_for = target()
    code = made_for.machine().emit_assembly(assembled(functions[1].source))
    if made_for.width == 8:
        assert "%zmm" in code
    elif made_for.width == 4:
        assert "%ymm" in code
    else:
        pytest.skip("this processor has no wide vector registers")
    assert "vfmadd" in code or not made_for.has_fma


LEVELS = {
    "x86-64": (2, False, "%xmm"), "x86-64-v3": (4, True, "%ymm"), "x86-64-v4": (8, True, "%zmm"),
}  # fmt: skip


@pytest.mark.skipif("x86_64" not in target().triple, reason="these are x86-64's levels")
@pytest.mark.parametrize("level", LEVELS)
def test_code_is_for_the_target_and_not_for_the_machine_that_makes_it(level, monkeypatch):
    """A generic target once got fused multiply-add as a library call, without a word."""
    width, fused, register = LEVELS[level]
    wide = target().width
    monkeypatch.setenv("KETASIM_CPU", level)
    assert (target().width, target().has_fma) == (width, fused)
    graph = Graph()
    x, e = graph.leaf("y", 0), graph.leaf("y", 1)
    evaluate, machine = compile_nodes([graph.pow(x, e), graph.exp(e)], {"y": 2}, 8)
    code = target().machine().emit_assembly(assembled(machine.source))
    assert register in code
    assert ("vfmadd" in code) == fused
    assert "call" not in code.replace("callq\tprogram", "").partition("program_nodes:")[2]
    if width <= wide:
        points = np.array([[0.5, 2.0, 9.0], [3.0, -0.5, 1.25]])
        found = evaluate(y=points)
        np.testing.assert_allclose(found[0], points[0] ** points[1], rtol=1e-14)
        np.testing.assert_allclose(found[1], np.exp(points[1]), rtol=1e-15)


@pytest.mark.skipif("x86_64" not in target().triple, reason="these are x86-64's registers")
@pytest.mark.parametrize("level", ["x86-64-v3", "x86-64-v4"])
def test_what_waits_on_the_stack_lies_in_one_cache_line(level, monkeypatch):
    monkeypatch.setenv("KETASIM_CPU", level)
    graph = Graph()
    leaves = [graph.leaf("y", i) for i in range(60)]
    logs = [graph.log(one) for one in leaves]
    nodes = [graph.mul(one, reduce(graph.add, logs)) for one in logs]  # each waits for all
    source = compile_nodes(nodes, {"y": 60}, 8)[1].source
    lines = target().machine().emit_assembly(assembled(source)).splitlines()
    waiting = [line for line in lines if "(%rsp)" in line and ("%ymm" in line or "%zmm" in line)]
    assert len(waiting) > 20  # more values than registers
    assert not [line for line in waiting if "vmovu" in line]


def test_an_arm_gets_its_own_vectors(monkeypatch):
    arm = Target("aarch64-unknown-linux-gnu", "neoverse-n1", "+neon")
    monkeypatch.setattr(elementary, "target", lambda: arm)
    monkeypatch.setattr(machine_module, "target", lambda: arm)
    assert (arm.width, arm.has_fma) == (2, True)
    graph = Graph()
    node = graph.exp(graph.leaf("y", 0))
    layout = {"y": (0, 8, False, False), "out": (8, 8, False, False)}
    words = {one.id: "y:0" for one in reach([node]) if one.op == "leaf"}
    program = {"nodes": emit.Program(render([("out:0", node)], words), 8, arm.width)}
    text = written(
        {}, layout, program, WORKSPACE, "def run(job):\n    nodes(job.w, 0)\n    return 0"
    )
    try:
        code = arm.machine().emit_assembly(assembled(text))
    except RuntimeError as error:
        pytest.skip(f"this LLVM writes no code for ARM: {error}")
    assert "fmla" in code
    assert ".2d" in code
