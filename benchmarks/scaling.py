"""How cost grows with members, threads and accuracy, and what a long sweep holds in memory."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
from setting import OBSERVABLES, PROBED, draws, exact, scales, scenario, system, varied

import ketasim as ks
from ketasim.engines.ensemble import compile_kernel, run_members

SUMMARIES = ("glutamate.relative.peak", "spines.density.at(48h)")
STEPS = (100, 1_000, 10_000, 100_000, 1_000_000)


def measure(most: int) -> dict[str, object]:
    """Return everything that ``--scaling`` asks for."""
    return {
        "members": [sweep_of(n) for n in STEPS if n <= most],
        "threads": threads(),
        "precision": precision(),
    }


def sweep_of(n: int) -> dict[str, object]:
    """Return time and memory of a sweep with summaries, in a process of its own."""
    told = subprocess.run(
        [sys.executable, __file__, str(n)], capture_output=True, text=True, check=True
    )
    seconds, processor, megabytes, ok = map(float, told.stdout.split())
    print(
        f"{n:,} members: {seconds:.1f} s, {processor:.1f} s of CPU time, "
        f"{1e6 * processor / n:.0f} us each, {megabytes:.0f} MB"
    )
    return {
        "members": n, "seconds": seconds, "processor_seconds": processor,
        "peak_megabytes": megabytes, "ok": int(ok),
    }  # fmt: skip


@cache
def design(n: int):
    """Return a design that spreads the benchmark's parameters as far as a sweep would."""
    names = [list(scenario().model.parameters)[i] for i in varied()]
    return ks.designs.random(scenario().model, n, vary=names[:20], seed=3)


def run_sweep(n: int) -> None:
    """Print seconds, peak memory [MB] and the members that are ok, of a sweep into a store."""
    ks.sweep(scenario(), design(256), summaries=SUMMARIES)  # compile or load first
    with tempfile.TemporaryDirectory() as folder:
        began, spent = time.perf_counter(), time.process_time()
        found = ks.sweep(scenario(), design(n), summaries=SUMMARIES, store=f"{folder}/sweep.zarr")
        seconds, processor = time.perf_counter() - began, time.process_time() - spent
        print(seconds, processor, peak_megabytes(), int((found["status"] <= 1).sum()))


def peak_megabytes() -> float:
    """Return the most memory this process has held; what ``getrusage`` says counts its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        told = status.read_text(encoding="ascii")
        return float(told.partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def threads() -> list[dict[str, object]]:
    """Return microseconds a member with one thread, two, and so on to every core."""
    counts = [n for n in (1, 2, 4, 8, 16) if n <= (os.cpu_count() or 1)]
    return [{"threads": n, "us": _time(4096, threads=n)} for n in counts]


def precision() -> list[dict[str, object]]:
    """Return error and cost at each tolerance: the work-precision curve."""
    rows = []
    for rtol in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9):
        found = _run(draws(PROBED), rtol, None)
        error = float(np.nanmax(np.abs(found.values - exact()) / scales()[None, :, None]))
        rows.append({"rtol": rtol, "error": error, "us": _time(4096, rtol=rtol)})
    return rows


@cache
def kernel():
    """Return the compiled kernel of the benchmark's question."""
    return compile_kernel(system(), record=OBSERVABLES, schedules=scenario().schedule)


def _run(parameters: np.ndarray, rtol: float, threads: int | None):
    scene = scenario()
    return run_members(
        kernel(), parameters, scene.schedule, np.array(scene.times), rtol=rtol, threads=threads
    )


def _time(n: int, *, rtol: float = 1e-6, threads: int | None = None) -> float:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        _run(draws(n), rtol, threads)
        took.append(1e6 * (time.perf_counter() - began) / n)
    return statistics.median(took)


if __name__ == "__main__":
    system()
    run_sweep(int(sys.argv[1]))
