"""What people wait for: a single run, a first sweep, a cached one, a kernel. Kept as JSON.

    python benchmarks/starts.py --out benchmarks/starts.json

Single runs are CPU time in one process, the least of many. Commands are processes of their own, the
median of several: wall time, so the machine should have nothing else to do, and CPU time (user and
system), which others disturb less. Python keeps what it compiled of its files, as it does for
whoever types a second command, also where the environment says that it should not.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from ketasim.config import load
from ketasim.core.system import System
from ketasim.engines.kernels import compile_kernel
from ketasim.studies.simulate import simulate

FEW = ("spines.density", "outcome.score")
SWEEP = ("sweep", "human_depressed_iv", "--sample", "sobol:256", "--summary", "spines.peak")
COMPILED = """
import sys
sys.path.insert(0, {here!r})
import starts
print(starts.kernel())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/starts.json"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "load of the machine": os.getloadavg()[0],
            "kernel compiled, CPU s": fresh_kernel(folder),
            "kernel loaded, CPU s": fresh_kernel(folder),
            **single_runs(),
            **commands(Path(folder), chosen.repeats),
        }
    chosen.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def kernel() -> float:
    """Return the CPU time [s] of having a variant of the model's kernel."""
    mine = compile_kernel(System(load("human_depressed_iv").scenario.resolved_model))
    began = time.process_time()
    mine.compiled()
    return time.process_time() - began


def fresh_kernel(folder: str) -> float:
    """Return the same in a new process that keeps kernels in a folder."""
    code = COMPILED.format(here=str(Path(__file__).parent))
    return float(typed([sys.executable, "-c", code], KETASIM_CACHE_DIR=f"{folder}/kernels")[0])


def single_runs() -> dict[str, float]:
    """Return CPU time [ms] of seven days, by how much is recorded and which engine is named."""
    whole = load("human_depressed_iv", sets=["output.until=7 d"]).scenario
    few = replace(whole, record=FEW, times=whole.times[::20])
    runs = {
        "run of two observables, no engine named, ms": lambda: simulate(few),
        "run of two observables, ensemble, ms": lambda: simulate(few, engine="ensemble"),
        "run of all observables, ensemble, ms": lambda: simulate(whole, engine="ensemble"),
        "run of two observables, reference, ms": lambda: simulate(few, engine="reference"),
    }
    simulate(whole, engine="ensemble")
    return {name: 1e3 * least(run) for name, run in runs.items()}


def least(run, repeats: int = 20) -> float:
    """Return the least CPU time [s] of a call."""
    took = []
    for _ in range(repeats):
        began = time.process_time()
        run()
        took.append(time.process_time() - began)
    return min(took)


def commands(folder: Path, repeats: int) -> dict[str, float]:
    """Return wall time and CPU time [s] of what is typed, from its second time on."""
    rows: dict[str, list[float]] = {}
    ketasim, kept = [sys.executable, "-m", "ketasim"], {"PYTHONPYCACHEPREFIX": f"{folder}/compiled"}
    for i in range(repeats + 1):
        place = folder / str(i)
        sweep, cold = [*ketasim, *SWEEP, "-o"], {"KETASIM_CACHE_DIR": str(place / "kernels")}
        lines = {
            "ketasim run": ([*ketasim, "run", "human_depressed_iv", "-o", str(place / "run")], {}),
            "cached sweep of 256": ([*sweep, f"{place}/a.zarr"], {}),
            "cold first sweep of 256": ([*sweep, f"{place}/b.zarr"], cold),
        }
        for name, (words, more) in lines.items():
            _, wall, cpu = typed(words, **kept, **more)
            rows.setdefault(f"{name}, s", []).append(wall)
            rows.setdefault(f"{name}, CPU s", []).append(cpu)
    return {name: statistics.median(took[1:]) for name, took in rows.items()}


def typed(words: list[str], **more: str) -> tuple[str, float, float]:
    """Return what a command prints, and its wall time and CPU time [s]."""
    own = {name: one for name, one in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began, before = time.perf_counter(), spent()
    done = subprocess.run(words, env={**own, **more}, capture_output=True, text=True, check=True)
    return done.stdout.strip(), time.perf_counter() - began, spent() - before


def spent() -> float:
    """Return the CPU time [s] of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
