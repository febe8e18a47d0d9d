"""``sweep``: one scenario, many members, one row for each of them whatever happens."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from ketasim.core.scenario import Scenario
from ketasim.engines.reference import Limits
from ketasim.errors import ConfigError
from ketasim.results.columns import Memory
from ketasim.studies.chunk import Rows
from ketasim.studies.crew import Crew, Piece
from ketasim.studies.job import Job, cores, prepare
from ketasim.studies.settings import LIMITS, Settings


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come; ``computed`` members were computed now, the rest was found done."""

    done: int
    total: int
    failed: int
    computed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Return members computed a second."""
        return self.computed / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def remaining(self) -> float:
        """Return the seconds it will still take, as far as can be told."""
        return (self.total - self.done) / self.rate if self.rate > 0.0 else float("nan")


Listener = Callable[[Progress], None]


def sweep(
    scenario: Scenario,
    design: Any,
    *,
    store: "str | Path | None" = None,
    record: Iterable[str] = (),
    summaries: "str | Iterable[str]" = (),
    seed: Any = 0,
    threads: int | None = None,
    engine: str = "ensemble",
    method: str = "LSODA",
    rtol: float = 1e-6,
    chunk: int | None = None,
    limits: Limits = LIMITS,
    allow_looser: bool = False,
    progress: Listener | None = None,
    shard: tuple[int, int] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Run a scenario for every member of a design.

    Parameters
    ----------
    scenario
        What each member starts from; its times [h] are the output times.
    design
        From :mod:`ketasim.designs`; or a mapping of names to values (a grid), ``'sobol:4096'``, or
        a table (CSV path, DataFrame, Dataset).
    store
        A folder for a chunked Zarr store. The same call again resumes it. Without one the result
        is kept in memory.
    record
        Names whose full time courses are kept, at the scenario's times.
    summaries
        Such as ``"spines.density.peak"``; see :mod:`ketasim.studies.summaries`. With neither, the
        scenario's recorded courses are kept, or the peaks of everything when it names none.
    seed
        For a design given as text; a member's draw depends on it and on its index only.
    threads
        How many chunks are computed at once; by default one a core. No number depends on it.
    engine
        ``'ensemble'`` (compiled) or ``'reference'`` (SciPy, with ``method``).
    rtol
        Relative tolerance; never loosened, unless ``allow_looser`` adds a last attempt at 100 times
        as much, told in the variable ``rtol``.
    chunk
        Members computed and stored together; no number depends on it.
    limits
        What one attempt at one member may spend.
    progress
        Called with :class:`Progress` after every chunk and several times a second.
    shard
        ``(i, n)`` computes every n-th chunk only, for batch jobs that share one store.
    attributes
        Told by the result beside its own attributes.

    Returns
    -------
    xarray.Dataset
        One row a member: design values as coordinates, summaries ``(member)``, time courses
        ``(member, time)``, ``steps`` and ``status``; NaN where a member has no value.

    Raises
    ------
    ConfigError, ModelError, UnitError, ProtocolError
        When something cannot be carried out; nothing has been integrated then.
    StoreError
        When the store was made otherwise, is damaged, or cannot be written.
    """
    settings = Settings(engine, method, rtol, limits, allow_looser)
    job = prepare(
        scenario,
        design,
        record=record,
        summaries=summaries,
        seed=seed,
        settings=settings,
        chunk=chunk,
    )
    told = dict(attributes or {})
    if store is not None:
        from ketasim.studies.stored import carry_out

        return carry_out(job, Path(store), threads or cores(), progress, shard, told)
    if shard is not None:
        raise ConfigError("shard: give a store that the shards share.")
    return _in_memory(job, threads or cores(), progress, told)


def _in_memory(
    job: Job, threads: int, progress: Listener | None, attributes: Mapping[str, Any]
) -> xr.Dataset:
    memory = Memory(job.layout)
    tally = Tally(job.design.size, 0, 0, progress)

    def work(piece: Piece) -> tuple[Piece, Rows]:
        return piece, doing.compute(piece.rows)

    crew = Crew(job.pieces(range(job.chunks)), work, min(threads, job.chunks))
    doing = job.work(crew.halted)
    names = job.design.names
    for result in crew.results_in_turn():
        if result is not None:
            piece, rows = result
            given = {name: piece.rows[:, k] for k, name in enumerate(names)}
            counted = {"steps": rows.steps, "status": rows.status}
            memory.put(piece.start, {**given, **rows.data, **counted})
            tally.add(len(rows.status), rows.failed)
        tally.tell()
    return memory.dataset({**job.attributes, **attributes})


class Tally:
    """Counts members as chunks come in, and tells a listener."""

    def __init__(self, total: int, done: int, failed: int, listener: Listener | None) -> None:
        self.total, self.done, self.failed, self.listener = total, done, failed, listener
        self.computed, self.began = 0, time.monotonic()

    def add(self, members: int, failed: int) -> None:
        """Count one chunk."""
        self.done += members
        self.computed += members
        self.failed += failed

    def tell(self) -> None:
        """Say how far things are."""
        if self.listener is not None:
            seconds = time.monotonic() - self.began
            self.listener(Progress(self.done, self.total, self.failed, self.computed, seconds))
