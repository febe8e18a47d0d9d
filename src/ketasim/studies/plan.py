"""What a sweep will take, estimated from a short trial."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from ketasim.core.scenario import Scenario
from ketasim.studies.crew import Crew
from ketasim.studies.job import cores, prepare
from ketasim.studies.settings import LIMITS, Settings
from ketasim.studies.stored import volume

TRIAL = 1.0  # how long a trial lasts [s], at least one small chunk
TRIAL_CHUNK = {"ensemble": 128, "reference": 1}


@dataclass(frozen=True)
class Plan:
    """Members, chunks, time [s] on so many threads, and bytes on disk before compression."""

    members: int
    chunks: int
    threads: int
    seconds: float
    bytes: float
    trajectory_bytes: float
    recorded: bool


def plan(
    scenario: Scenario,
    design: Any,
    *,
    record: Any = (),
    summaries: Any = (),
    seed: Any = 0,
    threads: int | None = None,
    engine: str = "ensemble",
    method: str = "LSODA",
    rtol: float = 1e-6,
    chunk: int | None = None,
    limits: Any = LIMITS,
    allow_looser: bool = False,
) -> Plan:
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
    )
    trial = prepare(
        scenario,
        job.design,
        record=job.record,
        summaries=[f"{one.label} = {one.text}" for one in job.summaries],
        settings=settings,
        chunk=TRIAL_CHUNK[engine],
    )
    count = threads or cores()
    stop = threading.Event()
    doing = trial.work(stop.is_set)
    doing.compute(job.design.rows(0, 1))  # what is slow only once is not counted
    began, done = time.monotonic(), 0
    crew = Crew(
        trial.pieces(range(trial.chunks)), lambda p: len(doing.compute(p.rows).status), count, stop
    )
    for members in crew.results_in_turn(beat=0.05):
        done += members or 0
        if time.monotonic() - began > TRIAL and done:
            break
    rate = done / (time.monotonic() - began)
    stop.set()
    names = 1 if not doing.names else len(doing.names)
    return Plan(
        members=job.design.size,
        chunks=job.chunks,
        threads=count,
        seconds=job.design.size / rate,
        bytes=volume(job),
        trajectory_bytes=8.0 * job.design.size * names * len(scenario.times),
        recorded=bool(job.record),
    )
