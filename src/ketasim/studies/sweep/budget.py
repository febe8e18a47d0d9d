"""How many members are computed at once, and how much memory that takes.

A member's share follows from the columns that are varied, what is kept of it, and the segments of
its schedule. Chunks are small enough that the first is done within about a second, and that all
threads together keep to the memory they are allowed.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ketasim.core.scenario import Scenario
from ketasim.engines.contract import Settings
from ketasim.errors import ConfigError
from ketasim.readouts import Readout
from ketasim.results.problems import size as in_words
from ketasim.studies.designs.columns import Columns

BUFFER = 16_000_000  # bytes of time courses and numbers a thread holds at once
NUMBERS = 6  # an engine holds for one read-out of one member
COPIES = 4  # of a schedule: as made, gathered, narrowed, and its undrugged twin
MOST_CHUNK, LEAST_CHUNK, REFERENCE_CHUNK = 4096, 16, 32
SEGMENTS = 32_768  # of all members of a chunk; about a second's work of one thread
BASE = 300e6  # bytes: Python, NumPy, one kernel, or LLVM while it makes one
SHARE = 0.5  # of the memory that is free, unless said otherwise
_UNITS = {"": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "MiB": 2**20, "GiB": 2**30}
_AMOUNT = re.compile(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*([kMGT]i?B)?\s*$")


@dataclass(frozen=True)
class Burden:
    """What one member takes while it is computed [bytes], and the segments of its schedule."""

    bytes: float
    segments: int

    def peak(self, chunk: int, threads: int) -> float:
        """Return the most memory [bytes] that threads take with chunks of so many members."""
        return BASE + self.bytes * chunk * threads


def burden(
    scenario: Scenario, columns: Columns, readouts: Sequence[Readout], record: Sequence[str]
) -> Burden:
    """Return what a member of a sweep takes."""
    model, n_times = scenario.resolved_model, len(scenario.times)
    segments = max(1, len(scenario.schedule.edges) - 1)
    reductions = {one for read in readouts for one in read.reductions}
    numbers = 2 * len(columns.design.names) + 3 * len(model.parameters) + 2 * len(readouts)
    numbers += 2 * n_times * len(record) + NUMBERS * len(reductions)
    if columns.events or columns.weight is not None:  # then each member has its own schedule
        numbers += COPIES * segments * (2 * len(model.states) + len(model.knobs))
    return Burden(8.0 * numbers, segments)


def chunk_of(
    asked: int | None,
    members: int,
    one: Burden,
    settings: Settings,
    kept: int,
    memory: float | None = None,
    threads: int = 1,
) -> int:
    """Return the members of a chunk; no number in a result depends on it.

    ``kept`` is how many numbers a thread holds of one member until they are written; ``memory``
    the most [bytes] that all threads may take, by default a share of what is free.

    Raises
    ------
    ConfigError
        When so little memory holds no member, or what was asked for needs more.
    """
    allowed = SHARE * free() if memory is None else memory
    if asked is not None:
        if asked < 1:
            raise ConfigError(f"chunk = {asked}: at least 1 member.")
        if memory is not None:
            _check(one.peak(min(asked, members), threads), memory, f"chunk = {asked}")
        return min(asked, members)
    if settings.engine == "reference":
        return min(REFERENCE_CHUNK, members)
    fits = int(BUFFER // (8 * max(1, kept)))
    whole = min(max(64, _power(fits)), MOST_CHUNK)
    whole = min(whole, max(LEAST_CHUNK, _power(SEGMENTS // one.segments)))
    while whole > 1 and one.peak(whole, threads) > allowed:
        whole //= 2
    if memory is not None:
        _check(one.peak(whole, threads), memory, f"{threads} threads with a member each")
    return min(whole, members)


def _check(needed: float, allowed: float, what: str) -> None:
    if needed > allowed:
        raise ConfigError(
            f"memory = {in_words(allowed)}: {what} needs {in_words(needed)}. Allow more, or fewer "
            "threads."
        )


def _power(n: int) -> int:
    """Return the largest power of two that is no larger, 1 at least."""
    return 1 << max(0, n.bit_length() - 1)


def free() -> float:
    """Return the memory [bytes] that is free, as far as the system tells; else 4 GB."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        told = next(line for line in lines if line.startswith("MemAvailable:"))
        return float(told.split()[1]) * 1024.0
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return 4e9


def amount(text: str | float) -> float:
    """Read ``'2 GB'`` or a number of bytes; raises ConfigError."""
    if isinstance(text, int | float):
        text = repr(int(text)) if text == text and abs(text) < 1e12 else "?"
    match = _AMOUNT.match(text)
    if match is None or (match[2] or "") not in _UNITS or not float(match[1]):
        raise ConfigError(f'memory = "{text[:30]}": write an amount, e.g. 2 GB.')
    return float(match[1]) * _UNITS[match[2] or ""]
