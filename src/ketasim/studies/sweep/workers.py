"""Threads that work through chunks: each takes the next one, computes it, and hands it over."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.contract import Halted

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
