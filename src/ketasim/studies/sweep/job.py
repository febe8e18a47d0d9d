"""A sweep made ready: every name, unit and time checked, nothing integrated yet."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ketasim.core.scenario import Scenario
from ketasim.engines.contract import Settings
from ketasim.engines.status import meanings
from ketasim.errors import ConfigError, KetasimError, suggest
from ketasim.readouts import Readout, check_labels, check_moments, parse_all
from ketasim.readouts.names import label_of
from ketasim.results.problems import FROM
from ketasim.results.schema import RESERVED, Column, Layout, bookkeeping
from ketasim.studies import designs
from ketasim.studies.cautions import cautions_of, identified, kept, provenance
from ketasim.studies.designs.columns import Columns
from ketasim.studies.designs.design import Design
from ketasim.studies.sweep.budget import NUMBERS, Burden, amount, burden, chunk_of
from ketasim.studies.sweep.chunk import Work
from ketasim.studies.sweep.workers import Chunk

DRAWN = {"sobol": designs.sobol, "lhs": designs.latin_hypercube, "random": designs.random}


@dataclass(frozen=True)
class Job:
    """Everything a sweep needs except where its result goes.

    ``chunk`` members are computed together; ``is_chunk_free`` says that nobody asked for so many.
    """

    columns: Columns
    readouts: tuple[Readout, ...]
    record: tuple[str, ...]
    settings: Settings
    chunk: int
    is_chunk_free: bool = True

    @property
    def scenario(self) -> Scenario:
        """Return what every member is a variant of."""
        return self.columns.scenario

    @property
    def design(self) -> Design:
        """Return what members differ in."""
        return self.columns.design

    @property
    def layout(self) -> Layout:
        """Return the shape of the result."""
        times = self.scenario.times if self.record else ()
        columns = tuple(self._columns())
        return Layout(columns, self.design.size, times, meanings())

    def _columns(self) -> Iterator[Column]:
        model = self.scenario.resolved_model
        for name, unit in zip(self.design.names, self.design.units, strict=True):
            known = model.parameters.get(name)
            yield Column(name, unit, known.meaning if known else name, role="design")
        for one in self.readouts:
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

    def parts(self, indices: Iterable[int]) -> Iterator[Chunk]:
        """Yield chunks in the order of their index, with their design rows."""
        for k in indices:
            start, stop = k * self.chunk, min((k + 1) * self.chunk, self.design.size)
            yield Chunk(k, start, stop, self.design.rows(start, stop))

    def work(self, halted: Callable[[], bool], *, threads: int = 1) -> Work:
        """Return what computes a chunk; threads that no chunk would occupy share those there are.

        Compiles, with the first chunk, what the engine has not at hand.
        """
        each = max(1, threads // self.chunks)
        settings = replace(self.settings, threads=each)
        return Work(self.columns, settings, self.readouts, self.record, halted)

    @cached_property
    def burden(self) -> Burden:
        """Return what one member takes while it is computed."""
        return burden(self.scenario, self.columns, self.readouts, self.record)

    @property
    def identity(self) -> dict[str, str]:
        """Return what decides the numbers, as names and plain text; equal for equal results."""
        scenario = self.scenario
        limits = asdict(self.settings.limits)
        return {
            **identified(scenario),
            "output_times": _times(scenario.times),
            "design": json.dumps(dict(self.design.description), sort_keys=True),
            "record": ", ".join(self.record),
            "summaries": ", ".join(f"{one.label} = {one.text}" for one in self.readouts),
            **self._taken,
            "engine": self.settings.engine,
            "method": self.settings.solver,
            "rtol": repr(self.settings.tolerance).replace("e-0", "e-"),
            "limits": f"{limits['steps']} steps, {limits['seconds']!r} s",
            "allow_looser": str(self.settings.allow_looser),
            "chunk": str(self.chunk),
        }

    @property
    def _taken(self) -> dict[str, str]:
        """Return where numbers come from that were once taken of the points of the output grid."""
        kinds = {one.kind for read in self.readouts for one in read.reductions}
        return {FROM: "the solution"} if kinds - {"at", "start"} else {}

    def as_begun(self, made: Mapping[str, str]) -> "Job":
        """Return the sweep in the terms of a store that was begun with it, where only these differ.

        A store keeps the chunks and the labels it was made with: both were once chosen otherwise
        for the same command.
        """
        job = self
        if self.is_chunk_free and made.get("chunk", "").isdigit():
            job = replace(job, chunk=int(made["chunk"]))
        texts = made.get("summaries", "")
        if texts == self.identity["summaries"]:
            return job
        try:
            before = parse_all([texts], self.scenario.resolved_model, where="summary")
        except KetasimError:
            return job
        same = len(before) == len(self.readouts) and all(
            a.node == b.node and a.label == label_of(a.text) and b.label == label_of(b.text)
            for a, b in zip(before, self.readouts, strict=True)
        )
        return replace(job, readouts=before) if same else job

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """Return what is allowed but probably not meant, in the scenario or at an end."""
        return cautions_of(self.scenario, self.columns)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Return what a result says about itself."""
        return {
            **provenance(self.scenario),
            "engine": self.settings.engine,
            "method": self.settings.solver,
            "rtol": self.settings.tolerance,
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
    memory: str | float | None = None,
    threads: int = 1,
) -> Job:
    """Check everything and return the sweep, ready to run.

    ``memory`` is the most that so many threads may take together, such as ``"2 GB"``.

    Raises
    ------
    ConfigError, ModelError, UnitError, ProtocolError
        When anything in it cannot be carried out; nothing has been integrated then.
    """
    chosen = as_design(design, scenario, seed)
    columns = Columns(scenario, chosen)
    model = scenario.resolved_model
    kept = tuple(dict.fromkeys(_recorded(name, scenario) for name in record))
    texts = [summaries] if isinstance(summaries, str) else list(summaries)
    if not texts and not kept:
        kept, texts = _default(scenario)
    found = parse_all(texts, model, where="summary")
    check_moments(found, scenario.times[0], scenario.times[-1], where="summary")
    check_labels((one.label for one in found), taken=(*chosen.names, *kept, *RESERVED))
    one = burden(scenario, columns, found, kept)
    reductions = {one for read in found for one in read.reductions}
    numbers = len(scenario.times) * len(kept) + NUMBERS * len(reductions)
    limit = None if memory is None else amount(memory)
    size = chunk_of(chunk, chosen.size, one, settings, numbers, limit, threads)
    return Job(columns, found, kept, settings, size, is_chunk_free=chunk is None)


def _default(scenario: Scenario) -> tuple[tuple[str, ...], list[str]]:
    """Keep the courses that were asked for; of everything else, its peak and when that is."""
    if scenario.record:
        return scenario.record, []
    return (), [f"{name}.{one}" for name in scenario.recorded for one in ("peak", "t_peak")]


def _recorded(name: str, scenario: Scenario) -> str:
    """Return the full name of what is recorded, itself or by its short name."""
    model = scenario.resolved_model
    full = name if name in model.recordable else model.short_names.get(name)
    if full is None:
        hint = suggest(name, [*model.recordable, *model.short_names])
        raise ConfigError(f'record "{name}": no such state or quantity.{hint}')
    return full


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
