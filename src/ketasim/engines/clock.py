"""Time for compiled code, which cannot ask for it: a thread that writes it down."""

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

TICK = 0.05  # how often [s]


class Clock:
    """A context in which ``numbers[0]`` is the time in ms and ``numbers[1]`` asks to stop."""

    def __init__(self, halted: Callable[[], bool] | None = None) -> None:
        self.numbers: NDArray[np.int64] = np.zeros(8, dtype=np.int64)
        self._halted = halted
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "Clock":
        """Start counting."""
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting."""
        self._done.set()
        self._thread.join()

    def stop(self) -> None:
        """Ask whoever looks at the clock to stop."""
        self.numbers[1] = 1

    def _tick(self) -> None:
        while not self._done.wait(TICK):
            self.numbers[0] = int(1000 * (time.monotonic() - self._began))
            if self._halted is not None and self._halted():
                self.stop()
