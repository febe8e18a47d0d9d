"""Members to compare engines on: the model under one infusion, with parameters drawn around it."""

from functools import cache

import numpy as np

from ketasim.core.protocol import infusion
from ketasim.core.scenario import Scenario, hours
from ketasim.core.system import System
from ketasim.engines.ensemble import compile_kernel
from ketasim.models import antidepressant, human

RECORD = (
    "plasma.venous",
    "nmda.interneuron_block",
    "glutamate.extracellular",
    "ampa.surface",
    "bdnf.extracellular",
    "translation.mtorc1",
    "spines.density",
    "outcome.score",
)


@cache
def scenario():
    """Eight days, one infusion on the second."""
    protocol = infusion("0.5 mg/kg", over="40 min", at="24 h")
    times = hours(0.0, 192.0, every=1.0)
    return Scenario(antidepressant(), protocol, times, subject=human(), record=RECORD)


@cache
def system():
    return System(scenario().resolved_model)


@cache
def kernel():
    return compile_kernel(system(), record=RECORD, schedules=scenario().schedule)


def times():
    return np.array(scenario().times)


def draws(n, *, seed=0, spread=0.1, whole=True):
    """Return parameters (n, n_parameters) around the ledger, inside its bounds; 0 is the ledger."""
    one = system()
    rng = np.random.default_rng(seed)
    default = one.default_parameters
    found = default * np.exp(spread * rng.standard_normal((n, len(default))))
    low, high = one_bounds()
    found = np.clip(found, low, high)
    found[0] = default
    if whole:
        columns = list(kernel().whole)
        found[:, columns] = default[columns]
    return found


def one_bounds():
    """Return the ledger's bounds, canonical, leaving what is fixed by the subject alone."""
    from ketasim.units import unit

    model = system().model
    factors = [unit(p.unit).factor for p in model.parameters.values()]
    low, high = (
        np.array([p.bounds[i] for p in model.parameters.values()]) * factors for i in (0, 1)
    )
    default = system().default_parameters
    return np.minimum(low, default), np.maximum(high, default)
