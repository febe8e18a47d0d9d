"""``sweep``: one scenario, many members, one row for each of them whatever happens."""

import contextlib
import threading
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketasim.core.scenario import Scenario
from ketasim.engines.contract import MEMBER, Limits, Settings
from ketasim.errors import ConfigError, KetasimWarning
from ketasim.results.schema import Layout, Memory
from ketasim.studies.cautions import PREFIX
from ketasim.studies.sweep.chunk import Rows
from ketasim.studies.sweep.job import Job, cores, prepare
from ketasim.studies.sweep.workers import Chunk, Listener, Tally, Workers

if TYPE_CHECKING:
    import xarray as xr

    from ketasim.results.store import Store

_SEEN = "client: give a store that all workers see, and no shard."


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
    rtol: float | None = None,
    chunk: int | None = None,
    memory: "str | float | None" = None,
    limits: Limits = MEMBER,
    allow_looser: bool = False,
    progress: Listener | None = None,
    shard: tuple[int, int] | None = None,
    attributes: Mapping[str, Any] | None = None,
    keep_design: bool = True,
    client: Any = None,
) -> "xr.Dataset":
    """Run a scenario for every member of a design.

    Parameters
    ----------
    scenario
        What each member starts from; its times [h] are the output times.
    design
        From :mod:`ketasim.studies.designs`; or a mapping of names to values (a grid),
        ``'sobol:4096'``, or a table (CSV path, DataFrame, Dataset).
    store
        A folder for a chunked Zarr store. The same call again resumes it. Without one the result
        is kept in memory.
    record
        Names whose full time courses are kept, at the scenario's times.
    summaries
        Read-outs such as ``"spines.peak"`` or ``"fold = spines@24h / spines@0h"``, taken of the
        solution whatever the times; see :mod:`ketasim.readouts`. With neither, the scenario's
        recorded courses are kept, or the peaks of everything when it names none.
    seed
        For a design given as text; a member's draw depends on it and on its index only.
    threads
        How many chunks are computed at once; by default one a core. No number depends on it.
    engine
        ``'ensemble'`` (compiled) or ``'reference'`` (SciPy, with ``method``).
    rtol
        Relative tolerance, by default the engine's own; never loosened, unless ``allow_looser``
        adds a last attempt at 100 times as much, told in the variable ``rtol``.
    chunk
        Members computed and stored together; no number depends on it.
    memory
        The most that all threads may take, such as ``"2 GB"``; by default half of what is free.
    limits
        What one attempt at one member may spend.
    progress
        Called with :class:`~ketasim.studies.sweep.workers.Progress` after every chunk and several
        times a second; when it returns True, chunks in hand are finished and the sweep stops.
    shard
        ``(i, n)`` computes every n-th chunk only, for batch jobs that share one store.
    attributes
        Told by the result beside its own attributes.
    keep_design
        Whether a result in memory has the design's values as coordinates; a store always has.
    client
        A ``distributed.Client``, whose workers then compute; they must all see the store.

    Returns
    -------
    xarray.Dataset
        One row a member: design values as coordinates, summaries ``(member)``, time courses
        ``(member, time)``, ``steps`` and ``status``; NaN where a member has no value.

    Warns
    -----
    KetasimWarning
        When a dose, a weight or an end of a range is far from usual; kept as ``attrs["cautions"]``.

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
        memory=memory,
        threads=threads or cores(),
    )
    for caution in job.cautions:
        warnings.warn(caution.removeprefix(PREFIX), KetasimWarning, stacklevel=2)
    told, count = dict(attributes or {}), threads or cores()
    if client is not None and store is None:
        raise ConfigError(_SEEN)
    if store is not None:
        return filled(
            job, Path(store), count, progress=progress, shard=shard, attributes=told, client=client
        ).dataset()
    if shard is not None:
        raise ConfigError("shard: give a store that the shards share.")
    layout = job.layout
    if not keep_design:
        layout = replace(layout, columns=tuple(c for c in layout.columns if c.role != "design"))
    return _in_memory(job, layout, count, progress, told)


def filled(
    job: Job,
    path: Path,
    threads: int,
    *,
    progress: Listener | None,
    shard: tuple[int, int] | None,
    attributes: Mapping[str, Any],
    client: Any,
) -> "Store":
    """Compute what a store lacks, here or on a cluster, and return it; see :func:`sweep`."""
    if client is None:
        from ketasim.studies.sweep import stored

        return stored.fill(job, path, threads, progress, shard, attributes)
    if shard is not None:
        raise ConfigError(_SEEN)
    from ketasim.studies.sweep import cluster

    return cluster.fill(job, path, client, progress, attributes)


def _in_memory(
    job: Job,
    layout: Layout,
    threads: int,
    progress: Listener | None,
    attributes: Mapping[str, Any],
) -> "xr.Dataset":
    memory = Memory(layout)
    tally = Tally(job.design.size, 0, 0, progress)

    def work(chunk: Chunk) -> tuple[Chunk, Rows]:
        return chunk, doing.compute(chunk.rows, into=memory.courses[chunk.start : chunk.stop])

    stop = threading.Event()
    doing = job.work(stop.is_set, threads=threads)
    workers = Workers(job.parts(range(job.chunks)), work, min(threads, job.chunks), stop)
    names = [column.name for column in layout.given]
    with contextlib.closing(workers.results_in_turn()) as results:
        for result in results:
            if result is not None:
                chunk, rows = result
                given = {name: chunk.rows[:, k] for k, name in enumerate(names)}
                counted = {"steps": rows.steps, "status": rows.status}
                memory.put(chunk.start, {**given, **rows.data, **counted})
                tally.add(len(rows.status), rows.failed)
            if tally.tell():
                workers.finish_chunks()
    return memory.dataset({**job.attributes, **attributes})
