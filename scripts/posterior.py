"""Draw the compact posterior that comes with the package: configs/posterior, in some minutes.

    python scripts/posterior.py                    # all of it, two cores
    python scripts/posterior.py --steps 4 --chains 32 --out /tmp/trial     # a quick look

Data are the published curves (each point with its stated discrepancy, half of it shared by a
course) and the windows of the scorecard that rest on no row of the curves. A window costs nothing
inside; outside, a quarter of its width counts like one standard deviation (15 % of its bound where
it has one side). No point and no measure weighs more than five. Priors are the ledger's bounds,
with equal chances for equal ratios. What tells accounts apart (drivers) and the body's weight stay.

Three stages: Gauss-Newton from the model's own values to the best point; draws of the normal
distribution that the slopes there stand for; and Markov chains from each draw, whose proposals keep
that normal distribution (preconditioned Crank-Nicolson). posterior.json says how far the chains
went: draws that did not go far from where they began are those of a normal approximation.
"""

import argparse
import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.special import ndtri

import ketasim as ks
from ketasim.config.findings import load_checks
from ketasim.config.packaged import folder
from ketasim.core.system import System
from ketasim.models import antidepressant
from ketasim.studies.findings.observed import Interval
from ketasim.studies.findings.scorecard import scorecard
from ketasim.studies.fit.likelihood import Problem, problem
from ketasim.studies.published import MOST, residuals
from ketasim.verbs.curves import Curves

EDGE, ONE_SIDED = 0.25, 0.15  # what counts as one error outside a window
STEP, ROUNDS, REACH = 0.02, 6, 2.5  # of slopes; Gauss-Newton; how far out a start may lie
SLOW = 0.25  # share of proposals to be accepted
KEPT = ("weight", "gain")  # roles that are not drawn
MOST_ALIKE = 0.3  # correlation up to which chains have forgotten where they began
ALIKE = "correlation of each chain's end with its beginning"
CAUTION = "Chains remember where they began: some of the spread is a normal approximation's."
LARGE = 1e12  # loss of a draw of which a run failed


@dataclass(frozen=True)
class Target:
    """What is known: curves and windows; ``z`` are standard-normal coordinates (n, n_free)."""

    curves: Curves
    free: Problem
    card: object

    @cached_property
    def start(self):
        """Return where the model's own values are."""
        at = [rank(one) for one in self.free.free]
        return np.clip(ndtri(np.clip(at, 1e-9, 1.0 - 1e-9)), -REACH, REACH)

    def draws(self, z):
        """Return canonical parameters for coordinates."""
        return self.free.draws(self.free.from_normal(z))

    def residuals(self, z):
        """Return residuals of curves and windows; nan where a run failed."""
        return self.of_draws(self.draws(z))

    def of_draws(self, draws):
        """Return the same for canonical parameters (n, n_parameters)."""
        rows = [residuals(self.curves.points, self.curves.predict(draws)).T]
        for one, found in zip(self.card.findings, self.card.predict(draws), strict=True):
            for own, values, fine in zip(one.readouts, found.values, found.computed, strict=True):
                if own.judged:
                    rows.append(np.where(fine, outside(own.accepted, values), np.nan)[None, :])
        return np.concatenate(rows).T

    def losses(self, z):
        """Return twice the log-likelihood lost, without the prior."""
        found = (self.residuals(z) ** 2).sum(axis=1)
        return np.where(np.isfinite(found), found, LARGE)


def rank(one):
    """Return the share of a number's prior below its guess."""
    low, high = one.bounds
    return (one.coordinate(one.guess) - low) / (high - low)


def outside(accepted: Interval, values):
    """Return by how much values lie outside a window, in errors."""
    low, high = accepted.low, accepted.high
    ends = [abs(end) for end in (low, high) if np.isfinite(end)]
    width = EDGE * (high - low) if len(ends) == 2 else max(ONE_SIDED * max(ends), 0.01)
    off = np.maximum(np.maximum(low - values, values - high), 0.0) / max(width, 1e-9)
    return np.nan_to_num(MOST * np.tanh(off / MOST), nan=MOST)


def target():
    """Return what is known of the default model."""
    model = antidepressant()
    found = ks.curves(model=model)
    known = {row for one in found.points for row in one.rows.split()}
    checks = [one for one in load_checks() if not one.consistency and not known & set(one.rows)]
    names = [
        name for name, one in model.parameters.items()
        if one.bounds[0] < one.bounds[1] and one.role not in KEPT
    ]  # fmt: skip
    data = list(found.asked.data)
    return Target(found, problem(model, names, data=data), scorecard(checks, model))


