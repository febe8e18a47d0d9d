"""A sweep whose result is a store: resumable, shared between processes, stopped cleanly."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError
from ketasim.results.making import DESIGN_CHUNK, create
from ketasim.results.manifest import Manifest
from ketasim.results.problems import StoreError, writing
from ketasim.results.store import Store, is_store
from ketasim.studies.sweep.chunk import Rows, Work
from ketasim.studies.sweep.job import Job
from ketasim.studies.sweep.workers import Chunk, Listener, Tally, Workers

LOG = logging.getLogger("ketasim.sweep")
TOLD, MOST_TOLD = 10.0, 5  # between saying who is waited for [s], and how many at once
WAIT = 0.3  # between looks at chunks that other processes hold [s]


def fill(
    job: Job,
    path: Path,
    threads: int,
    progress: Listener | None,
    shard: tuple[int, int] | None,
    attributes: Mapping[str, Any],
) -> Store:
    """Compute what a store lacks, and return it; see :func:`ketasim.sweep`.

    Raises
    ------
    StoreError
        When the store was made otherwise or is damaged; StoreWriteError (exit code 4) when it
        cannot be written. What was written before stays whole.
    """
    job, store, pending, tally = begin(job, path, progress, shard, attributes)
    try:
        Round(job, store, threads, tally).until_done(pending, wait=shard is None)
    finally:
        with contextlib.suppress(OSError):
            store.claims.release_all()
    return store


def begin(
    job: Job,
    path: Path,
    progress: Listener | None,
    shard: tuple[int, int] | None,
    attributes: Mapping[str, Any],
) -> "tuple[Job, Store, Pending, Tally]":
    """Open or make a store, set aside what is damaged in it, and return what is left to do."""
    store = open_or_create(job, path, attributes)
    job = job.as_begun(store.manifest.identity)
    with writing(path, 0.0):
        removed, damaged = store.recover()
    pending = pending_of(store, shard)
    done = store.done()
    if done:
        _say_found(store, len(done), removed, len(damaged), len(pending))
    total = sum(members_of(store, k) for k in done) + pending.members
    tally = Tally(total, 0, 0, progress)
    for k in done:
        tally.found(members_of(store, k), store.failed(k))
    return job, store, pending, tally


def open_or_create(job: Job, path: Path, attributes: Mapping[str, Any]) -> Store:
    """Return the store at ``path``, made now when there is none.

    Raises
    ------
    StoreError
        When something else is there, or a store that was made otherwise.
    """
    if not is_store(path):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StoreError(f"{path}: something else is there. Use -o a new folder.")
        told = {**job.attributes, **attributes}
        with writing(path, volume(job)):
            create(path, job.layout, job.identity, told, job.chunk, _blocks(job))
    store = Store(path)
    store.check_identity(job.as_begun(store.manifest.identity).identity)
    _check_drawn(job, store)
    return store


def _check_drawn(job: Job, store: Store) -> None:
    """Raise StoreError where other values are drawn now than those a store has numbers of."""
    done = next(iter(store.done()), None) if store.is_recipe else None
    if done is None or not all(store.is_sound(name, done) for name in store.manifest.names):
        return
    span = store.manifest.span(done)
    if not np.array_equal(store.rows(*span), job.design.rows(*span), equal_nan=True):
        raise StoreError(
            f"{store.path.name}: this machine draws other values for the same design than those in "
            "the store, so another NumPy or SciPy made it. Use the versions it was made with, or "
            "-o a new folder."
        )


def volume(job: Job) -> float:
    """Return the most bytes that the result of a sweep takes on disk."""
    layout = job.layout
    sizes = {"float64": 8, "int64": 8, "int8": 1}
    per_member = sum(
        sizes[c.dtype] * (len(layout.times) if c.over_time else 1) for c in layout.columns
    )
    return float(per_member * layout.members)


def _blocks(job: Job) -> Iterator[NDArray[np.float64]] | None:
    """Return a table's rows; None for a design whose rows follow from its description."""
    if job.design.description["kind"] != "table":
        return None
    size, design = job.design.size, job.design
    starts = range(0, size, DESIGN_CHUNK)
    return (design.rows(start, min(start + DESIGN_CHUNK, size)) for start in starts)


def members_of(store: Store, k: int) -> int:
    """Return how many members a chunk has."""
    start, stop = store.manifest.span(k)
    return stop - start


@dataclass(frozen=True)
class Pending:
    """The chunks of a store that are not done, known without a list of them."""

    among: range
    done: frozenset[int]
    manifest: Manifest

    def __iter__(self) -> Iterator[int]:
        """Yield them in order."""
        return (k for k in self.among if k not in self.done)

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self.among) - len(self.done)

    @property
    def members(self) -> int:
        """Return how many members they have."""
        last = self.manifest.chunks - 1
        first, stop = self.manifest.span(last)
        lacking = self.manifest.chunk - (stop - first)
        is_last = last in self.among and last not in self.done
        return len(self) * self.manifest.chunk - (lacking if is_last else 0)


