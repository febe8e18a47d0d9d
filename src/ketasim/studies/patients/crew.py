"""Patients with their mood in every arm: what they would score, were they in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.protocol import Protocol
from ketasim.errors import SolverError
from ketasim.studies.designs.patients import Crowd
from ketasim.studies.patients.published import PublishedArm, PublishedTrial, Statistic
from ketasim.studies.patients.reading import (
    PERSON_TRAITS,
    Indices,
    Persons,
    Reader,
    Setting,
    persons,
    rated,
)

Array = NDArray[np.float64]
SCREENING = -168.0  # h; when a score is asked for before anybody is let in
PART = 65_536
ENTRY = 0.05  # error of the share that a trial lets in
Courses = Mapping[Protocol, Mapping[float, Array]]


@dataclass(frozen=True)
class Crew:
    """Patients by number, what they bring to a rating, and their mood.

    ``rest`` is mood before any drug, (n,); ``courses`` holds mood at times [h] under each protocol
    that gives a drug, (n,) each. An arm that gives nothing stays at rest, as rest is steady.
    """

    numbers: Indices
    who: Persons
    rest: Array
    courses: Courses
    reader: Reader

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self.numbers)

    def of(self, chosen: Indices) -> "Crew":
        """Return some of them, in that order; the same one may come twice."""
        courses = {
            protocol: {time: mood[chosen] for time, mood in course.items()}
            for protocol, course in self.courses.items()
        }
        own = self.numbers[chosen]
        return Crew(own, self.who.of(chosen), self.rest[chosen], courses, self.reader)

    def part(self, start: int, stop: int) -> "Crew":
        """Return those from ``start`` to ``stop``."""
        return self.of(np.arange(start, min(stop, len(self))))

    def mood(self, arm: PublishedArm, times: Sequence[float]) -> Array:
        """Return mood in an arm, (n, n_times); at rest until its first dose."""
        known = self.courses.get(arm.protocol, {})
        first = min((one.start for one in arm.protocol.doses), default=np.inf)
        columns = [self.rest if time <= first else known[time] for time in times]
        return np.stack(columns, axis=1)

    def ratings(
        self,
        trial: PublishedTrial,
        arm: PublishedArm,
        setting: Setting,
        seed: int,
        *,
        times: Sequence[float] | None = None,
        whole: bool = True,
    ) -> Array:
        """Return what is written at screening, at baseline and at visits, (n, 2 + n_visits)."""
        visits = [time for time in (times or trial.times) if time > 0.0]
        at = (SCREENING, 0.0, *visits)
        scores = self.reader.scores(self.mood(arm, at), at, self.who, setting, trial.sessions)
        return rated(scores, at, self.who, self.numbers, seed, whole=whole)


def crew_of(
    crowd: Crowd, model: Model, rest: Array, courses: Courses, numbers: Indices | None = None
) -> Crew:
    """Return the patients of a crowd with their mood; those without a value are left out.

    Raises
    ------
    SolverError
        When nobody is left.
    """
    fine = np.isfinite(rest)
    for course in courses.values():
        for mood in course.values():
            fine &= np.isfinite(mood)
    kept = np.flatnonzero(fine)
    if not len(kept):
        raise SolverError("no patient could be computed; see the store's failures.")
    own = np.arange(crowd.size) if numbers is None else numbers
    who = persons(_person_traits(crowd), crowd.size, model)
    crew = Crew(own, who, rest, courses, Reader.of(model))
    return crew if len(kept) == len(own) else crew.of(kept)


def _person_traits(crowd: Crowd) -> dict[str, Array]:
    """Return the traits that matter at a rating, by name, each (n_patients,)."""
    wanted = [name for name in crowd.names if name in PERSON_TRAITS]
    found = {name: np.empty(crowd.size) for name in wanted}
    for start in range(0, crowd.size, PART):
        stop = min(start + PART, crowd.size)
        people = crowd.people(start, stop)
        for name in wanted:
            found[name][start:stop] = people[:, crowd.names.index(name)]
    return found


@dataclass(frozen=True)
class Goal:
    """A statistic of an arm of a trial, under a setting."""

    trial: PublishedTrial
    arm: PublishedArm
    statistic: Statistic
    setting: Setting

    @property
    def label(self) -> tuple[str, str, float, str]:
        """Return trial, arm, time [h] and kind."""
        return self.trial.name, self.arm.name, self.statistic.at, self.statistic.kind


def goals_of(trials: Sequence[PublishedTrial], settings: Sequence[Setting]) -> tuple[Goal, ...]:
    """Return every statistic of some trials."""
    return tuple(
        Goal(trial, arm, one, setting)
        for trial, setting in zip(trials, settings, strict=True)
        for arm, one in trial.statistics()
    )


def seen_of(crew: Crew, goals: Sequence[Goal], seed: int) -> list[tuple[Array, Array, Array]]:
    """Return for each goal who is let in (0 or 1), baseline and rating, (n,) each."""
    known: dict[tuple[str, str], Array] = {}
    found = []
    for goal in goals:
        key = goal.trial.name, goal.arm.name
        if key not in known:
            known[key] = crew.ratings(goal.trial, goal.arm, goal.setting, seed)
        own = known[key]
        at = [time for time in goal.trial.times if time > 0.0]
        visit = 1 if goal.statistic.at == 0.0 else 2 + at.index(goal.statistic.at)
        let_in = (own[:, 0] >= goal.trial.least) & (own[:, 0] <= goal.trial.most)
        found.append((let_in.astype(float), own[:, 1], own[:, visit]))
    return found


def scores_of(crew: Crew, goals: Sequence[Goal], seed: int) -> NDArray[np.float32]:
    """Return what each patient adds to each goal, in sampling errors, (n_patients, n_goals).

    Whom a trial would not let in adds nothing to it; the mean over those let in is what counts.
    """
    found = np.empty((len(crew), len(goals)), dtype=np.float32)
    inside = np.zeros(len(goals))
    for start in range(0, len(crew), PART):
        part = crew.part(start, start + PART)
        for k, (goal, seen) in enumerate(zip(goals, seen_of(part, goals, seed), strict=True)):
            let_in, baseline, rating = seen
            own = goal.statistic.scores(baseline, rating, goal.trial.remission)
            found[start : start + PART, k] = let_in * own
            inside[k] += float(let_in.sum())
    if not inside.all():
        name = goals[int(np.argmin(inside))].trial.name
        raise SolverError(f"{name}: none of the plausible patients may enter it.")
    found *= (len(crew) / inside).astype(np.float32)
    return found


def entry_of(
    crew: Crew, trials: Sequence[PublishedTrial], settings: Sequence[Setting], seed: int
) -> NDArray[np.float32]:
    """Return how far letting in each patient moves the share that each trial lets in, in errors.

    Nobody publishes that share, so a cohort is to keep that of the plausible patients: else those
    whom no trial would have would take up whatever weight is in the way.
    """
    first = [
        next(iter(goals_of([one], [setting])))
        for one, setting in zip(trials, settings, strict=True)
    ]
    found = np.empty((len(crew), len(trials)), dtype=np.float32)
    for start in range(0, len(crew), PART):
        part = crew.part(start, start + PART)
        for k, (let_in, _, _) in enumerate(seen_of(part, first, seed)):
            found[start : start + PART, k] = let_in
    moved: NDArray[np.float32] = ((found - found.mean(axis=0)) / ENTRY).astype(np.float32)
    return moved


def values_of(crew: Crew, goals: Sequence[Goal], weights: Array, seed: int) -> Array:
    """Return each goal's statistic in a population with weights, (n_goals,)."""
    return np.array(
        [
            goal.statistic.of(baseline, rating, goal.trial.remission, weights * let_in)
            if (weights * let_in).sum() > 0.0
            else np.nan
            for goal, (let_in, baseline, rating) in zip(
                goals, seen_of(crew, goals, seed), strict=True
            )
        ]
    )
