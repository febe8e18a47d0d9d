"""Whether moves that know the gradient help where hypotheses are judged: three ways side by side.

    python benchmarks/moves.py resting hydroxynorketamine --points 48

Points are draws of a hypothesis's posterior, so that every way starts where it is to stay. From
them one move each: to another draw of the guide (what ``judge`` does), by a Crank-Nicolson step
shaped by the other draws, and by the same step with the slope of the log-likelihood added
(Crank-Nicolson Langevin; Cotter and others 2013). Told are what is accepted and what share of the
posterior's variance a move renews, each way at its best step, and the same for every run that it
costs: a step with a slope costs its own run and a gradient, ``--price`` runs (``gradient.py``
measures it). Slopes here are differences, right but slow, so that only moves are compared.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import ketasim as ks
from ketasim.config.findings import reference_effect
from ketasim.models.antidepressant import antidepressant
from ketasim.models.rivals import RIVALS
from ketasim.studies.findings.predict import computed
from ketasim.studies.judge.court import QUICK, Court
from ketasim.studies.judge.draws import PRIOR_WIDTH
from ketasim.studies.judge.likelihood import by_paper
from ketasim.studies.judge.prepare import asked_of, with_number
from ketasim.studies.posterior.proposal import Proposal, fitted
from ketasim.studies.posterior.smc import sample

STEPS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.9)
NUDGE = 1e-3
TRIES = 8
Array = np.ndarray


@dataclass(frozen=True)
class Target:
    """A hypothesis's log-likelihood and its stand-in's, and draws of the posterior of each."""

    name: str
    log_likelihood: Callable[[Array], Array]
    guide: Callable[[Array], Array]
    draws: Array
    pool: Array

    def slopes(self, at: Array) -> Array:
        """Return the slope of the log-likelihood (n, n_dim) by one-sided differences."""
        n, d = at.shape
        there = (at[:, None, :] + NUDGE * np.eye(d)[None]).reshape(n * d, d)
        found = self.log_likelihood(there).reshape(n, d) - self.log_likelihood(at)[:, None]
        return np.nan_to_num(found / NUDGE, posinf=0.0, neginf=0.0)


def target(name: str, seed: int) -> Target:
    """Return a hypothesis as ``ketasim judge --quick`` samples it."""
    hypothesis = next(one for one in RIVALS if one.name == name)
    asked = asked_of(ks.list_experiments(), ())
    done = [one for one in asked.parts if asked.counts(one)]
    needed = dict.fromkeys(module for one in done for module in one.modules)
    model = antidepressant(*needed)
    court = Court(done, with_number(reference_effect("mouse"), model), model, QUICK, seed,
                  PRIOR_WIDTH, calibrated=True, twice=False, threads=None)  # fmt: skip
    (case,), _ = court.cases([hypothesis], lambda _: None)
    keep = court.keep([case])
    data, rows = court.data(case.question, keep), case.question.rows(keep)
    guide = court._guide(case, data, rows, lambda _: None)
    found = court._evidence(case, data, rows, guide, lambda _: None)
    machine = case.runs.machine

    def log_likelihood(at: Array) -> Array:
        told = machine.predict(case.space.rows(at))
        values = np.concatenate([one.values for one in told])
        fine = computed(np.concatenate([one.status for one in told])[rows]).all(axis=0)
        return np.where(fine, by_paper(data, values).sum(axis=0), -np.inf)

    def stand_in(at: Array) -> Array:
        return guide.log_likelihood(data, at)

    draws = np.unique(found.draws, axis=0)
    pool = sample(stand_in, case.space.n_dim, particles=2048, seed=(seed, 99), keep=0.25,
                  most_moves=2).draws  # fmt: skip
    print(f"{name}: {found.effective:.0f} effective draws, {len(draws)} different", flush=True)
    return Target(name, log_likelihood, stand_in, draws, pool)


def renewed(old: Array, new: Array, accepted: Array, shape: Proposal) -> float:
    """Return the share of variance that a move renews: half the mean squared jump."""
    jump = (new - old) @ shape.inverse.T
    return float((np.where(accepted[:, None], jump, 0.0) ** 2).mean() / 2.0)


def taken(change: Array, rng: np.random.Generator) -> Array:
    """Return which moves are accepted."""
    return np.log(rng.random(len(change))) < np.nan_to_num(change, nan=-np.inf)


@dataclass
class Start:
    """Where moves begin: points (n, d), their log-likelihoods and slopes, and a shape."""

    one: Target
    at: Array
    here: Array
    slope: Array
    shape: Proposal
    rng: np.random.Generator

    def to_guide(self) -> tuple[float, float, float]:
        """Move each point to some draws of the guide in turn."""
        own, found = self.here - self.one.guide(self.at), []
        for _ in range(TRIES):
            new = self.one.pool[self.rng.integers(len(self.one.pool), size=len(self.at))]
            change = self.one.log_likelihood(new) - self.one.guide(new) - own
            yes = taken(change, self.rng)
            found.append((yes.mean(), renewed(self.at, new, yes, self.shape)))
        share, moved = np.mean(found, axis=0)
        return share, moved, 1.0

    def step(self, size: float) -> tuple[float, float, float]:
        """Take a Crank-Nicolson step, some times from the same points."""
        found = []
        for _ in range(TRIES):
            new, old_side, new_side = self.shape.propose(self.at, size, self.rng)
            yes = taken(self.one.log_likelihood(new) - self.here + new_side - old_side, self.rng)
            found.append((yes.mean(), renewed(self.at, new, yes, self.shape)))
        share, moved = np.mean(found, axis=0)
        return share, moved, size

    def sloped(self, size: float) -> tuple[float, float, float]:
        """Take the same step with the slope of what the shape leaves of the posterior."""
        old, keep = self._white(self.at), np.sqrt(1.0 - size**2)
        ahead = keep * old + (1.0 - keep) * self._left(self.at, self.slope)
        white = ahead + size * self.rng.standard_normal(old.shape)
        new = self.shape.mean + white @ self.shape.root.T
        back = keep * white + (1.0 - keep) * self._left(new, self.one.slopes(new))
        there = self.one.log_likelihood(new)
        change = there - self.here - 0.5 * ((new**2).sum(axis=1) - (self.at**2).sum(axis=1))
        change += (((white - ahead) ** 2).sum(axis=1) - ((old - back) ** 2).sum(axis=1)) / (
            2.0 * size**2
        )
        yes = taken(change, self.rng)
        return float(yes.mean()), renewed(self.at, new, yes, self.shape), size

    def _white(self, at: Array) -> Array:
        return (at - self.shape.mean) @ self.shape.inverse.T

    def _left(self, at: Array, slope: Array) -> Array:
        """Return the slope, in the shape's units, of the posterior relative to the shape."""
        return (slope - at) @ self.shape.root + self._white(at)


def compared(one: Target, points: int, price: float, seed: int) -> None:
    """Print what each way does at its best step."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(one.draws))
    at, others = one.draws[chosen[:points]], one.draws[chosen[points:]]
    start = Start(one, at, one.log_likelihood(at), one.slopes(at), fitted(others), rng)
    steps = max((start.step(size) for size in STEPS), key=lambda row: row[1])
    sloped = max((start.sloped(size) for size in STEPS), key=lambda row: row[1])
    for name, cost, (share, moved, size) in (
        ("another draw of the guide", 1.0, start.to_guide()),
        ("Crank-Nicolson step", 1.0, steps),
        ("the same with the slope", 1.0 + price, sloped),
    ):
        print(f"  {name:<26} step {size:4.2f}  accepted {share:6.1%}  renewed {moved:7.2%}  "
              f"by run {moved / cost:7.3%}", flush=True)  # fmt: skip


def main() -> None:
    """Compare the ways for each hypothesis named."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("hypotheses", nargs="+")
    ask.add_argument("--points", type=int, default=48)
    ask.add_argument("--price", type=float, default=5.0)
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    for name in given.hypotheses:
        compared(target(name, given.seed), given.points, given.price, given.seed)


if __name__ == "__main__":
    main()
