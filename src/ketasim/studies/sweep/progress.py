"""How far a sweep has come."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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
