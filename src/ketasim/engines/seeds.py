"""What a read-out looks at, as derivatives by the states and constants at a few moments.

A number of a course depends on the states at its moment (or moments) alone: an extreme on those at
its top, an integral on those at the places of its quadrature, a crossing on those where it
crosses. A *look* is such a moment with a weight; ``seeds`` turns looks into the derivatives that a
backward kernel starts from (``ketasim.compile.backstep``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.kernel import Plan, Reversal
from ketasim.compile.pullback import carried_out, pulled_back
from ketasim.compile.trace import Node, reach
from ketasim.readouts.course import PLACES, WEIGHTS, is_rough

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
BESIDE = 1e-4  # of a step: how far a slope is looked for on either side
AROUND = 2e-2  # of a step: how far a curvature is
PARTS = 4  # of a step within which something bends sharply
SAME = 1e-9  # times nearer than this [h] are one
FINELY, HALVINGS = 32, 50  # parts of a panel looked at for a crossing, and how often each is halved
_TO_POWERS = np.linalg.inv(np.vander(PLACES, 5, increasing=True))
FIRST = -1  # the step of a look at what is there before anything is given


@dataclass(frozen=True)
class Looks:
    """Steps looked into, each at some places: whose, which, at what shares, with what weights.

    ``places`` (indices of tasks), ``members`` and ``steps`` are (n,); ``weights`` (n, k) and
    ``shares`` (n, k), or (1, k) where every step is looked into at the same places. ``shape`` is
    what a state there is by a step's five numbers, as :func:`shape_of` has it.
    """

    places: Counts
    members: Counts
    steps: Counts
    shares: Array
    weights: Array
    shape: Array

    @property
    def at_first(self) -> NDArray[np.bool_]:
        """Return which look at what is there before anything is given, (n,)."""
        return np.asarray(self.steps == FIRST)


class _Entries:
    """Entries of an array of each member, as one looks at them: ``leaf[i]`` is (n_looks, 1)."""

    def __init__(self, rows: Array, owners: Counts) -> None:
        """Take the rows of all members, and whose is looked at."""
        self.rows, self.owners = rows, owners

    def __getitem__(self, i: int) -> Array:
        """Return entry ``i`` as each look sees it."""
        return np.asarray(self.rows[self.owners, i][:, None])


class _Within:
    """States at shares of steps, each found when it is asked for: ``leaf[i]`` is (n_looks, k)."""

    def __init__(
        self, tape: "Tape", members: Counts, steps: Counts, shares: Array, shape: Array
    ) -> None:
        """Take where states are looked at."""
        self.tape, self.where = tape, (members, steps, shares, shape)
        self.known: dict[int, Array] = {}

    def __getitem__(self, i: int) -> Array:
        """Return state ``i`` of the model."""
        if i not in self.known:
            state = self.tape.plan.live.index(i)
            self.known[i] = self.tape.state_at(state, *self.where)
        return self.known[i]


class Tape:
    """Steps that were taken, and what every name was within them.

    ``rows`` (n_members, n_tape, n_row) are as the stepper notes them and ``counts`` (n_members,)
    say how many are used, none of a member that failed. ``states`` are the live states whose dense
    output was kept.
    """

    def __init__(
        self,
        plan: Plan,
        back: Reversal,
        rows: Array,
        counts: Counts,
        *,
        states: Sequence[int],
        parameters: Array,
        knobs: Array,
        rates: Array,
        boluses: Array,
    ) -> None:
        """Take what was noted; ``knobs``, ``rates``, ``boluses`` are (n_members, n_edges, ...)."""
        self.plan, self.back, self.rows, self.counts = plan, back, rows, counts
        self.states, self.parameters = tuple(states), parameters
        self.knobs, self.rates, self.boluses = knobs, rates, boluses
        n = len(plan.live)
        rows = rows[:, : max(1, int(counts.max(initial=0)))]
        self.y = rows[:, :, 3 : 3 + n]
        self.dense = rows[:, :, 3 + n :].reshape(*rows.shape[:2], len(states), 4)
        self.begins, self.lengths = rows[:, :, 0], rows[:, :, 1]
        self._segments = rows[:, :, 2]

    def segment_of(self, members: Counts, steps: Counts) -> Counts:
        """Return the segment that each step lies in, (n,); the first for what is before all."""
        return self._segments[members, np.maximum(steps, 0)].astype(np.int64)

    @cached_property
    def first(self) -> Array:
        """Return the live states before anything is given, (n_members, n_live)."""
        return np.asarray(self.y[:, 0] - self.boluses[:, 0])

    def step_at(self, members: Counts, t: Array, *, before: bool = False) -> tuple[Counts, Array]:
        """Return the step of each member that owns a time [h], and the share of it, each (n,).

        At a step's beginning that step owns it; the earlier one does ``before``.
        """
        begins, counts = self.begins[members], self.counts[members]
        used = np.arange(begins.shape[1]) < counts[:, None]
        earlier = begins < (t - SAME)[:, None] if before else begins <= (t + SAME)[:, None]
        steps = np.clip((earlier & used).sum(axis=1) - 1, 0, counts - 1)
        shares = (t - self.begins[members, steps]) / self.lengths[members, steps]
        return steps, np.clip(shares, 0.0, 1.0)

    def values(self, name: str, members: Counts, steps: Counts, shares: Array) -> Array:
        """Return a name's values at a share of each step, all (n,)."""
        return self._seen(name, members, steps, shares[:, None])[:, 0]

    def _seen(self, name: str, members: Counts, steps: Counts, shares: Array) -> Array:
        """Return a name's values at shares (n, k) or (1, k) of steps, (n, k)."""
        leaves = self._leaves(members, steps, shares, shape_of(shares))
        (found,) = carried_out([self.back.shown[name]], leaves)
        return np.broadcast_to(found, (len(steps), shares.shape[1]))

    def _leaves(
        self, members: Counts, steps: Counts, shares: Array, shape: Array
    ) -> dict[str, Any]:
        inputs = self._inputs_of(members, self.segment_of(members, steps))
        return {**inputs, "y": _Within(self, members, steps, shares, shape)}

    def state_at(
        self, state: int, members: Counts, steps: Counts, shares: Array, shape: Array
    ) -> Array:
        """Return a live state at shares of steps, (n, k); ``shape`` is their ``shape_of``."""
        dense = self.dense[members, steps, self.states.index(state)].T[:, :, None]
        y = self.y[members, steps, state][:, None]
        within = summed(zip((y, *dense), shape, strict=True))
        if (steps == FIRST).any():
            first = self.first[members, state][:, None]
            within = np.where((steps == FIRST)[:, None], first, within)
        if self._given_last[:, state].any():
            given = self._given_last[members, state][:, None]
            within = within + np.where(self.is_end(members, steps, shares), given, 0.0)
        return np.asarray(within)

    def leaves(self, members: Counts, steps: Counts) -> dict[str, Any]:
        """Return everything that laws follow from at the beginnings of steps."""
        y = np.moveaxis(self.y[members, steps], -1, 0)[:, :, None]
        known, nothing = dict(zip(self.plan.live, y, strict=True)), np.zeros((len(members), 1))
        states = [known.get(i, nothing) for i in range(len(self.plan.scales))]
        return {**self._inputs_of(members, self.segment_of(members, steps)), "y": states}

    def _inputs_of(self, members: Counts, segments: Counts) -> dict[str, Any]:
        flat = members * self.knobs.shape[1] + segments
        return {
            "p": _Entries(self.parameters, members),
            "k": _Entries(self.knobs.reshape(-1, self.knobs.shape[2]), flat),
            "r": _Entries(self.rates.reshape(-1, self.rates.shape[2]), flat),
        }

    def is_end(
        self, members: Counts, steps: Counts, shares: Array, some: Counts | None = None
    ) -> NDArray[np.bool_]:
        """Return which looks are at the very end, when a last bolus has been given, (n, k).

        ``some`` are the looks that are asked about, by default all.
        """
        if some is not None:
            members, steps = members[some], steps[some]
            shares = shares[some] if len(shares) > 1 else shares
        return np.asarray((steps == self.counts[members] - 1)[:, None] & (shares >= 1.0))

    @cached_property
    def _given_last(self) -> Array:
        """Return what a bolus at the very end adds to each live state, (n_members, n_live)."""
        found, members = np.zeros_like(self.first), np.flatnonzero(self.counts)
        last = self.segment_of(members, self.counts[members] - 1) + 1
        found[members] = self.boluses[members, last]
        return found

    def slopes_of(self, name: str, members: Counts, steps: Counts, shares: Array) -> Array:
        """Return how fast a name moves within steps [1/h], shape (n,)."""
        beyond = np.clip(shares + BESIDE, 0.0, 1.0)
        short = np.clip(shares - BESIDE, 0.0, 1.0)
        high = self.values(name, members, steps, beyond)
        low = self.values(name, members, steps, short)
        return np.asarray((high - low) / ((beyond - short) * self.lengths[members, steps]))

    def by_states(self, name: str, looks: Looks) -> tuple[dict[int, Array], dict[int, Array]]:
        """Return the derivatives of a name at looks, by live state and by constant.

        Each is (n, k), or (n, 1) or (1, 1) where that is the same at all places or for all.
        """
        kept = self._slopes(name)
        leaves = self._leaves(looks.members, looks.steps, looks.shares, looks.shape)
        values = carried_out([one for _, _, one in kept], leaves)
        found: tuple[dict[int, Array], dict[int, Array]] = ({}, {})
        for (kind, at, _), value in zip(kept, values, strict=True):
            found[kind][at] = np.atleast_2d(value)
        return found

    def _slopes(self, name: str) -> list[tuple[int, int, Node]]:
        """Return a name's derivatives as nodes, each with what it is by; see ``_inputs``."""
        known = self.back.derivatives
        if (name, self.states) not in known:
            node = self.back.shown[name]
            inputs, one = self._inputs(node), node.graph.const(1.0)
            back = pulled_back(node.graph, [(node, one)], [i for i, _, _ in inputs], is_last=True)
            known[name, self.states] = [
                (kind, at, back[key]) for key, kind, at in inputs if key in back
            ]
        return known[name, self.states]

    def _inputs(self, node: Node) -> list[tuple[int, int, int]]:
        """Return what a value depends on: node id, 0 for a state or 1 for a constant, place."""
        graph = node.graph
        states = [(graph.leaf("y", self.plan.live[i]).id, 0, i) for i in self.states]
        constants = [(one.id, 1, at) for at, one in enumerate(self.back.constants)]
        return [*states, *constants]

    def steps_of(self, members: Counts) -> tuple[Counts, Counts]:
        """Return all steps of some members: whose, and which."""
        which, steps = _numbered(self.counts[members])
        return members[which], steps

    def five(self, name: str, members: Counts, steps: Counts) -> Array:
        """Return a name's values at five places of steps, (n, 5)."""
        return self._seen(name, members, steps, PLACES[None])

    def is_curved(self, name: str) -> bool:
        """Return whether a name is more within a step than a sum of states, which five give."""
        kept = reach(node for kind, _, node in self._slopes(name) if kind == 0)
        return any(node.leaf[0] == "y" for node in kept)

    def panels(self, name: str, members: Counts) -> "Panels":
        """Return a name's panels within the steps of some members.

        Steps within which the name bends sharply are cut in parts, as engines cut them.
        """
        owners, steps = self.steps_of(members)
        values = self.five(name, owners, steps)
        which, low, wide = _cut(is_rough(values) & self.is_curved(name))
        owners, steps, values = owners[which], steps[which], values[which]
        cut = wide < 1.0
        shares = low[cut, None] + PLACES * wide[cut, None]
        values[cut] = self._seen(name, owners[cut], steps[cut], shares)
        h = self.lengths[owners, steps]
        begins = self.begins[owners, steps] + low * h
        return Panels(owners, steps, begins, wide * h, low, wide, values)


