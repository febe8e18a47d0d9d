"""Which runs findings ask for, how long each lasts, and which are made together.

A read-out of a whole course is of one span, the same for every finding and whoever asks. A run of
which only moments and windows are asked ends when the last of them is past.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.readouts import Reduction
from ketasim.studies.findings.arms import Arm
from ketasim.studies.findings.finding import Finding

Array = NDArray[np.float64]
Span = tuple[float, float]
BEGIN, END = -0.5, 28 * 24.0  # of every arm [h]
PAST = 0.01  # how far a run goes beyond the last moment, that what is done then is done [h]
POINTS = ("at", "start")  # numbers that need no look at the steps between


class Place(NamedTuple):
    """Where a number is found: a group, a run in it, a column."""

    group: int
    run: int
    column: int


@dataclass(frozen=True)
class Group:
    """Runs that are made together, with the reductions that any of them is asked for.

    ``asked`` holds for each run who it is and its own reductions. ``span`` is that of every run
    where a whole course is asked for, and else None.
    """

    model: Model
    scenarios: tuple[Scenario, ...]
    asked: tuple[tuple[Hashable, tuple[Reduction, ...]], ...]
    span: Span | None

    @cached_property
    def reductions(self) -> tuple[Reduction, ...]:
        """Return the reductions of all runs, each once."""
        return tuple(dict.fromkeys(one for _, own in self.asked for one in own))

    def parameters(self, draws: Array) -> Array:
        """Return canonical values (n_runs * n_draws, n_parameters), run by run.

        What a run's own subject or edits set replaces what was drawn.
        """
        found = np.tile(draws, (len(self.scenarios), 1))
        for i, own in enumerate(self.own):
            for column, value in own.items():
                found[i * len(draws) : (i + 1) * len(draws), column] = value
        return found

    @cached_property
    def own(self) -> list[Mapping[int, float]]:
        """Return the parameters, by column, that each run sets itself."""
        return [_own(one, self.model) for one in self.scenarios]


def arm_key(arm: Arm, *, drug: bool) -> Hashable:
    """Identify an arm with or without the drug, so that findings share what they have in common."""
    protocol = arm.treated if drug else arm.control
    return arm.subject.species, arm.subject.weight, protocol, tuple(sorted(arm.values.items()))


def groups_of(findings: Iterable[Finding], model: Model) -> tuple[Group, ...]:
    """Return the runs that findings ask for, in groups that are cheap to make together."""
    arms: dict[Hashable, tuple[Arm, bool]] = {}
    asked: dict[Hashable, dict[Reduction, None]] = {}
    for arm, drug, reduction in _readings(findings):
        key = arm_key(arm, drug=drug)
        arms.setdefault(key, (arm, drug))
        asked.setdefault(key, {})[reduction] = None
    gathered: dict[Span | None, list[tuple[Hashable, Scenario, tuple[Reduction, ...]]]] = {}
    for key, reductions in asked.items():
        for (begin, end), own in _spans(tuple(reductions)):
            arm, drug = arms[key]
            scenario = arm.scenario(model, begin=begin, end=end, drug=drug)
            points = all(one.kind in POINTS for one in own)
            span = None if points else _span(scenario)
            gathered.setdefault(span, []).append((key, scenario, own))
    return tuple(
        Group(model, tuple(s for _, s, _ in many), tuple((k, own) for k, _, own in many), span)
        for span, many in gathered.items()
    )


def places_of(groups: Sequence[Group]) -> dict[Hashable, Place]:
    """Return where each reduction of each arm, with and without the drug, is found."""
    return {
        (key, one): Place(g, r, group.reductions.index(one))
        for g, group in enumerate(groups)
        for r, (key, own) in enumerate(group.asked)
        for one in own
    }


def _readings(findings: Iterable[Finding]) -> Iterator[tuple[Arm, bool, Reduction]]:
    for finding in findings:
        for formula in finding.formulas:
            for one in formula.readings:
                arm = finding.arms[str(one.arm)]
                yield arm, True, one.reduction
                if one.effect:
                    yield arm, False, one.reduction


def _spans(
    asked: Sequence[Reduction],
) -> Iterator[tuple[Span, tuple[Reduction, ...]]]:
    """Yield how long an arm is run and what is read then; twice where a moment lies outside."""
    whole = [one for one in asked if not one.moments and one.kind != "start"]
    inside = [one for one in asked if one not in whole and _fits(one)]
    if whole:
        yield (BEGIN, END), (*whole, *inside)
        asked = [one for one in asked if one not in whole and one not in inside]
    if asked:
        moments = [0.0, *(moment for one in asked for moment in one.moments)]
        yield (min(BEGIN, *moments), max(moments) + PAST), tuple(asked)


def _fits(one: Reduction) -> bool:
    return all(BEGIN <= moment < END for moment in one.moments)


def _span(scenario: Scenario) -> Span:
    edges = scenario.schedule.edges
    return float(edges[0]), float(edges[-1])


def _own(scenario: Scenario, base: Model) -> dict[int, float]:
    """Return the parameters, by column, that a scenario itself decides."""
    resolved = scenario.resolved_model
    return {
        column: resolved.value(name)
        for column, name in enumerate(base.parameters)
        if name in resolved.edits and resolved.edits[name] != base.edits.get(name)
    }
