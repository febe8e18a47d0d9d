"""Slopes of residuals and of the loss by the free numbers: by differences, or in reverse mode.

Three ways to the same numbers. ``differences`` move each free number to both sides; they cost two
runs an arm for each of them. ``rows`` take every prediction back through its run, whose cost goes
with the predictions of an arm and not with the free numbers. ``summed`` takes the whole loss back
at once, as one weighted sum of numbers an arm: the gradient of the loss alone, for about five runs
an arm whatever is free and whatever was seen. Failures of the reverse mode are served by
differences.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.contract import Batch, Settings
from ketasim.engines.run import gradients
from ketasim.engines.status import usable
from ketasim.errors import ConfigError
from ketasim.readouts import Given, Ledger, Lookup, Reading
from ketasim.studies.findings.needs import Group, Place
from ketasim.studies.findings.observed import Direction
from ketasim.studies.findings.predict import LIMITS, Answer
from ketasim.units import unit

if TYPE_CHECKING:
    from ketasim.studies.fit.likelihood import Free, Predicted, Problem

Array = NDArray[np.float64]
Evaluate = Callable[[Callable[[Lookup], Array]], Array]
STEP = 2e-3  # of a logarithm, or of the width between bounds, for differences of runs
NUDGE = 1e-4  # of an error, or of a value: how far arithmetic after the runs is tried
FORMULA = 1e-6  # of a number: how far the parts of a formula are
MANY = 40  # free numbers beyond which the gradient of the whole loss is the better way
AUTO, WAYS = "auto", ("differences", "rows", "summed")


def way_for(count: int, asked: str = AUTO) -> str:
    """Return the way to the slopes of ``count`` free numbers: the one asked for, or the better.

    Raises
    ------
    ConfigError
        When there is no such way.
    """
    if asked == AUTO:
        return "summed" if count > MANY else "differences"
    if asked not in WAYS:
        raise ConfigError(f'slopes = "{asked}": choose one of {", ".join((AUTO, *WAYS))}.')
    return asked


def differences(
    problem: "Problem", points: Array, at: "Callable[[Array], Predicted] | None" = None
) -> tuple[Array, NDArray[np.intp]]:
    """Return d residuals / d coordinates (n, n_residuals, n_free), and the failures met.

    Differences of second order, central or, beside a bound, to one side; every run of every point
    in one batch. Where one of two runs fails the other and the point itself serve; where both do
    nothing is known, and the slope is 0. ``at`` is what runs, by default the problem.
    """
    n, k = points.shape
    low, high = problem.bounds
    step = np.where([one.log for one in problem.free], STEP, STEP * (high - low))
    step = np.minimum(step, (high - low) / 4.0)
    a = np.where(points + step > high, -2.0 * step, step)
    b = np.where(points - step < low, 2.0 * step, -step)
    moves = np.concatenate(
        [np.zeros((n, 1, k)), *(one[:, :, None] * np.eye(k) for one in (a, b))], axis=1
    )
    whole = (points[:, None, :] + moves).reshape(-1, k)
    found = (at or problem.at)(whole).residuals.reshape(n, 2 * k + 1, -1)
    here, to_a, to_b = np.split(found, (1, k + 1), axis=1)
    a, b = a[:, :, None], b[:, :, None]
    with np.errstate(all="ignore"):
        one_side, other = (to_a - here) / a, (to_b - here) / b
        best = (one_side * b - other * a) / (b - a)
    for alone in (one_side, other):
        best = np.where(np.isfinite(best), best, alone)
    failed = (~np.isfinite(found).all(axis=2)).sum(axis=1)
    return np.nan_to_num(best, nan=0.0, posinf=0.0, neginf=0.0).transpose(0, 2, 1), failed


def rows(problem: "Problem", points: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return what :func:`differences` does, each prediction taken back through its run."""
    found = [_row(problem, one[None, :]) for one in points]
    return np.stack([slopes for slopes, _ in found]), np.array([n for _, n in found])


def _row(problem: "Problem", point: Array) -> tuple[Array, int]:
    chain = _Chain(problem, point)
    by = chain.by_each() if chain.fine else None
    if by is None:
        slopes, failed = differences(problem, point)
        return slopes[0], int(failed[0])
    by_value, direct = _arithmetic(problem, chain.values, point)
    return by_value @ (by * chain.per) + direct, 0


