"""Our ensemble engine beside the field's, in one run: the same equations, the same accuracy.

    python benchmarks/engines.py --repeats 5 --out benchmarks/engines.json
    python benchmarks/engines.py --scaling          # members, threads, tolerance, memory too

Eight simulated days, one infusion or eight, healthy and stressed subjects, eight observables at 193
times. One thread each, in turn, in one process; what counts is CPU time, of ours through the public
``ks.sweep`` with its whole result. Each engine gets the loosest tolerance, to an eighth of a
decade, at which its largest error at any saved point, over the probed members, is at most 1e-5
(then 1e-7) of each observable's scale, against Radau at 1e-12; not one that is accurate by luck,
where half a decade tighter is not. Peers: pip install "ketasim[bench]"; CVODES is built from our
own C against SUNDIALS as AMICI brings it (pip install amici), or as KETASIM_SUNDIALS names it.
"""

import argparse
import json
import os
import platform
import statistics
import time
from functools import cache
from itertools import takewhile
from pathlib import Path

import contenders
import numpy as np
from setting import PROBED, SCENES, draws, exact, scales

TARGETS = (1e-5, 1e-7)
TOLERANCES = tuple(10.0 ** (-4.0 - k / 8.0) for k in range(53))
HALF = 4  # places in half a decade
OTHERS = ("CVODES", "libRoadRunner")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scene", choices=SCENES, action="append", help="else all of them")
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--kept", action="store_true", help="take the races that --out holds")
    parser.add_argument("--most", type=int, default=1_000_000, help="members of the longest run")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/engines.json"))
    chosen = parser.parse_args()
    kept = json.loads(chosen.out.read_text(encoding="utf-8")) if chosen.kept else {}
    races = kept.get("races") or [
        race(scene, target, chosen.repeats)
        for scene in chosen.scene or SCENES
        for target in TARGETS
    ]
    record = {"machine": machine(), **kept, "races": races, "overall": overall(races)}
    if chosen.scaling:
        import scaling

        record |= scaling.measure(chosen.most)
    chosen.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(races))
    print(f"wrote {chosen.out}")


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def race(scene: str, target: float, repeats: int) -> dict[str, object]:
    """Return every engine's median CPU time, taking turns so that a slow minute hits all alike."""
    contenders.warm(scene)
    entered, found = [], []
    for one in contenders.all_of_them():
        rtol, error = accurate(one, scene, target) if one.available() else (0.0, np.inf)
        if error <= target:
            entered.append(one)
            how = {"precision": one.precision, "rtol": rtol, "error": error}
            found.append({"engine": one.name, **how, "times_us": []})
    for _ in range(repeats):
        for one, row in zip(entered, found, strict=True):
            sample = draws(one.members)
            began = time.process_time()
            one.run(scene, sample, row["rtol"])
            row["times_us"].append(1e6 * (time.process_time() - began) / one.members)
    for row in found:
        row["median_us"] = statistics.median(row["times_us"])
        row["ratio"] = row["median_us"] / found[0]["median_us"]
    print(f"{scene}, {target:g}: " + "; ".join(f"{r['engine']} {r['ratio']:.1f}" for r in found))
    return {"scene": scene, "target": target, "engines": found}


def accurate(one: contenders.Contender, scene: str, target: float) -> tuple[float, float]:
    """Return the loosest tolerance that is accurate enough, and the error it reaches.

    It is looked for by half decades, of which two in a row have to do, and from there by eighths.
    Where nothing does, the error is infinite.
    """

    def does(k: int) -> bool:
        return error_of(one, scene, TOLERANCES[k]) <= target and survives(one, scene, TOLERANCES[k])

    halves = range(0, len(TOLERANCES) - HALF, HALF)
    first = next((k for k in halves if does(k) and does(k + HALF)), None)
    if first is None:
        return TOLERANCES[-1], np.inf
    *_, loosest = takewhile(does, range(first, max(first - HALF, -1), -1))
    return TOLERANCES[loosest], error_of(one, scene, TOLERANCES[loosest])


@cache
def error_of(one: contenders.Contender, scene: str, rtol: float) -> float:
    """Return an engine's largest error, of each observable's scale; where it gives up, infinity."""
    try:
        found = one.read(scene, one.run(scene, draws(PROBED), rtol))
    except RuntimeError as told:
        print(f"{one.name}, {scene}, {rtol:g}: {str(told)[:120]}")
        return np.inf
    return float(np.nanmax(np.abs(found - exact(scene)) / scales(scene)[None, :, None]))


@cache
def survives(one: contenders.Contender, scene: str, rtol: float) -> bool:
    """Return whether an engine brings all members of its turn to the end."""
    try:
        one.run(scene, draws(one.members), rtol)
    except RuntimeError as told:
        print(f"{one.name}, {scene}, {rtol:g}: {str(told)[:120]}")
        return False
    return True


def overall(races: list[dict[str, object]]) -> dict[str, dict[str, float]]:
    """Return of each engine and target how many times our CPU time it takes: mean, worst, best."""
    found: dict[str, dict[str, float]] = {}
    for target in TARGETS:
        rows = [row for one in races if one["target"] == target for row in one["engines"]]
        for name in dict.fromkeys(row["engine"] for row in rows):
            ratios = [row["ratio"] for row in rows if row["engine"] == name]
            found[f"{name} at {target:g}"] = {
                "geometric_mean": statistics.geometric_mean(ratios),
                "worst": min(ratios),
                "best": max(ratios),
            }
    return found


def table(races: list[dict[str, object]]) -> str:
    """Return the races as Markdown: microseconds of CPU time a run, and times ours.

    An engine whose laws are not in doubles has its precision beside its name.
    """
    rows = [row for one in races for row in one["engines"]]
    names = list(dict.fromkeys(row["engine"] for row in rows))
    told = {row["engine"]: row.get("precision", "double") for row in rows}
    heads = [n if told[n] == "double" else f"{n}, {told[n]} precision" for n in names]
    lines = [f"| subjects | error | {' | '.join(heads)} |", f"|---|--:|{'--:|' * len(names)}"]
    for one in races:
        by = {row["engine"]: row for row in one["engines"]}
        cells = [
            f"{by[n]['median_us']:,.0f} ({by[n]['ratio']:,.1f})" if n in by else "gives up"
            for n in names
        ]
        lines.append(f"| {one['scene']} | {one['target']:g} | {' | '.join(cells)} |")
    for target in TARGETS:
        rows = overall(races)
        cells = [
            f"x {rows[f'{n} at {target:g}']['geometric_mean']:,.1f}, "
            f"at least {rows[f'{n} at {target:g}']['worst']:,.1f}"
            for n in names
        ]
        lines.append(f"| all, geometric mean | {target:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
