"""One question to the model: who, what is done, and when to look."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil, floor, inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.describe import scenario_html, scenario_text
from ketasim.core.model import Model
from ketasim.core.protocol import Dose, Hold, Protocol, hours_of
from ketasim.core.schedule import SNAP, Schedule, compile_schedule
from ketasim.errors import ProtocolError, suggest

MAX_TIMES = 1_000_000


@dataclass(frozen=True)
class Subject:
    """A species, a body weight [kg], and the parameters in which it differs from the ledger.

    Raises
    ------
    ProtocolError
        When the weight is not a positive finite number.
    """

    species: str
    weight: float
    values: Mapping[str, str | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a weight that no dose can be computed from."""
        if not 0.0 < self.weight < inf:
            raise ProtocolError(f"subject.weight = {self.weight:g} kg: must be > 0 and finite.")


@dataclass(frozen=True)
class Scenario:
    """A model, a protocol, a subject, and the times [h] and names to record.

    An empty ``record`` keeps every state and quantity. Names may be short (``"spines"``,
    ``hold("nbqx", ...)``): they are written out in full here, once; a full name always wins.

    Raises
    ------
    ProtocolError
        When times do not increase, end before the last dose stops, or a recorded name is unknown.
    """

    model: Model
    protocol: Protocol
    times: tuple[float, ...]
    subject: Subject
    record: tuple[str, ...] = ()
    name: str = "scenario"

    def __post_init__(self) -> None:
        """Refuse times and names that cannot be honoured."""
        object.__setattr__(self, "times", tuple(float(t) for t in self.times))
        _check_times(self.times)
        _check_end(self.protocol, self.times[-1])
        object.__setattr__(self, "protocol", _in_full(self.protocol, self.model))
        object.__setattr__(self, "record", full_names(self.record, self.model))

    @cached_property
    def resolved_model(self) -> Model:
        """Return the model with the subject's own parameter values."""
        return self.model.with_values({**self.own_values, **_edited(self.model)})

    @property
    def settled_model(self) -> Model:
        """Return :attr:`resolved_model`; this name goes with the next release."""
        text = "Scenario.settled_model is now called resolved_model; write scenario.resolved_model."
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return self.resolved_model

    @cached_property
    def own_values(self) -> Mapping[str, str | float]:
        """Return the parameters that the subject sets: its weight, and where else it differs."""
        weight = self.model.weight
        follows = {weight: f"{self.subject.weight!r} kg"} if weight else {}
        return {**follows, **self.subject.values}

    @cached_property
    def schedule(self) -> Schedule:
        """Return the protocol as segments, from its first event or the first time to the last."""
        return compile_schedule(
            self.protocol,
            self.model,
            weight=self.subject.weight,
            begin=self.times[0],
            end=self.times[-1],
        )

    @property
    def recorded(self) -> tuple[str, ...]:
        """Return the full names that a run records."""
        return self.record or self.model.recordable

    def with_protocol(self, protocol: Protocol) -> "Scenario":
        """Return the same question about another protocol."""
        return replace(self, protocol=protocol)

    def __repr__(self) -> str:
        """Return the scenario in a few lines."""
        return scenario_text(self)

    def _repr_html_(self) -> str:
        """Return the scenario as a table, for a notebook."""
        return scenario_html(self)


def full_names(names: Iterable[str], model: Model) -> tuple[str, ...]:
    """Return the full names of time courses to record, each once.

    Raises
    ------
    ProtocolError
        When there is none of that name; the message suggests the nearest, short or full.
    """
    found = tuple(dict.fromkeys(model.full_name(name) for name in names))
    for name in found:
        if name not in model.recordable:
            near = suggest(name, (*model.recordable, *model.short_names))
            raise ProtocolError(f'record "{name}": no such state or quantity.{near}')
    return found


def _in_full(protocol: Protocol, model: Model) -> Protocol:
    """Return a protocol with its inputs under their full names."""
    events = tuple(
        replace(one, knob=model.input_name(one.knob)) if isinstance(one, Hold) else one
        for one in protocol.events
    )
    return protocol if events == protocol.events else Protocol(events)


