"""What every engine is asked: eight days, eight observables, in four scenes.

Stress begins with the run, so that nobody needs a resting state that another engine cannot find.
"""

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
PROBED = 4  # members whose error is measured
SPREAD = 0.1  # standard deviation of each parameter's logarithm


SCENES = ("healthy", "stressed", "healthy, eight doses", "stressed, eight doses")


@cache
def scenario(scene: str = "healthy") -> ks.Scenario:
    """Return the question of a scene."""
    days = range(24, 192, 20) if "eight" in scene else (24,)
    what = ks.infusion("0.5 mg/kg", over="40 min", at=f"{days[0]} h")
    for hour in days[1:8]:
        what = what + ks.infusion("0.5 mg/kg", over="40 min", at=f"{hour} h")
    if "stressed" in scene:
        what = what + ks.hold("stress.stressor", 1.0, start="0 h", until="192 h")
    return ks.Scenario(
        ks.models.antidepressant(), what, ks.hours(0, 192, every=1), subject=ks.human(),
        record=OBSERVABLES, name=scene,
    )  # fmt: skip


@cache
def system(scene: str = "healthy") -> System:
    """Return the equations with the subject's values."""
    return System(scenario(scene).resolved_model)


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
def exact(scene: str = "healthy") -> np.ndarray:
    """Return the probed members' observables by Radau at 1e-12, (PROBED, 8, n_times)."""
    return np.array([_radau(scene, row) for row in draws(PROBED)])


def _radau(scene: str, parameters: np.ndarray) -> np.ndarray:
    run = integrate(
        system(scene), scenario(scene).schedule, np.array(scenario(scene).times),
        names=OBSERVABLES, method="Radau", rtol=1e-12, parameters=parameters,
    )  # fmt: skip
    return np.array([run.observed[name] for name in OBSERVABLES])


@cache
def scales(scene: str = "healthy") -> np.ndarray:
    """Return the size of each observable: its largest value among the probed members."""
    return np.abs(exact(scene)).max(axis=(0, 2))
