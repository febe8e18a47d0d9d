"""Calibration to the scorecard and to nothing else: least squares from the ledger, many starts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.errors import SolverError
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.observed import Interval
from ketasim.studies.findings.scorecard import Scorecard, scorecard
from ketasim.units import unit

Array = NDArray[np.float64]
STEP = 1e-3  # of a parameter's logarithm, for differences
UNREACHED = 10.0  # residual of a measure that has no value
NEAR = 0.9  # of the way from a measure's centre to its edge, where the wall begins
WALL = 8.0  # how steep the wall is: a measure is missed or met, and its centre matters little
AFTERWARDS = {  # by check: measures that were put back once the ledger's values stood
    "02_disinhibition": "effect of the drug alone at 24 h, of the deficit",
    "04_inverted_u": "effect of 10 mg/kg alone at 24 h, of the deficit",
    "10_bdnf": "effect of the drug alone, 3 mg/kg, at 24 h, of the deficit",
}
LOUD = 3.0  # residual at which a measure is contradicted, and bends the others no further
PULL = 0.3  # residual of a parameter at either bound; keeps what the data leave free off its bounds
PROFILED = 10  # points tried to fit the others again, with one parameter at a bound
WORSE = 1.0  # rise of the objective that counts: one measure from its centre to its edge


@dataclass(frozen=True)
class Fit:
    """Where one start ended: values in declared units, objective, evaluations.

    ``not_computed`` counts the points tried at which a run failed; no step was taken to those.
    """

    start: str
    values: Mapping[str, float]
    objective: float
    evaluations: int
    not_computed: int = 0


@dataclass(frozen=True)
class Problem:
    """Fitted parameters, their bounds, and the residuals of the scorecard's read-outs."""

    model: Model
    card: Scorecard
    names: tuple[str, ...]

    @cached_property
    def _columns(self) -> list[int]:
        order = list(self.model.parameters)
        return [order.index(name) for name in self.names]

    @cached_property
    def _factors(self) -> Array:
        return np.array([unit(self.model.unit(name)).factor for name in self.names])

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the logarithms of the ledger's bounds, each (n_names,)."""
        pairs = np.log([self.model.parameters[name].bounds for name in self.names])
        return pairs[:, 0], pairs[:, 1]

    @cached_property
    def ledger(self) -> Array:
        """Return the logarithms of the model's own values, (n_names,)."""
        values = [self.model.value(name) for name in self.names]
        return np.asarray(np.log(values / self._factors), dtype=float)

    def values(self, point: Array) -> dict[str, float]:
        """Return a point as values in declared units."""
        return dict(zip(self.names, np.exp(point).tolist(), strict=True))

    def residuals(self, points: Array) -> Array:
        """Return residuals at points (n_points, n_names): of the read-outs, then of the bounds.

        They are nan where a run failed: that is no misfit, and least squares step back from it.
        """
        draws = np.repeat(System(self.model).default_parameters[None, :], len(points), axis=0)
        draws[:, self._columns] = np.exp(points) * self._factors
        rows = [
            np.where(known, _residual(readout.accepted, values), np.nan)
            for one, found in zip(self.card.findings, self.card.predict(draws), strict=True)
            for readout, values, known in zip(
                one.readouts, found.values, found.computed, strict=True
            )
            if readout.accepted is not None and readout.judged
        ]
        low, high = self.bounds
        middle, half = (low + high) / 2.0, (high - low) / 2.0
        return np.asarray(np.hstack([np.array(rows).T, PULL * (points - middle) / half]))

    def slopes(self, point: Array) -> Array:
        """Return the derivatives of the residuals, all columns in one ensemble.

        A difference that cannot be computed is taken as 0: nothing is known in that direction.
        """
        n = len(point)
        inward = np.where(point + STEP > self.bounds[1], -STEP, STEP)
        points = np.vstack([point, point + np.diag(inward)])
        found = self.residuals(points)
        return np.asarray(np.nan_to_num((found[1:] - found[0]).T / inward[None, :n]))

    def fit(self, start: Array, label: str, *, free: Sequence[str] = (), most: int = 40) -> Fit:
        """Return where least squares end from a start; ``free`` limits what may move.

        ``most`` is how many points are tried.

        Raises
        ------
        SolverError
            When a run fails at the start itself.
        """
        moving = np.isin(self.names, list(free)) if free else np.ones(len(self.names), dtype=bool)
        low, high = self.bounds
        inside = np.clip(start, low + 1e-9, high - 1e-9)
        failures = 0

        def whole(part: Array) -> Array:
            point = start.copy()
            point[moving] = part
            return point

        def residuals(part: Array) -> Array:
            nonlocal failures
            found = np.asarray(self.residuals(whole(part)[None, :])[0])
            failures += int(not np.isfinite(found).all())
            return found

        if not np.isfinite(residuals(inside[moving])).all():
            raise SolverError(
                f"{label}: a run of the scorecard fails at the start of this fit; start elsewhere."
            )
        found = least_squares(
            residuals,
            inside[moving],
            jac=lambda part: self.slopes(whole(part))[:, moving],
            bounds=(low[moving], high[moving]),
            xtol=1e-4,
            ftol=1e-5,
            max_nfev=most,
        )
        values = self.values(whole(found.x))
        return Fit(label, values, float(2.0 * found.cost), int(found.nfev), failures)

    def starts(self, count: int, seed: int) -> list[tuple[str, Array]]:
        """Return the ledger and ``count`` draws between the bounds."""
        low, high = self.bounds
        draws = np.random.default_rng(seed).uniform(low, high, (count, len(low)))
        return [
            ("ledger", self.ledger),
            *((f"seed {seed}, draw {i}", d) for i, d in enumerate(draws)),
        ]

    def directions(self, best: Fit) -> list[tuple[float, dict[str, float]]]:
        """Return the combinations of parameters that the measures do determine.

        Each is a gain (tolerances moved when the combination spans half of its bounds; those of at
        least 1) with the share of each parameter in it, the four largest.
        """
        low, high = self.bounds
        at = np.log([best.values[name] for name in self.names])
        slopes = self.slopes(at)[: -len(self.names)] * (high - low) / 2.0
        _, gains, rows = np.linalg.svd(slopes, full_matrices=False)
        found = []
        for gain, row in zip(gains[gains >= 1.0], rows, strict=False):
            largest = np.argsort(-np.abs(row))[:4]
            sign = np.sign(row[largest[0]])
            found.append((float(gain), {self.names[i]: float(sign * row[i]) for i in largest}))
        return found

    def verdicts(self, best: Fit, *, progress: Callable[[str], None]) -> dict[str, str]:
        """Return what the scorecard says of each parameter, by moving it to either bound.

        The others are fitted again each time: ``identified`` when both bounds cost a measure its
        agreement, ``only a lower bound`` or ``only an upper bound`` when one does, else ``flat``.
        """
        words = {
            (True, True): "identified",
            (True, False): "only a lower bound",
            (False, True): "only an upper bound",
            (False, False): "flat",
        }
        at = np.log([best.values[name] for name in self.names])
        found = {}
        for i, name in enumerate(self.names):
            others = [one for one in self.names if one != name]
            worse = []
            for bound in self.bounds:
                moved = at.copy()
                moved[i] = bound[i]
                again = self.fit(moved, name, free=others, most=PROFILED)
                worse.append(again.objective > best.objective + WORSE)
            found[name] = words[worse[0], worse[1]]
            progress(f"{name}: {found[name]}")
        return found


