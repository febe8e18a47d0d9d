"""Is rest safe? Loop gains over the bounds of the ledger, and whether there is a rest at all.

A state answers those that feed it by ``d ln x_i / d ln x_j = A_ij x_j / (D_i x_i)``, where ``D_i``
is how fast it is lost and ``A_ij`` how its gains and losses change with the other. The product
around a loop is its gain: of a small change, how much comes back. A loop that returns less than it
was given dies out; one whose product is negative pushes back. Loops are found in the model as it
is traced, among states that reach each other; nothing here knows a mechanism by name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.studies.designs.design import Design
from ketasim.units import unit

Array = NDArray[np.float64]
MOST_LOOPS = 500  # in one knot of states; what is beyond is counted, not told
AWAY = 3.0  # states are taken so many times below and above their rest
SEEN = 1e-9  # a smaller gain is no arrow
PASSES = 2  # over all parameters, in search of the largest gain


@dataclass(frozen=True)
class Loop:
    """States that feed each other in a ring, and what comes back of a change around it.

    ``gain`` is at the model's own values, ``drawn`` the largest over draws, ``largest`` the largest
    that a search over the ends of the bounds found, all at rest; ``away`` is the largest over draws
    with every state up to three times off its rest. ``ceiling`` is the product of the largest
    single logarithmic answers, each at the draw that is worst for it, which no draw exceeds.
    ``worst`` are the parameters that the search moved to most effect.
    """

    states: tuple[str, ...]
    gain: float
    drawn: float
    away: float
    largest: float
    ceiling: float
    worst: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """Return its states, the first one last again."""
        return " > ".join((*self.states, self.states[0]))

    @property
    def pushes_back(self) -> bool:
        """Return whether no draw found it to strengthen a change."""
        return max(self.gain, self.drawn, self.largest) <= 0.0

    @property
    def safe(self) -> bool:
        """Return whether less than it was given comes back, wherever in the bounds, at rest."""
        return max(self.gain, self.drawn, self.largest) < 1.0


@dataclass(frozen=True)
class Together:
    """What all loops return at once: the largest real eigenvalue of the logarithmic answers.

    At 1 rest would give way to another one. At the model's own values, the most over draws at rest,
    and the most over draws with every state up to three times off its rest.
    """

    own: float
    drawn: float
    away: float


@dataclass(frozen=True)
class Answers:
    """How states of a model answer each other, under given parameters.

    Of a conserved pool one state is what the others leave: nothing that is only moved can be fed
    back. It is the one that nothing reads, or the largest.
    """

    model: Model

    @cached_property
    def system(self) -> System:
        """Return the model as plain arrays."""
        return System(self.model)

    @cached_property
    def left(self) -> list[tuple[int, list[int]]]:
        """Return for each conserved pool the state that is what the others leave, and those."""
        system, order = self.system, list(self.model.states)
        values = system.prepare(system.default_parameters, system.neutral_knobs)
        rest = system.rest(values)
        read = np.abs(system.flow_slopes(values, rest)).max(axis=0) > 0.0
        found = []
        for pool in self.model.conserved:
            rows = [order.index(name) for name in pool]
            unread = [row for row in rows if not read[row]]
            one = unread[0] if unread else max(rows, key=lambda row: float(rest[row]))
            found.append((one, [row for row in rows if row != one]))
        return found

    @cached_property
    def kept(self) -> list[int]:
        """Return the other states, by number."""
        gone = {one for one, _ in self.left}
        return [row for row in range(len(self.system.state_names)) if row not in gone]

    @cached_property
    def names(self) -> list[str]:
        """Return their names."""
        return [self.system.state_names[row] for row in self.kept]

    @cached_property
    def _signs(self) -> Array:
        """Return what each flow does to each state: 1, -1 or 0, (n_states, n_flows)."""
        n = len(self.system.state_names)
        signs = np.zeros((n + 1, len(self.system.ends)))
        for flow, (into, out_of) in enumerate(self.system.ends):
            signs[into, flow] += 1.0
            signs[out_of, flow] -= 1.0
        return signs[self.kept]

    def at(self, parameters: Array, factors: Array | float = 1.0) -> Array:
        """Return answers as logarithmic slopes, with states so many times their rest.

        A state whose rest is 0 counts with its scale. The shape is (n_kept, n_kept).
        """
        return self._split(parameters, factors)[0]

    def lifetimes(self, parameters: Array) -> dict[str, float]:
        """Return how long each state lasts at rest [h] if nothing feeds it; inf if for good."""
        with np.errstate(divide="ignore"):
            return dict(
                zip(self.names, (1.0 / self._split(parameters, 1.0)[1]).tolist(), strict=True)
            )

    def _split(self, parameters: Array, factors: Array | float) -> tuple[Array, Array]:
        system = self.system
        values = system.prepare(parameters, system.neutral_knobs)
        states = system.rest(values) * factors
        slopes = system.flow_slopes(values, states)
        sizes = np.where(states > 0.0, states, system.scales)[self.kept]
        for one, others in self.left:
            slopes[:, others] -= slopes[:, [one]]
        slopes = slopes[:, self.kept]
        own = self._signs * slopes.T
        lost, fed = np.maximum(-own, 0.0).sum(axis=1), np.maximum(own, 0.0).sum(axis=1)
        answers = self._signs @ slopes
        np.fill_diagonal(answers, fed)
        with np.errstate(all="ignore"):
            relative = answers / lost[:, None] * sizes / sizes[:, None]
        return np.where((lost[:, None] > 0.0) & np.isfinite(relative), relative, 0.0), lost


def members(model: Model, design: Design) -> Array:
    """Return the canonical parameters of every draw, (n_draws, n_parameters)."""
    order = list(model.parameters)
    full = np.repeat(System(model).default_parameters[None, :], len(design), axis=0)
    for column, name in enumerate(design.names):
        full[:, order.index(name)] = (
            design.rows(0, len(design))[:, column] * unit(model.unit(name)).factor
        )
    return full


def loops(model: Model, draws: Array, *, seed: int = 1) -> tuple[list[Loop], Together]:
    """Return every feedback loop of a model, the strongest first, and all of them together.

    Parameters
    ----------
    model
        Any model whose laws can be traced.
    draws
        Canonical parameters, (n_draws, n_parameters).
    seed
        Of how far states are taken off their rest.
    """
    answers = Answers(model)
    own = answers.at(answers.system.default_parameters)
    rng = np.random.default_rng(seed)
    spread = AWAY ** rng.uniform(-1.0, 1.0, (len(draws), len(answers.system.state_names)))
    at_rest = np.array([own, *(answers.at(one) for one in draws)])
    away = np.array([answers.at(one, far) for one, far in zip(draws, spread, strict=True)])
    arrows = np.abs(np.concatenate([at_rest, away])).max(axis=0) > SEEN
    rings = [ring for knot in _knots(arrows) for ring in _rings(arrows, knot)]
    found = [_loop(answers, ring, draws, at_rest, away) for ring in rings]
    together = Together(_root(own), *(max(map(_root, many)) for many in (at_rest, away)))
    return sorted(found, key=lambda one: (-max(one.largest, one.away), one.states)), together


def _loop(
    answers: Answers, ring: tuple[int, ...], draws: Array, at_rest: Array, away: Array
) -> Loop:
    gains = _product(at_rest, ring)
    far = float(_product(away, ring).max(initial=-np.inf))
    best = int(gains[1:].argmax()) if len(draws) else -1
    start = draws[best] if gains[1:].max(initial=-np.inf) > gains[0] else None
    largest, worst = _search(answers, ring, start, float(gains.max()))
    return Loop(
        states=tuple(answers.names[i] for i in ring),
        gain=float(gains[0]),
        drawn=float(gains[1:].max(initial=gains[0])),
        away=far if np.isfinite(far) else nan,
        largest=largest,
        ceiling=float(_product(np.abs(at_rest).max(axis=0)[None], ring)[0]),
        worst=worst,
    )


def _root(answers: Array) -> float:
    roots = np.linalg.eigvals(answers)
    return float(roots.real[np.abs(roots.imag) < SEEN].max(initial=0.0))


def _product(answers: Array, ring: Sequence[int]) -> Array:
    """Return the gain around a ring, (n,): each state answers the one before it."""
    before = (*ring[-1:], *ring[:-1])
    found: Array = np.prod([answers[:, i, j] for i, j in zip(ring, before, strict=True)], axis=0)
    return found


def _search(
    answers: Answers, ring: tuple[int, ...], start: Array | None, best: float
) -> tuple[float, tuple[str, ...]]:
    """Return the largest gain found by moving one parameter at a time to either end.

    With it come the parameters that were moved furthest: those that the loop hangs on.
    """
    if best <= 0.0:
        return best, ()
    model = answers.model
    point = (answers.system.default_parameters if start is None else start).copy()
    moved: dict[str, float] = {}
    for _ in range(PASSES):
        before = best
        for k, (name, one) in enumerate(model.parameters.items()):
            for end in _ends(model, name) if one.bounds[0] < one.bounds[1] else ():
                trial = point.copy()
                trial[k] = end
                gain = float(_product(answers.at(trial)[None], ring)[0])
                if gain > best * (1.0 + 1e-6) and is_possible(answers.system, trial):
                    moved[name] = moved.get(name, 0.0) + gain / best - 1.0
                    point, best = trial, gain
        if best <= before * 1.01:
            break
    return best, tuple(sorted(moved, key=lambda name: -moved[name])[:3])


def _ends(model: Model, name: str) -> tuple[float, float]:
    factor = unit(model.parameters[name].unit).factor
    low, high = model.parameters[name].bounds
    return low * factor, high * factor


def is_possible(system: System, parameters: Array) -> bool:
    """Return whether there is a rest within the intervals of the states, and no rate is negative.

    A rate that follows from other numbers is negative where these contradict each other, as where
    more sites are said to be empty under stress than there are.
    """
    return not impossible(system, parameters)


def impossible(system: System, parameters: Array) -> str:
    """Return the state that has no rest within its interval, or the negative rate; '' for none."""
    with np.errstate(all="ignore"):
        values = system.prepare(parameters, system.neutral_knobs)
        rest = system.rest(values)
    low, high = system.within
    for name, fine in zip(system.state_names, (low <= rest) & (rest <= high), strict=True):
        if not fine:
            return name
    return next((one for one in _rates(system.model) if not values[system.slots[one]] >= 0.0), "")


def _rates(model: Model) -> list[str]:
    """Return the derived numbers that are rates."""
    rate = unit("1/h").dimension
    names = [one.name for one in model.derived if one.name]
    return [name for name in names if unit(model.unit(name)).dimension == rate]


def _knots(arrows: NDArray[np.bool_]) -> Iterator[list[int]]:
    """Yield the states that reach each other, knot by knot."""
    count, labels = connected_components(arrows.T, directed=True, connection="strong")
    for label in range(count):
        knot = np.flatnonzero(labels == label).tolist()
        if len(knot) > 1 or arrows[knot[0], knot[0]]:
            yield knot


def _rings(arrows: NDArray[np.bool_], knot: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield the rings within a knot, each once, from its first state on; shorter ones first."""
    found = 0
    paths: list[tuple[int, ...]] = [(first,) for first in knot]
    while paths and found < MOST_LOOPS:
        longer: list[tuple[int, ...]] = []
        for path in paths:
            if arrows[path[0], path[-1]] and found < MOST_LOOPS:
                found += 1
                yield path
            onward = [i for i in knot if i > path[0] and i not in path and arrows[i, path[-1]]]
            longer += [(*path, i) for i in onward]
        paths = longer if len(longer) < 200_000 else []
