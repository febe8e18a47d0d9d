"""Scenarios that several questions are asked of, and how to run them without labels."""

from dataclasses import dataclass, field

import numpy as np

import ketasim as ks
from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.engines.reference import integrate
from ketasim.engines.steady import settle
from ketasim.models import antidepressant

MODEL = antidepressant()
KEEP = ("body.weight",)  # whose body it is belongs to the subject, not to the draw
IP = ks.dose("10 mg/kg", route="ip")
IV = ks.infusion("0.5 mg/kg", over="40 min")
STRESS = ks.hold("stress.stressor", 1.0, start="always")
DOSES = {"mouse": (ks.mouse(), IP), "human": (ks.human(), IV)}


@dataclass(frozen=True)
class Run:
    """States (n_states, n_times), canonical, with what was observed and how it began."""

    model: Model
    schedule: object
    times: np.ndarray
    states: np.ndarray
    observed: dict
    before: np.ndarray = field(repr=False)

    def state(self, name):
        return self.states[list(self.model.states).index(name)]


def run(model, subject, protocol, times, *, names=(), **how):
    """Integrate one scenario on the reference engine."""
    scenario = ks.Scenario(model, protocol, tuple(times), subject=subject)
    settled, schedule = scenario.resolved_model, scenario.schedule
    system = System(settled)
    found = integrate(system, schedule, np.array(scenario.times), names=names, **how)
    values = system.prepare(system.default_parameters, schedule.before)
    before = system.rest(values)
    if schedule.settled:
        before = settle(system, values, before)
    return Run(settled, schedule, np.array(times), found.states, found.observed, before)
