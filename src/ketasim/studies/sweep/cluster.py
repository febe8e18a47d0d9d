"""A sweep on a cluster of Dask: workers fill the store that all of them see.

A task is a few chunk numbers, never rows; the store is the truth. What a worker was at when it died
is computed by another; a member that kills two of them is set aside. When the scheduler dies, the
same command goes on with what is there.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ketasim.engines.contract import never
from ketasim.engines.status import Status
from ketasim.errors import ClusterError, MissingExtra
from ketasim.results.problems import writing
from ketasim.results.store import Store
from ketasim.studies.sweep.chunk import Rows
from ketasim.studies.sweep.job import Job
from ketasim.studies.sweep.present import BEAT, Present
from ketasim.studies.sweep.stored import Pending, Round, begin, keep, pending_of
from ketasim.studies.sweep.workers import Chunk, Listener, Tally

LOG = logging.getLogger("ketasim.sweep")
MOST_TASKS = 1000  # that the scheduler holds at once, whatever the number of members
EACH = 16  # tasks a worker gets at least, where there are so many chunks
MOST_SIZE = 64  # chunks in a task, unless that would be too many tasks


def fill(
    job: Job,
    path: Path,
    client: Any,
    progress: Listener | None,
    attributes: Mapping[str, Any],
) -> Store:
    """Compute what a store lacks on a cluster, and return it; see :func:`ketasim.sweep`.

    Raises
    ------
    StoreError
        When the store was made otherwise, is damaged, or cannot be written.
    MissingExtra
        When Dask is not installed.
    ClusterError
        When the scheduler dies meanwhile, or workers that this process started do.
    """
    job, store, pending, tally = begin(job, path.resolve(), progress, None, attributes)
    stopped = False
    if len(pending):
        with answering(client, f"What was written to {path} is whole: ketasim resume {path}"):
            stopped = _Crew(job, store, client, tally).is_stopped_at(pending)
    if len(pending) and not stopped:
        # What others held meanwhile is computed here, should they not finish it.
        Round(job, store, 1, tally).until_done(pending_of(store, None), wait=True)
        store.claims.release_all()
    return store


@contextmanager
def answering(client: Any, cure: str) -> Iterator[None]:
    """Turn what becomes of a client whose scheduler is gone into a sentence with a cure."""
    told = getattr(getattr(client, "scheduler", None), "address", None) or "that was asked"
    try:
        yield
    except (CancelledError, OSError) as error:
        if isinstance(error, CancelledError) or type(error).__name__ == "CommClosedError":
            raise ClusterError(f"the scheduler {told} no longer answers. {cure}") from error
        raise


def compute(job: Job, path: str, chunks: range) -> list[tuple[int, int, int]]:
    """Compute some chunks on a worker; returns each one's number, members, and how many failed.

    Chunks that are done or that somebody else is at are passed over.
    """
    now = Path(path).stat()
    store = _opened(path, (now.st_ino, now.st_mtime_ns))
    one = Round(job, store, 1, Tally(job.design.size, 0, 0, None))
    done = []
    for chunk in one.parts(k for k in chunks if not store.has(k)):
        stop = threading.Event()
        threading.Thread(target=_renew, args=(store, stop), daemon=True).start()
        try:
            done.append((chunk.index, *one.work(chunk)))
        finally:
            stop.set()
            store.claims.release(chunk.index)
    store.claims.tidy()
    return done


@lru_cache(maxsize=4)
def _opened(path: str, _: tuple[int, int]) -> Store:
    """Return a store, looked at once by each worker; another folder is another store."""
    return Store(Path(path))


def _renew(store: Store, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        store.claims.renew()


def _same(job: Job) -> Job:
    return job


def compute_rows(job: Job, start: int, stop: int) -> Rows:
    """Return what becomes of some members, to find out which of them kills its worker."""
    return job.work(never).compute(job.design.rows(start, stop))


class _Crew:
    """The workers of one sweep."""

    def __init__(self, job: Job, store: Store, client: Any, tally: Tally) -> None:
        try:
            from distributed import KilledWorker, as_completed
        except ImportError:
            raise MissingExtra(
                'a cluster needs Dask: python -m pip install "ketasim[cluster]".'
            ) from None
        self.job, self.store, self.client, self.tally = job, store, client, tally
        self.killed: type[BaseException] = KilledWorker
        self.as_completed: Any = as_completed
        self.present = Present(client)
        self.present.await_one()
        self.shared = client.submit(_same, job, pure=False)  # made again should its worker die

    def is_stopped_at(self, pending: Pending) -> bool:
        """Compute what is pending; True when the listener wanted to stop before that."""
        self.warm()
        lost = self.through(pending)
        for k in lost or ():
            self.rescue(k)
        return lost is None

    def warm(self) -> None:
        """Have one worker of each machine compile what is needed, before all of them ask for it."""
        machines = {one.rpartition(":")[0]: one for one in self.client.ncores()}
        asked = [
            self.client.submit(compute_rows, self.shared, 0, 1, workers=[one], pure=False)
            for one in machines.values()
        ]
        for one in asked:
            self.present.error_of(one)  # what is wrong is told by the task that needs it

    def groups(self, pending: Pending) -> list[range]:
        """Return chunk numbers in groups, so that there are enough for all and never too many."""
        chunks = range(self.store.manifest.chunks)
        tasks = min(MOST_TASKS, max(1, EACH * len(self.client.ncores())), len(chunks))
        size = -(-len(chunks) // tasks)
        size = min(size, MOST_SIZE) if len(chunks) <= MOST_TASKS * MOST_SIZE else size
        groups = [chunks[at : at + size] for at in range(0, len(chunks), size)]
        return [one for one in groups if any(k not in pending.done for k in one)]

    def through(self, pending: Pending) -> list[int] | None:
        """Compute what is pending; returns the chunks that killed workers, None when stopped."""
        groups = self.groups(pending)
        lost: list[int] = []
        while groups:
            futures = {
                self.client.submit(compute, self.shared, str(self.store.path), one, pure=False): one
                for one in groups
            }
            groups = []
            try:
                for future in self.in_turn(list(futures)):
                    broken = self.take(future, futures[future])
                    alone = len(broken) == 1
                    lost += broken if alone else ()
                    groups += [] if alone else [range(k, k + 1) for k in broken]
            except BaseException:
                self.client.cancel(list(futures))
                raise
            if self.tally.tell():
                return None
        return lost

    def in_turn(self, futures: list[Any]) -> Iterator[Any]:
        """Yield futures as they end; stops when the listener wants to."""
        ended: Any = self.as_completed(futures)
        left = len(futures)
        while left:
            batch = ended.next_batch(block=False) if ended.has_ready() else []
            left -= len(batch)
            yield from batch
            if self.tally.tell():
                self.client.cancel(futures)
                return
            if left and not batch:
                self.present.look()
                time.sleep(BEAT)

    def take(self, future: Any, group: range) -> list[int]:
        """Count what a task has done; returns the chunks it was killed over.

        Raises
        ------
        Exception
            Whatever the task raised.
        """
        error = future.exception()
        if isinstance(error, self.killed):
            return [k for k in group if not self.store.has(k)]
        if error is not None:
            raise error
        for _, members, failed in future.result():
            self.tally.add(members, failed)
        return []

    def rescue(self, k: int) -> None:
        """Compute a chunk that kills, in ever smaller parts, and set aside the members that do."""
        start, stop = self.store.manifest.span(k)
        LOG.warning(f"chunk {k} (runs {start:,}-{stop - 1:,}) kills its workers; looking for why")
        found: dict[int, Rows] = {}
        parts, blamed = [(start, stop)], []
        while parts:
            futures = [(part, self.rows_of(*part)) for part in parts]
            parts = []
            for (a, b), future in futures:
                if not self.was_killed(future):
                    found[a] = future.result()
                elif b - a == 1:
                    blamed.append(a)
                else:
                    parts += [(a, (a + b) // 2), ((a + b) // 2, b)]
        for a in blamed:  # who ran beside one that kills is blamed too: now each by itself
            future = self.rows_of(a, a + 1)
            found[a] = _died(self.job) if self.was_killed(future) else future.result()
        rows = _joined([found[a] for a in sorted(found)])
        with writing(self.store.path, 0.0):
            keep(self.store, Chunk(k, start, stop, self.job.design.rows(start, stop)), rows)
        self.tally.add(len(rows.status), rows.failed)

    def rows_of(self, start: int, stop: int) -> Any:
        """Ask for what becomes of some members."""
        return self.client.submit(compute_rows, self.shared, start, stop, pure=False)

    def was_killed(self, future: Any) -> bool:
        """Return whether a task ended with its workers; raises what else it raised."""
        error = self.present.error_of(future)
        if error is not None and not isinstance(error, self.killed):
            raise error
        return error is not None


def _died(job: Job) -> Rows:
    """Return the row of a member that killed its workers."""
    times = len(job.scenario.times)
    over_time = {name: np.full((1, times), np.nan) for name in job.record}
    plain = {read.label: np.full(1, np.nan) for read in job.readouts}
    if job.settings.allow_looser:
        plain["rtol"] = np.full(1, np.nan)
    status = np.array([Status.WORKER_DIED], dtype=np.int8)
    return Rows(status, np.zeros(1, dtype=np.int64), {**plain, **over_time})


def _joined(parts: list[Rows]) -> Rows:
    return Rows(
        np.concatenate([one.status for one in parts]),
        np.concatenate([one.steps for one in parts]),
        {name: np.concatenate([one.data[name] for one in parts]) for name in parts[0].data},
    )
