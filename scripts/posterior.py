"""Draw the compact posterior that comes with the package: configs/posterior, in an hour or two.

    python scripts/posterior.py                    # all of it, two cores
    python scripts/posterior.py --chains 32 --warm 3 --most 3 --out /tmp/trial     # a quick look

What the model is asked is in ``asked.py``: published curves, the windows of the scorecard that rest
on no row of the curves, and those of the course of one dose (check 27). What tells accounts apart
(drivers) and the body's weight stay.

Two stages: Gauss-Newton to the best point (``descent.py``), from the model's own values and from
the middle of all bounds, of which the better is kept; and Markov chains from there
(``ketasim.studies.posterior.walk``), until they have forgotten where they began. posterior.json
says how the chains went.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from asked import Target, target
from descent import around, bests, least, slopes
from scipy.special import ndtri

import ketasim as ks
from ketasim.config.packaged import folder, hangs_on
from ketasim.core.system import System
from ketasim.studies.posterior.walk import walk

IDLE = 1e-3  # slope of every residual, below which a coordinate moves nothing
MOST_ALIKE = 0.2  # correlation up to which chains have forgotten where they began
ALIKE = "correlation of each chain's end with its beginning"
TOLD = "the same in the half of directions that data tell most about"
CAUTION = "Chains remember where they began: some of the spread is a normal approximation's."
IDLY = "spread of coordinates that move nothing, of the prior's"
WIDE = 0.9  # of it, from which on draws are as wide as what is believed
NARROW = "Bands are narrow: where nothing is known draws have {:.2f} of the prior's spread."


def first(asked: Target):
    """Return the better of two best points, and the root of the covariance there."""
    found = bests(asked)
    print("; ".join(f"from {name} {a:.1f} and {b:.1f}" for name, (*_, a, b) in found.items()))
    return found[least(found)][:2]


def begun_at(asked: Target, place: Path):
    """Return the coordinates of the draws of a posterior's folder."""
    rows = np.loadtxt(place / "draws.csv", delimiter=",", skiprows=1, ndmin=2)
    low, high = asked.free.bounds
    columns = [np.log(rows[:, i]) if f.log else rows[:, i] for i, f in enumerate(asked.free.free)]
    share = (np.stack(columns, axis=1) - low) / (high - low)
    return ndtri(np.clip(share, 1e-6, 1.0 - 1e-6))


def write(asked: Target, z, told, out: Path):
    """Write draws and what made them, as the folder of a posterior holds them."""
    out.mkdir(parents=True, exist_ok=True)
    values = asked.free.values(asked.free.from_normal(z))
    heads = [one.name if one.unit == "1" else f"{one.name} [{one.unit}]" for one in asked.free.free]
    lines = [",".join(heads), *(",".join(f"{v:.4g}" for v in row) for row in values)]
    (out / "draws.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    record = {
        "version": 2,
        "ketasim": ks.__version__,
        "model": asked.free.model.digest,
        "hangs on": hangs_on(asked.free.model, [one.name for one in asked.free.free]),
        "command": told.pop("command"),
        "data": [{"file": one.source, "digest": one.digest} for one in asked.free.data],
        "findings": [one.name for one in asked.card.findings],
        "caution": caution(told),
        **told,
    }
    (out / "posterior.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def caution(told):
    """Return what draws are not good for, as the record and ``run --uncertainty`` say it."""
    alike = [CAUTION] if max(told[ALIKE], told[TOLD]) > MOST_ALIKE else []
    return " ".join([*alike, *([NARROW.format(told[IDLY])] if told[IDLY] < WIDE else [])])


def went(asked: Target, walked, middle):
    """Return how the chains went, and what draws, own values and the best point lose."""
    own = System(asked.free.model).default_parameters[None, :]
    return {
        "steps that count": walked.steps,
        "accepted": walked.accepted,
        "pace": walked.pace,
        ALIKE: walked.alike,
        TOLD: walked.alike_told,
        "median loss of the data": float(np.median(asked.losses(walked.z))),
        "loss of the data at the model's own values": float((asked.of_draws(own) ** 2).sum()),
        IDLY: idle(asked, walked.z),
        "loss of the data at the middle of the first steps": float(asked.losses(middle[None])[0]),
    }


def idle(asked: Target, z):
    """Return the spread of coordinates that move no datum, which should be 1."""
    _, j = slopes(asked, z.mean(axis=0))
    return float(z.std(axis=0)[np.abs(j).max(axis=0) < IDLE].mean())


def main():
    """Draw, write, and say what was done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chains", type=int, default=256)
    parser.add_argument("--warm", type=int, default=15)
    parser.add_argument("--most", type=int, default=400, help="steps before shapes are taken anew")
    parser.add_argument("--alike", type=float, default=MOST_ALIKE, help="where chains stop")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--begin", type=Path, help="a posterior's folder to go on from")
    parser.add_argument("--out", type=Path, default=folder() / "posterior")
    chosen = parser.parse_args()
    began = time.perf_counter()
    asked = target()
    begun = None if chosen.begin is None else begun_at(asked, chosen.begin)[: chosen.chains]
    middle, root = first(asked) if begun is None else around(asked, begun.mean(axis=0))
    walked = walk(
        asked.losses, middle, root, chains=chosen.chains, warm=chosen.warm, most=chosen.most,
        alike=chosen.alike, begun=begun, rng=np.random.default_rng(chosen.seed), tell=tell,
    )  # fmt: skip
    told = went(asked, walked, middle)
    told["command"] = (
        f"python scripts/posterior.py --chains {chosen.chains} --warm {chosen.warm} "
        f"--most {chosen.most} --alike {chosen.alike:g} --seed {chosen.seed}"
        + ("" if chosen.begin is None else f" --begin {chosen.begin}")
    )
    write(asked, walked.z, told, chosen.out)
    print(json.dumps(told, indent=1), f"\n{time.perf_counter() - began:.0f} s; {chosen.out}")


def tell(line):
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
