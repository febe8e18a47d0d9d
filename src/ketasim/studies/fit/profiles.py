"""How far each parameter may be moved when all others follow, and the verdict in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import inf, isfinite, sqrt
from typing import Any

import numpy as np
from scipy.stats import chi2

from ketasim.errors import ConfigError, suggest
from ketasim.results.files import Rows
from ketasim.studies.fit.likelihood import Array, Problem
from ketasim.studies.fit.search import INSIDE, SAME, Report, descend, side_by_side
from ketasim.studies.fit.slopes import AUTO

LEVEL = 0.9  # of an interval
MOST = 14  # points on one side of a profile
FIRST, SMALLEST, WIDEST = 0.4, 0.004, 0.25  # a first step, in errors; any step, in widths
EVALUATIONS = 30
FAR = 4.0  # a point that rises so many limits is too far
NEAR, REFINED = 0.05, 3  # how near the limit a point shall be, as a share of it; most tries
MOVED = 0.1  # a number that trades with another moves so many widths for one of the other
EDGE = 1e-3  # share of the width within which a number is at its bound
UNKNOWN = "not computed"
CROSSED, BOUND, STOPPED = "crossed", "bound", "stopped"


@dataclass(frozen=True)
class Side:
    """One side of a profile: where the number was put, what that costs, where the others went.

    ``points`` (n, n_free) begin at the best; ``losses`` (n,). ``ended`` is crossed, bound or
    stopped.
    """

    name: str
    way: int
    points: tuple[tuple[float, ...], ...]
    losses: tuple[float, ...]
    ended: str
    told: str = ""


@dataclass(frozen=True)
class Profile:
    """A number's likelihood profile, the interval it leaves, and what that means.

    ``x`` and ``rise`` (n,) are coordinates in order and what the loss rises by; ``low`` and
    ``high`` are values in the declared unit, None where nothing bounds it within its bounds;
    ``lowest`` are the coordinates (n_free,) of its lowest point.
    """

    name: str
    best: float
    low: float | None
    high: float | None
    verdict: str
    words: str
    x: tuple[float, ...]
    rise: tuple[float, ...]
    lowest: tuple[float, ...] = ()


def limit(level: float = LEVEL) -> float:
    """Return the rise of the loss at which an interval of a level ends."""
    return float(chi2.ppf(level, 1))


def profiles(
    problem: Problem,
    best: Array,
    loss: float,
    *,
    names: Sequence[str] = (),
    level: float = LEVEL,
    rows: Rows | None = None,
    workers: int | None = None,
    slopes: str = AUTO,
    report: Report | None = None,
) -> tuple[Profile, ...]:
    """Follow the likelihood of each number to both sides, and say what that means.

    Parameters
    ----------
    best, loss
        Where the search ended, coordinates (n_free,), and its loss.
    names
        Which numbers; all when none is named.
    level
        Of the intervals.
    rows
        Where each side is kept as it ends.
    report
        Hears how many sides are done, of how many.

    Raises
    ------
    ConfigError
        When a name is not among what is fitted.
    """
    chosen = list(dict.fromkeys(names)) or list(problem.names)
    for name in (one for one in chosen if one not in problem.names):
        raise ConfigError(f'profile "{name[:60]}": it is not fitted.{suggest(name, problem.names)}')
    jacobian = problem.slopes(best[None, :])[0][0]
    wanted = [(name, way) for name in chosen for way in (-1, 1)]
    known = {} if rows is None else {(r["name"], r["way"]): _read(r) for r in rows.found}
    left = [i for i, key in enumerate(wanted) if key not in known]
    errors = _errors(problem, jacobian)

    def one(i: int) -> Side:
        return _follow(problem, best, loss, wanted[i], errors, limit(level), slopes)

    for side in side_by_side(one, left, workers=workers):
        known[side.name, side.way] = side
        if rows is not None:
            rows.add(asdict(side))
        if report is not None:
            report(sum(key in known for key in wanted), len(wanted))
    lowest = min([loss, *(min(known[key].losses) for key in wanted)])
    alone = _alone(problem, best, chosen)
    return tuple(
        _profile(
            problem, best, (known[n, -1], known[n, 1]), lowest, limit(level), alone[n], jacobian
        )
        for n in chosen
    )


def _errors(problem: Problem, jacobian: Array) -> Array:
    """Return a standard error for each coordinate, at most its width."""
    low, high = problem.bounds
    width = high - low
    scaled = jacobian * width
    curvature = scaled.T @ scaled + np.eye(len(width))
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(curvature))) * width)


def _follow(
    problem: Problem, best: Array, loss: float, key: tuple[str, int], errors: Array, most: float,
    slopes: str,
) -> Side:  # fmt: skip
    """Follow one side step by step until the loss has risen by ``most`` or the bound is there."""
    name, way = key
    i = problem.names.index(name)
    low, high = (one[i] for one in problem.bounds)
    width, room = high - low, (high - best[i]) if way > 0 else (best[i] - low)
    walk = _Walk(problem, i, way, slopes, [(0.0, loss, best)])
    step = _within(FIRST * errors[i] * sqrt(most), width)
    for _ in range(MOST):
        left = room - walk.trail[-1][0]
        if left <= EDGE * width:
            return walk.side(BOUND)
        taken = step if step < left * (1.0 - EDGE) else left
        here = walk.at(walk.trail[-1][0] + taken)
        rise = inf if here is None else here[1] - loss
        if rise > FAR * most and taken > SMALLEST * width:
            step = max(taken * sqrt(most / rise) if isfinite(rise) else taken / 4.0, taken / 10.0)
            continue
        if here is None:
            return walk.side(STOPPED)
        walk.trail.append(here)
        if rise >= most:
            walk.refine(loss, most)
            return walk.side(CROSSED)
        step = _next(walk.trail, loss, most, width)
    return walk.side(STOPPED, f"{MOST} steps were not enough")


@dataclass
class _Walk:
    """A side under way: distances from the best, losses, points; the last is the farthest."""

    problem: Problem
    i: int
    way: int
    slopes: str
    trail: list[tuple[float, float, Array]]
    told: str = ""
    beyond: list[tuple[float, float, Array]] = field(default_factory=list)

    def at(self, distance: float) -> tuple[float, float, Array] | None:
        """Return the others fitted at a distance, begun where the trail leads; None on failure."""
        low, high = self.problem.bounds
        (d1, _, p1), (d0, _, p0) = self.trail[-1], self.trail[max(len(self.trail) - 2, 0)]
        ahead = p1 + (p1 - p0) * ((distance - d1) / (d1 - d0) if d1 > d0 else 0.0)
        inside = INSIDE * (high - low)
        start = np.clip(ahead, low + inside, high - inside)
        start[self.i] = self.trail[0][2][self.i] + self.way * distance
        found = descend(
            self.problem, start, held=(self.i,), slopes=self.slopes, evaluations=EVALUATIONS
        )
        self.told = found.told if found.loss is None else ""
        return None if found.loss is None else (distance, found.loss, np.array(found.point))

    def refine(self, loss: float, most: float) -> None:
        """Put points more where the limit is crossed, until one of them is near enough to it."""
        for _ in range(REFINED):
            rises = [max(one[1] - loss, 0.0) for one in self.trail]
            if min(abs(rise - most) for rise in rises) <= NEAR * most:
                return
            beyond = self.trail.pop()
            here = self.at(_crossing([one[0] for one in (*self.trail, beyond)], rises, most) or 0.0)
            if here is None:
                self.trail.append(beyond)
                return
            past = here[1] - loss >= most
            self.trail += [here] if past else [here, beyond]
            self.beyond += [beyond] if past else []

    def side(self, ended: str, told: str = "") -> Side:
        """Return it as a row."""
        whole = [*self.trail, *reversed(self.beyond)]
        return Side(
            self.problem.names[self.i],
            self.way,
            tuple(tuple(float(v) for v in point) for _, _, point in whole),
            tuple(float(loss) for _, loss, _ in whole),
            ended,
            told or (self.told if ended == STOPPED else ""),
        )


def _within(step: float, width: float) -> float:
    return min(max(step, SMALLEST * width), WIDEST * width)


def _next(
    trail: Sequence[tuple[float, float, Array]], loss: float, most: float, width: float
) -> float:
    """Return a step after which the root of the rise is some share of the limit's larger."""
    (d0, l0, _), (d1, l1, _) = trail[-2:]
    taken = d1 - d0
    rate = (sqrt(max(l1 - loss, 0.0)) - sqrt(max(l0 - loss, 0.0))) / taken
    step = FIRST * sqrt(most) / rate if rate > 0.0 else inf
    return _within(min(max(step, 0.4 * taken), 3.0 * taken), width)


