"""Schedules of many members as flat arrays, each schedule once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.schedule import Schedule
from ketasim.errors import ModelError

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Inputs:
    """Edges of all schedules one after another, one row of inputs an edge.

    ``plans`` (n_members,) says which schedule a member follows (empty: the only one); schedule
    ``i`` owns the rows ``firsts[i]`` to ``firsts[i + 1]``. ``rates`` and ``knobs`` of the last row of
    a schedule are not used. ``columns`` are the states that ``rates`` and ``boluses`` feed.
    """

    plans: Counts
    firsts: Counts
    edges: Array
    knobs: Array
    rates: Array
    boluses: Array
    columns: tuple[int, ...]

    @property
    def dosed(self) -> tuple[int, ...]:
        """Return the states that any schedule feeds."""
        fed = (self.rates != 0.0).any(axis=0) | (self.boluses != 0.0).any(axis=0)
        return tuple(c for c, one in zip(self.columns, fed, strict=True) if one)

    def turned(self, neutral: Array) -> tuple[int, ...]:
        """Return the knobs that any schedule moves from neutral."""
        if not len(self.knobs):
            return ()
        return tuple(int(i) for i in np.flatnonzero((self.knobs != neutral).any(axis=0)))

    def narrowed(
        self, dosed: Sequence[int], turned: Collection[int], neutral: Sequence[float], n: int
    ) -> "Inputs":
        """Return the inputs of ``n`` members with a column for each state in ``dosed``.

        Raises
        ------
        ModelError
            When a schedule feeds or turns something else, or their number is wrong.
        """
        missing = set(self.dosed) - set(dosed), set(self.turned(np.array(neutral))) - set(turned)
        if any(missing):
            raise ModelError(
                "this kernel was compiled for other schedules: it leaves out states "
                f"{sorted(missing[0])} and knobs {sorted(missing[1])}. Compile it for these."
            )
        plans = self.plans if len(self.plans) else np.zeros(n, dtype=np.int64)
        if len(plans) != n:
            raise ModelError(f"{len(plans)} schedules for {n} members; give one, or one each.")
        rates, boluses = np.zeros((2, len(self.edges), len(dosed)))
        place = {state: at for at, state in enumerate(dosed)}
        for column, state in enumerate(self.columns):
            if state in place:
                rates[:, place[state]] = self.rates[:, column]
                boluses[:, place[state]] = self.boluses[:, column]
        return Inputs(plans, self.firsts, self.edges, self.knobs, rates, boluses, tuple(dosed))


def gather(schedules: Schedule | Iterable[Schedule]) -> Inputs:
    """Return schedules as flat arrays; the same object given twice is kept once."""
    single = isinstance(schedules, Schedule)
    many = [schedules] if isinstance(schedules, Schedule) else list(schedules)
    index: dict[int, int] = {}
    kept: list[Schedule] = []
    for one in many:
        if id(one) not in index:
            index[id(one)] = len(kept)
            kept.append(one)
    plans = [] if single else [index[id(one)] for one in many]
    if not kept:
        none = np.empty((0, 0))
        return Inputs(_whole([]), _whole([0]), np.empty(0), none, none, none, ())
    lengths = [len(one.edges) for one in kept]
    return Inputs(
        plans=_whole(plans),
        firsts=_whole(np.concatenate([[0], np.cumsum(lengths)])),
        edges=np.concatenate([one.edges for one in kept]).astype(float),
        knobs=np.concatenate([_padded(one.knobs) for one in kept]),
        rates=np.concatenate([_padded(one.rates) for one in kept]),
        boluses=np.concatenate([one.boluses for one in kept]).astype(float),
        columns=tuple(range(kept[0].rates.shape[1])),
    )


def _whole(numbers: object) -> Counts:
    return np.ascontiguousarray(numbers, dtype=np.int64)


def _padded(rows: Array) -> Array:
    """Return rows with one more, so that every edge has one."""
    return np.concatenate([rows, rows[-1:]]).astype(float)
