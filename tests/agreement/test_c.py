"""Is the C file the model: slopes, Jacobian, first states, observables, segments?"""

import ctypes
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from ketasim import export
from ketasim.config import load
from ketasim.core.system import System
from ketasim.errors import ModelError

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler here")
DOUBLE = ctypes.POINTER(ctypes.c_double)
NAMES = ("spines.density", "plasma.venous", "circuit.gaba")


def scenario():
    return replace(load("rat_10").scenario, record=NAMES)


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    place = tmp_path_factory.mktemp("c")
    source, library = place / "model.c", place / "model.so"
    source.write_text(export.c_source(scenario()), encoding="utf-8")
    words = ["gcc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*words, str(source), "-lm", "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def called(function, n, *arrays):
    out = np.full(n, np.nan)
    function.restype = None
    function(*(np.ascontiguousarray(a).ctypes.data_as(DOUBLE) for a in arrays),
             out.ctypes.data_as(DOUBLE))  # fmt: skip
    return out


def table(code, name, n, kind=ctypes.c_double):
    return np.array((kind * n).in_dll(code, f"ketasim_{name}"))


def test_it_has_the_models_slopes_jacobian_and_observables(code):
    one = scenario()
    system = System(one.resolved_model)
    n, schedule = len(system.state_names), one.schedule
    p = table(code, "parameters", len(system.default_parameters))
    np.testing.assert_array_equal(p, system.default_parameters)
    knobs, rates = schedule.knobs[-1], schedule.rates[0]
    values = system.prepare(p, knobs)
    rest = called(code.ketasim_rest, n, p, knobs)
    np.testing.assert_allclose(rest, system.rest(values), rtol=1e-13)
    y = rest * np.exp(0.1 * np.random.default_rng(1).standard_normal(n)) + 1e-3 * system.scales
    c = called(code.ketasim_prepare, 2000, p, knobs, rates)
    slopes = np.array(system.slopes(list(values), y)) + rates
    found = called(code.ketasim_slopes, n, y, c)
    np.testing.assert_allclose(found, slopes, rtol=1e-10, atol=1e-12 * np.abs(slopes).max())
    columns = table(code, "columns", n + 1, ctypes.c_int)
    entries = called(code.ketasim_jacobian, columns[-1], y, c)
    rows = table(code, "rows", columns[-1], ctypes.c_int)
    whole = np.zeros((n, n))
    for j in range(n):
        whole[rows[columns[j] : columns[j + 1]], j] = entries[columns[j] : columns[j + 1]]
    exact = system.jacobian(list(values), y)
    np.testing.assert_allclose(whole, exact, rtol=1e-9, atol=1e-12 * np.abs(exact).max())
    seen = called(code.ketasim_observe, len(NAMES), y, c)
    told = system.observe(values, y[:, None], NAMES)
    np.testing.assert_allclose(seen, [told[name][0] for name in NAMES], rtol=1e-12)


def test_it_holds_what_is_given_when(code):
    schedule = scenario().schedule
    np.testing.assert_array_equal(table(code, "edges", len(schedule.edges)), schedule.edges)
    for name in ("rates", "boluses", "knobs"):
        given = getattr(schedule, name)
        np.testing.assert_array_equal(table(code, name, given.size), given.ravel())


def test_conditions_that_always_held_are_refused_with_what_to_do():
    with pytest.raises(ModelError, match="start the condition at a time instead"):
        export.c_source(load("human_depressed_iv").scenario)
