"""Many scenarios of one model, each under many parameter draws, as one ensemble."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.core.system import System
from ketasim.engines.batch import settle_members
from ketasim.engines.contract import MEMBER, Limits
from ketasim.engines.ensemble import Kernel, compile_kernel, run_members
from ketasim.engines.status import Status, usable

Array = NDArray[np.float64]
Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Cohort:
    """Scenarios that share times and recorded names, ready to be run under any draws."""

    model: Model
    scenarios: tuple[Scenario, ...]
    record: tuple[str, ...]
    times: Array
    kernel: Kernel

    def run(
        self,
        draws: Array,
        *,
        rtol: float = 1e-6,
        threads: int | None = None,
        limits: Limits = MEMBER,
    ) -> tuple[Array, Codes]:
        """Run every scenario under every draw.

        Parameters
        ----------
        draws
            Canonical parameter values, shape (n_draws, n_parameters); what a scenario's subject or
            edits set replaces them.
        rtol, threads
            Relative tolerance, and how many threads.
        limits
            What one run may spend.

        Returns
        -------
        values, status
            Shapes (n_scenarios, n_draws, n_record, n_times), canonical, NaN where a run failed;
            and (n_scenarios, n_draws).
        """
        n, m = len(self.scenarios), len(draws)
        parameters = np.concatenate([self._own(one, draws) for one in self.scenarios])
        schedules = [one.schedule for one in self.scenarios]
        starts, resting = self._starts(parameters.reshape(n, m, -1), threads)
        found = run_members(
            self.kernel,
            parameters,
            [schedule for schedule in schedules for _ in range(m)],
            self.times,
            rtol=rtol,
            threads=threads,
            limits=limits,
            y0=starts.reshape(n * m, -1),
        )
        status = np.where(usable(resting.ravel()), found.status, resting.ravel())
        found.values[~usable(status)] = np.nan
        return found.values.reshape(n, m, len(self.record), -1), status.reshape(n, m)

    def _own(self, scenario: Scenario, draws: Array) -> Array:
        """Return the draws with what the scenario itself decides."""
        own = draws.copy()
        settled, base = scenario.resolved_model, self.model
        for column, name in enumerate(base.parameters):
            if name in settled.edits and settled.edits[name] != base.edits.get(name):
                own[:, column] = settled.value(name)
        return own

    def _starts(self, parameters: Array, threads: int | None) -> tuple[Array, Codes]:
        """Return each member's first state; scenarios under the same conditions share it."""
        system = System(self.model)
        n, m, _ = parameters.shape
        starts = np.empty((n, m, len(system.state_names)))
        status = np.full((n, m), Status.OK, dtype=np.int8)
        known: dict[bytes, int] = {}
        for i, scenario in enumerate(self.scenarios):
            schedule = scenario.schedule
            if not schedule.settled:
                values = system.prepare(np.ascontiguousarray(parameters[i].T), schedule.before)
                starts[i] = np.broadcast_to(system.rest(values).T, starts[i].shape)
                continue
            key = schedule.before.tobytes() + _undosed(self.model, parameters[i])
            if key not in known:
                starts[i], status[i] = settle_members(
                    self.kernel, parameters[i], schedule, threads=threads
                )
            starts[i], status[i] = starts[known.setdefault(key, i)], status[known[key]]
        return starts, status


def _undosed(model: Model, parameters: Array) -> bytes:
    """Return what a drug-free rest depends on: all but what carries the drug."""
    keep = [name.partition(".")[0] not in model.carriers for name in model.parameters]
    return bytes(parameters[:, keep].tobytes())


def cohort(model: Model, scenarios: Sequence[Scenario], record: Sequence[str]) -> Cohort:
    """Compile one kernel for all scenarios.

    Raises
    ------
    ModelError
        When a recorded name is unknown or a law cannot be compiled.
    """
    times = scenarios[0].times
    if any(one.times != times for one in scenarios):
        raise ValueError("scenarios of a cohort share their output times")
    kernel = compile_kernel(
        System(model), record=tuple(record), schedules=[one.schedule for one in scenarios]
    )
    return Cohort(model, tuple(scenarios), tuple(record), np.array(times), kernel)
