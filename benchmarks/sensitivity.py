"""What sensitivity costs: 8 read-outs by all parameters, and the estimator beside SALib's.

    python benchmarks/sensitivity.py               # 4,096 blocks, some 8e5 runs
    python benchmarks/sensitivity.py --blocks 256  # quick

Seconds on the wall depend on what else the machine does; those of the processor hardly do.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ketasim.results.store import open_dataset
from ketasim.studies.indices import Sobol
from ketasim.studies.sensitivity import blocks_of
from ketasim.verbs.sweep import Store, design_of

READOUTS = (
    "spines@24h, spines.peak, score.change, glutamate.peak, bdnf.peak, mtor.peak, ampa.peak, "
    "nmda_block.peak"
)


def spent(who: int = resource.RUSAGE_SELF) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def command(out: Path, blocks: int) -> None:
    """Run the command in a process of its own and say what it took."""
    words = [sys.executable, "-m", "ketasim", "sensitivity", "human_depressed_iv", "--vary",
             "everything", "--summary", READOUTS, "--sample", f"sobol:{blocks}", "--threads", "2",
             "-o", str(out)]  # fmt: skip
    began, before = time.perf_counter(), spent(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    wall, cpu = time.perf_counter() - began, spent(resource.RUSAGE_CHILDREN) - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"command: {wall:.1f} s on the wall, {cpu:.1f} s of processor, peak {peak:.0f} MiB")


def estimators(store: Path) -> None:
    """Time one read-out's indices by both, from numbers in memory, the best of three."""
    dataset, source = open_dataset(store), blocks_of(design_of(Store(store)))
    y = dataset["spines@24h"].to_numpy()
    for resamples in (100, 1000):
        best = min(ours(y, source.width, resamples)[0] for _ in range(3))
        print(f"ketasim, one read-out, {resamples:,} resamples: {best:.2f} s")
    try:
        from SALib.analyze import sobol
    except ImportError:
        print("SALib is not installed, so nothing is compared with it.")
        return
    names = list(source.names)
    problem = {"num_vars": len(names), "names": names, "bounds": [[0, 1]] * len(names)}
    times = []
    for _ in range(3):
        began = time.perf_counter()
        theirs = sobol.analyze(problem, y, calc_second_order=False, num_resamples=100, seed=1)
        times.append(time.perf_counter() - began)
    mine = ours(y, source.width, 100)[1]
    gap = max(float(np.abs(mine[key].value - theirs[key]).max()) for key in ("S1", "ST"))
    print(f"SALib, one read-out, 100 resamples: {min(times):.2f} s; largest difference {gap:.1e}")


def ours(y, width: int, resamples: int):
    began = time.perf_counter()
    blocks = y.reshape(-1, width)
    sobol = Sobol(len(blocks), width - 2, centre=y.mean(), resamples=resamples)
    for part in np.array_split(blocks, -(-len(y) // 32_768)):
        sobol.add(part)
    found = sobol.found()
    return time.perf_counter() - began, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=4096)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command(Path(folder), asked.blocks)
        estimators(Path(folder) / "runs.zarr")


if __name__ == "__main__":
    main()