def pending_of(store: Store, shard: tuple[int, int] | None) -> Pending:
    """Return what a store lacks, or what of it one shard is to compute."""
    i, n = shard or (0, 1)
    if not 0 <= i < n:
        raise ConfigError(f"shard {i}/{n}: the first number counts from 0 and is the smaller one.")
    among = range(i, store.manifest.chunks, n)
    return Pending(among, frozenset(k for k in store.done() if k in among), store.manifest)


def _say_found(store: Store, done: int, removed: int, damaged: int, left: int) -> None:
    runs = sum(members_of(store, k) for k in store.done())
    partial = f"{removed} partial file{'' if removed == 1 else 's'} removed"
    LOG.info(
        f"found {done:,}/{store.manifest.chunks:,} chunks ({runs:,} runs), {partial}, "
        f"{damaged} corrupt; config, model and version match; continuing with {left:,}"
    )


def keep(store: Store, chunk: Chunk, rows: Rows) -> None:
    """Write a chunk, with its design's values where they are not in the store yet."""
    given: dict[str, NDArray[Any]] = {}
    if store.is_recipe:
        given = {name: chunk.rows[:, i] for i, name in enumerate(store.manifest.names)}
    counted: dict[str, NDArray[Any]] = {"steps": rows.steps, "status": rows.status}
    store.put(chunk.index, {**given, **rows.data, **counted})


class Round:
    """Goes through the pending chunks, and again through those that others held."""

    def __init__(self, job: Job, store: Store, threads: int, tally: Tally) -> None:
        self.job, self.store, self.threads, self.tally = job, store, threads, tally
        self.stop = threading.Event()
        self.held: list[int] = []
        self.elsewhere: list[int] = []

    @cached_property
    def doing(self) -> Work:
        """Return what computes a chunk, compiled when the first is needed."""
        return self.job.work(self.stop.is_set, threads=self.threads)

    def until_done(self, left: Pending, *, wait: bool) -> None:
        """Compute all; when ``wait``, also what others hold now and may not finish."""
        pending: Pending | list[int] = left
        while pending:
            self.held, self.elsewhere = [], []
            if any(not self.store.has(k) for k in pending):
                _ = self.doing
            finished = self.once(pending)
            for k in self.elsewhere:
                self.tally.found(members_of(self.store, k), self.store.failed(k))
            pending = self.held
            if not wait or finished:
                return
            told = 0.0
            while pending and not any(map(self.free, pending)):
                if time.monotonic() - told > TOLD or not told:
                    told = time.monotonic()
                    self.say_waiting(self.held)
                time.sleep(WAIT)
                if self.tally.tell():
                    return

    def say_waiting(self, pending: list[int]) -> None:
        """Say who is waited for, and for how long at most should they be gone."""
        holders = [one for one in map(self.store.claims.holder, pending) if one is not None]
        for one in sorted(set(map(str, holders)))[:MOST_TOLD]:
            LOG.info(f"waiting for {one}")

    def free(self, k: int) -> bool:
        """Say whether a chunk that another process held is done, or left behind."""
        return self.store.has(k) or not self.store.claims.held(k)

    def once(self, pending: Pending | list[int]) -> bool:
        """Compute what nobody else holds; True when the listener asked to stop early."""
        count = min(self.threads, len(pending))
        workers = Workers(self.parts(pending), self.work, count, self.stop)
        stopping = False
        with contextlib.closing(workers.results_in_turn()) as results:
            for result in results:
                if result is not None:
                    self.tally.add(*result)
                self.store.claims.renew()
                if self.tally.tell() and not stopping:
                    stopping = True
                    workers.finish_chunks()
        return stopping

    def parts(self, pending: Iterable[int]) -> Iterator[Chunk]:
        """Yield the chunks that can be claimed, with their rows."""
        for k in pending:
            with writing(self.store.path, self.missing()):
                if not self.store.claims.take(k):
                    self.held.append(k)
                    continue
                if self.store.has(k):
                    self.store.claims.release(k)
                    self.elsewhere.append(k)
                    continue
                self.store.clear(k)
            yield from self.job.parts([k])

    def work(self, chunk: Chunk) -> tuple[int, int]:
        """Compute and write one chunk; returns its members and how many failed."""
        rows = self.doing.compute(chunk.rows)
        with writing(self.store.path, self.missing()):
            keep(self.store, chunk, rows)
            self.store.claims.release(chunk.index)
        return len(rows.status), rows.failed

    def missing(self) -> float:
        """Return the bytes that are still to be written."""
        left = 1.0 - self.tally.done / max(1, self.job.design.size)
        return left * volume(self.job)
