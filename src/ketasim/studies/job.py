"""A sweep made ready: every name, unit and time checked, nothing integrated yet."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ketasim.core.scenario import Scenario
from ketasim.engines.status import meanings
from ketasim.errors import ConfigError, suggest
from ketasim.results.columns import Column, Layout, bookkeeping
from ketasim.studies import designs
from ketasim.studies.cautions import cautions_of, kept
from ketasim.studies.chunk import Work
from ketasim.studies.crew import Piece
from ketasim.studies.designs.columns import Columns
from ketasim.studies.designs.design import Design
from ketasim.studies.identity import provenance
from ketasim.studies.ladder import ladder
from ketasim.studies.settings import Settings
from ketasim.studies.summaries import Summary, check_moments, read_all

BUFFER = 16_000_000  # bytes of trajectories a thread holds at once
MOST_CHUNK, REFERENCE_CHUNK = 4096, 32
DRAWN = {"sobol": designs.sobol, "lhs": designs.latin_hypercube, "random": designs.random}


@dataclass(frozen=True)
class Job:
    """Everything a sweep needs except where its result goes."""

    scenario: Scenario
    design: Design
    summaries: tuple[Summary, ...]
    record: tuple[str, ...]
    settings: Settings
    chunk: int

    @property
    def layout(self) -> Layout:
        """Return the shape of the result."""
        times = self.scenario.times if self.record else ()
        columns = tuple(self._columns())
        return Layout(columns, self.design.size, times, meanings())

    def _columns(self) -> Iterator[Column]:
        model = self.scenario.settled_model
        for name, unit in zip(self.design.names, self.design.units, strict=True):
            known = model.parameters.get(name)
            yield Column(name, unit, known.meaning if known else name, role="design")
        for one in self.summaries:
            yield Column(one.label, one.unit, one.text)
        for name in self.record:
            yield Column(name, model.unit(name), model.meaning(name), over_time=True)
        if self.settings.allow_looser:
            yield Column("rtol", "1", "relative tolerance of the attempt that counts")
        yield from bookkeeping()

    @property
    def chunks(self) -> int:
        """Return the number of chunks."""
        return -(-self.design.size // self.chunk)

    def pieces(self, indices: Iterable[int]) -> Iterator[Piece]:
        """Yield chunks in the order of their index, with their design rows."""
        for k in indices:
            start, stop = k * self.chunk, min((k + 1) * self.chunk, self.design.size)
            yield Piece(k, start, stop, self.design.rows(start, stop))

    def work(self, halted: Callable[[], bool]) -> Work:
        """Return what computes a chunk; compiles, when the engine must."""
        targets = Columns(self.scenario, self.design)
        bare = Work(targets, (), self.summaries, self.record)
        rungs = ladder(targets, bare.names, self.settings, halted)
        return Work(targets, rungs, self.summaries, self.record, self.settings.allow_looser)

    @property
    def identity(self) -> dict[str, str]:
        """Return what decides the numbers, as names and plain text; equal for equal results."""
        scenario = self.scenario
        known = provenance(scenario)
        limits = asdict(self.settings.limits)
        return {
            "ketasim_version": str(known["ketasim_version"]),
            "model": str(known["model"]),
            "model_digest": str(known["model_digest"]),
            "parameter_changes": str(known["parameter_changes"]),
            "subject": f"{scenario.subject.species}, {scenario.subject.weight!r} kg",
            "protocol": "; ".join(map(repr, scenario.protocol.events)),
            "output_times": _times(scenario.times),
            "design": json.dumps(dict(self.design.description), sort_keys=True),
            "record": ", ".join(self.record),
            "summaries": ", ".join(f"{one.label} = {one.text}" for one in self.summaries),
            "engine": self.settings.engine,
            "method": self.settings.method,
            "rtol": repr(self.settings.rtol).replace("e-0", "e-"),
            "limits": f"{limits['steps']} steps, {limits['seconds']!r} s",
            "allow_looser": str(self.settings.allow_looser),
            "chunk": str(self.chunk),
        }

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """Return what is allowed but probably not meant, in the scenario or at an end."""
        return cautions_of(self.scenario, self.design)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Return what a result says about itself."""
        return {
            **provenance(self.scenario),
            "engine": self.settings.engine,
            "method": self.settings.method,
            "rtol": self.settings.rtol,
            "design": str(self.design.description["kind"]),
            "design_digest": self.design.digest,
            "members": self.design.size,
            "cautions": kept(self.cautions),
        }


