"""Threads that work through the chunks of a sweep, and how far they have come.

Each takes the next chunk, computes it, and hands it over.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.contract import Halted


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


Listener = Callable[[Progress], "bool | None"]


class Tally:
    """Counts members as chunks come in, and tells a listener."""

    def __init__(self, total: int, done: int, failed: int, listener: Listener | None) -> None:
        self.total, self.done, self.failed, self.listener = total, done, failed, listener
        self.computed, self.began = 0, time.monotonic()

    def found(self, members: int, failed: int) -> None:
        """Count a chunk that was done before."""
        self.done += members
        self.failed += failed

    def add(self, members: int, failed: int) -> None:
        """Count a chunk computed now."""
        self.found(members, failed)
        self.computed += members

    def tell(self) -> bool:
        """Say how far things are; True when the listener wants to stop."""
        if self.listener is None:
            return False
        seconds = time.monotonic() - self.began
        now = Progress(self.done, self.total, self.failed, self.computed, seconds)
        return self.listener(now) is True


class Bar:
    """A bar with rate, time left and failures; in a notebook, the notebook's own.

    >>> with Bar() as bar:
    ...     dataset = sweep(scenario, design, progress=bar)
    """

    def __init__(self) -> None:
        self.bar: Any = None

    def __enter__(self) -> "Bar":
        """Return the bar, which shows itself at the first report."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it stands."""
        if self.bar is not None:
            self.bar.close()

    def __call__(self, now: Progress) -> None:
        """Show how far a sweep has come."""
        if self.bar is None:
            from tqdm.auto import tqdm

            self.bar = tqdm(total=now.total, initial=now.done - now.computed, unit=" runs")
        self.bar.set_postfix_str(f"{now.failed:,} failed" if now.failed else "", refresh=False)
        self.bar.update(now.done - self.bar.n)


Array = NDArray[np.float64]
PATIENCE = 1.5  # stopped workers are waited for this long [s]; what they held is recomputed later


@dataclass(frozen=True)
class Chunk:
    """Chunk ``index``: members ``start`` to ``stop`` (excluded), and their design rows."""

    index: int
    start: int
    stop: int
    rows: Array


class Workers:
    """Carries out ``work`` on every chunk, in threads, until done or ``stop`` is set."""

    def __init__(
        self,
        chunks: Iterator[Chunk],
        work: Callable[[Chunk], Any],
        threads: int,
        stop: threading.Event,
    ) -> None:
        self.chunks, self.work, self.stop = chunks, work, stop
        self.lock = threading.Lock()
        self.results: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.threads = [
            threading.Thread(target=self._work_through, name=f"ketasim-{i}", daemon=True)
            for i in range(max(1, threads))
        ]

    def finish_chunks(self) -> None:
        """Let every thread finish what it holds and take nothing more."""
        with self.lock:
            self.chunks = iter(())

    def halt(self) -> None:
        """Ask all threads to stop, and wait a moment for them."""
        self.stop.set()
        until = time.monotonic() + PATIENCE
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))

    def results_in_turn(self, *, beat: float = 0.2) -> Generator[Any, None, None]:
        """Yield what ``work`` returns as it comes, and None at every beat [s] without a result.

        Raises
        ------
        Exception
            Whatever ``work`` raised; all threads have been stopped then.
        """
        for thread in self.threads:
            thread.start()
        working = len(self.threads)
        try:
            while working:
                try:
                    kind, what = self.results.get(timeout=beat)
                except queue.Empty:
                    yield None
                    continue
                if kind == "error":
                    raise what
                if kind == "left":
                    working -= 1
                else:
                    yield what
        finally:
            if working:
                self.halt()

    def _work_through(self) -> None:
        try:
            while not self.stop.is_set():
                with self.lock:
                    chunk = next(self.chunks, None)
                if chunk is None:
                    break
                self.results.put(("result", self.work(chunk)))
        except Halted:
            pass
        except BaseException as error:  # handed to the main thread, which raises it
            self.results.put(("error", error))
        self.results.put(("left", None))
