"""What a read-out looks at, as derivatives by the states and constants at a few moments.

A number of a course depends on the states at its moment (or moments) alone: an extreme on those at
its top, an integral on those at the places of its quadrature, a crossing on those where it
crosses. A *look* is such a moment with a weight; ``seeds`` turns looks into the derivatives that a
backward kernel starts from (``ketasim.compile.backstep``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.kernel import Plan, Reversal
from ketasim.compile.pullback import carried_out, pulled_back
from ketasim.compile.trace import Node
from ketasim.readouts.course import PLACES, WEIGHTS, is_rough

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
BESIDE = 1e-4  # of a step: how far a slope is looked for on either side
AROUND = 2e-2  # of a step: how far a curvature is
PARTS = 4  # of a step within which something bends sharply
SAME = 1e-9  # times nearer than this [h] are one
FIRST = -1  # the step of a look at what is there before anything is given


@dataclass(frozen=True)
class Looks:
    """Moments looked at: whose, in which step and at what share of it, and with what weight.

    All have shape (n,); ``places`` are indices of tasks.
    """

    places: Counts
    members: Counts
    steps: Counts
    shares: Array
    weights: Array

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.places)


class _Entries:
    """Entries of an array of each member, as one looks at them: ``leaf[i]`` is (n_looks,)."""

    def __init__(self, rows: Array, owners: Counts) -> None:
        self.rows, self.owners = rows, owners

    def __getitem__(self, i: int) -> Array:
        return np.asarray(self.rows[self.owners, i])


class Tape:
    """Steps that were taken, and what every name was within them.

    ``rows`` (n_members, n_tape, n_row) are as the stepper notes them and ``counts`` (n_members,)
    say how many are used. ``states`` are the live states whose dense output was kept.
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
        self.y = rows[:, :, 3 : 3 + n]
        self.dense = rows[:, :, 3 + n :].reshape(*rows.shape[:2], len(states), 4)
        self.begins, self.lengths = rows[:, :, 0], rows[:, :, 1]
        self.segments = rows[:, :, 2].astype(np.int64)

    @cached_property
    def first(self) -> Array:
        """Return the live states before anything is given, (n_members, n_live)."""
        return np.asarray(self.y[:, 0] - self.boluses[:, 0])

    def step_at(self, member: int, t: float, *, before: bool = False) -> tuple[int, float]:
        """Return the step that owns a time [h], and the share of it; the earlier one ``before``."""
        n = int(self.counts[member])
        side = "left" if before else "right"
        k = int(np.searchsorted(self.begins[member, :n], t + (-SAME if before else SAME), side)) - 1
        k = min(max(k, 0), n - 1)
        share = (t - self.begins[member, k]) / self.lengths[member, k]
        return k, float(min(max(share, 0.0), 1.0))

    def values(self, name: str, members: Counts, steps: Counts, shares: Array) -> Array:
        """Return a name's values, shape (n,)."""
        return carried_out([self.back.shown[name]], self._leaves(members, steps, shares))[0] + 0.0 * shares

    def _leaves(self, members: Counts, steps: Counts, shares: Array) -> dict[str, object]:
        x, rest = shares, 1.0 - shares
        found: dict[int, Array] = {}
        for j, state in enumerate(self.states):
            u, d1, d2, d3 = np.moveaxis(self.dense[members, steps, j], -1, 0)
            bend = d1 + x * (d2 + x * d3)
            y = self.y[members, steps, state]
            within = y * rest + x * (u + rest * bend)
            within = np.where(steps == FIRST, self.first[members, state], within)
            found[self.plan.live[state]] = within + self._last(members, steps, shares, state)
        segments = self.segments[members, np.maximum(steps, 0)]
        flat = members * self.knobs.shape[1] + segments
        return {
            "y": found,
            "p": _Entries(self.parameters, members),
            "k": _Entries(self.knobs.reshape(-1, self.knobs.shape[2]), flat),
            "r": _Entries(self.rates.reshape(-1, self.rates.shape[2]), flat),
        }

    def is_end(self, members: Counts, steps: Counts, shares: Array) -> NDArray[np.bool_]:
        """Return which looks are at the very end, when a last bolus has been given."""
        return np.asarray((steps == self.counts[members] - 1) & (shares >= 1.0))

    def _last(self, members: Counts, steps: Counts, shares: Array, state: int) -> Array:
        """Return what a bolus at the very end adds to a state."""
        given = self.boluses[members, self.segments[members, self.counts[members] - 1] + 1, state]
        return np.where(self.is_end(members, steps, shares), given, 0.0)

    def slopes_of(self, name: str, looks: Looks) -> Array:
        """Return how fast a name moves at looks [1/h], shape (n,)."""
        beyond = np.clip(looks.shares + BESIDE, 0.0, 1.0)
        short = np.clip(looks.shares - BESIDE, 0.0, 1.0)
        high = self.values(name, looks.members, looks.steps, beyond)
        low = self.values(name, looks.members, looks.steps, short)
        return np.asarray((high - low) / ((beyond - short) * self.lengths[looks.members, looks.steps]))

    def by_states(self, name: str, looks: Looks) -> tuple[dict[int, Array], dict[int, Array]]:
        """Return the derivatives of a name at looks, by live state and by constant, each (n,)."""
        node = self.back.shown[name]
        inputs = self._inputs(node)
        graph = node.graph
        back = pulled_back(graph, [(node, graph.const(1.0))], [key for key, _, _ in inputs], is_last=True)
        kept = [(kind, at, back[key]) for key, kind, at in inputs if key in back]
        leaves = self._leaves(looks.members, looks.steps, looks.shares)
        values = carried_out([one for _, _, one in kept], leaves)
        found: tuple[dict[int, Array], dict[int, Array]] = ({}, {})
        for (kind, at, _), value in zip(kept, values, strict=True):
            found[kind][at] = np.broadcast_to(value, looks.shares.shape)
        return found

    def _inputs(self, node: Node) -> list[tuple[int, int, int]]:
        """Return what a read value is taken to depend on: (node id, 0 state or 1 constant, place)."""
        graph = node.graph
        states = [(graph.leaf("y", self.plan.live[i]).id, 0, i) for i in self.states]
        constants = [(one.id, 1, at) for at, one in enumerate(self.back.constants)]
        return [*states, *constants]

    def panels(self, name: str, member: int) -> tuple[Array, Array, Array, Counts, Array, Array]:
        """Return a name's panels: begins, lengths, values (n, 5), and of each its step and shares.

        Steps within which the name bends sharply are cut in parts, as engines cut them.
        """
        n = int(self.counts[member])
        steps = np.arange(n)
        values = self._five(name, member, steps, np.zeros(n), np.ones(n))
        rough = is_rough(values)
        cut = np.repeat(steps[rough], PARTS)
        first = np.tile(np.arange(PARTS) / PARTS, int(rough.sum()))
        every = np.concatenate([steps[~rough], cut])
        low = np.concatenate([np.zeros(int((~rough).sum())), first])
        wide = np.concatenate([np.ones(int((~rough).sum())), np.full(len(cut), 1.0 / PARTS)])
        order = np.lexsort((low, every))
        every, low, wide = every[order], low[order], wide[order]
        values = self._five(name, member, every, low, low + wide)
        h = self.lengths[member, every]
        return self.begins[member, every] + low * h, wide * h, values, every, low, wide

    def _five(self, name: str, member: int, steps: Counts, low: Array, high: Array) -> Array:
        shares = low[:, None] + PLACES * (high - low)[:, None]
        many = np.repeat(steps, len(PLACES))
        found = self.values(name, np.full(len(many), member), many, shares.ravel())
        return found.reshape(shares.shape)


