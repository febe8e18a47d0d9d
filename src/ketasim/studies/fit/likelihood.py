"""How likely points and findings are under free parameters: predictions, residuals, slopes.

A residual is the signed root of twice what a datum loses in log-likelihood against a perfect
prediction. Least squares of such residuals is maximum likelihood whatever the error model: a
normal error gives the usual residual, a value below detection ``sqrt(-2 log P)``. A parameter is
searched in the logarithm of its value where its bounds are positive.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import log, pi

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.engines.contract import Limits
from ketasim.engines.status import Status, usable
from ketasim.errors import ConfigError
from ketasim.studies.designs.choice import chosen
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.findings.finding import Finding, ReadOut
from ketasim.studies.findings.observed import Readings, deviance
from ketasim.studies.findings.predict import Predictor, predictor
from ketasim.studies.findings.reading import Formula
from ketasim.studies.fit.data import Assay, Data, Point
from ketasim.studies.fit.slopes import differences
from ketasim.units import unit

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
RTOL = 1e-7  # of every run, so that differences are slopes and not the solver's own error
ALONE = str(None)  # the arm of a formula that names none
GUESS = 100.0  # a free scale is looked for within this factor of the first guess
MOST_FREE = 200


@dataclass(frozen=True)
class Free:
    """A number that is fitted: its name, its prior, and a guess, both in its declared unit."""

    name: str
    prior: Distribution
    guess: float

    @property
    def unit(self) -> str:  # noqa: D102
        return self.prior.unit

    @cached_property
    def log(self) -> bool:
        """Return whether it is searched in its logarithm."""
        return self.prior.reach[0] > 0.0

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """Return the coordinates between which it is searched."""
        low, high = self.prior.reach
        return (log(low), log(high)) if self.log else (low, high)

    def value(self, x: Array) -> Array:
        """Return values for coordinates."""
        return np.exp(x) if self.log else np.asarray(x, dtype=float)

    def coordinate(self, value: float) -> float:
        """Return the coordinate of a value, brought within the bounds."""
        low, high = self.bounds
        found = log(max(value, 1e-300)) if self.log else value
        return min(max(found, low), high)

    def pull(self, x: Array) -> Array | None:
        """Return the residual of a prior that prefers some values; None where it does not."""
        one = self.prior
        if one.kind == "normal":
            return np.asarray((self.value(x) - one.a) / one.b)
        if one.kind == "lognormal":
            return np.asarray((np.log(self.value(x)) - log(one.a)) / log(one.b))
        return None


@dataclass(frozen=True)
class Predicted:
    """Residuals (n, n_residuals), NaN where a run failed, predictions and status."""

    residuals: Array
    values: Array
    status: Codes

    @property
    def fine(self) -> NDArray[np.bool_]:
        """Return which points have all their residuals, shape (n,)."""
        return np.asarray(np.isfinite(self.residuals).all(axis=1))

    @property
    def losses(self) -> Array:
        """Return twice the log-likelihood lost at each point, prior included; NaN at failures."""
        return np.asarray((self.residuals**2).sum(axis=1))


@dataclass(frozen=True)
class Problem:
    """Free numbers, and the points and findings that they are to explain.

    ``points`` (n, n_free) everywhere are coordinates: logarithms of values in declared units, or
    the values where a bound is not positive.
    """

    model: Model
    data: tuple[Data, ...]
    findings: tuple[Finding, ...]
    free: tuple[Free, ...]
    predictor: Predictor = field(repr=False)

    def instead(self, data: Data) -> "Problem":
        """Return the same free numbers before other points, which are drawn and not fitted to."""
        own = [_as_finding(data, *pair) for pair in _by_arm(data)]
        made = predictor(own, self.model, limits=self.predictor.limits)
        return replace(self, data=(data,), findings=(), predictor=replace(made, rtol=RTOL))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the free numbers."""
        return tuple(one.name for one in self.free)

    @cached_property
    def observations(self) -> tuple[Point, ...]:
        """Return the points of all data, in the order of their predictions."""
        return tuple(p for one in self.data for _, many in _by_arm(one) for p in many)

    @cached_property
    def assays(self) -> Mapping[str, Assay]:
        """Return the assays by name."""
        return {name: assay for one in self.data for name, assay in one.assays.items()}

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the coordinates between which each number is searched, each (n_free,)."""
        pairs = np.array([one.bounds for one in self.free])
        return pairs[:, 0], pairs[:, 1]

    @cached_property
    def guess(self) -> Array:
        """Return the coordinates of the ledger and of the first guesses, (n_free,)."""
        return np.array([one.coordinate(one.guess) for one in self.free])

    def values(self, points: Array) -> Array:
        """Return coordinates as values in declared units, of the same shape."""
        columns = [one.value(points[..., i]) for i, one in enumerate(self.free)]
        return np.stack(columns, axis=-1)

    def from_normal(self, z: Array) -> Array:
        """Return the coordinates (n, n_free) of standard-normal ones, by the priors."""
        found = np.empty_like(z)
        for i, one in enumerate(self.free):
            value = one.prior.at(ndtr(z[:, i]))
            found[:, i] = np.log(np.maximum(value, 1e-300)) if one.log else value
        return found

    def draws(self, points: Array) -> Array:
        """Return canonical parameters (n, n_parameters) of the model at points."""
        found = np.repeat(System(self.model).default_parameters[None, :], len(points), axis=0)
        values = self.values(points)
        for i, one in enumerate(self.free):
            if (column := self.column(one.name)) >= 0:
                found[:, column] = values[:, i] * unit(one.unit).factor
        return found

    def column(self, name: str) -> int:
        """Return the column of a parameter of the model; -1 for a scale or an offset."""
        return self._columns.get(name, -1)

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        return {name: column for column, name in enumerate(self.model.parameters)}

    def predict(self, points: Array) -> tuple[Array, Codes]:
        """Return what every datum is predicted to be (n, n_data), and the status of each point."""
        found = self.predictor.predict(self.draws(points))
        status = np.full(len(points), Status.OK, dtype=np.int8)
        for row in (row for each in found for row in each.status):
            status = np.where(usable(status), row, status)
        return np.concatenate([one.values for one in found]).T, status

    def at(self, points: Array, told: tuple[Array, Codes] | None = None) -> Predicted:
        """Return predictions (``told`` where known) and residuals at points (n, n_free)."""
        values, status = told or self.predict(points)
        residuals = self.residuals(values, points)
        residuals[~usable(status)] = np.nan
        return Predicted(residuals, values, status)

    def residuals(self, values: Array, points: Array) -> Array:
        """Return residuals (n, n_residuals) for predictions (n, n_data) at points (n, n_free)."""
        mine = len(self.observations)
        parts = [self._of_assays(values[:, :mine], points)]
        for one, row in zip(self.findings, values[:, mine:].T, strict=True):
            parts.append(deviance(one.observed, row, one.outlier_probability)[:, None])
        pulls = [one.pull(points[:, i]) for i, one in enumerate(self.free)]
        parts += [pull[:, None] for pull in pulls if pull is not None]
        return np.hstack(parts)

    def _of_assays(self, values: Array, points: Array) -> Array:
        found = np.empty(values.shape)
        for name, assay in self.assays.items():
            rows = [i for i, p in enumerate(self.observations) if p.assay == name]
            own = _read_by([self.observations[i] for i in rows], assay)
            offset, scale = self._between(assay, own, values[:, rows], points)
            with np.errstate(all="ignore"):
                found[:, rows] = own.residuals(offset + scale * values[:, rows])
        return found

    def _between(
        self, assay: Assay, own: Readings, values: Array, points: Array
    ) -> tuple[Array, Array]:
        """Return offset and scale of an assay at each point, each (n, 1)."""
        n = len(points)
        offset, scale = np.zeros((n, 1)), np.ones((n, 1))
        if assay.free:
            told = dict(zip(self.names, self.values(points).T, strict=True))
            offset[:, 0] = told.get(f"{assay.name}.offset", offset[:, 0])
            scale[:, 0] = told.get(f"{assay.name}.scale", scale[:, 0])
        elif assay.scale or assay.offset:
            offset, scale = own.best(values, scale=assay.scale, offset=assay.offset)
        return offset, scale

    def readings(self, found: Predicted, points: Array) -> tuple[Array, Array]:
        """Return the offset and scale between model and reading for each datum, (n, n_data)."""
        offsets = np.zeros((len(points), len(self.observations)))
        scales = np.ones_like(offsets)
        for name, assay in self.assays.items():
            rows = [i for i, p in enumerate(self.observations) if p.assay == name]
            own = _read_by([self.observations[i] for i in rows], assay)
            offset, scale = self._between(assay, own, found.values[:, rows], points)
            offsets[:, rows], scales[:, rows] = offset, scale
        return offsets, scales

    @cached_property
    def constants(self) -> Array:
        """Return the log-likelihood of each point when its residual is 0, (n_points,)."""
        found = np.zeros(len(self.observations))
        for i, one in enumerate(self.observations):
            if self.assays[one.assay].model == "log-normal":
                found[i] = -log(one.value) - log(_log_error(one)) - 0.5 * log(2.0 * pi)
            else:
                found[i] = -log(one.error) - 0.5 * log(2.0 * pi)
        return np.where([one.censored for one in self.observations], 0.0, found)

    @property
    def constant(self) -> float:
        """Return the log-likelihood of the points when every residual is 0."""
        return float(self.constants.sum())

    def measured(self, readings: Array, rng: np.random.Generator) -> Array:
        """Return readings (n, n_points) as they might be measured, each with its error."""
        noise = rng.standard_normal(readings.shape)
        logs = np.array([self.assays[p.assay].model == "log-normal" for p in self.observations])
        errors = np.array([p.error for p in self.observations])
        shares = [_log_error(p) if log_ else 0.0
                  for p, log_ in zip(self.observations, logs, strict=True)]  # fmt: skip
        return np.where(logs, readings * np.exp(shares * noise), readings + errors * noise)

    def log_likelihood(self, z: Array) -> Array:
        """Return log-likelihoods (n,) at standard-normal coordinates (n, n_free).

        A point at which a run failed gets minus infinity: a sampler steps back from it.
        """
        points = self.from_normal(z)
        found = self.at(points)
        pulls = sum(one.pull(points[:, :1]) is not None for one in self.free)
        own = found.residuals[:, : found.residuals.shape[1] - pulls]
        return np.where(found.fine, self.constant - 0.5 * (own**2).sum(axis=1), -np.inf)

    def slopes(self, points: Array) -> tuple[Array, NDArray[np.intp]]:
        """Return d residuals / d coordinates by differences; see :mod:`ketasim.studies.fit.slopes`.

        Their shape is (n, n_residuals, n_free); with them comes how many runs failed, (n,).
        """
        return differences(self, points)


def _log_error(point: Point) -> float:
    return float(np.sqrt(np.log1p((point.error / point.value) ** 2)))


def _read_by(points: Sequence[Point], assay: Assay) -> Readings:
    """Return points of one assay; the errors are those of logarithms where it says so."""
    logs = assay.model == "log-normal"
    return Readings(
        np.array([p.value for p in points]),
        np.array([_log_error(p) if logs else p.error for p in points]),
        np.array([p.censored for p in points]),
        logs,
    )


def _by_arm(data: Data) -> list[tuple[str, list[Point]]]:
    """Return the points of each arm, in the order in which they are predicted."""
    arms = dict.fromkeys(one.arm for one in data.points)
    return [(arm, [one for one in data.points if one.arm == arm]) for arm in arms]


def problem(
    model: Model,
    free: Mapping[str, "Distribution | str | None"] | Iterable[str],
    *,
    data: Sequence[Data] = (),
    findings: Sequence[Finding] = (),
    profiled: bool = True,
    limits: Limits | None = None,
    threads: int | None = None,
) -> Problem:
    """Return what is to be fitted.

    Parameters
    ----------
    model
        Its values are the first guess.
    free
        Names or groups of parameters, with distributions where the ledger's bounds do not do.
    data, findings
        What is to be explained.
    profiled
        Whether scales and offsets that need not be free are computed instead of fitted; a
        posterior fits all.
    limits, threads
        What one run may spend, and how many threads run; no number depends on either.

    Raises
    ------
    ConfigError, ModelError
        When a name is unknown, is no parameter, or there is nothing to explain.
    """
    parts = tuple(part for one in findings for part in one.parts() if part.done)
    if not parts and not any(one.points for one in data):
        raise ConfigError("nothing to fit to: give a CSV of your own (--data) or findings.")
    _check_names([dict(one.arms) for one in data], "arm")
    _check_names([dict(one.assays) for one in data], "assay")
    if not profiled:
        data = [
            replace(d, assays={n: replace(a, free=True) for n, a in d.assays.items()}) for d in data
        ]
    own = [_as_finding(one, *pair) for one in data for pair in _by_arm(one)]
    made = predictor([*own, *parts], model, limits=limits, threads=threads)
    made = replace(made, rtol=RTOL)
    numbers = tuple(_parameters(model, free))
    bare = Problem(model, tuple(data), parts, numbers, made)
    more = tuple(_nuisance(bare))
    if not 1 <= len(numbers) + len(more) <= MOST_FREE:
        raise ConfigError(f"{len(numbers)} free parameters; between 1 and {MOST_FREE} are needed.")
    return replace(bare, free=(*numbers, *more))


def _check_names(tables: Sequence[Mapping[str, object]], what: str) -> None:
    """Refuse one name for two things in different files."""
    known: dict[str, object] = {}
    for name, one in (pair for table in tables for pair in table.items()):
        if known.setdefault(name, one) != one:
            raise ConfigError(
                f'{what} "{name}" is one thing in one file, another in another; rename.'
            )


def _as_finding(data: Data, arm: str, points: Sequence[Point]) -> Finding:
    readouts = (ReadOut(f"line {p.line}", (Formula(p.readout),), p.readout.unit) for p in points)
    return Finding(f"{data.source}: {arm}", arm, {ALONE: data.arms[arm]}, tuple(readouts))


def _parameters(
    model: Model, free: Mapping[str, "Distribution | str | None"] | Iterable[str]
) -> Iterable[Free]:
    for name, one in chosen(model, free).items():
        if name not in model.parameters:
            raise ConfigError(f"{name}: only parameters of the model can be fitted.")
        own = unit(model.unit(name))
        if unit(one.distribution.unit).dimension != own.dimension:
            raise ConfigError(f'{name}: "{one.distribution.unit}" is no unit of it; {own.text} is.')
        guess = model.value(name) / unit(one.distribution.unit).factor
        yield Free(name, one.distribution, guess)


def _nuisance(bare: Problem) -> Iterable[Free]:
    """Yield the free scales and offsets, guessed from the model's own values."""
    asked = [one for one in bare.assays.values() if one.free and (one.scale or one.offset)]
    if not asked:
        return
    values = np.concatenate([one.values for one in bare.predictor.predict(
        System(bare.model).default_parameters[None, :])])[:, 0]  # fmt: skip
    for assay in asked:
        rows = [i for i, p in enumerate(bare.observations) if p.assay == assay.name]
        here = np.array([bare.observations[i].value for i in rows])
        if assay.scale:
            guess = float(np.median(np.abs(here)) / max(np.median(np.abs(values[rows])), 1e-12))
            within = guess / GUESS, guess * GUESS
            yield Free(f"{assay.name}.scale", Distribution("loguniform", *within, "1"), guess)
        if assay.offset:
            size = 2.0 * float(np.abs(here).max() or 1.0)
            yield Free(f"{assay.name}.offset", Distribution("uniform", -size, size, "1"), 0.0)
