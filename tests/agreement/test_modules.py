"""Does the whole model give the same numbers in every engine, and the core its own?"""

from functools import cache

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.system import System
from ketasim.engines.ensemble import compile_kernel, run_members
from ketasim.engines.reference import integrate
from ketasim.engines.status import usable
from ketasim.errors import MissingExtra
from ketasim.export import peers, sbml
from ketasim.models import MODULES, antidepressant, whole

RTOL = 1e-6
NOUGHT = 1e-6  # what stays below this has not moved
DONE = ks.infusion("0.5 mg/kg", over="40 min", at="2 h") + ks.hold(
    "stress.stressor", 1.0, start="always"
)
SHOWN = tuple(name for name in whole().states if name not in antidepressant().states)
CORE = ("glutamate.relative", "bdnf.extracellular", "spines.density", "outcome.mood")


@cache
def scenario(names=(*SHOWN, *CORE), until=96.0):
    return ks.Scenario(whole(), DONE, ks.hours(0, until, every=0.5), ks.human(), names)


@cache
def tight(*modules, names=CORE, off=False):
    """Return courses of a model with modules by Radau, as tightly as it goes."""
    model = antidepressant(*modules)
    gains = [name for name, one in model.parameters.items() if one.role == "gain"]
    new = [name for name in gains if name not in antidepressant().parameters]
    model = model.with_values(dict.fromkeys(new, 0.0)) if off else model
    one = ks.Scenario(model, DONE, scenario().times, ks.human(), names)
    system = System(one.resolved_model)
    run = integrate(
        system, one.schedule, np.array(one.times), names=names, method="Radau", rtol=1e-11
    )
    return {name: run.observed[name] for name in names}


def test_the_compiled_engine_agrees_with_radau():
    one = scenario()
    system = System(one.resolved_model)
    kernel = compile_kernel(system, record=one.record, schedules=one.schedule)
    found = run_members(
        kernel, system.default_parameters, one.schedule, np.array(one.times), rtol=RTOL
    )
    assert usable(found.status).all()
    for name, course in zip(one.record, found.values[0], strict=True):
        wanted = tight(*MODULES, names=one.record)[name]
        size = max(np.abs(wanted).max(), NOUGHT)
        assert np.max(np.abs(course - wanted)) < 100 * RTOL * size, name


def test_with_every_coupling_off_the_core_runs_as_it_does_alone():
    alone, beside = tight(), tight(*MODULES, off=True)
    for name in CORE:
        size = np.abs(alone[name]).max()
        assert np.max(np.abs(beside[name] - alone[name])) < 1e-9 * size, name


@pytest.mark.parametrize("name", dict(peers.engines()))
def test_the_whole_model_agrees_in_independent_engines(name):
    pytest.importorskip("libsbml", reason="needs python-libsbml: SBML is not checked here")
    run = dict(peers.engines())[name]
    if isinstance(run, MissingExtra):
        pytest.skip(f"agreement with {name} is not tested: {run}")
    asked = scenario(until=48.0)
    found = peers.compare(asked, sbml(asked), run)
    assert found.agrees, found