def _numbered(counts: Counts) -> tuple[Counts, Counts]:
    """Return, for things of which there are so many, of which each is and its number within."""
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - (np.cumsum(counts) - counts)[which]


def _cut(sharp: NDArray[np.bool_]) -> tuple[Counts, Array, Array]:
    """Return panels of steps: which step, where in it each begins and how wide it is."""
    cuts = np.where(sharp, PARTS, 1)
    which, part = _numbered(cuts)
    return which, part / cuts[which], 1.0 / cuts[which]


def shape_of(shares: Array) -> Array:
    """Return what a state at shares of a step is by its five numbers, (5, ...).

    These are the state at the beginning and at the end, and the three rows of the dense output.
    """
    rest = 1.0 - shares
    bend = shares * rest
    return np.stack([rest, shares, bend, shares * bend, shares * shares * bend])


def summed(pairs: Iterable[tuple[Array, Array]]) -> Array:
    """Return a sum of products, always in this order, so that no number depends on its neighbours.

    A matrix product sums in an order that depends on how many rows there are.
    """
    return np.asarray(sum(a * b for a, b in pairs))


@dataclass(frozen=True)
class Panels:
    """Stretches of steps with a value at five places of each: whose, and where they are.

    All are (n,) but ``values`` (n, 5); ``begins`` and ``lengths`` are in h, ``low`` and ``wide``
    shares of the step.
    """

    members: Counts
    steps: Counts
    begins: Array
    lengths: Array
    low: Array
    wide: Array
    values: Array