def slopes(asked: Target, z):
    """Return residuals at a point and their derivatives."""
    inward = np.where(z > 0.0, -STEP, STEP)
    found = asked.residuals(np.vstack([z, z + np.diag(inward)]))
    return found[0], np.nan_to_num((found[1:] - found[0]).T / inward)


def best(asked: Target):
    """Return the best point, and the root of the covariance that the slopes there stand for."""
    z = asked.start
    here = asked.losses(z[None, :])[0] + z @ z
    print(f"beginning, within the bounds: loss {here:.1f}, of it the prior {z @ z:.1f}", flush=True)
    for _ in range(ROUNDS):
        own, j = slopes(asked, z)
        step = np.linalg.solve(np.eye(len(z)) + j.T @ j, -(z + j.T @ own))
        tried = z + np.array([1.0, 0.5, 0.25, 0.1, 0.03])[:, None] * step
        found = asked.losses(tried) + (tried**2).sum(axis=1)
        least = int(found.argmin())
        if not found[least] < here - 0.5:
            break
        z, here = tried[least], found[least]
        print(f"loss {here:.1f}", flush=True)
    _, j = slopes(asked, z)
    values, vectors = np.linalg.eigh(np.eye(len(z)) + j.T @ j)
    return z, vectors / np.sqrt(values)


def chains(asked: Target, middle, root, *, count, steps, rng):
    """Return draws, and how the chains went."""

    def energy(z):
        off = np.linalg.solve(root, (z - middle).T)
        return 0.5 * (asked.losses(z) + (z**2).sum(axis=1) - (off**2).sum(axis=0))

    pace = 0.15
    first = z = middle + 0.5 * rng.standard_normal((count, len(middle))) @ root.T
    here, accepted, half = energy(z), [], z
    for k in range(steps):
        noise = rng.standard_normal(z.shape) @ root.T
        tried = middle + np.sqrt(1.0 - pace**2) * (z - middle) + pace * noise
        there = energy(tried)
        yes = np.log(rng.random(count)) < here - there
        z, here = np.where(yes[:, None], tried, z), np.where(yes, there, here)
        accepted.append(float(yes.mean()))
        if k < steps // 2:  # the pace is set in the first half and then kept
            pace = float(np.clip(pace * np.exp(yes.mean() - SLOW), 0.01, 0.9))
            half = z
        print(f"step {k + 1}: accepted {yes.mean():.0%}, pace {pace:.3f}", flush=True)
    spread = z.std(axis=0)
    return z, {
        "accepted in the second half": float(np.mean(accepted[steps // 2 :])),
        "pace": pace,
        ALIKE: _alike(first, z),
        "shift of the mean in the second half, in standard deviations, largest": float(
            (np.abs(z.mean(axis=0) - half.mean(axis=0)) / spread).max()
        ),
        "median loss of the data": float(np.median(asked.losses(z))),
    }


def _alike(one, other):
    a, b = one - one.mean(axis=0), other - other.mean(axis=0)
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def write(asked: Target, z, told, out: Path):
    """Write draws and what made them, as the folder of a posterior holds them."""
    out.mkdir(parents=True, exist_ok=True)
    values = asked.free.values(asked.free.from_normal(z))
    heads = [one.name if one.unit == "1" else f"{one.name} [{one.unit}]" for one in asked.free.free]
    lines = [",".join(heads), *(",".join(f"{v:.4g}" for v in row) for row in values)]
    (out / "draws.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    record = {
        "version": 1,
        "ketasim": ks.__version__,
        "model": asked.free.model.digest,
        "command": told.pop("command"),
        "data": [{"file": one.source, "digest": one.digest} for one in asked.free.data],
        "findings": [one.name for one in asked.card.findings],
        "caution": CAUTION if told[ALIKE] > MOST_ALIKE else "",
        **told,
    }
    (out / "posterior.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def main():
    """Draw, write, and say what was done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chains", type=int, default=256)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=folder() / "posterior")
    chosen = parser.parse_args()
    began = time.perf_counter()
    asked = target()
    middle, root = best(asked)
    rng = np.random.default_rng(chosen.seed)
    z, told = chains(asked, middle, root, count=chosen.chains, steps=chosen.steps, rng=rng)
    own = System(asked.free.model).default_parameters[None, :]
    told["loss of the data at the model's own values"] = float((asked.of_draws(own) ** 2).sum())
    told["loss of the data at the best point"] = float(asked.losses(middle[None])[0])
    told["command"] = (
        f"python scripts/posterior.py --chains {chosen.chains} --steps {chosen.steps} "
        f"--seed {chosen.seed}"
    )
    write(asked, z, told, chosen.out)
    print(json.dumps(told, indent=1), f"\n{time.perf_counter() - began:.0f} s; {chosen.out}")


if __name__ == "__main__":
    main()
