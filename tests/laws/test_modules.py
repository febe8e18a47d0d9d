"""Does each module rest exactly, come back from anywhere near, and leave the core's rest alone?"""

import numpy as np
import pytest

from ketasim.core.bounds import wide
from ketasim.core.system import System
from ketasim.models import MODULES, antidepressant, whole
from ketasim.testing import draws, eigenvalues, fixed_point
from ketasim.units import unit

CORE = antidepressant()
SLOWEST = -1e-6  # [1/h]; a state that is slower than a century does not come back


def widely(model, n, seed, *, core=False):
    """Draw what a model has beyond the core within wide ranges; the core within its bounds."""
    own = [name for name in model.parameters if name not in CORE.parameters]
    found = np.repeat(System(model).default_parameters[:, None], n, axis=1)
    found = draws(model, n, seed=seed) if core else found
    rng = np.random.default_rng(seed)
    for row, (name, one) in enumerate(model.parameters.items()):
        if name in own:
            reach, factor = wide(one), unit(one.unit).factor
            low, high = reach.low * factor, reach.high * factor
            even = rng.random(n)
            found[row] = low * (high / low) ** even if low > 0.0 else low + (high - low) * even
    return found


def values_at_rest(model):
    system = System(model)
    values = system.prepare(system.default_parameters, system.neutral_knobs)
    rest = system.rest(values)
    system.slopes(values, rest)
    return {name: values[slot] for name, slot in system.slots.items()}


@pytest.mark.parametrize("name", [*MODULES, "whole"])
def test_rest_is_exact_over_two_hundred_draws_of_wide_ranges(name):
    model = whole() if name == "whole" else antidepressant(name)
    assert np.max(fixed_point(model, widely(model, 200, seed=11, core=True))) < 1e-12


@pytest.mark.parametrize("name", [*MODULES, "whole"])
def test_every_state_that_a_module_adds_comes_back(name):
    model = whole() if name == "whole" else antidepressant(name)
    still = np.sum(eigenvalues(CORE).real > SLOWEST)
    for column in widely(model, 20, seed=12).T:
        found = eigenvalues(model, column)
        assert found.real.max() < 1e-9
        assert np.sum(found.real > SLOWEST) == still, "one more that stands still for each is named"


def test_the_core_rests_where_it_rested():
    core, own = values_at_rest(CORE), values_at_rest(whole())
    assert {name: own[name] for name in core} == pytest.approx(core, rel=1e-12, abs=1e-15)


def test_read_outs_of_safety_are_nothing_or_one_at_rest():
    own = values_at_rest(antidepressant("safety"))
    for name in ("share", "perception", "cadss", "map_rise", "sbp_rise", "hr_rise", "relief",
                 "depression", "ventilation_rise"):  # fmt: skip
        assert own[f"safety.{name}"] == 0.0, name
    for name in ("cardiac_output", "noradrenaline", "stimulus", "breathing", "airway", "pain"):
        assert own[f"safety.{name}"] == 1.0, name


def test_a_coupling_says_one_at_healthy_rest():
    own = values_at_rest(antidepressant("serotonin").with_values({"drivers.serotonin": 1.0}))
    assert own["serotonin.permit"] == pytest.approx(1.0, rel=1e-12)
    assert own["outcome.strength"] == own["outcome.strength_without_serotonin"]
