"""Least squares from many starts, one row a start whatever happens, kept where a crash spares it.

A start depends on the seed and its number only, and a run's bits on that run only: a search that
was killed goes on to the same numbers. No step is taken to a point at which a run fails; that is
counted, and a start whose own first point fails has a row that says so.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from math import isfinite, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize

from ketasim.engines.status import Status
from ketasim.results.files import Rows
from ketasim.studies.fit import slopes as ways
from ketasim.studies.fit.data import Data, Point, is_timed, readout_at
from ketasim.studies.fit.likelihood import Array, Predicted, Problem
from ketasim.studies.fit.together import Ask, Together

EVALUATIONS = 100  # most of one start, slopes not counted
PER_SQUARE = 20  # so many evaluations of the summed gradient are allowed for one of least squares
WORSE = 10.0  # times the first loss that a failed run counts for where no step can be refused
SHARE, MEMORY = 1e-3, 20  # a step of L-BFGS-B gains less than one of least squares; its memory
TOLERANCE = 1e-6  # of loss, step and gradient at which a start has arrived
INSIDE = 1e-6  # share of the bounds' width that a start keeps from them
SHORTEST = 1.0  # of a course that is drawn [h]
AT_ONCE = 16  # starts, whose points are run together
SAME = 0.1  # losses nearer than this are one optimum
CONVERGED, LIMIT, FAILED = "converged", "limit", "failed"
Report = Callable[[int, int], object]


@dataclass(frozen=True)
class Ended:
    """Where one start came from and ended.

    ``point`` and ``begun`` are coordinates, ``loss`` twice the log-likelihood lost (None where the
    first point failed), ``gradient`` the steepest slope of the loss in a direction that the bounds
    leave open, per width of the bounds. ``not_computed`` counts points at which a run failed.
    """

    start: int
    status: str
    told: str
    loss: float | None
    point: tuple[float, ...]
    begun: tuple[float, ...]
    evaluations: int = 0
    not_computed: int = 0
    gradient: float | None = None

    @property
    def usable(self) -> bool:
        """Return whether it has a loss."""
        return self.loss is not None


@dataclass(frozen=True)
class Found:
    """What became of every start, in the order of the starts."""

    starts: tuple[Ended, ...]

    @property
    def ranked(self) -> list[Ended]:
        """Return the starts that have a loss, the best first."""
        return sorted((s for s in self.starts if s.usable), key=lambda s: (s.loss, s.start))

    @property
    def best(self) -> Ended | None:
        """Return the best start; None where every one failed."""
        return next(iter(self.ranked), None)

    @property
    def again(self) -> int:
        """Return how many starts found the best optimum."""
        ranked = self.ranked
        return sum((s.loss or 0.0) <= (ranked[0].loss or 0.0) + SAME for s in ranked)


def start_points(problem: Problem, count: int, seed: int) -> Array:
    """Return the coordinates of starts (count, n_free): the guess, then draws within the bounds."""
    low, high = problem.bounds
    draws = [np.random.default_rng([seed, i]).uniform(low, high) for i in range(1, count)]
    inside = INSIDE * (high - low)
    return np.asarray(np.clip(np.array([problem.guess, *draws]), low + inside, high - inside))


def descend(
    problem: Problem,
    start: Array,
    *,
    number: int = 0,
    held: Sequence[int] = (),
    slopes: str = ways.AUTO,
    evaluations: int = EVALUATIONS,
    ask: Ask | None = None,
) -> Ended:
    """Return where a search leads from a start; the numbers ``held`` stay where they are.

    Parameters
    ----------
    ask
        What predicts, where several searches ask together; by default the problem itself.
    slopes
        ``differences`` or ``rows``: least squares with the slopes of every residual, by differences
        or in reverse mode. ``summed``: L-BFGS-B with the gradient of the loss, in reverse mode.
        ``auto``: the better one for so many free numbers; see :mod:`ketasim.studies.fit.slopes`.
    """
    moving = ~np.isin(np.arange(len(problem.free)), list(held))
    slopes = ways.way_for(len(problem.free), slopes)
    path = _Path(problem, start, moving, slopes, ask or problem.predict)
    first, begun = path.residuals(start[moving]), tuple(start.tolist())
    if not np.isfinite(first).all():
        told = f"its first point: {Status(path.failures[0]).sentence}"
        return Ended(number, FAILED, told, None, begun, begun, 1, 1)
    if not moving.any():
        return Ended(number, CONVERGED, "nothing moves", float(first @ first), begun, begun, 1)
    low, high = (bound[moving] for bound in problem.bounds)
    way = _summed if slopes == "summed" else _squares
    try:
        end = way(path, start[moving], low, high, evaluations)
    except (ValueError, np.linalg.LinAlgError) as error:
        told, loss = f"the search stopped: {error}", float(first @ first)
        return Ended(number, FAILED, told, loss, begun, begun, 1, len(path.failures))
    return Ended(
        number,
        CONVERGED if end.arrived else LIMIT,
        "it arrived" if end.arrived else f"it was still moving after {end.evaluations} evaluations",
        end.loss,
        tuple(path.whole(end.x)[0].tolist()),
        begun,
        end.evaluations + 1,
        len(path.failures),
        _steepest(end.gradient, end.x, low, high),
    )


class _End(NamedTuple):
    """Where a search ended: coordinates that move, loss and its gradient by them."""

    x: Array
    loss: float
    gradient: Array
    evaluations: int
    arrived: bool


def _squares(path: "_Path", start: Array, low: Array, high: Array, evaluations: int) -> _End:
    found = least_squares(
        path.residuals, start, jac=path.jacobian, bounds=(low, high), x_scale=high - low,
        ftol=TOLERANCE, xtol=TOLERANCE, gtol=TOLERANCE, max_nfev=evaluations,
    )  # fmt: skip
    return _End(
        found.x, float(2.0 * found.cost), 2.0 * found.grad, int(found.nfev), found.status > 0
    )


def _summed(path: "_Path", start: Array, low: Array, high: Array, evaluations: int) -> _End:
    """Go down the gradient of the loss; coordinates are shares of the widths."""
    width, most = high - low, evaluations * PER_SQUARE
    found = minimize(
        lambda u: path.loss(low + u * width, width), (start - low) / width, jac=True,
        method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(width),
        options={"ftol": TOLERANCE * SHARE, "gtol": TOLERANCE, "maxfun": most, "maxiter": most,
                 "maxcor": MEMORY},
    )  # fmt: skip
    x = np.clip(low + found.x * width, low, high)
    return _End(x, float(found.fun), found.jac / width, int(found.nfev), found.status == 0)


@dataclass
class _Path:
    """What least squares ask along their way: the numbers that move, and failures met."""

    problem: Problem
    start: Array
    moving: NDArray[np.bool_]
    slopes: str
    ask: Ask
    failures: list[int] = field(default_factory=list)
    worst: float = 1.0

    def whole(self, part: Array) -> Array:
        """Return a point (1, n_free) of which the moving numbers are these."""
        point = self.start.copy()
        point[self.moving] = part
        return point[None, :]

    def at(self, points: Array) -> Predicted:
        """Return predictions and residuals at points (n, n_free)."""
        return self.problem.at(points, self.ask(points))

    def residuals(self, part: Array) -> Array:
        """Return residuals, NaN where a run failed: least squares step back from there."""
        found = self.at(self.whole(part))
        if not found.fine[0]:
            self.failures.append(int(found.status[0]))
        return np.asarray(found.residuals[0])

    def jacobian(self, part: Array) -> Array:
        """Return the slopes of the residuals in the moving numbers."""
        whole = self.whole(part)
        if self.slopes == "rows":
            found, failed = ways.rows(self.problem, whole)
        else:
            found, failed = ways.differences(self.problem, whole, self.at)
        self.failures += [int(Status.NOT_RUN)] * int(failed[0])
        return np.asarray(found[0][:, self.moving])

    def loss(self, part: Array, width: Array) -> tuple[float, Array]:
        """Return the loss and its gradient per width; where a run fails, far more than any seen."""
        loss, gradient, status = ways.summed(self.problem, self.whole(part)[0])
        if not isfinite(loss):
            self.failures.append(status)
            return WORSE * self.worst, np.zeros(len(part))
        self.worst = max(self.worst, loss)
        return loss, gradient[self.moving] * width


def _steepest(gradient: Array, x: Array, low: Array, high: Array) -> float:
    """Return the largest slope of the loss, per width, in directions that the bounds leave open."""
    near = 1e-4 * (high - low)
    shut = ((x <= low + near) & (gradient > 0.0)) | ((x >= high - near) & (gradient < 0.0))
    return float(np.max(np.abs(gradient * (high - low))[~shut], initial=0.0))


def multistart(
    problem: Problem,
    *,
    starts: int,
    seed: int = 1,
    rows: Rows | None = None,
    workers: int | None = None,
    slopes: str = ways.AUTO,
    report: Report | None = None,
) -> Found:
    """Descend from many starts; those that ``rows`` has already are not made again.

    Parameters
    ----------
    rows
        Where each start is kept as it ends.
    workers
        How many starts at once; no number depends on it.
    report
        Hears how many are done, of how many.
    """
    points, together = start_points(problem, starts, seed), Together(problem.predict)
    known = {} if rows is None else {int(one["start"]): _read(one) for one in rows.found}
    left = [i for i in range(starts) if i not in known]

    def one(i: int) -> Ended:
        with together.search() as ask:
            return descend(problem, points[i], number=i, slopes=slopes, ask=ask)

    for ended in side_by_side(one, left, workers=workers or AT_ONCE):
        known[ended.start] = ended
        if rows is not None:
            rows.add(asdict(ended))
        if report is not None:
            report(sum(i < starts for i in known), starts)
    return Found(tuple(known[i] for i in range(starts)))


def side_by_side(
    job: Callable[[int], Any], items: Sequence[int], *, workers: int | None = None
) -> Iterable[Any]:
    """Yield what a job gives for each item as it ends; what has not begun is dropped at a stop."""
    if not items:
        return
    with ThreadPoolExecutor(max(1, workers or os.cpu_count() or 1)) as pool:
        doing = [pool.submit(job, one) for one in items]
        try:
            for done in as_completed(doing):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _read(row: dict[str, Any]) -> Ended:
    return Ended(**{**row, "point": tuple(row["point"]), "begun": tuple(row["begun"])})


def courses(
    asked: Problem, points: Array, *, readouts: Iterable[str] = (), count: int = 120
) -> dict[tuple[str, str], tuple[Array, Array]]:
    """Return what each read-out does over time at points (n, n_free), as its assay reads it.

    Parameters
    ----------
    readouts
        More of them, shown for every arm as the model has them.
    count
        How many times.

    Returns
    -------
    dict
        Times [h] (count,) and readings (n, count), by arm and read-out, NaN where a run failed; of
        a read-out that is none of a time one time, which is NaN, and one reading.
    """
    lines: dict[tuple[str, str], list[Point]] = {}
    for one in asked.observations:
        lines.setdefault((one.arm, one.text), []).append(one)
    last: dict[str, float] = {}
    for one in asked.observations:
        last[one.arm] = max(last.get(one.arm, SHORTEST), one.time if isfinite(one.time) else 0.0)
    for text in readouts:
        for arm, end in last.items():
            time = end if is_timed(text) else nan
            read = readout_at(text, time, asked.model)[0]
            lines.setdefault((arm, text), [Point(0, arm, "", read, time, nan, 1.0, text=text)])
    times = {
        key: np.linspace(0.0, max(p.time for p in many), count)
        if is_timed(many[0].text) else np.array([nan])
        for key, many in lines.items()
    }  # fmt: skip
    dense = [
        replace(one, time=float(t), readout=readout_at(one.text, float(t), asked.model)[0])
        for key, (one, *_) in lines.items()
        for t in times[key]
    ]
    arms = {name: arm for one in asked.data for name, arm in one.arms.items()}
    drawn = asked.instead(Data("drawn", tuple(dense), arms, asked.assays))
    found, _ = drawn.predict(points)
    offsets, scales = asked.readings(asked.at(points), points)
    own = {p.assay: i for i, p in enumerate(asked.observations)}
    places = {id(p): i for i, p in enumerate(drawn.observations)}
    answer, k = {}, 0
    for key, many in lines.items():
        mine, k = dense[k : k + len(times[key])], k + len(times[key])
        values = found[:, [places[id(p)] for p in mine]]
        i = own.get(many[0].assay)
        read_so = values if i is None else offsets[:, [i]] + scales[:, [i]] * values
        answer[key] = times[key], read_so
    return answer