def summed(problem: "Problem", point: Array) -> tuple[float, Array, int]:
    """Return the loss at a point (n_free,), its gradient (n_free,), and the status of its runs.

    The loss is NaN where a run failed.
    """
    whole = point[None, :]
    chain = _Chain(problem, whole)
    if not chain.fine:
        return float("nan"), np.zeros(len(point)), chain.status
    residuals = problem.residuals(chain.values[None, :], whole)[0]
    loss = float(residuals @ residuals)
    by_value, direct = _arithmetic(problem, chain.values, whole)
    by = chain.by_sum(2.0 * residuals @ by_value)
    if by is None:
        slopes, _ = differences(problem, whole)
        return loss, 2.0 * residuals @ slopes[0], chain.status
    return loss, by * chain.per + 2.0 * residuals @ direct, chain.status


class _Link(NamedTuple):
    """A prediction's derivative by a number of a run."""

    row: int
    place: Place
    slope: float


class _Chain:
    """From free numbers through runs to the predictions at one point (1, n_free)."""

    def __init__(self, problem: "Problem", point: Array) -> None:
        """Make the runs, once, and find what predictions are of them."""
        self.problem, self.predictor = problem, problem.predictor
        self.draws = problem.draws(point)
        answers = [self.predictor.answer(one, self.draws, 1) for one in self.predictor.groups]
        made = self.predictor.gathered(self.draws, answers)
        self.values = np.concatenate([one.values for one in made])[:, 0]
        codes = np.concatenate([one.status for one in made])[:, 0]
        failed = codes[~usable(codes)]
        self.status = int(failed[0]) if len(failed) else int(codes[0])
        self.fine = not len(failed)
        self.columns = [problem.column(one.name) for one in problem.free]
        self.per = np.array([_per(one, x) for one, x in zip(problem.free, point[0], strict=True)])
        self.links, self.ledger = self._links(answers) if self.fine else ([], [])

    def _links(self, answers: Sequence[Answer]) -> tuple[list[_Link], list[tuple[int, int, float]]]:
        """Return the derivatives of predictions by numbers of runs, and by parameters directly."""
        links: list[_Link] = []
        ledger: list[tuple[int, int, float]] = []
        row = 0
        for one in self.predictor.findings:
            known = self.predictor.known(one, self.draws, answers)
            for formula in one.formulas:
                sizes = {each: float(known.value(each)[0]) for each in formula.lookups}
                for each, slope in _by_lookups(formula.evaluate, sizes):
                    if isinstance(each, Reading):
                        treated, *control = known.places(each)
                        if control and sizes[each] == 0.0:
                            continue  # what integration cannot tell from nothing
                        links.append(_Link(row, treated, slope))
                        links += [_Link(row, place, -slope) for place in control]
                    elif isinstance(each, Ledger):
                        ledger.append((row, self.problem.column(each.name), slope))
                row += 1
        return links, ledger

    def by_sum(self, weights: Array) -> Array | None:
        """Return d (weights @ predictions) / d free numbers (n_free,); None where a run failed."""
        whole = np.zeros(self.draws.shape[1])
        for g, group in enumerate(self.predictor.groups):
            asked = np.zeros((len(group.scenarios), len(group.reductions)))
            for link in (one for one in self.links if one.place.group == g):
                asked[link.place.run, link.place.column] += weights[link.row] * link.slope
            runs = np.flatnonzero(asked.any(axis=1))
            if not len(runs):
                continue
            found = self._back(group, runs.tolist(), weights=asked[runs])
            if found is None:
                return None
            whole += found.sum(axis=(0, 1))
        for row, column, slope in self.ledger:
            whole[column] += weights[row] * slope
        return np.asarray(self._free(whole[None, :])[0])

    def by_each(self) -> Array | None:
        """Return d predictions / d free numbers (n_predictions, n_free)."""
        whole = np.zeros((len(self.values), self.draws.shape[1]))
        for g, group in enumerate(self.predictor.groups):
            for run in range(len(group.scenarios)):
                own = [one for one in self.links if one.place[:2] == (g, run)]
                if not own:
                    continue
                columns = sorted({one.place.column for one in own})
                found = self._back(group, [run], columns=columns)
                if found is None:
                    return None
                for link in own:
                    whole[link.row] += link.slope * found[0, columns.index(link.place.column)]
        for row, column, slope in self.ledger:
            whole[row, column] += slope
        return self._free(whole)

    def _back(
        self,
        group: Group,
        runs: Sequence[int],
        *,
        weights: Array | None = None,
        columns: Sequence[int] = (),
    ) -> Array | None:
        """Return derivatives by parameters of some runs, (n_runs, n_sums, n_parameters)."""
        reductions = group.reductions
        batch = Batch(
            self.predictor.model,
            group.parameters(self.draws)[list(runs)],
            [group.scenarios[i].schedule for i in runs],
            reductions=tuple(reductions[i] for i in columns) if columns else reductions,
            span=group.span,
        )
        how = Settings(
            rtol=self.predictor.rtol,
            limits=self.predictor.limits or LIMITS,
            threads=self.predictor.threads,
        )
        found = gradients(batch, how, weights=weights)
        by = found.by_parameter
        if not usable(found.status).all() or not np.isfinite(by).all():
            return None
        for i, run in enumerate(runs):
            by[i][:, list(group.own[run])] = 0.0  # what an arm sets itself does not move
        return by

    def _free(self, whole: Array) -> Array:
        """Return the columns of free numbers; scales and offsets are no parameters: 0."""
        found = np.zeros((len(whole), len(self.columns)))
        for i, column in enumerate(self.columns):
            if column >= 0:
                found[:, i] = whole[:, column]
        return found


