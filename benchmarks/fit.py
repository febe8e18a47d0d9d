"""How long a fit takes, whether it goes on to the same numbers, and what its intervals cover.

``python benchmarks/fit.py`` fits 20 parameters to 60 simulated values from 100 starts, then
profiles all; ``--resume`` does a smaller fit, kills one in the middle, and compares;
``--coverage 100`` repeats simulated data and counts how often intervals hold the truth;
``--ways 4`` takes so many starts by each way to the slopes, for 20, 54 and 126 free numbers.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ketasim.config.findings import load_data
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.designs.choice import chosen
from ketasim.studies.fit.likelihood import problem
from ketasim.studies.fit.search import multistart
from ketasim.units import unit
from ketasim.verbs.fit import fit

MODEL = antidepressant()
SHARED = ("v_central_70", "v_fast_70", "v_slow_70", "q_fast_70", "q_slow_70", "to_norketamine",
          "cl_norketamine_70", "v_norketamine_70", "v_far_70", "cl_hydroxynorketamine_70",
          "v_hydroxynorketamine_70", "q_hydroxynorketamine_70", "to_hydroxynorketamine",
          "k_brain_70")  # fmt: skip
EACH = ("clearance_70", "direct")
FREE = [*(f"pk_{side}.{one}" for side in "sr" for one in EACH),
        *(f"disposition.{one}" for one in SHARED),
        "spines.reached", "spines.k_mature"]  # fmt: skip
TIMES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 24.0)
READ = (("pk_s.plasma", "uM"), ("pk_r.plasma", "uM"), ("pk_s.plasma_norketamine", "uM"),
        ("pk_r.plasma_norketamine", "uM"), ("spines.density", "1"))  # fmt: skip
ARMS = ("human_healthy_iv", "human_depressed_iv")
SHARE = 0.1


def simulated(folder, *, seed, free, share=SHARE, read=READ, arms=ARMS, times=TIMES, most=60):
    """Write a CSV of values with errors, made by true numbers drawn within the inner bounds."""
    rng = np.random.default_rng(seed)
    rows = [(arm, name, of, t) for arm in arms for name, of in read for t in times]
    chosen = sorted(rng.permutation(len(rows))[:most].tolist())
    rows = [rows[i] for i in chosen]
    head = "time [h],readout,value,error,unit,arm\n"
    path = Path(folder) / f"simulated_{seed}.csv"
    path.write_text(head + "".join(f"{t},{n},1,1,{of},{arm}\n" for arm, n, of, t in rows))
    asked = problem(MODEL, free, data=[load_data(path)])
    low, high = asked.bounds
    truth = low + (high - low) * rng.uniform(0.25, 0.75, len(low))
    found = asked.at(truth[None, :])
    seen = found.values[0] * (1.0 + share * rng.standard_normal(len(found.values[0])))
    lines = []
    for point, value, exact in zip(asked.observations, seen, found.values[0], strict=True):
        of = dict(read)[point.text]
        factor = unit(point.readout.unit).factor / unit(of).factor
        told = float(value * factor), float(share * abs(exact) * factor)
        lines.append(f"{point.time},{point.text},{told[0]!r},{told[1]!r},{of},{point.arm}\n")
    path.write_text(head + "".join(lines))
    return path, dict(zip(asked.names, asked.values(truth).tolist(), strict=True))


def timed(starts):
    """Fit and profile, and say how long each took."""
    with tempfile.TemporaryDirectory() as folder:
        path, _ = simulated(folder, seed=1, free=FREE)
        began = time.perf_counter()
        found = fit(path, free=FREE, starts=starts, profile=False, out=folder)
        middle = time.perf_counter()
        whole = fit(path, free=FREE, starts=starts, out=folder)
        print(whole)
        evaluations = sum(one.evaluations for one in found.found.starts)
        print(f"{len(FREE)} parameters, {starts} starts, {whole.n_data} values: "
              f"{middle - began:.1f} s ({evaluations} evaluations); "
              f"{len(whole.profiles)} profiles: {time.perf_counter() - middle:.1f} s; "
              f"load {os.getloadavg()[0]:.1f}")  # fmt: skip


def resumed(starts=12):
    """Kill a fit in the middle, go on, and compare every start with one never killed."""
    with tempfile.TemporaryDirectory() as folder:
        path, _ = simulated(folder, seed=2, free=FREE[:6])
        whole = fit(path, free=FREE[:6], starts=starts, profile=["pk_s.clearance_70"])
        out = Path(folder) / "out"
        names = [word for name in FREE[:6] for word in ("--free", name)]
        command = [sys.executable, "-m", "ketasim", "fit", str(path), *names, "--starts",
                   str(starts), "-o", str(out), "--profile", "pk_s.clearance_70"]  # fmt: skip
        one = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        rows = out / "starts.jsonl"
        while not rows.is_file() or rows.read_bytes().count(b"\n") < 4:
            time.sleep(0.005)
        os.kill(one.pid, signal.SIGKILL)
        one.wait()
        kept = rows.read_bytes().count(b"\n") - 1
        again = fit(path, free=FREE[:6], starts=starts, profile=["pk_s.clearance_70"], out=out)
        same = again.found == whole.found and again.profiles == whole.profiles
        print(f"killed after {kept} of {starts} starts, gone on: "
              f"{'the same numbers' if same else 'OTHER NUMBERS'}")  # fmt: skip


def covered(repeats, free=("pk_s.clearance_70", "disposition.v_slow_70", "pk_r.clearance_70")):
    """Count how often 90 % intervals hold the truth."""
    wide = {
        "pk_s.clearance_70": "loguniform(20, 300) L/h",
        "disposition.v_slow_70": "loguniform(30, 700) L",
        "pk_r.clearance_70": "loguniform(20, 300) L/h",
    }  # fmt: skip
    inside = dict.fromkeys(free, 0)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(repeats):
            path, truth = simulated(folder, seed=seed, free=wide, share=0.15, most=20,
                                    read=READ[:2], arms=ARMS[:1])  # fmt: skip
            found = fit(path, free=wide, starts=4)
            for one in found.profiles:
                low = -np.inf if one.low is None else one.low
                high = np.inf if one.high is None else one.high
                inside[one.name] += low <= truth[one.name] <= high
    print(f"90 % intervals hold the truth, of {repeats}: {inside}")


def compared(starts):
    """Take the same starts by each way to the slopes: objective reached, seconds, processor."""
    wide = {"20": FREE, "54": ["fitted", "pk_s"], "126": ["fitted", "assumed"]}
    for names in wide.values():
        free = names if names is FREE else list(chosen(MODEL, names))
        with tempfile.TemporaryDirectory() as folder:
            data = load_data(simulated(folder, seed=1, free=free)[0])
        asked = problem(MODEL, free, data=[data], threads=1)
        for way in ("differences", "summed", *(["rows"] if names is FREE else [])):
            multistart(asked, starts=1, slopes=way)  # compiled before it is timed
            began, used = time.perf_counter(), time.process_time()
            found = multistart(asked, starts=starts, slopes=way)
            took, spent = time.perf_counter() - began, time.process_time() - used
            losses = np.array([one.loss for one in found.starts], dtype=float)
            print(f"{len(free)} free, {way}: best {np.nanmin(losses):.3f}, median "
                  f"{np.nanmedian(losses):.3f}, {found.again} of {starts} at the best; {took:.1f} "
                  f"s, {spent:.1f} s of processor, "
                  f"{sum(one.evaluations for one in found.starts)} evaluations; "
                  f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip


def main():
    """Do what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--coverage", type=int, default=0)
    parser.add_argument("--ways", type=int, default=0)
    asked = parser.parse_args()
    if asked.ways:
        compared(asked.ways)
    elif asked.resume:
        resumed()
    elif asked.coverage:
        covered(asked.coverage)
    else:
        timed(asked.starts)


if __name__ == "__main__":
    main()