def _edited(model: Model) -> dict[str, str]:
    """Return the model's own edits as text; they outrank the subject's values."""
    return {name: f"{value!r} {unit}" for name, (value, unit) in model.edits.items()}


def _check_times(times: tuple[float, ...]) -> None:
    if not 2 <= len(times) <= MAX_TIMES:
        raise ProtocolError(f"{len(times)} output times; between 2 and {MAX_TIMES} are needed.")
    steps = np.diff(times)
    if not np.all(np.isfinite(times)) or not np.all(steps > 0.0):
        raise ProtocolError("output times must be finite and increase.")


def _check_end(protocol: Protocol, end: float) -> None:
    stops = [e.stop for e in protocol.events if isinstance(e, Dose)]
    if stops and max(stops) > end + SNAP:
        raise ProtocolError(
            f'output.until = "{clock(end)}" ends before the last dose stops ({clock(max(stops))}). '
            f'Use at least "{clock(max(stops))}"; 7 d shows the spine effect.'
        )


def clock(hours: float) -> str:
    """Return a time as people say it: ``'40 min'``, ``'3 h'``, ``'7 d'``."""
    for size, name in ((24.0, "d"), (1.0, "h"), (1 / 60, "min")):
        if abs(hours) >= size * (1 if name != "d" else 2):
            return f"{round(hours / size, 6):g} {name}"
    return f"{round(hours * 3600, 6):g} s"


def hours(start: float, stop: float, *, every: float) -> tuple[float, ...]:
    """Return evenly spaced times [h] from ``start`` to ``stop``, both included.

    Raises
    ------
    ProtocolError
        When the interval is not longer than zero, or gives more times than can be kept.
    """
    if not 0.0 < every < inf or not (stop - start) / every < MAX_TIMES:
        raise ProtocolError(
            f"every = {every:g} h from {start:g} h to {stop:g} h: an interval longer than zero "
            f"that gives at most {MAX_TIMES} times is needed."
        )
    count = max(round((stop - start) / every), 1)
    return tuple(float(t) for t in np.linspace(start, stop, count + 1))


def until(end: str, *, every: str, start: "str | float" = 0.0) -> tuple[float, ...]:
    """Return evenly spaced times from ``start`` to ``end``, given with units."""
    return hours(hours_of(start, "start"), hours_of(end, "until"), every=hours_of(every, "every"))


Times = NDArray[Any]

FINE, FINE_FOR, COARSE = 1 / 30, 6.0, 1.0  # [h]
MAX_FINE = 50  # events that get a fine grid of their own
MAX_COARSE = 1500


def fine_then_coarse(protocol: Protocol, begin: float, end: float) -> tuple[float, ...]:
    """Return times [h] two minutes apart for six hours after each event, else an hour apart."""
    coarse = max(COARSE, (end - begin) / MAX_COARSE)
    grids: list[Times] = [coarse * np.arange(ceil(begin / coarse), floor(end / coarse) + 1)]
    grids += [first + np.arange(0.0, FINE_FOR, FINE) for first in _beginnings(protocol, begin)]
    return closed(np.unique(np.round(np.concatenate(grids), 6)), begin, end, near=1e-6)


def around(protocol: Protocol, begin: float, end: float) -> tuple[float, ...]:
    """Return times [h] at which a picture misses no pulse, also around ends and switches."""
    moments = [m for e in protocol.events for m in (e.start, e.stop) if begin < m < end]
    near = np.concatenate([[m - FINE / 100.0, m] for m in moments]) if moments else np.empty(0)
    every = np.concatenate([fine_then_coarse(protocol, begin, end), near])
    return closed(np.unique(every), begin, end, near=1e-9)


def _beginnings(protocol: Protocol, begin: float) -> Iterable[float]:
    starts = {one.start for one in protocol.events if isfinite(one.start) and one.start >= begin}
    return sorted(starts)[:MAX_FINE]


def closed(steps: Times, begin: float, end: float, *, near: float) -> tuple[float, ...]:
    """Return the steps that lie within, and both ends themselves."""
    inside = steps[(steps > begin + near) & (steps < end - near)]
    return (begin, *inside.tolist(), end)
