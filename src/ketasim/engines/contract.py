"""What every engine agrees on: question, answer, what a run may spend, what is retried.

A batch and an outcome are arrays and names, and pickle, so that whatever carries a batch out
(threads here, processes or machines elsewhere) is a further engine and nothing around it changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.schedule import Schedule
from ketasim.engines.status import usable
from ketasim.errors import ConfigError, suggest
from ketasim.readouts.derive import Primitive
from ketasim.readouts.reduction import Reduction

METHODS = ("LSODA", "BDF", "Radau")  # of the reference engine
ATOL_SHARE = 1e-3  # absolute tolerance is rtol times this share of each state's own scale
LEEWAY = 100.0  # a state may pass the end of its interval by so many times rtol of its scale
LOOSER, LOOSEST = 100.0, 1e-2  # how much a last attempt may loosen the tolerance, and to what


@dataclass(frozen=True)
class Limits:
    """What one run may spend before it is stopped."""

    steps: int = 100_000
    seconds: float = 60.0


ALONE = Limits()  # for a run by itself
MEMBER = Limits(seconds=10.0)  # for one member of many


@dataclass(frozen=True)
class Try:
    """One attempt of the retry policy: what differs from the first.

    ``first_step`` [h] is the step tried at the start of every segment; an engine, method and
    tolerance of None are the ones asked for.
    """

    engine: str | None = None
    method: str | None = None
    first_step: float | None = None
    rtol: float | None = None
    is_retry: bool = True

    def other_than(self, asked: str) -> str:
        """Return the method of this attempt, which is never the one that failed."""
        return "BDF" if asked == self.method else str(self.method)


# At the same tolerance: a smaller first step, faster than anything in the models, then another
# method. The ensemble engine's second attempt is its own smaller first step.
ATTEMPTS: Mapping[str, tuple[Try, ...]] = {
    "reference": (Try(is_retry=False), Try(first_step=1e-6), Try(method="Radau")),
    "ensemble": (
        Try(is_retry=False),
        Try(first_step=1e-7),
        Try(engine="reference", method="Radau"),
    ),
}


def looser(rtol: float) -> Try:
    """Return a last attempt at a looser tolerance, which every row it serves will tell."""
    return Try(engine="reference", method="Radau", rtol=min(rtol * LOOSER, LOOSEST))


Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Counts = NDArray[np.int64]
Schedules = Schedule | Sequence[Schedule]
ENGINES = ("reference", "ensemble")
# Where nothing else is said: the loosest relative tolerance at which an engine's own error stays
# about a millionth of the scale (docs/decisions/0017), so that every command gives the same number.
RTOL = {"ensemble": 8e-7, "reference": 1e-7}


class Halted(Exception):
    """Somebody asked the engine to stop before it was done."""


def never() -> bool:
    """Return False: nobody asks to stop."""
    return False


@dataclass(frozen=True)
class Settings:
    """An engine, its tolerance, and what one attempt at one member may spend.

    ``method`` is the reference engine's; the ensemble engine has one of its own. ``rtol`` is by
    default the engine's own. ``allow_looser`` adds a last attempt at a looser tolerance, which
    every row it serves tells. ``threads`` decides no number.

    Raises
    ------
    ConfigError
        When an engine, method or tolerance does not exist.
    """

    engine: str = "ensemble"
    method: str = "LSODA"
    rtol: float | None = None
    limits: Limits = MEMBER
    allow_looser: bool = False
    threads: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out."""
        for key, given, known in (
            ("name", self.engine, ENGINES),
            ("method", self.method, METHODS),
        ):
            if given not in known:
                raise ConfigError(
                    f'engine.{key} = "{given}": no such {key}.{suggest(given, known)} '
                    f"Choose one of {', '.join(known)}."
                )
        if not 1e-12 <= self.tolerance <= 1e-2:
            raise ConfigError(f"engine.rtol = {self.rtol:g}: must lie between 1e-12 and 0.01.")
        if not (self.limits.steps >= 1 and self.limits.seconds > 0.0):
            raise ConfigError("limits: at least one step and more than 0 s are needed.")

    @property
    def tolerance(self) -> float:
        """Return the relative tolerance: the one asked for, or the engine's own."""
        return RTOL[self.engine] if self.rtol is None else self.rtol

    @property
    def solver(self) -> str:
        """Return the name of the method that runs."""
        return self.method if self.engine == "reference" else "Rodas5P"


