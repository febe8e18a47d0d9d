"""Our ensemble engine beside the field's, in one run: the same equations, the same accuracy.

    python benchmarks/engines.py --members 8192 --repeats 5 --out benchmarks/engines.json
    python benchmarks/engines.py --scaling          # members, threads, tolerance, memory too

Eight simulated days, one infusion, eight observables at 193 times, both cores for everyone. Each
engine gets the loosest tolerance at which its largest error at any saved point, over the probed
members, is at most 1e-5 of each observable's scale, against Radau at 1e-12. Needs the peers:
pip install "ketasim[bench]".
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import contenders
import numpy as np
from setting import PROBED, draws, exact, scales, scenario

TARGET = 1e-5
TOLERANCES = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 3e-8, 1e-8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=8192, help="of ours; peers run fewer")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--most", type=int, default=1_000_000, help="members of the longest run")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/engines.json"))
    chosen = parser.parse_args()
    record = {"machine": machine(), "engines": race(chosen.members, chosen.repeats)}
    if chosen.scaling:
        import scaling

        record |= scaling.measure(chosen.most)
    chosen.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(record["engines"]))
    print(f"wrote {chosen.out}")


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def race(members: int, repeats: int) -> list[dict[str, object]]:
    """Return every engine's median, taking turns so that a slow minute hits all alike."""
    truth = exact()
    found = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        entered = [one for one in contenders.all_of_them(members) if one.available()]
        for one in entered:
            rtol, error = accurate(lambda r, one=one: one.run(draws(PROBED), r, pool), truth)
            found.append({"engine": one.name, "rtol": rtol, "error": error, "times_us": []})
        for _ in range(repeats):
            for one, row in zip(entered, found, strict=True):
                sample = draws(one.members)
                began = time.perf_counter()
                one.run(sample, row["rtol"], pool)
                row["times_us"].append(1e6 * (time.perf_counter() - began) / one.members)
    for row in found:
        row["median_us"] = statistics.median(row["times_us"])
    for row in found:
        row["ratio"] = row["median_us"] / found[0]["median_us"]
    return found


def accurate(run: Callable[[float], np.ndarray], truth: np.ndarray) -> tuple[float, float]:
    """Return the loosest tolerance that is accurate enough, and the error it reaches."""
    error = np.inf
    for rtol in TOLERANCES:
        error = float(np.nanmax(np.abs(run(rtol) - truth) / scales()[None, :, None]))
        if error <= TARGET:
            return rtol, error
    return TOLERANCES[-1], error


def table(rows: list[dict[str, object]]) -> str:
    """Return the race as Markdown."""
    lines = ["| engine | rtol | error | us a run | ratio |", "|---|--:|--:|--:|--:|"]
    for row in rows:
        lines.append(
            f"| {row['engine']} | {row['rtol']:g} | {row['error']:.1e} "
            f"| {row['median_us']:,.1f} | {row['ratio']:,.1f} |"
        )
    scene = scenario()
    return "\n".join([*lines, f"({len(scene.times)} times, {len(scene.record)} observables)"])


if __name__ == "__main__":
    main()
