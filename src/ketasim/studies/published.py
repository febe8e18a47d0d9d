"""How far a model is from published points, and how well draws foretell a study they never saw.

A point counts as met within two standard deviations, of its own error and of what the model leaves
out (its discrepancy, stated for each kind of read-out). A study is left out of a posterior by
weighting its draws with the inverse of the likelihood of that study. The largest weights are
smoothed by a generalised Pareto distribution, whose shape k says whether they can be trusted.

References: Vehtari and others 2017 (leave-one-out by smoothed weights), Zhang and Stephens 2009
(the fit of the Pareto distribution).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

Array = NDArray[np.float64]
WITHIN = 2.0  # standard deviations within which a point is met
MOST = 5.0  # standard deviations at which a residual levels off
LEVEL = 0.9  # of the intervals that points left out are asked to lie in
TRUSTED = 0.7  # shape of the weights above which a study cannot be left out by weighting
FEWEST = 5  # weights to which a Pareto distribution is fitted


@dataclass(frozen=True)
class Published:
    """A published point beside the model: all numbers in the unit of its read-out.

    ``kind`` is "control" for an arm by which its own setting was chosen, "input" for a number of
    the ledger, else empty. ``source`` is the file. ``censored`` is -1 for "below the value", 1 for
    above it.
    """

    study: str
    arm: str
    readout: str
    unit: str
    time: float
    value: float
    error: float
    discrepancy: float
    predicted: float
    kind: str = ""
    rows: str = ""
    source: str = ""
    censored: int = 0

    @property
    def sigma(self) -> float:
        """Return the standard deviation of error and discrepancy together."""
        return sqrt(self.error**2 + self.discrepancy**2)

    @property
    def z(self) -> float:
        """Return by how many of these the model lies above the point; 0 where it is beyond it."""
        off = (self.predicted - self.value) / self.sigma
        return 0.0 if off * self.censored > 0.0 else off

    @property
    def met_alone(self) -> bool:
        """Return whether the model is within two standard deviations of the point's own error."""
        return bool(abs(self.z) * self.sigma <= WITHIN * self.error)

    @property
    def met(self) -> bool:
        """Return whether the model is within two of them; what has no number is not."""
        return bool(abs(self.z) <= WITHIN)


def residuals(points: Sequence[Published], predictions: Array) -> Array:
    """Return residuals (n_draws, n_points), independent and of variance 1 unless they are large.

    Half of the variance of a discrepancy is shared by the points of one study, arm and unit: what a
    model leaves out of a course, it leaves out at every visit. Residuals level off at ``MOST``,
    since rows that contradict each other are all kept and no model can meet both.
    """
    found = np.empty(predictions.shape)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for i, one in enumerate(points):
        groups.setdefault((one.study, one.arm, one.unit), []).append(i)
    for own in groups.values():
        mine = [points[i] for i in own]
        off = np.array([one.value for one in mine]) - predictions[:, own]
        beyond = off * np.array([one.censored for one in mine]) < 0.0
        shared = np.array([one.discrepancy for one in mine]) * sqrt(0.5)
        errors = np.array([one.error**2 for one in mine]) + shared**2
        root = np.linalg.cholesky(np.diag(errors) + np.outer(shared, shared))
        found[:, own] = np.linalg.solve(root, np.where(beyond, 0.0, off).T).T
    return MOST * np.tanh(found / MOST)


@dataclass(frozen=True)
class Apart:
    """A study left out: the share of its points in their 90 % intervals, and the weights' shape."""

    study: str
    points: int
    covered: int
    shape: float

    @property
    def trusted(self) -> bool:
        """Return whether its weights can be trusted."""
        return self.shape <= TRUSTED


def left_out(
    points: tuple[Published, ...], predictions: Array, seen: Mapping[str, bool]
) -> tuple[Apart, ...]:
    """Return for each study how draws that never saw it foretell it.

    Parameters
    ----------
    points
        What was published.
    predictions
        Of each draw, (n_draws, n_points); finite.
    seen
        Whether the draws had seen the study; where they had not, they are not weighted.
    """
    value = np.array([one.value for one in points])
    sigma = np.array([one.sigma for one in points])
    censored = np.array([one.censored for one in points])
    off = (value - predictions) / sigma
    lost = residuals(points, predictions) ** 2
    found = []
    for study, known in seen.items():
        own = np.array([one.study == study for one in points])
        logs = np.zeros(len(predictions))
        shape = -np.inf
        if known:
            logs, shape = smoothed(0.5 * lost[:, own].sum(axis=1))
        weights = np.exp(logs - logsumexp(logs))
        below = weights @ ndtr(off[:, own])
        edge = 0.5 * (1.0 - LEVEL)
        beyond = censored[own]  # a value "below 5" contradicts only draws that lie above it
        inside = ((below >= edge) | (beyond > 0)) & ((below <= 1.0 - edge) | (beyond < 0))
        covered = int(inside.sum())
        found.append(Apart(study, int(own.sum()), covered, float(shape)))
    return tuple(found)


def smoothed(logs: Array) -> tuple[Array, float]:
    """Return logarithms of weights with their largest smoothed, and the shape of their tail."""
    logs = logs - logs.max()
    n = len(logs)
    many = int(min(0.2 * n, 3.0 * sqrt(n)))
    order = np.argsort(logs)
    tail, edge = order[n - many :], logs[order[n - many - 1]] if many < n else -np.inf
    over = np.exp(logs[tail]) - np.exp(edge)
    if many < FEWEST or over[-1] <= 0.0:
        return logs, np.inf if many < FEWEST else -np.inf
    shape, scale = pareto(np.maximum(over, 1e-300))
    at = (np.arange(many) + 0.5) / many
    ranked = scale * np.expm1(-shape * np.log1p(-at)) / shape
    logs[tail] = np.minimum(np.log(ranked + np.exp(edge)), 0.0)
    return logs, shape


def pareto(over: Array) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto distribution of sorted excesses."""
    n = len(over)
    m = 30 + int(sqrt(n))
    quarter = over[int(n / 4 + 0.5) - 1]
    steps = 1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    theta = 1.0 / over[-1] + steps / (3.0 * quarter)
    shapes = np.log1p(-theta[:, None] * over[None, :]).mean(axis=1)
    fit = n * (np.log(-theta / shapes) - shapes - 1.0)
    weights = np.exp(fit - logsumexp(fit))
    best = float(weights @ theta)
    shape = float(np.log1p(-best * over).mean())
    scale = -shape / best
    shape = (n * shape + 10.0 * 0.5) / (n + 10.0)  # a weak prior, as the tail may be short
    return (shape if abs(shape) > 1e-6 else 1e-6), scale
