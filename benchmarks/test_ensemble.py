"""The ensemble engine: the course of every member, and peers beside it where they are installed."""

import os
from concurrent.futures import ProcessPoolExecutor

import contenders
import numpy as np
import pytest
from setting import PROBED, draws, exact, scales

import ketasim as ks
from ketasim.testing import COURSE_NAMES, COURSE_TIMES, course_faults

MEMBERS = 256
TOLERANCES = {"ketasim ensemble": 3e-5, "libRoadRunner (CVODE)": 1e-6}


def test_every_member_is_fast_then_slow(benchmark, model):
    asked = ks.Scenario(
        model, ks.infusion("0.5 mg/kg", over="40 min"), COURSE_TIMES, ks.human(), COURSE_NAMES
    )
    names = [n for n, p in model.parameters.items() if p.evidence.kind == "fitted"]
    near = {n: ks.designs.uniform(*_around(model, n)) for n in names}
    design = ks.designs.random(model, MEMBERS, vary=near, seed=5)
    found = benchmark(ks.sweep, asked, design, record=COURSE_NAMES)
    fine = np.flatnonzero(found["status"].to_numpy() <= 1)
    assert len(fine) == MEMBERS
    faults = {int(i): course_faults(found, member=int(i)) for i in fine}
    assert {i: told for i, told in faults.items() if told} == {}


def _around(model, name):
    one = model.parameters[name]
    low, high = max(0.97 * one.value, one.bounds[0]), min(1.03 * one.value, one.bounds[1])
    return f"{low!r} {one.unit}", f"{high!r} {one.unit}"


@pytest.mark.parametrize("name", TOLERANCES)
def test_the_engines_at_equal_accuracy(benchmark, name):
    one = next(c for c in contenders.all_of_them(512) if c.name == name)
    if not one.available():
        pytest.skip('needs the peers: pip install "ketasim[bench]"')
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        probed = one.run(draws(PROBED), TOLERANCES[name], pool)
        error = np.abs(probed - exact()).max(axis=(0, 2)) / scales()
        assert error.max() <= 1e-5
        sample = draws(one.members)
        benchmark.pedantic(one.run, (sample, TOLERANCES[name], pool), rounds=3, warmup_rounds=1)
    benchmark.extra_info["us_each"] = 1e6 * benchmark.stats.stats.median / one.members
