"""What a gradient by all parameters costs, in runs: both in one process, taking turns.

    python benchmarks/gradient.py --members 512 --repeats 7

One thread, the same read-out. A gradient is the read-out of every member with its derivative by
every parameter, dose rate, input and first state; a run is the read-out alone, at the tolerance of
runs. Members have their own parameters, and gradients the tolerance of runs; those with a whole
exponent everywhere run in the fast variant. ``alone`` is one member by itself, with the tighter
tolerance that ``ks.gradient`` has. What counts is the time this thread had, so that a busy machine
does less harm; best of the repeats.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from setting import draws, scenario

from ketasim.compile.wiring import whole_exponents
from ketasim.core.system import System
from ketasim.engines.contract import Batch, Settings
from ketasim.engines.run import gradients, run
from ketasim.readouts import parse
from ketasim.studies.gradients import RTOL

READOUTS = ("spines.density@24h", "spines.density.peak", "plasma.venous.auc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    many = {"alone": draws(1), "many": draws(chosen.members)}
    many["whole exponents"] = many["many"].copy()
    whole = whole_exponents(System(scenario().resolved_model))
    many["whole exponents"][:, list(whole)] = list(whole.values())
    many["alone"] = many["whole exponents"][:1]
    rows = [
        measured(text, who, rows, chosen.repeats) for text in READOUTS for who, rows in many.items()
    ]
    for row in rows:
        print(
            f"{row['readout']:<22} {row['members']:<16} run {row['run_us']:.1f} us, "
            f"gradient {row['gradient_us']:.1f} us: "
            f"{row['runs']:.2f} runs for {row['parameters']} parameters"
        )
    if chosen.out:
        chosen.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def measured(text: str, who: str, parameters: np.ndarray, repeats: int) -> dict[str, object]:
    """Return the least time of a member's run and of its gradient [us], and their ratio."""
    scene, members = scenario(), len(parameters)
    repeats = 20 * repeats if members == 1 else repeats
    batch = Batch(
        model=scene.resolved_model,
        parameters=parameters,
        schedules=scene.schedule,
        reductions=parse(text, scene.model).reductions,
        span=(scene.times[0], scene.times[-1]),
        total=1_000_000,
    )
    settings = Settings(threads=1)
    own = Settings(threads=1, rtol=RTOL) if members == 1 else settings
    found = gradients(batch, own)
    if not np.isfinite(found.by_parameter).all():
        raise SystemExit(f"{text}: a member failed")
    times: dict[str, list[float]] = {"run": [], "gradient": []}
    for _ in range(repeats):
        for name, act, how in (("run", run, settings), ("gradient", gradients, own)):
            began = time.thread_time()
            act(batch, how)
            times[name].append(1e6 * (time.thread_time() - began) / members)
    best = {name: min(one) for name, one in times.items()}
    return {
        "readout": text,
        "members": who,
        "parameters": found.by_parameter.shape[2],
        "run_us": best["run"],
        "gradient_us": best["gradient"],
        "runs": best["gradient"] / best["run"],
    }


if __name__ == "__main__":
    main()
