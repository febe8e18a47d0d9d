"""Is one dose fast, and then slow? Sentences about its course, and how many draws keep them all.

First the drug, then glutamate, then signals, then proteins, then spines; function recovers before
the spines do and is kept by them, and all of it is gone in four weeks.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import nan

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.protocol import infusion
from ketasim.core.scenario import Scenario, hours
from ketasim.engines.contract import MEMBER, Limits
from ketasim.engines.status import usable
from ketasim.errors import KetasimWarning
from ketasim.models.reference import COURSE_NAMES
from ketasim.models.subjects import human
from ketasim.studies.designs.design import Design
from ketasim.studies.sweep.run import sweep

Array = NDArray[np.float64]
FEWEST = 8  # draws on either side below which nothing is said of what decides
COURSE_TIMES = (*hours(0, 8, every=0.05), *hours(9, 96, every=1), *hours(108, 672, every=12))


@dataclass(frozen=True)
class Kept:
    """How many draws were computed and keep every sentence, and how often each was broken.

    ``alone`` counts the draws that break nothing but that sentence; ``decided`` holds for each the
    parameter whose ranks differ most between draws that break it and those that do not, with its
    median in either, in its own unit.
    """

    draws: int
    computed: int
    kept: int
    broken: Mapping[str, int]
    alone: Mapping[str, int] = field(default_factory=dict)
    decided: Mapping[str, tuple[str, float, float]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Return the share of the draws that keep every sentence; one not computed does not."""
        return self.kept / self.draws if self.draws else nan


class _Course:
    """One member's changes from its start; it lives no longer than one call."""

    def __init__(self, run: xr.Dataset, member: int) -> None:
        self.time: Array = run["time"].to_numpy()
        curves = (run[name].to_numpy()[member] for name in COURSE_NAMES)
        changes: list[Array] = [curve - curve[0] for curve in curves]
        self.glutamate, self.trkb, self.mtorc1, self.proteins = changes[:4]
        self.spines, self.function = changes[4:]

    def at(self, curve: Array, hour: float) -> float:
        return float(np.interp(hour, self.time, curve))

    def most(self, curve: Array, begin: float, end: float) -> float:
        return float(curve[(self.time >= begin) & (self.time <= end)].max())

    def peak(self, curve: Array) -> float:
        return float(curve.max())

    def when(self, curve: Array) -> float:
        return float(self.time[curve.argmax()])


_SENTENCES: dict[str, Callable[[_Course], bool]] = {
    "glutamate is up within the hour": lambda c: c.most(c.glutamate, 0, 1) > 0.1,
    "glutamate is back within three hours": lambda c: (
        abs(c.at(c.glutamate, 3)) < min(0.1, 0.25 * c.peak(c.glutamate))
    ),
    "glutamate peaks before TrkB and mTORC1": lambda c: (
        c.when(c.glutamate) < min(c.when(c.trkb), c.when(c.mtorc1))
    ),
    "TrkB and mTORC1 peak before synaptic proteins": lambda c: (
        max(c.when(c.trkb), c.when(c.mtorc1)) < c.when(c.proteins)
    ),
    "synaptic proteins peak before spines": lambda c: c.when(c.proteins) < c.when(c.spines),
    "mTORC1 is back within a few hours": lambda c: c.at(c.mtorc1, 4) < 0.1 * c.peak(c.mtorc1),
    "spines have changed by less than a tenth at 3-6 h": lambda c: (
        abs(c.at(c.spines, 3)) < 0.1 * c.peak(c.spines)
        and abs(c.at(c.spines, 6)) < 0.1 * c.peak(c.spines)
    ),
    "spines have changed by more than half at 24 h": lambda c: (
        c.at(c.spines, 24) > 0.5 * c.peak(c.spines)
    ),
    "function improves within six hours, before the spines": lambda c: (
        c.most(c.function, 0, 6) > max(0.25 * c.peak(c.function), 0.01)
    ),
    "function is kept at 24 h": lambda c: c.at(c.function, 24) > 0.2 * c.peak(c.function),
    "spines and function are gone by four weeks": lambda c: (
        abs(c.at(c.spines, 672)) < 0.05 * c.peak(c.spines)
        and abs(c.at(c.function, 672)) < 0.05 * c.peak(c.function)
    ),
}
_LONGEST = "spines and function are gone by four weeks"


def course_faults(run: xr.Dataset, *, member: int = 0) -> tuple[str, ...]:
    """Return the sentences about one dose at time 0 that a run contradicts; none is good.

    The run must record ``COURSE_NAMES``, finely enough to tell the peaks apart (``COURSE_TIMES``),
    to 7 d at least; what happens by four weeks is judged in runs that last so long.
    """
    course = _Course(run, member)
    judged = dict(_SENTENCES)
    if course.time[-1] < 672:
        del judged[_LONGEST]
    return tuple(sentence for sentence, holds in judged.items() if not holds(course))


def fast_then_slow(model: Model, design: Design, *, limits: Limits = MEMBER) -> Kept:
    """Return how many draws are fast and then slow after 0.5 mg/kg over 40 min in a person.

    Parameters
    ----------
    model
        Whose parameters are drawn.
    design
        The draws, as of :func:`ketasim.studies.findings.robustness.anywhere`, or a posterior's.
    limits
        What one run may spend; a member that takes more is not computed.

    Raises
    ------
    ConfigError, ModelError
        When the design names something the model does not have.
    """
    dose = infusion("0.5 mg/kg", over="40 min")
    scenario = Scenario(model, dose, COURSE_TIMES, human(), COURSE_NAMES)
    with warnings.catch_warnings(action="ignore", category=KetasimWarning):  # of unusual values
        run = sweep(scenario, design, record=COURSE_NAMES, limits=limits, keep_design=False)
    fine = np.flatnonzero(usable(run["status"].to_numpy())).tolist()
    faults = [course_faults(run, member=member) for member in fine]
    broken = Counter(sentence for found in faults for sentence in found)
    alone = Counter(found[0] for found in faults if len(found) == 1)
    drawn = design.rows(0, len(design))[fine]
    decided = {}
    for sentence in broken:
        one = decides(drawn, np.array([sentence in found for found in faults]))
        if one is not None:
            decided[sentence] = (design.names[one[0]], *one[1:])
    return Kept(
        len(design), len(fine), faults.count(()), dict(broken.most_common()), dict(alone), decided
    )


def decides(drawn: Array, broken: NDArray[np.bool_]) -> tuple[int, float, float] | None:
    """Return the column whose ranks tell best which draws are broken, and its medians.

    ``drawn`` is (n_draws, n_columns). None where fewer than ``FEWEST`` are broken, or are not.
    """
    many = int(broken.sum())
    if min(many, len(broken) - many) < FEWEST:
        return None
    ranks = np.argsort(np.argsort(drawn, axis=0), axis=0)
    apart = np.abs(ranks[broken].mean(axis=0) - ranks[~broken].mean(axis=0))
    column = int(apart.argmax())
    where, elsewhere = (float(np.median(drawn[rows, column])) for rows in (broken, ~broken))
    return column, where, elsewhere
