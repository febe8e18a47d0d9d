"""What every engine is asked: one infusion on the second day, eight days, eight observables."""

from functools import cache

import numpy as np

import ketasim as ks
from ketasim.core.system import System
from ketasim.engines.reference import integrate
from ketasim.units import unit

OBSERVABLES = (
    "plasma.venous",
    "nmda.interneuron_block",
    "glutamate.relative",
    "ampa.current",
    "bdnf.extracellular",
    "translation.mtorc1",
    "spines.density",
    "outcome.mood",
)
PROBED = 12  # members whose error is measured
SPREAD = 0.1  # standard deviation of each parameter's logarithm


@cache
def scenario() -> ks.Scenario:
    """Return the benchmark's question."""
    return ks.Scenario(
        ks.models.antidepressant(),
        ks.infusion("0.5 mg/kg", over="40 min", at="24 h"),
        ks.hours(0, 192, every=1),
        subject=ks.human(),
        record=OBSERVABLES,
    )


@cache
def system() -> System:
    """Return the equations with the subject's values."""
    return System(scenario().resolved_model)


@cache
def varied() -> tuple[int, ...]:
    """Return the parameters that members differ in: those that no derived or initial value needs.

    libRoadRunner does not compute these again when a parameter is set, so it could not follow.
    """
    model = scenario().resolved_model
    used = {a for wire in model.derived for a in wire.arguments}
    used |= {model.initial(name) for name in model.states}
    fixed = ("body.", "drivers.", "plasma.molar")
    return tuple(
        i
        for i, (name, one) in enumerate(model.parameters.items())
        if name not in used and not name.startswith(fixed) and one.bounds[0] > 0.0
        and one.unit != "mV"
    )  # fmt: skip


@cache
def draws(n: int) -> np.ndarray:
    """Return parameters (n, n_parameters); member i is the same in every n."""
    base = np.repeat(system().default_parameters[None, :], n, axis=0)
    columns = list(varied())
    noise = np.random.default_rng(20).standard_normal((n, len(columns)))
    base[:, columns] *= np.exp(SPREAD * noise)
    low, high = np.array([_within(name) for name in scenario().model.parameters]).T
    return np.clip(base, low, high)


def _within(name: str) -> tuple[float, float]:
    one = scenario().model.parameters[name]
    factor = unit(one.unit).factor
    return one.bounds[0] * factor, one.bounds[1] * factor


@cache
def exact() -> np.ndarray:
    """Return the probed members' observables by Radau at 1e-12, (PROBED, 8, n_times)."""
    return np.array([_radau(row) for row in draws(PROBED)])


def _radau(parameters: np.ndarray) -> np.ndarray:
    run = integrate(
        system(), scenario().schedule, np.array(scenario().times), names=OBSERVABLES,
        method="Radau", rtol=1e-12, parameters=parameters,
    )  # fmt: skip
    return np.array([run.observed[name] for name in OBSERVABLES])


@cache
def scales() -> np.ndarray:
    """Return the size of each observable: its largest value among the probed members."""
    return np.abs(exact()).max(axis=(0, 2))
