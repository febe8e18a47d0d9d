"""Fit the parameters tagged ``fitted`` to the scorecard, from the ledger and from random starts.

    python scripts/calibrate.py --seeds 1 2 3 --draws 1 --out docs/calibration.json

Writes objective, seed, evaluations, values and, with ``--verdicts``, what the scorecard says of
each parameter. The ledger is edited by hand from the result; a test compares the two.
"""

import argparse
import json
import time
from pathlib import Path

from ketasim.config.findings import load_checks
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.findings.calibration import problem


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--draws", type=int, default=1, help="random starts a seed")
    parser.add_argument("--verdicts", action="store_true", help="profile every parameter")
    parser.add_argument("--out", type=Path, default=Path("docs/calibration.json"))
    chosen = parser.parse_args()
    began = time.perf_counter()
    model = antidepressant()
    task = problem(model, load_checks())
    starts = [task.starts(0, 0)[0]]
    for seed in chosen.seeds:
        starts += task.starts(chosen.draws, seed)[1:]
    fits = []
    for label, start in starts:
        fits.append(task.fit(start, label))
        print(f"{label}: objective {fits[-1].objective:.4g}, {fits[-1].evaluations} evaluations")
    best = min(fits, key=lambda one: one.objective)
    record = {
        "model_digest": model.digest,
        "names": task.names,
        "fits": [vars(one) for one in fits],
        "best": best.start,
        "verdicts": task.verdicts(best, progress=print) if chosen.verdicts else {},
        "directions": task.directions(best),
        "seconds": round(time.perf_counter() - began, 1),
    }
    chosen.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {chosen.out}")


if __name__ == "__main__":
    main()
