"""What a model is asked by the posterior, by the rivals and by the ledger, as one loss.

Published curves, each point with its stated discrepancy, and windows of the scorecard, each fact
once: at the subject in which it is hardest to meet. A window holds its report's error already, so
its ends are sharp (docs/decisions/0023). No point and no measure weighs more than five. Priors are
the ledger's bounds, with equal chances for equal ratios.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtri

import ketasim as ks
from ketasim.config.findings import load_checks
from ketasim.models import antidepressant
from ketasim.studies.findings.scorecard import scorecard
from ketasim.studies.fit.likelihood import Problem, problem
from ketasim.studies.published import MOST, residuals
from ketasim.verbs.curves import Curves

SHARP = 0.05  # error of a window's ends, as a share of its width
COURSE = 27  # the check whose windows are the course of one dose
ASKED = "function at 28 d"  # of these, what no study saw: not told
TOLD = {"06_spines": "spines at 6 h, of the final size"}  # a mouse's, which the course has
RTOL = 1e-4  # of runs; the loss is then right to a thousandth
REACH = 2.5  # how far out a start may lie
KEPT = ("weight", "gain")  # roles that are not drawn
LARGE = 1e12  # loss of a draw of which a run failed


@dataclass(frozen=True)
class Target:
    """What is known: curves and windows; ``z`` are standard-normal coordinates (n, n_free).

    A window weighs ``weight`` times as much as a point of a curve, and at most ``most`` times that.
    """

    curves: Curves
    free: Problem
    card: object
    weight: float = 1.0
    most: float = MOST

    @cached_property
    def start(self):
        """Return where the model's own values are."""
        at = [rank(one) for one in self.free.free]
        return np.clip(ndtri(np.clip(at, 1e-9, 1.0 - 1e-9)), -REACH, REACH)

    @cached_property
    def said(self):
        """Return the coordinates between which values are within what sources say, (2, d)."""
        low, high = self.free.bounds
        return ndtri((ends(self.free) - low) / (high - low))

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
                    lost = own.accepted.residuals(values, sharp=SHARP, most=self.most)
                    name = fact(one, own)
                    here = self.weight * np.where(fine, lost, np.nan)[None, :]
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


def ends(asked: Problem):
    """Return the coordinates between which values are within what sources say, (2, n_free).

    They are the bounds where no source was read, and where the bounds do not reach what one says.
    """
    found = []
    for one in asked.free:
        low, high = one.bounds
        said = asked.model.parameters[one.name].grounds.seen
        if said is not None and one.coordinate(said.low) < one.coordinate(said.high):
            low, high = one.coordinate(said.low), one.coordinate(said.high)
        found.append((low, high))
    return np.array(found).T


def target(model=None, gains=(), findings=None, weight=1.0):
    """Return what a model is asked, the default one where none is given.

    ``gains`` are free too; ``findings`` are those whose windows are asked, by default what the
    curves do not tell; ``weight`` multiplies the residual of a window.
    """
    model = model or antidepressant()
    found = ks.curves(model=model)
    known = {row for one in found.points for row in one.rows.split()}
    names = [
        name for name, one in model.parameters.items()
        if one.bounds[0] < one.bounds[1] and (one.role not in KEPT or name in gains)
    ]  # fmt: skip
    if findings is None:
        findings = [told(one) for one in load_checks() if new(one, known)]
    card = scorecard(findings, model)
    own = problem(model, names, data=list(found.asked.data))
    brief = replace(found.asked, predictor=replace(found.asked.predictor, rtol=RTOL))
    return Target(
        replace(found, asked=brief), own,
        replace(card, predictor=replace(card.predictor, rtol=RTOL)), weight,
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
