"""A member's bits depend on that member alone."""

from dataclasses import replace

import numpy as np
import pytest

from agreement.members import RECORD, draws, kernel, scenario, system, times
from ketasim.core.system import System
from ketasim.engines.ensemble import Shape, compile_kernel, run_members

N = 70


@pytest.fixture(scope="module")
def alone():
    """Every member run by itself."""
    parameters = draws(N, seed=7)
    runs = [run(parameters[i : i + 1], threads=1) for i in range(N)]
    return parameters, np.concatenate([one.values for one in runs])


def run(parameters, one=None, **how):
    return run_members(one or kernel(), parameters, scenario().schedule, times(), **how)


def same(a, b):
    return a.tobytes() == b.tobytes()


@pytest.mark.parametrize("chunk", [1, 3, 7, 64, 1000])
@pytest.mark.parametrize("threads", [1, 2])
def test_chunks_and_threads(alone, chunk, threads):
    parameters, wanted = alone
    assert same(run(parameters, chunk=chunk, threads=threads).values, wanted)


def test_order_and_neighbours(alone):
    parameters, wanted = alone
    order = np.random.default_rng(8).permutation(N)
    assert same(run(parameters[order]).values, wanted[order])
    assert same(run(parameters[11:29]).values, wanted[11:29])


def test_the_number_of_lanes(alone):
    parameters, wanted = alone
    shape = Shape(16, kernel().shape.width)
    one = compile_kernel(system(), record=RECORD, schedules=scenario().schedule, shape=shape)
    assert same(run(parameters, one).values, wanted)


def test_the_width_of_an_instruction(alone):
    parameters, wanted = alone
    one = compile_kernel(system(), record=RECORD, schedules=scenario().schedule, shape=Shape(8, 2))
    assert same(run(parameters, one).values, wanted)


def test_a_kernel_that_leaves_nothing_out(alone):
    parameters, wanted = alone
    one = compile_kernel(system(), record=RECORD)
    assert len(one.plan(general=False).live) > len(kernel().plan(general=False).live)
    assert same(run(parameters, one).values, wanted)


def test_what_else_is_recorded(alone):
    parameters, wanted = alone
    names = ("bdnf.store", *RECORD, "circuit.gaba")
    one = compile_kernel(system(), record=names, schedules=scenario().schedule)
    assert same(run(parameters, one).values[:, 1:-1], np.ascontiguousarray(wanted))


def test_the_output_grid(alone):
    parameters, wanted = alone
    for when in (times()[::24], np.linspace(0.0, 192.0, 193 * 16 - 15)):
        found = run_members(kernel(), parameters, scenario().schedule, when)
        common, ours, theirs = np.intersect1d(when, times(), return_indices=True)
        assert len(common) >= 9
        assert same(
            np.ascontiguousarray(found.values[:, :, ours]),
            np.ascontiguousarray(wanted[:, :, theirs]),
        )


def test_members_that_need_the_other_variant():
    edits = {"circuit.steepness": "4", "stress.steepness": "5"}  # exponents, here whole
    asked = replace(scenario(), model=scenario().model.with_values(edits))
    one = compile_kernel(System(asked.resolved_model), record=RECORD, schedules=asked.schedule)
    assert len(one.whole) == len(edits)
    mixed = draws(N, seed=7)
    mixed[:, list(one.whole)] = list(one.whole.values())
    mixed[::2, list(one.whole)] *= 1.01
    found = run(mixed, one)
    whole = ~one.is_general(mixed)
    assert whole.tolist() == [False, True] * (N // 2)
    for kind in (whole, ~whole):
        lone = np.concatenate([run(mixed[i : i + 1], one).values for i in np.flatnonzero(kind)[:5]])
        assert same(found.values[kind][:5], lone)
