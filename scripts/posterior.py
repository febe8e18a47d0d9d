"""Draw the compact posterior that comes with the package: configs/posterior, in an hour or two.

    python scripts/posterior.py                    # all of it, two cores
    python scripts/posterior.py --chains 32 --warm 3 --most 3 --out /tmp/trial     # a quick look

Data are the published curves (each point with its stated discrepancy, half of it shared by a
course), the windows of the scorecard that rest on no row of the curves, and those of the course of
one dose (check 27), each fact once: at the subject in which it is hardest to meet. A window holds
its report's error already, so its ends are sharp: it is a datum that is known to lie inside, the
ends known to 5 % of its width (docs/decisions/0023). No point and no measure weighs more than five.
Priors are the ledger's bounds, with equal chances for equal ratios. What tells accounts apart
(drivers) and the body's weight stay.

Two stages: Gauss-Newton to the best point, from the model's own values and from the middle of all
bounds, of which the better is kept; and Markov chains from there
(``ketasim.studies.posterior.walk``), until they have forgotten where they began. posterior.json
says how the chains went.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.special import ndtri

import ketasim as ks
from ketasim.config.findings import load_checks
from ketasim.config.packaged import folder
from ketasim.core.system import System
from ketasim.models import antidepressant
from ketasim.studies.findings.scorecard import scorecard
from ketasim.studies.fit.likelihood import Problem, problem
from ketasim.studies.posterior.walk import walk
from ketasim.studies.published import MOST, residuals
from ketasim.verbs.curves import Curves

SHARP = 0.05  # error of a window's ends, as a share of its width
COURSE = 27  # the check whose windows are the course of one dose
ASKED = "function at 28 d"  # of these, what no study saw: not told
TOLD = {"06_spines": "spines at 6 h, of the final size"}  # a mouse's, which the course has
RTOL = 1e-4  # of runs; the loss is then right to a thousandth
IDLE = 1e-3  # slope of every residual, below which a coordinate moves nothing
STEP, ROUNDS, REACH = 0.02, 60, 2.5  # of slopes; Gauss-Newton; how far out a start may lie
DAMPED = 0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0  # added to the curvature, of its diagonal
LENGTHS = 1.0, 0.5, 0.2, 0.05  # of a step
ASIDE, SIDEWAYS = (0.02, 0.05, 0.1), 50  # spreads of steps aside, of the covariance; of each
MUCH, LITTLE, PATIENCE = 0.5, 0.05, 5.0  # gains of a round; rounds without one, of little a quarter
KEPT = ("weight", "gain")  # roles that are not drawn
MOST_ALIKE = 0.2  # correlation up to which chains have forgotten where they began
ALIKE = "correlation of each chain's end with its beginning"
CAUTION = "Chains remember where they began: some of the spread is a normal approximation's."
IDLY = "spread of coordinates that move nothing, of the prior's"
WIDE = 0.9  # of it, from which on draws are as wide as what is believed
NARROW = "Bands are narrow: where nothing is known draws have {:.2f} of the prior's spread."
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
        return np.concatenate([self.points(draws), *self.windows(draws).values()]).T

    def points(self, draws):
        """Return the residuals of the curves, (n_points, n)."""
        return residuals(self.curves.points, self.curves.predict(draws)).T

    def windows(self, draws):
        """Return the residual of each window by name, (1, n); of one fact that of the hardest."""
        found = {}
        for one, told in zip(self.card.findings, self.card.predict(draws), strict=True):
            rows = zip(one.readouts, told.values, told.computed, strict=True)
            for own, values, fine in rows:
                if own.judged:
                    lost = own.accepted.residuals(values, sharp=SHARP, most=MOST)
                    name = fact(one, own)
                    here = np.where(fine, lost, np.nan)[None, :]
                    found[name] = np.maximum(found.get(name, 0.0), here)
        return found

    def losses(self, z, most=np.inf):
        """Return twice the log-likelihood lost, without the prior; any more than ``most`` is so."""
        draws, most = self.draws(z), np.broadcast_to(most, len(z))
        found = summed(self.points(draws))
        left = np.flatnonzero(found < most)
        if len(left):  # what the curves refuse need not be asked for windows
            found[left] += summed(np.concatenate(list(self.windows(draws[left]).values())))
        return found


def summed(rows):
    """Return the sums of squares over residuals (n_residuals, n); much where a run failed."""
    found = (rows**2).sum(axis=0)
    return np.where(np.isfinite(found), found, LARGE)


def fact(finding, readout):
    """Return what a measure tells: the course is one fact in people, mice and rats."""
    name = readout.name.rpartition(", ")[0] if finding.number == COURSE else ""
    return f"{finding.name}: {name or readout.name}"


def rank(one):
    """Return the share of a number's prior below its guess."""
    low, high = one.bounds
    return (one.coordinate(one.guess) - low) / (high - low)


def target(model=None, gains=()):
    """Return what is known of a model, the default one where none is given; ``gains`` are free."""
    model = model or antidepressant()
    found = ks.curves(model=model)
    known = {row for one in found.points for row in one.rows.split()}
    names = [
        name for name, one in model.parameters.items()
        if one.bounds[0] < one.bounds[1] and (one.role not in KEPT or name in gains)
    ]  # fmt: skip
    card = scorecard([told(one) for one in load_checks() if new(one, known)], model)
    own = problem(model, names, data=list(found.asked.data))
    brief = replace(found.asked, predictor=replace(found.asked.predictor, rtol=RTOL))
    return Target(
        replace(found, asked=brief), own,
        replace(card, predictor=replace(card.predictor, rtol=RTOL)),
    )  # fmt: skip