def _per(one: "Free", x: float) -> float:
    """Return by how much the canonical value moves for one of its coordinate."""
    factor = unit(one.unit).factor
    return float(one.value(np.array(x)) * factor) if one.log else float(factor)


def _by_lookups(evaluate: Evaluate, sizes: dict[Lookup, float]) -> Iterator[tuple[Lookup, float]]:
    for each, size in sizes.items():
        if isinstance(each, Given):
            continue
        nudge = FORMULA * (abs(size) or 1.0)
        known = {one: np.asarray(value) for one, value in sizes.items()}
        ends = [
            float(evaluate({**known, each: np.asarray(size + sign * nudge)}.__getitem__))
            for sign in (1.0, -1.0)
        ]
        slope = (ends[0] - ends[1]) / (2.0 * nudge)
        if np.isfinite(slope) and slope:
            yield each, slope


def _arithmetic(problem: "Problem", values: Array, point: Array) -> tuple[Array, Array]:
    """Return d residuals by predictions (n_residuals, n_predictions), and by coordinates alone.

    These are differences of what follows the runs: assays, error models and priors.
    """
    n, k = len(values), point.shape[1]
    sizes = np.array(list(_sizes(problem, values)))
    low, high = problem.bounds
    steps = NUDGE * np.where([one.log for one in problem.free], 1.0, high - low)
    moved = np.vstack([values + np.diag(sizes), values - np.diag(sizes)])
    by_value = problem.residuals(moved, np.repeat(point, 2 * n, axis=0))
    beside = np.vstack([point + np.diag(steps), point - np.diag(steps)])
    direct = problem.residuals(np.tile(values, (2 * k, 1)), beside)
    return (
        ((by_value[:n] - by_value[n:]) / (2.0 * sizes[:, None])).T,
        ((direct[:k] - direct[k:]) / (2.0 * steps[:, None])).T,
    )


def _sizes(problem: "Problem", values: Array) -> Iterable[float]:
    """Yield how far each prediction is moved: a little of its error, where it has one."""
    for point, value in zip(problem.observations, values, strict=False):
        assay = problem.assays[point.assay]
        plain = assay.model == "normal" and not (assay.scale or assay.offset)
        size = abs(value) if np.isfinite(value) and value else 1.0
        yield NUDGE * (point.error if plain else size)
    for part in problem.findings:
        seen = part.observed
        yield NUDGE * (seen.least if isinstance(seen, Direction) else seen.error)