def problem(model: Model, findings: Sequence[Finding]) -> Problem:
    """Return the calibration of every ``fitted`` parameter but those of what carries the drug.

    These are fitted to published kinetics (``scripts/kinetics.py``), which the scorecard is not.
    Measures that came after the values (``AFTERWARDS``) are asked of the model and not fitted to.
    """
    findings = [_before(one) for one in findings]
    fitted = (n for n, p in model.parameters.items() if p.evidence.kind == "fitted")
    names = tuple(n for n in fitted if n.partition(".")[0] not in model.carriers)
    return Problem(model, scorecard([one for one in findings if not one.reported], model), names)


def _before(one: Finding) -> Finding:
    """Return a finding without the measures that came after the ledger's values."""
    own = AFTERWARDS.get(one.name, "")
    return replace(one, readouts=tuple(each for each in one.readouts if each.name != own))


def _residual(accepted: Interval, values: Array) -> Array:
    """Return little within what is tolerated, and a wall beyond, up to LOUD."""
    if accepted.target is not None:
        found = (values - accepted.target) / ((accepted.high - accepted.low) / 2.0)
    elif accepted.low > -inf and accepted.high < inf:
        middle, half = (accepted.low + accepted.high) / 2.0, (accepted.high - accepted.low) / 2.0
        found = np.sign(values - middle) * _beyond_half(np.abs(values - middle) / half)
    elif accepted.high < inf:
        found = _beyond_half(values / accepted.high)
    else:
        found = _short_of(values, accepted.low)
    found = np.where(np.isfinite(found), np.clip(found, -UNREACHED, UNREACHED), UNREACHED)
    found = 0.2 * found + WALL * np.sign(found) * np.maximum(np.abs(found) - NEAR, 0.0)
    return np.asarray(found / np.sqrt(1.0 + (found / LOUD) ** 2))


def _beyond_half(share: Array) -> Array:
    return 2.0 * np.maximum(share - 0.5, 0.0)


def _short_of(values: Array, low: float) -> Array:
    if low < 1e-6:
        return np.where(values >= low, 0.0, UNREACHED)
    return 2.0 * np.maximum(1.5 - values / low, 0.0)