def new(check, known):
    """Return whether a check tells something that the curves do not."""
    return check.number == COURSE or not (check.consistency or known & set(check.rows))


def told(check):
    """Return a check without the measures that nobody saw, or that another one has."""
    left = [
        one for one in check.readouts
        if not (check.number == COURSE and one.name.startswith(ASKED))
        and one.name != TOLD.get(check.name)
    ]  # fmt: skip
    return replace(check, readouts=tuple(left))


def slopes(asked: Target, z):
    """Return residuals at a point and their derivatives."""
    inward = np.where(z > 0.0, -STEP, STEP)
    found = asked.residuals(np.vstack([z, z + np.diag(inward)]))
    return found[0], np.nan_to_num((found[1:] - found[0]).T / inward)


def best(asked: Target, start=None, free=None):
    """Return the best point, and the root of the covariance that the slopes there stand for.

    Gauss-Newton with many dampings and lengths at once, and steps aside: ends of windows are
    corners, at which the slopes say little. ``free`` (d,) says what may move, by default all.
    """
    z = asked.start if start is None else start
    free = np.ones(len(z), dtype=bool) if free is None else free
    rng, here, stalled = np.random.default_rng(0), total(asked, z[None])[0], 0.0
    print(f"beginning, within the bounds: loss {here:.1f}, of it the prior {z @ z:.1f}", flush=True)
    for _ in range(ROUNDS):
        steps = np.zeros((len(DAMPED) * len(LENGTHS) + len(ASIDE) * SIDEWAYS, len(z)))
        steps[:, free] = tries(asked, z, free, rng)
        found = total(asked, z + steps)
        least = int(found.argmin())
        won = here - found[least]
        stalled = 0.0 if won > MUCH else stalled + (0.25 if won > LITTLE else 1.0)
        if won > LITTLE:
            z, here = z + steps[least], found[least]
            print(f"loss {here:.1f}", flush=True)
        if stalled >= PATIENCE:
            break
    return around(asked, z)


def total(asked, z):
    """Return what data and prior lose at points (n, d)."""
    return asked.losses(z) + (z**2).sum(axis=1)


def tries(asked: Target, z, free, rng):
    """Return steps of the free coordinates that may lead to a better point."""
    own, j = slopes(asked, z)
    j, down = j[:, free], -(z[free] + j[:, free].T @ own)
    curved = np.eye(int(free.sum())) + j.T @ j
    values, vectors = np.linalg.eigh(curved)
    root = vectors / np.sqrt(values)
    newton = [
        length * np.linalg.solve(curved + damped * np.diag(np.diag(curved)), down)
        for damped in DAMPED
        for length in LENGTHS
    ]
    aside = [far * rng.standard_normal((SIDEWAYS, len(root))) @ root.T for far in ASIDE]
    return np.vstack([newton, *aside])


def bests(asked: Target, begin=lambda z: z):
    """Return best points (z, root, loss of the data, of the prior), by where they were begun.

    ``begin`` may change where, as a hypothesis does that asks for its own strength.
    """
    places = {"the ledger": asked.start, "the middle": np.zeros(len(asked.start))}
    found = {name: best(asked, begin(start)) for name, start in places.items()}
    return {
        name: (z, root, float(asked.losses(z[None])[0]), float(z @ z))
        for name, (z, root) in found.items()
    }


def least(found):
    """Return the name of the best of best points."""
    return min(found, key=lambda name: sum(found[name][2:]))


def around(asked: Target, z):
    """Return a point, and the root of the covariance that the slopes there stand for."""
    _, j = slopes(asked, z)
    values, vectors = np.linalg.eigh(np.eye(len(z)) + j.T @ j)
    return z, vectors / np.sqrt(values)


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
        "command": told.pop("command"),
        "data": [{"file": one.source, "digest": one.digest} for one in asked.free.data],
        "findings": [one.name for one in asked.card.findings],
        "caution": caution(told),
        **told,
    }
    (out / "posterior.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def caution(told):
    """Return what draws are not good for, as the record and ``run --uncertainty`` say it."""
    alike = [CAUTION] if told[ALIKE] > MOST_ALIKE else []
    return " ".join([*alike, *([NARROW.format(told[IDLY])] if told[IDLY] < WIDE else [])])


def went(asked: Target, walked, middle):
    """Return how the chains went, and what draws, own values and the best point lose."""
    own = System(asked.free.model).default_parameters[None, :]
    return {
        "steps that count": walked.steps,
        "accepted": walked.accepted,
        "pace": walked.pace,
        ALIKE: walked.alike,
        "the same in the half of directions that data tell most about": walked.alike_told,
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
    parser.add_argument("--most", type=int, default=250)
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
    )
    write(asked, walked.z, told, chosen.out)
    print(json.dumps(told, indent=1), f"\n{time.perf_counter() - began:.0f} s; {chosen.out}")


def tell(line):
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
