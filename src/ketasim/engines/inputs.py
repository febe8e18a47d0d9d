"""What a kernel is told: schedules of many members as flat arrays, and what to read of each."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.kernel import Plan
from ketasim.compile.writer import LINE
from ketasim.core.schedule import Schedule
from ketasim.errors import ModelError
from ketasim.readouts.derive import PRIMITIVES, Primitive

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
ROOM = 8  # numbers that an unfinished answer needs, as in compile/scan.py
PLACES = 12  # values kept of each watched name: ten places, one from before, and a mark
AT, START = PRIMITIVES.index("at"), PRIMITIVES.index("start")


def workspace(size: int) -> Array:
    """Return zeros for a kernel to work in, which begin on a cache line."""
    raw = np.zeros(size + LINE)
    skip = -(raw.ctypes.data // raw.itemsize) % LINE
    return raw[skip : skip + size]


@dataclass(frozen=True)
class Inputs:
    """Edges of all schedules one after another, one row of inputs an edge.

    ``plans`` (n_members,) says which schedule a member follows (empty: the only one); schedule
    ``i`` owns the rows ``firsts[i]`` to ``firsts[i + 1]``. Of its last row, ``rates`` and ``knobs``
    are not used. ``columns`` are the states that ``rates`` and ``boluses`` feed,
    ``settled`` (n_schedules,) says which start at rest under conditions that have always held,
    ``before`` (n_schedules, n_knobs).
    """

    plans: Counts
    firsts: Counts
    edges: Array
    knobs: Array
    rates: Array
    boluses: Array
    columns: tuple[int, ...]
    settled: NDArray[np.bool_]
    before: Array

    @property
    def dosed(self) -> tuple[int, ...]:
        """Return the states that any schedule feeds."""
        fed = (self.rates != 0.0).any(axis=0) | (self.boluses != 0.0).any(axis=0)
        return tuple(c for c, one in zip(self.columns, fed, strict=True) if one)

    def turned(self, neutral: Array) -> tuple[int, ...]:
        """Return the knobs that any schedule moves from neutral."""
        moved = (self.knobs != neutral).any(axis=0) | (self.before != neutral).any(axis=0)
        return tuple(int(i) for i in np.flatnonzero(moved))

    def for_members(self, n: int) -> "Inputs":
        """Return the inputs with a schedule named for each of ``n`` members.

        Raises
        ------
        ModelError
            When there is neither one schedule nor one a member.
        """
        plans = self.plans
        if not len(plans) and len(self.firsts) == 2:
            plans = np.zeros(n, dtype=np.int64)
        if len(plans) != n:
            raise ModelError(f"{len(plans)} schedules for {n} members; give one, or one each.")
        return replace(self, plans=plans)

    def always(self, duration: float) -> "Inputs":
        """Return, for each schedule, one long segment under what held before, and nothing else."""
        n = len(self.firsts) - 1
        nothing = np.zeros((2 * n, len(self.columns)))
        return replace(
            self,
            firsts=np.arange(0, 2 * n + 1, 2),
            edges=np.tile([0.0, duration], n),
            knobs=np.repeat(self.before, 2, axis=0),
            rates=nothing,
            boluses=nothing,
        )

    def narrowed(
        self, dosed: Sequence[int], turned: Collection[int], neutral: Sequence[float]
    ) -> "Inputs":
        """Return the inputs with a column for each state in ``dosed``, contiguous.

        Raises
        ------
        ModelError
            When a schedule feeds another state or turns a knob not in ``turned``.
        """
        missing = set(self.dosed) - set(dosed), set(self.turned(np.array(neutral))) - set(turned)
        if any(missing):
            raise ModelError(
                "this kernel was compiled for other schedules: it leaves out states "
                f"{sorted(missing[0])} and knobs {sorted(missing[1])}. Compile it for these."
            )
        rates, boluses = np.zeros((2, len(self.edges), len(dosed)))
        place = {state: at for at, state in enumerate(dosed)}
        for column, state in enumerate(self.columns):
            if state in place:
                rates[:, place[state]] = self.rates[:, column]
                boluses[:, place[state]] = self.boluses[:, column]
        return replace(self, rates=rates, boluses=boluses, columns=tuple(dosed))


def gather(schedules: Schedule | Iterable[Schedule]) -> Inputs:
    """Return schedules as flat arrays; the same object given twice is kept once.

    Inputs of the last segment are repeated, so that every edge has a row.
    """
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
        raise ModelError("no schedule was given; an untreated run has one without doses.")
    lengths = [len(one.edges) for one in kept]
    return Inputs(
        plans=_whole(plans),
        firsts=_whole(np.concatenate([[0], np.cumsum(lengths)])),
        edges=_joined(one.edges for one in kept),
        knobs=_joined(rows for one in kept for rows in (one.knobs, one.knobs[-1:])),
        rates=_joined(rows for one in kept for rows in (one.rates, one.rates[-1:])),
        boluses=_joined(one.boluses for one in kept),
        columns=tuple(range(kept[0].rates.shape[1])),
        settled=np.array([one.settled for one in kept]),
        before=np.stack([one.before for one in kept]).astype(float),
    )


def _joined(parts: Iterable[Array]) -> Array:
    return np.concatenate(list(parts)).astype(float, copy=False)


@dataclass(frozen=True)
class Reading:
    """The arguments of a kernel that say what to read; see :mod:`ketasim.compile.interface`."""

    times: Array
    columns: Counts
    asked: Counts
    readings: Counts
    shown: Counts
    needs: Counts
    watched: Counts
    kinds: Counts
    of: Counts
    windows: Array
    scratch: int


def reading(
    plan: Plan, record: Sequence[str], times: Array, primitives: Sequence[Primitive]
) -> Reading:
    """Return what a kernel reads for recorded names at times [h], and for primitives.

    Raises
    ------
    KeyError
        When a name is not one that the kernel can show.
    """
    names = dict.fromkeys(one.name for one in primitives)
    watched = sorted(names, key=lambda name: plan.observers[name].exact)  # the curved ones first
    curved = sum(not plan.observers[name].exact for name in watched)
    moments = [np.nan if one.moment is None else one.moment for one in primitives]
    grid = times if len(record) else np.empty(0)
    every = np.unique(np.concatenate([grid, [m for m in moments if np.isfinite(m)]]))
    columns = np.full(len(every), -1)
    columns[np.searchsorted(every, grid)] = np.arange(len(grid))
    at = [np.flatnonzero(np.array(moments) == moment) for moment in every]
    firsts = np.concatenate([[0], np.cumsum([len(one) for one in at])])
    windows = [one.window or (-np.inf, np.inf) for one in primitives]
    kinds = [one.code for one in primitives]
    scanned = sum(kind not in (AT, START) for kind in kinds) or int(START in kinds)
    windowed = sum(one.window is not None for one in primitives)
    return Reading(
        times=every,
        columns=_whole(columns),
        asked=_whole(firsts),
        readings=_whole(np.concatenate([*at, []])),
        shown=_whole([plan.observers[name].place for name in record]),
        needs=_needs(plan, [*record, *watched], (windowed, scanned, curved)),
        watched=_whole([plan.observers[name].place for name in watched]),
        kinds=_whole(kinds),
        of=_whole([watched.index(one.name) for one in primitives]),
        windows=np.array(windows, dtype=float).reshape(-1, 2),
        scratch=plan.lanes * (len(primitives) * ROOM + len(watched) * PLACES),
    )


def tape_row(plan: Plan, record: Sequence[str], primitives: Sequence[Primitive]) -> int:
    """Return how many numbers of a step are kept for those who run back; see ``stepper.note``."""
    names = dict.fromkeys([*record, *(one.name for one in primitives)])
    states = {i for name in names for i in plan.observers[name].states}
    return 3 + len(plan.live) + 4 * len(states)


def _needs(plan: Plan, names: Sequence[str], counts: tuple[int, ...]) -> Counts:
    """Return the head, the states to interpolate and the laws to run, each once and in order."""
    chosen = [plan.observers[name] for name in names]
    states = sorted({i for one in chosen for i in one.states})
    laws = sorted({i for one in chosen for i in one.laws})
    constants = sorted({i for one in chosen for i in one.constants})
    return _whole([len(states), *counts, len(laws), *states, *laws, *constants])


def _whole(numbers: object) -> Counts:
    return np.ascontiguousarray(numbers, dtype=np.int64).ravel()