def _times(times: tuple[float, ...]) -> str:
    digest = hashlib.sha256(np.array(times).tobytes()).hexdigest()[:16]
    return f"{len(times)} from {times[0]:g} h to {times[-1]:g} h ({digest})"


def prepare(
    scenario: Scenario,
    design: Any,
    *,
    record: Iterable[str] = (),
    summaries: Iterable[str] = (),
    seed: Any = 0,
    settings: Settings,
    chunk: int | None = None,
) -> Job:
    """Check everything and return the sweep, ready to run.

    Raises
    ------
    ConfigError, ModelError, UnitError, ProtocolError
        When anything in it cannot be carried out; nothing has been integrated then.
    """
    chosen = as_design(design, scenario, seed)
    Columns(scenario, chosen)
    kept = tuple(dict.fromkeys(map(scenario.model.full_name, record)))
    _check_record(kept, scenario)
    texts = [summaries] if isinstance(summaries, str) else list(summaries)
    if not texts and not kept:
        kept, texts = _default(scenario)
    found = read_all(texts, scenario.settled_model)
    check_moments(found, scenario.times[0], scenario.times[-1])
    size = _chunk(chunk, chosen.size, len(scenario.times), found, kept, settings)
    return Job(scenario, chosen, found, kept, settings, size)


def _default(scenario: Scenario) -> tuple[tuple[str, ...], list[str]]:
    """Keep the courses that were asked for; of everything else, its peak and when that is."""
    if scenario.record:
        return scenario.record, []
    return (), [f"{name}.{one}" for name in scenario.recorded for one in ("peak", "t_peak")]


def _check_record(names: tuple[str, ...], scenario: Scenario) -> None:
    model = scenario.settled_model
    for one in names:
        if one not in model.recordable:
            near = suggest(one, (*model.recordable, *model.short_names))
            raise ConfigError(f'record "{one}": no such state or quantity.{near}')


def _chunk(
    asked: int | None,
    size: int,
    n_times: int,
    summaries: tuple[Summary, ...],
    record: tuple[str, ...],
    settings: Settings,
) -> int:
    """Return the members of a chunk; no number in a result depends on it."""
    if asked is not None:
        if asked < 1:
            raise ConfigError(f"chunk = {asked}: at least 1 member.")
        return min(asked, size)
    if settings.engine == "reference":
        return min(REFERENCE_CHUNK, size)
    names = {*record, *(name for one in summaries for name in one.names)}
    fits = BUFFER // (8 * n_times * max(1, len(names)))
    whole = max(64, 1 << max(0, fits.bit_length() - 1))
    return min(whole, MOST_CHUNK, size)


def as_design(design: Any, scenario: Scenario, seed: Any = 0) -> Design:
    """Return a design from what a user may give.

    A mapping is a grid, ``'sobol:4096'`` (or ``lhs``, ``random``) a draw of what is uncertain,
    and a path, DataFrame or Dataset a table.

    Raises
    ------
    ConfigError
        When it is none of these.
    """
    if isinstance(design, Design):
        return design
    if isinstance(design, Mapping):
        return designs.grid(design)
    if isinstance(design, str) and design.partition(":")[0] in DRAWN:
        kind, n = drawn(design)
        return DRAWN[kind](scenario, n, seed=seed)
    if isinstance(design, str | Path) or hasattr(design, "columns") or hasattr(design, "coords"):
        return designs.table(design)
    raise ConfigError(
        'a design is needed: {"dosing[0].amount": [...]}, "sobol:4096", designs.sobol(...), or a '
        "table."
    )


def drawn(text: str) -> tuple[str, int]:
    """Read ``'sobol:4096'``.

    Raises
    ------
    ConfigError
        When the kind or the number cannot be read.
    """
    kind, _, number = text.partition(":")
    if kind not in DRAWN:
        raise ConfigError(
            f'"{text[:40]}": no such design.{suggest(kind, DRAWN)} Write {", ".join(DRAWN)}, '
            "a colon, and the number of members, e.g. sobol:4096."
        )
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and int(number) > 0):
        raise ConfigError(f'"{text[:40]}": write the number of members, e.g. {kind}:4096.')
    return kind, int(number)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