@dataclass(frozen=True)
class Batch:
    """Members of one model.

    ``parameters`` (n_members, n_parameters) canonical; ``schedules`` one for all or one a member;
    ``record`` names whose courses are wanted at ``times`` (n_times,) [h]; ``reductions`` numbers
    that are taken of the solution itself, whatever the times. ``span`` is the run's beginning and
    end [h], by default that of the times. Where a batch is part of something larger, ``total`` says
    how many members that has, and ``covering`` is a schedule that feeds and turns all they may.
    ``into`` (n_members, n_record, n_times) is where an engine may write the courses.
    """

    model: Model
    parameters: Array
    schedules: Schedules
    times: Array = field(default_factory=lambda: np.empty(0))
    record: tuple[str, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    span: tuple[float, float] | None = None
    covering: Schedule | None = None
    total: int = 0
    into: Array | None = None

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.parameters)

    @property
    def ends(self) -> tuple[float, float]:
        """Return the beginning and the end of what is asked about [h]."""
        if self.span is not None:
            return self.span
        if len(self.times):
            return float(self.times[0]), float(self.times[-1])
        edges = [one.edges for one in self.each_schedule]
        return min(float(e[0]) for e in edges), max(float(e[-1]) for e in edges)

    @cached_property
    def is_within(self) -> bool:
        """Return whether no schedule reaches beyond what is asked about."""
        begin, end = self.ends
        every = {id(one.edges): one.edges for one in self.each_schedule}.values()
        return all(begin <= edges[0] and edges[-1] <= end for edges in every)

    @property
    def each_schedule(self) -> Sequence[Schedule]:
        """Return the schedules, one for all or one a member."""
        return [self.schedules] if isinstance(self.schedules, Schedule) else self.schedules

    def some(self, members: Counts) -> "Batch":
        """Return the batch of these members only."""
        chosen: Schedules = self.schedules
        if not isinstance(chosen, Schedule):
            chosen = [chosen[int(i)] for i in members]
        return replace(self, parameters=self.parameters[members], schedules=chosen, into=None)


@dataclass(frozen=True)
class Asked:
    """What one attempt is to bring: courses at times, and primitives with a level a member.

    ``levels`` (n_members, n_primitives) are canonical; NaN where a primitive has none.
    """

    record: tuple[str, ...]
    times: Array
    primitives: tuple[Primitive, ...]
    levels: Array

    def some(self, members: Counts) -> "Asked":
        """Return what is asked of these members."""
        return Asked(self.record, self.times, self.primitives, self.levels[members])


@dataclass(frozen=True)
class Attempt:
    """What became of members at one attempt, in the order asked for.

    ``values`` (n_members, n_record, n_times) and ``numbers`` (n_members, n_primitives, 2) are
    canonical, NaN from the point of failure; ``final`` (n_members, n_states); ``stories`` hold, by
    member, what an engine can say of how it failed.
    """

    values: Array
    numbers: Array
    final: Array
    status: Codes
    steps: Counts
    evaluations: int = 0
    notes: tuple[str, ...] = ()
    stories: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of each member of a batch, in its order.

    ``values`` (n_members, n_record, n_times), NaN from the point of failure; ``reduced``
    (n_members, n_reductions), NaN where a member has no value; both canonical. ``status`` says how
    each ended, ``rtol`` the tolerance of the attempt that counts. ``final`` (n_members, n_states)
    are last states; ``stories`` hold sentences on members that failed.
    """

    values: Array
    reduced: Array
    final: Array
    status: Codes
    steps: Counts
    rtol: Array
    evaluations: int
    wall: float
    notes: tuple[str, ...] = ()
    stories: dict[int, str] = field(default_factory=dict)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Return which members' values may be used, shape (n_members,)."""
        return usable(self.status)


@dataclass(frozen=True)
class Gradients:
    """Numbers of members and their derivatives, canonical; NaN where a member failed.

    ``values`` (n_members, n_reductions). Each derivative has these two axes (or, of a weighted sum,
    one entry instead of the reductions) and then its own:
    ``by_parameter`` (n_parameters,); ``by_knob`` (n_edges, n_knobs), by the level of an input in
    the segment after each edge; ``by_before`` (n_knobs,), by what always held; ``by_rate`` and
    ``by_bolus`` (n_edges, n_states); ``by_start`` (n_states,), by the states before anything is
    given, whatever set them. ``final`` (n_members, n_states) are last states, ``status`` says how
    each ended, and ``notes`` tell of kinks.
    """

    values: Array
    by_parameter: Array
    by_knob: Array
    by_before: Array
    by_rate: Array
    by_bolus: Array
    by_start: Array
    final: Array
    status: Codes
    steps: Counts
    notes: tuple[str, ...] = ()


DERIVATIVES = ("by_parameter", "by_knob", "by_before", "by_rate", "by_bolus", "by_start")
Halt = Callable[[], bool]
