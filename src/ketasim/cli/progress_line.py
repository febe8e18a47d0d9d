"""One line that says how a sweep is doing: alive on a terminal, now and then in a log file."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from tqdm import tqdm

from ketasim.cli.stopping import Wish
from ketasim.studies.sweep.progress import Listener, Progress

EVERY = 30.0  # between plain lines [s]


@contextmanager
def listener(wish: Wish) -> Iterator[Listener]:
    """Yield what a sweep tells its progress to; what it logs is shown too."""
    shown: Any = _Bar() if sys.stderr.isatty() else _Lines()
    handler = _Echo()
    log = logging.getLogger("ketasim")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)

    def listen(now: Progress) -> bool:
        shown.show(now)
        return wish.finish

    try:
        yield listen
    finally:
        shown.close()
        log.removeHandler(handler)
        log.setLevel(level)


class _Echo(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(record.getMessage(), file=sys.stderr)


class _Bar:
    """A tqdm bar with rate, time left and failures."""

    def __init__(self) -> None:
        self.bar: Any = None

    def show(self, now: Progress) -> None:
        if self.bar is None:
            self.bar = tqdm(
                total=now.total, initial=now.done - now.computed, unit=" runs", file=sys.stderr
            )
        self.bar.set_postfix_str(f"{now.failed:,} failed" if now.failed else "", refresh=False)
        self.bar.update(now.done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


class _Lines:
    """A plain line every half minute."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def show(self, now: Progress) -> None:
        if time.monotonic() - self.last >= EVERY:
            self.last = time.monotonic()
            click.echo(line(now), err=True)

    def close(self) -> None:
        pass


def line(now: Progress) -> str:
    """Return ``'12,000 of 1,000,000 runs, 980/s, 17 min left, 3 failed'``."""
    told = f"{now.done:,} of {now.total:,} runs, {now.rate:,.3g}/s"
    if now.rate > 0.0:
        told += f", {duration(now.remaining)} left"
    return f"{told}, {now.failed:,} failed"


def duration(seconds: float) -> str:
    """Return a time span as people say it."""
    for size, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.2g} s"
