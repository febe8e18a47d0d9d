"""What a sweep will take, estimated from a short trial."""

import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from ketasim.core.scenario import Scenario
from ketasim.engines.contract import MEMBER, Limits, Settings, never
from ketasim.studies.sweep.chunk import Work
from ketasim.studies.sweep.job import Job, cores, prepare
from ketasim.studies.sweep.stored import volume
from ketasim.studies.sweep.workers import Workers

TRIAL = 1.0  # how long a trial lasts [s], at least one small chunk
TRIAL_CHUNK = {"ensemble": 128, "reference": 1}


@dataclass(frozen=True)
class Estimate:
    """Members, chunks, time [s] on so many threads, bytes on disk before compression, and memory.

    ``memory`` is the most [bytes] that is taken at once.
    """

    members: int
    chunks: int
    threads: int
    seconds: float
    bytes: float
    trajectory_bytes: float
    recorded: bool
    memory: float


def estimate(
    scenario: Scenario,
    design: Any,
    *,
    record: Any = (),
    summaries: Any = (),
    seed: Any = 0,
    threads: int | None = None,
    engine: str = "ensemble",
    method: str = "LSODA",
    rtol: float | None = None,
    chunk: int | None = None,
    memory: str | float | None = None,
    limits: Limits = MEMBER,
    allow_looser: bool = False,
) -> Estimate:
    """Return what :func:`ketasim.sweep` with the same arguments would take.

    A kernel is compiled and the first members are run for about a second.

    Raises
    ------
    ConfigError, ModelError, UnitError, ProtocolError
        When the sweep could not be carried out.
    """
    settings = Settings(engine, method, rtol, limits, allow_looser)
    job = prepare(
        scenario,
        design,
        record=record,
        summaries=summaries,
        seed=seed,
        settings=settings,
        chunk=chunk,
        memory=memory,
        threads=threads or cores(),
    )
    count = threads or cores()
    trial = replace(job, chunk=min(job.chunk, TRIAL_CHUNK[engine]))
    doing = trial.work(never)
    shown = {*job.record, *(name for read in job.readouts for name in read.names)}
    rate = _rate(trial, doing, count)
    return Estimate(
        members=job.design.size,
        chunks=job.chunks,
        threads=count,
        seconds=job.design.size / rate,
        bytes=volume(job),
        trajectory_bytes=8.0 * job.design.size * len(shown) * len(scenario.times),
        recorded=bool(job.record),
        memory=job.burden.peak(job.chunk, min(count, job.chunks)),
    )


def _rate(trial: Job, doing: Work, threads: int) -> float:
    """Return members a second, from about a second's work."""
    doing.compute(trial.design.rows(0, 1))  # what is slow only once is not counted
    stop, done = threading.Event(), 0
    began = time.monotonic()
    workers = Workers(
        trial.parts(range(trial.chunks)),
        lambda chunk: len(doing.compute(chunk.rows).status),
        threads,
        stop,
    )
    for members in workers.results_in_turn(beat=0.05):
        done += members or 0
        if time.monotonic() - began > TRIAL and done:
            stop.set()
            break
    return done / (time.monotonic() - began)