def _crossing(x: Sequence[float], rises: Sequence[float], most: float) -> float | None:
    """Return where the root of the rise, straight between points, first passes the limit's."""
    for k in range(1, len(x)):
        if rises[k] >= most > rises[k - 1]:
            a, b = sqrt(rises[k - 1]), sqrt(rises[k])
            return x[k - 1] + (x[k] - x[k - 1]) * (sqrt(most) - a) / (b - a)
    return None


def _alone(problem: Problem, best: Array, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the loss when one number alone goes to either bound; infinite where a run fails."""
    places = [problem.names.index(one) for one in names]
    points = np.repeat(best[None, :], 2 * len(places), axis=0)
    for k, i in enumerate(places):
        points[2 * k, i], points[2 * k + 1, i] = (bound[i] for bound in problem.bounds)
    found = np.where((at := problem.at(points)).fine, at.losses, inf).reshape(-1, 2)
    return {name: (float(a), float(b)) for name, (a, b) in zip(names, found, strict=True)}


def _profile(
    problem: Problem, best: Array, sides: tuple[Side, Side], lowest: float, most: float,
    alone: tuple[float, float], jacobian: Array,
) -> Profile:  # fmt: skip
    below, above = sides
    i = problem.names.index(below.name)
    rows = [*zip(below.points[:0:-1], below.losses[:0:-1], strict=True),
            *zip(above.points, above.losses, strict=True)]  # fmt: skip
    x = [point[i] for point, _ in rows]
    rise = [max(loss - lowest, 0.0) for _, loss in rows]
    k = int(np.argmin(rise))
    ends = _crossing(x[k::-1], rise[k::-1], most), _crossing(x[k:], rise[k:], most)
    value = problem.free[i].value
    low, high = (None if one is None else float(value(np.array(one))) for one in ends)
    felt = [loss - lowest > most for loss in alone]
    trades = _trades(problem, jacobian, i)
    verdict, words = _verdict(problem, i, best, (low, high), felt, trades, sides)
    if rise[k] > SAME:
        verdict, words = UNKNOWN, f"{UNKNOWN}: elsewhere a better fit was found; give more starts"
    at = float(value(best[i]))
    shown = tuple(x), tuple(map(float, rise)), tuple(rows[k][0])
    return Profile(below.name, at, low, high, verdict, words, *shown)


def _trades(problem: Problem, jacobian: Array, i: int) -> list[str]:
    """Return the numbers that make up for this one when it moves, the most moved first.

    The smallest moves, in widths, that keep the residuals as they are: what drifts for reasons of
    its own is not among them.
    """
    low, high = problem.bounds
    scaled = jacobian * (high - low)
    mine = scaled[:, i].copy()
    scaled[:, i] = 0.0
    moved = np.abs(np.linalg.solve(scaled.T @ scaled + np.eye(len(low)), scaled.T @ mine))
    order = [int(k) for k in np.argsort(-moved) if moved[k] >= MOVED]
    return [problem.names[k] for k in order[:3]]


def _verdict(
    problem: Problem, i: int, best: Array, ends: tuple[float | None, float | None],
    felt: Sequence[bool], trades: Sequence[str], sides: tuple[Side, Side],
) -> tuple[str, str]:  # fmt: skip
    """Return a verdict and its sentence."""
    one, (low, high) = problem.free[i], ends
    of = "" if one.unit == "1" else f" {one.unit}"
    stopped = [s for s, end in zip(sides, ends, strict=True) if end is None and s.ended == STOPPED]
    if low is not None and high is not None:
        return "identified", f"identified: {low:.4g} to {high:.4g}{of}"
    if stopped:
        return UNKNOWN, f"{UNKNOWN}: {stopped[0].told or 'a run failed'}"
    bounded = low is not None or high is not None
    open_felt = any(f for f, end in zip(felt, ends, strict=True) if end is None)
    with_whom = f"trades with {', '.join(trades)}" if open_felt and trades else ""
    if low is not None:
        words = f"bounded below: at least {low:.4g}{of}"
    elif high is not None:
        words = f"bounded above: at most {high:.4g}{of}"
    elif with_whom:
        return "trades", f"{with_whom}: alone it matters, together nothing bounds it"
    else:
        words = "flat: the data do not tell it from any value within its bounds"
    bound_low, bound_high = (bound[i] for bound in problem.bounds)
    edge = EDGE * (bound_high - bound_low)
    at_edge = best[i] <= bound_low + edge or best[i] >= bound_high - edge
    words += f"; beyond, it {with_whom}" if bounded and with_whom else ""
    words += "; the best value is at its bound" if at_edge else ""
    return ("bounded below" if low is not None else "bounded above") if bounded else "flat", words


def _read(row: dict[str, Any]) -> Side:
    points = tuple(tuple(one) for one in row["points"])
    return Side(**{**row, "points": points, "losses": tuple(row["losses"])})