def area(
    tape: Tape, name: str, member: int, window: tuple[float, float]
) -> tuple[Counts, Array, Array]:
    """Return the steps, shares and weights of the places that an integral is taken from [h]."""
    begins, lengths, _, steps, low, wide = tape.panels(name, member)
    first = np.maximum(begins, window[0])
    last = np.minimum(begins + lengths, window[1])
    kept = last > first
    inner_low = low + wide * (first - begins) / lengths
    inner_high = low + wide * (last - begins) / lengths
    shares = inner_low[kept, None] + PLACES * (inner_high - inner_low)[kept, None]
    weights = (last - first)[kept, None] * WEIGHTS
    return np.repeat(steps[kept], len(PLACES)), shares.ravel(), weights.ravel()


def crossings(
    tape: Tape, name: str, member: int, level: float, window: tuple[float, float]
) -> tuple[Counts, Array, Array]:
    """Return the steps and shares at which a name passes a level, and whether up (1) or down (-1)."""
    begins, lengths, values, steps, low, wide = tape.panels(name, member)
    fine = np.linspace(0.0, 1.0, 33)
    powers = np.linalg.inv(np.vander(PLACES, 5, increasing=True))
    curves = (values @ powers.T - np.array([level, 0.0, 0.0, 0.0, 0.0]))
    heights = curves @ np.vander(fine, 5, increasing=True).T
    rows, columns = np.nonzero((heights[:, :-1] > 0.0) != (heights[:, 1:] > 0.0))
    a, b = fine[columns], fine[columns + 1]
    up = heights[rows, columns + 1] > 0.0
    for _ in range(50):
        middle = 0.5 * (a + b)
        value = (curves[rows] * np.vander(middle, 5, increasing=True)).sum(axis=1)
        after = (value > 0.0) == up
        a, b = np.where(after, a, middle), np.where(after, middle, b)
    x = 0.5 * (a + b)
    t = begins[rows] + x * lengths[rows]
    inside = (t > window[0]) & (t < window[1])
    shares = (low[rows] + x * wide[rows])[inside]
    return steps[rows][inside], shares, np.where(up, 1.0, -1.0)[inside]

