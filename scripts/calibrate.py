"""Fit the numbers tagged ``fitted`` to all the model is asked, from the ledger and elsewhere.

    python scripts/calibrate.py --out docs/calibration.json

Asked is what the packaged posterior is told (``asked.py``), and besides it every measure that the
scorecard judges, also with each condition that a check calls assumed 30 % less and more: a verdict
that flips there does not count. A window weighs three times as much as a curve's point, because
beyond it a check fails. One check is left out: its measures are contradicted by the structure, and
a measure that no value can meet would only bend the others.

Numbers of what carries the drug stay where published kinetics put them (``scripts/kinetics.py``);
numbers that are not tagged stay where their sources or the middle of their bounds put them. What is
fitted stays within what sources say of it, where its bounds reach that far.

Writes the loss from every start, the best values, and for every number that is uncertain how much
of its prior's spread is left around them and what tells most about it. The ledger is edited by hand
from the result; a test compares the two.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from asked import Target, target
from descent import best, slopes

from ketasim.config.findings import load_checks
from ketasim.models import antidepressant
from ketasim.studies.findings.flags import FACTORS, with_assumed

CONTRADICTED = 12  # memantine with magnesium
WEIGHT = 3.0  # of a window, beside a point of a curve
FAR = 10.0  # times as far out as in the end, a window gives a slope to follow at first
MOST_TOLD = 2  # sources named for a number
SILENT = 0.02  # share of a prior's variance below which data tell nothing of a number


def findings(model):
    """Return what is judged, each also at the edges of what it assumes."""
    judged = [one for one in load_checks() if not one.consistency or one.number == 27]
    judged = [one for one in judged if one.number != CONTRADICTED]
    return judged, [
        with_assumed(one, name, factor, model)
        for one in judged
        for name in one.assumed
        for factor in FACTORS
    ]


def moving(asked: Target):
    """Return which coordinates are fitted here, (d,)."""
    model = asked.free.model
    return np.array([
        model.parameters[one.name].evidence.kind == "fitted"
        and one.name.partition(".")[0] not in model.carriers
        for one in asked.free.free
    ])  # fmt: skip


def lost(asked: Target, z):
    """Return what curves, windows and the prior lose at a point."""
    draws = asked.draws(z[None])
    curves = float((asked.points(draws) ** 2).sum())
    return {
        "curves": curves,
        "windows": float(asked.losses(z[None])[0]) - curves,
        "prior": float(z @ z),
    }


def determined(asked: Target, z):
    """Return by number the share of its prior's spread that is left, and what tells most of it."""
    names, sources = [one.name for one in asked.free.free], told_by(asked, z)
    _, j = slopes(asked, z)
    left = np.sqrt(np.diag(np.linalg.inv(np.eye(len(z)) + j.T @ j)))
    found = {}
    for i, name in enumerate(names):
        shares = dict.fromkeys(sources, 0.0)
        for source, slope in zip(sources, j[:, i], strict=True):
            shares[source] += float(slope**2)
        most = sorted(shares, key=lambda one: -shares[one])[:MOST_TOLD]
        found[name] = {
            "left": round(float(left[i]), 3),
            "by": [one for one in most if shares[one] > SILENT],
        }
    return found


def told_by(asked: Target, z):
    """Return the study or the check of each residual."""
    studies = [one.study for one in asked.curves.points]
    checks = [name.partition(":")[0] for name in asked.windows(asked.draws(z[None]))]
    return [*studies, *(f"check {name.partition('_')[0].lstrip('0')}" for name in checks)]


def starts(asked: Target, free, count, seed):
    """Return where fits begin: the ledger, the middle of the bounds, and draws between them."""
    own, rng = asked.start, np.random.default_rng(seed)
    draws = {f"draw {i + 1}": rng.standard_normal(len(own)) for i in range(count)}
    places = {"the ledger": own, "the middle": np.zeros(len(own)), **draws}
    return {name: np.where(free, place, own) for name, place in places.items()}


def fitted(asked: Target, free, places):
    """Return by start the best point, what it loses, and the values of what is free."""
    found = {}
    for name, start in places.items():
        print(name, flush=True)
        z = best(asked, start, free, FAR, asked.said)[0]
        values = asked.free.values(asked.free.from_normal(z[None]))[0][free]
        found[name] = z, lost(asked, z), values.tolist()
    return found


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=0, help="random ones, beside two others")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/calibration.json"))
    chosen = parser.parse_args()
    began, model = time.perf_counter(), antidepressant()
    judged, beside = findings(model)
    asked = target(model, findings=[*judged, *beside], weight=WEIGHT)
    free = moving(asked)
    names = [one.name for one, own in zip(asked.free.free, free, strict=True) if own]
    fits = fitted(asked, free, starts(asked, free, chosen.starts, chosen.seed))
    least = min(fits, key=lambda name: sum(fits[name][1].values()))
    record = {
        "model_digest": model.digest,
        "fits": [
            {"start": start, "loss": loss, "values": dict(zip(names, values, strict=True))}
            for start, (_, loss, values) in fits.items()
        ],
        "best": least,
        "determined": determined(target(model, findings=judged), fits[least][0]),
        "seconds": round(time.perf_counter() - began, 1),
    }
    chosen.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {chosen.out}")


if __name__ == "__main__":
    main()