Area = tuple[Counts, Counts, Array, Array, Array]
_WHOLE = shape_of(PLACES[None])
_MEAN = (_WHOLE @ WEIGHTS)[:, :, None]


def area(tape: Tape, name: str, members: Counts, window: tuple[float, float]) -> list[Area]:
    """Return where integrals are taken from: whose, steps, shares, weights [h], shape, as in looks.

    Of a sum of states the mean over a step says all; else a step is looked into at five places.
    """
    owners, steps = tape.steps_of(members)
    sharp = np.zeros(len(steps), dtype=bool)
    is_curved = tape.is_curved(name)
    if is_curved:
        sharp = is_rough(tape.five(name, owners, steps))
    begins, lengths = tape.begins[owners, steps], tape.lengths[owners, steps]
    ends = begins + lengths
    whole = ~sharp & (begins >= window[0]) & (ends <= window[1])
    shares, shape, per = PLACES[None], _WHOLE, WEIGHTS
    if not is_curved:
        whole &= steps < tape.counts[owners] - 1  # a bolus at the end is in its last value alone
        shares, shape, per = np.zeros((1, 1)), _MEAN, np.ones(1)
    parts = [(owners[whole], steps[whole], shares, lengths[whole, None] * per, shape)]
    left = np.flatnonzero(~whole & (ends > window[0]) & (begins < window[1]))
    which, low, wide = _cut(sharp[left])
    at = left[which]
    first = np.maximum(low, (window[0] - begins[at]) / lengths[at])
    span = np.minimum(low + wide, (window[1] - begins[at]) / lengths[at]) - first
    kept = span > 0.0
    first, span, at = first[kept], span[kept], at[kept]
    shares = first[:, None] + PLACES * span[:, None]
    weights = (span * lengths[at])[:, None] * WEIGHTS
    parts.append((owners[at], steps[at], shares, weights, shape_of(shares)))
    return [part for part in parts if len(part[0])]


