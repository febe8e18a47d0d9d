"""What is exported: a model, perhaps under a scenario, and the state it starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.run import steady_state
from ketasim.units import unit

# What a fixed point holds below this share of a scale is rounding. It must not be written: engines
# that multiply their absolute tolerance by the initial value would crawl (libRoadRunner, COPASI).
ROUNDING = 1e-12


@dataclass(frozen=True)
class Source:
    """A model with its subject's values, and the schedule of a scenario if there is one."""

    model: Model
    scenario: Scenario | None = None

    @property
    def name(self) -> str:
        """Return the scenario's name, or the model's."""
        return self.scenario.name if self.scenario else self.model.name

    @property
    def schedule(self) -> Schedule | None:
        """Return the scenario's inputs."""
        return self.scenario.schedule if self.scenario else None

    @property
    def begin(self) -> float:
        """Return the moment [h] of the scenario that is time 0 of the file."""
        return float(self.schedule.edges[0]) if self.schedule else 0.0

    @cached_property
    def knobs(self) -> Mapping[str, float]:
        """Return the value at which each knob has always been held, canonical."""
        knobs = self.model.knobs
        if self.schedule is not None:
            return dict(zip(knobs, self.schedule.before.tolist(), strict=True))
        return {name: one.neutral * unit(one.unit).factor for name, one in knobs.items()}

    def start(self, state: str) -> str | float:
        """Return a state's initial value, or the full name of the parameter that holds it."""
        return self.settled[state] if state in self.settled else self.model.initial(state)

    @cached_property
    def settled(self) -> Mapping[str, float]:
        """Return the initial states of a run that starts under old conditions, else nothing.

        Raises
        ------
        SolverError
            When there is no fixed point.
        """
        if self.schedule is None or not self.schedule.settled:
            return {}
        system = System(self.model)
        state = steady_state(system, self.schedule.before)
        state[np.abs(state) < ROUNDING * system.scales] = 0.0
        return dict(zip(system.state_names, state.tolist(), strict=True))


def source(what: Scenario | Model) -> Source:
    """Return what is to be exported."""
    if isinstance(what, Scenario):
        return Source(what.resolved_model, what)
    return Source(what)
