"""Ctrl-C and SIGTERM stop within two seconds, whatever the machine is busy with.

Python hears a signal only between two of its own instructions; a compiler can keep it from that
for many seconds. A thread that reads the signals as they arrive ends the process when the orderly
way takes too long. Nothing is lost by that: a store's chunks are whole at every instant.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130
PATIENCE = 1.6  # [s]
_STOPPING = (signal.SIGINT, signal.SIGTERM)


class Wish:
    """What signals have asked for: ``finish`` means finish the chunks in hand, then stop."""

    def __init__(self) -> None:
        self.finish = False

    def stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop now."""
        raise KeyboardInterrupt

    def wind_down(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop after the chunks in hand."""
        self.finish = True


@contextmanager
def prompt_stop(note: str) -> Iterator[Wish]:
    """Turn SIGTERM into Ctrl-C and make both end the process in time, with a last ``note``."""
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    listening, told = socket.socketpair()
    told.settimeout(0.0)  # never waits: the signal's own writer must not
    before = {one: signal.signal(one, wish.stop) for one in _STOPPING}
    if hasattr(signal, "SIGUSR1"):
        before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, wish.wind_down)
    descriptor = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    over = threading.Event()
    threading.Thread(target=_watch, args=(listening, over, note), daemon=True).start()
    try:
        yield wish
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        if sys.exc_info()[0] is not KeyboardInterrupt:
            over.set()
        told.close()


def _watch(listening: socket.socket, over: threading.Event, note: str) -> None:
    with listening:
        while arrived := listening.recv(64):
            if any(number in arrived for number in _STOPPING):
                if not over.wait(PATIENCE):
                    sys.stderr.write(f"stopped. {note}\n")
                    sys.stderr.flush()
                    os._exit(STOPPED)
                return