def crossings(
    tape: Tape, name: str, members: Counts, levels: Array, window: tuple[float, float]
) -> tuple[Counts, Counts, Array, Array]:
    """Return where a name passes each member's level: whose, steps, shares, and 1 up or -1 down."""
    found = tape.panels(name, members)
    level = np.zeros(len(tape.counts))
    level[members] = levels
    curves = found.values @ _TO_POWERS.T
    curves[:, 0] -= level[found.members]
    fine = np.linspace(0.0, 1.0, FINELY + 1)
    heights = curves @ np.vander(fine, 5, increasing=True).T
    rows, columns = np.nonzero((heights[:, :-1] > 0.0) != (heights[:, 1:] > 0.0))
    low, high = fine[columns], fine[columns + 1]
    up = heights[rows, columns + 1] > 0.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        value = (curves[rows] * np.vander(middle, 5, increasing=True)).sum(axis=1)
        passed = (value > 0.0) == up
        low, high = np.where(passed, low, middle), np.where(passed, middle, high)
    x = 0.5 * (low + high)
    t = found.begins[rows] + x * found.lengths[rows]
    inside = (t > window[0]) & (t < window[1])
    rows, x, up = rows[inside], x[inside], up[inside]
    shares = found.low[rows] + x * found.wide[rows]
    return found.members[rows], found.steps[rows], shares, np.where(up, 1.0, -1.0)
