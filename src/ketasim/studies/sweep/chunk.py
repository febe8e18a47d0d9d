"""One chunk of a sweep: rows of a design in, read-outs and time courses out.

Read-outs are taken of the solution as a member runs, so that no time course is held for them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.protocol import Bath, Dose, Protocol
from ketasim.core.schedule import Schedule
from ketasim.engines.contract import Batch, Outcome, Schedules, Settings, never
from ketasim.engines.run import run
from ketasim.engines.status import Status, usable
from ketasim.readouts import Ledger, Lookup, Reading, Readout, Reduction
from ketasim.studies.designs.columns import Columns
from ketasim.units import unit

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Undrugged:
    """The columns of a design that are left once no drug is given."""

    drugged: Columns

    @cached_property
    def _left(self) -> list[int]:
        names = self.drugged.design.names
        return [k for k, name in enumerate(names) if not name.startswith(("dosing[", "bath["))]

    @cached_property
    def columns(self) -> Columns:
        """Return what is left, bound to the scenario without its doses and baths."""
        design, left = self.drugged.design, self._left
        protocol = self.drugged.scenario.protocol
        others = tuple(e for e in protocol.events if not isinstance(e, Dose | Bath))
        return Columns(
            self.drugged.scenario.with_protocol(Protocol(others)),
            replace(
                design,
                names=tuple(design.names[k] for k in left),
                units=tuple(design.units[k] for k in left),
                limits=(None,) * len(left),
                reach=(None,) * len(left),
            ),
        )

    def members(self, rows: Array) -> tuple[Array, "Schedule | list[Schedule]", Places]:
        """Return parameters and schedules of those that differ, and which one each row has.

        ``rows`` (n, n_names) are within their domain. Members that differ in their drug only share
        one undrugged member.
        """
        left = np.ascontiguousarray(rows[:, self._left])
        known: dict[bytes, int] = {}
        which = np.array([known.setdefault(row.tobytes(), len(known)) for row in left])
        firsts = np.unique(which, return_index=True)[1]
        parameters, fine = self.columns.parameters(left[firsts])
        return parameters, self.columns.schedules(left[firsts], fine), which


Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Rows:
    """What a chunk yields: every array has one row a member, in declared units."""

    status: Codes
    steps: NDArray[np.int64]
    data: dict[str, Array]

    @property
    def failed(self) -> int:
        """Return how many members have no usable values."""
        return int(np.count_nonzero(~usable(self.status)))


@dataclass(frozen=True)
class Work:
    """What is computed for every chunk: where values go, how to integrate, what to keep."""

    columns: Columns
    settings: Settings
    readouts: tuple[Readout, ...] = ()
    record: tuple[str, ...] = ()
    halted: Callable[[], bool] = never

    @property
    def model(self) -> Model:
        """Return the model that is integrated."""
        return self.columns.scenario.resolved_model

    @cached_property
    def reductions(self) -> tuple[Reduction, ...]:
        """Return what is taken of every member's solution, each once."""
        return tuple(dict.fromkeys(one for read in self.readouts for one in read.reductions))

    @cached_property
    def _of_effects(self) -> tuple[Reduction, ...]:
        """Return what must be known of every member without drug too."""
        asked = (one for read in self.readouts for one in read.lookups)
        effects = (one for one in asked if isinstance(one, Reading) and one.effect)
        return tuple(dict.fromkeys(one.reduction for one in effects))

    @cached_property
    def _undrugged(self) -> Undrugged:
        return Undrugged(self.columns)

    def compute(self, rows: Array, *, into: Array | None = None) -> Rows:
        """Return what becomes of members with these design values, (n_members, n_names).

        No member can stop another: what is out of its domain gets a status and no integration.
        Time courses may be kept ``into`` (n_members, n_record, n_times), which saves copying them.

        Raises
        ------
        Halted
            When somebody asked to stop.
        """
        parameters, fine = self.columns.parameters(rows)
        schedules = self.columns.schedules(rows, fine)
        chosen = np.flatnonzero(fine)
        found = Rows(
            status=np.full(len(rows), Status.BAD_PARAMETER, dtype=np.int8),
            steps=np.zeros(len(rows), dtype=np.int64),
            data={read.label: np.full(len(rows), np.nan) for read in self.readouts},
        )
        if self.settings.allow_looser:
            found.data["rtol"] = np.full(len(rows), np.nan)
        if len(chosen) == len(rows):  # as nearly always: nothing need be copied
            self._fill(found, chosen, parameters, schedules, rows, into)
        elif len(chosen):
            if isinstance(schedules, list):
                schedules = [schedules[i] for i in chosen]
            self._fill(found, chosen, parameters[chosen], schedules, rows[chosen], None)
        else:
            none = np.empty((0, len(self.record), len(self._times)))
            found.data.update(self._courses(none, chosen, len(rows)))
        return found

    @cached_property
    def _times(self) -> Array:
        """Return the output times [h]; there are none where no time course is kept."""
        return np.array(self.columns.scenario.times if self.record else (), dtype=float)

    def _fill(
        self,
        found: Rows,
        chosen: Places,
        parameters: Array,
        schedules: Schedules,
        rows: Array,
        into: Array | None,
    ) -> None:
        """Integrate members, and put what becomes of them in their places."""
        outcome = self._run(parameters, schedules, self.reductions, self.record, into)
        known: dict[Lookup, Array] = {
            Reading(None, one): outcome.reduced[:, k] for k, one in enumerate(self.reductions)
        }
        status, steps = outcome.status, outcome.steps
        if self._of_effects:
            ended, taken, effects = self._effects(known, rows)
            status = np.where(usable(status) & (ended != Status.OK), ended, status)
            steps, known = steps + taken, known | effects
        found.status[chosen], found.steps[chosen] = status, steps
        self._read(found, chosen, known, parameters)
        found.data.update(self._courses(outcome.values, chosen, len(found.status)))
        if "rtol" in found.data:
            found.data["rtol"][chosen] = outcome.rtol

    def _courses(self, values: Array, chosen: Places, n: int) -> dict[str, Array]:
        """Return time courses of all members in declared units; where all ran, nothing is copied.

        ``values`` (n_chosen, n_record, n_times) are canonical, and turned into units in place.
        """
        for k, name in enumerate(self.record):
            factor = unit(self.model.unit(name)).factor
            if factor != 1.0:
                values[:, k] /= factor
        if len(chosen) < n:
            ran, values = values, np.full((n, len(self.record), len(self._times)), np.nan)
            values[chosen] = ran
        return {name: values[:, k] for k, name in enumerate(self.record)}

    def _run(
        self,
        parameters: Array,
        schedules: Schedules,
        reductions: tuple[Reduction, ...],
        record: tuple[str, ...] = (),
        into: Array | None = None,
    ) -> Outcome:
        times = self.columns.scenario.times
        batch = Batch(
            self.model,
            parameters,
            schedules,
            times=self._times if record else np.empty(0),
            record=record,
            reductions=reductions,
            span=(times[0], times[-1]),
            covering=self.columns.covering_schedule,
            total=self.columns.design.size,
            into=into,
        )
        return run(batch, self.settings, halted=self.halted)

    def _effects(
        self, known: Mapping[Lookup, Array], rows: Array
    ) -> tuple[Codes, NDArray[np.int64], dict[Lookup, Array]]:
        """Return how each member ends undrugged, its steps, and the effects."""
        parameters, schedules, which = self._undrugged.members(rows)
        undrugged = self._run(parameters, schedules, self._of_effects)
        effects: dict[Lookup, Array] = {
            Reading(None, one, effect=True): known[Reading(None, one)] - undrugged.reduced[which, k]
            for k, one in enumerate(self._of_effects)
        }
        return undrugged.status[which], undrugged.steps[which], effects

    def _read(
        self,
        found: Rows,
        chosen: Places,
        known: Mapping[Lookup, Array],
        parameters: Array,
    ) -> None:
        places = {name: i for i, name in enumerate(self.model.parameters)}
        good = usable(found.status[chosen])

        def lookup(one: Lookup) -> Array:
            return parameters[:, places[one.name]] if isinstance(one, Ledger) else known[one]

        for read in self.readouts:
            values = np.broadcast_to(read.evaluate(lookup), len(chosen))
            found.data[read.label][chosen[good]] = values[good]
