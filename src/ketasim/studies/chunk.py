"""One chunk of a sweep: rows of a design in, summaries and trajectories out.

A chunk is judged, integrated and summarised here, so that memory never holds more trajectories than
the chunks in flight.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.members import Schedules
from ketasim.engines.status import Status, usable
from ketasim.studies.designs.columns import Columns
from ketasim.studies.ladder import Attempted, Rung, climb
from ketasim.studies.summaries import Summary
from ketasim.units import unit

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """What a chunk yields: every array has one row a member, in declared units."""

    status: Codes
    steps: NDArray[np.int64]
    data: Mapping[str, Array]

    @property
    def failed(self) -> int:
        """Return how many members have no usable values."""
        return int(np.count_nonzero(~usable(self.status)))


@dataclass(frozen=True)
class Work:
    """What is computed for every chunk: where values go, how to integrate, what to keep."""

    targets: Columns
    rungs: tuple[Rung, ...]
    summaries: tuple[Summary, ...] = ()
    record: tuple[str, ...] = ()
    tell_rtol: bool = field(default=False)

    @property
    def model(self) -> Model:
        """Return the model that is integrated."""
        return self.targets.scenario.settled_model

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names an engine must report."""
        wanted = [*self.record, *(name for one in self.summaries for name in one.names)]
        return tuple(dict.fromkeys(wanted))

    @cached_property
    def times(self) -> Array:
        """Return the output times [h], with those that summaries ask for."""
        asked = [moment for one in self.summaries for moment in one.moments]
        return np.unique(np.array([*self.targets.scenario.times, *asked]))

    @cached_property
    def _kept(self) -> NDArray[np.intp]:
        """Return which of the times belong to the scenario."""
        return np.searchsorted(self.times, np.array(self.targets.scenario.times))

    @cached_property
    def _system(self) -> System:
        return System(self.model)

    def compute(self, rows: Array) -> Rows:
        """Return what becomes of members with these design values, (n_members, n_names).

        No member can stop another: what is out of its domain gets a status and no integration.
        """
        parameters, fine = self.targets.parameters(rows)
        schedules = self.targets.schedules(rows, fine)
        fine &= self._rests(parameters, schedules)
        chosen = np.flatnonzero(fine)
        if not isinstance(schedules, Schedule):
            schedules = [schedules[i] for i in chosen]
        found = climb(self.rungs, parameters[chosen], schedules, self.times, self.names)
        return self._labelled(found, chosen, len(rows))

    def _rests(self, parameters: Array, schedules: Schedules) -> Flags:
        """Say for which members a resting state, its slopes and what is asked are numbers."""
        system, n = self._system, len(parameters)
        if isinstance(schedules, Schedule):
            before = np.repeat(schedules.before[:, None], n, axis=1)
        else:
            before = np.stack([one.before for one in schedules], axis=1)
        with np.errstate(all="ignore"):
            values = system.prepare(np.ascontiguousarray(parameters.T), before)
            start = system.rest(values).reshape(len(system.state_names), -1)
            rest = np.broadcast_to(start, (len(start), n))
            slopes = system.slopes(values, rest)
        asked = [values[system.slots[name]] for name in self.names]
        fine: Flags = np.isfinite(rest).min(axis=0, initial=True)
        for one in (*slopes, *asked):
            fine = fine & np.isfinite(one)
        return fine

    def _labelled(self, found: Attempted, chosen: NDArray[np.intp], n: int) -> Rows:
        status = np.full(n, Status.BAD_PARAMETER, dtype=np.int8)
        steps = np.zeros(n, dtype=np.int64)
        status[chosen], steps[chosen] = found.status, found.steps
        good = chosen[usable(found.status)]
        series = {name: self._declared(found.values, k) for k, name in enumerate(self.names)}
        data: dict[str, Array] = {}
        for summary in self.summaries:
            data[summary.label] = np.full(n, np.nan)
            if len(good):
                column = summary.compute(self.times, series)
                data[summary.label][good] = column[usable(found.status)]
        for name in self.record:
            data[name] = np.full((n, len(self._kept)), np.nan)
            data[name][chosen] = series[name][:, self._kept]
        if self.tell_rtol:
            data["rtol"] = np.full(n, np.nan)
            data["rtol"][chosen] = found.rtol
        return Rows(status, steps, data)

    def _declared(self, values: Array, k: int) -> Array:
        """Return one name's courses in its declared unit, uncopied where that is canonical."""
        factor = unit(self.model.unit(self.names[k])).factor
        return values[:, k, :] if factor == 1.0 else values[:, k, :] / factor
