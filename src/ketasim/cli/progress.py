"""How a sweep reports and how it stops: a bar or plain lines, and signals heard in time.

Ctrl-C and SIGTERM stop within two seconds, whatever the machine is busy with. Python hears a signal
only between two of its own instructions; a compiler can keep it from that for many seconds. A
thread that reads the signals as they arrive ends the process when the orderly way takes too long.
Nothing is lost by that: a store's chunks are whole at every instant.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click
from tqdm import tqdm

from ketasim.reports.text import duration
from ketasim.studies.sweep.workers import Bar, Listener, Progress

EVERY = 30.0  # between plain lines [s]
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


@contextmanager
def listener(wish: Wish) -> Iterator[Listener]:
    """Yield what a sweep tells its progress to; what it logs is shown too."""
    shown: Any = Bar() if sys.stderr.isatty() else _Lines()
    handler = _Echo()
    log = logging.getLogger("ketasim")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)

    def listen(now: Progress) -> bool:
        shown(now)
        return wish.finish

    try:
        with shown:
            yield listen
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


class _Echo(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(record.getMessage(), file=sys.stderr)


class _Lines:
    """A plain line every half minute."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, now: Progress) -> None:
        if time.monotonic() - self.last >= EVERY:
            self.last = time.monotonic()
            click.echo(line(now), err=True)


def line(now: Progress) -> str:
    """Return ``'12,000 of 1,000,000 runs, 980/s, 17 min left, 3 failed'``."""
    told = f"{now.done:,} of {now.total:,} runs, {now.rate:,.3g}/s"
    if now.rate > 0.0:
        told += f", {duration(now.remaining)} left"
    return f"{told}, {now.failed:,} failed"
