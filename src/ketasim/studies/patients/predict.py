"""What a trial that a cohort never saw would show: many trials of its size, of the cohort."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import SolverError
from ketasim.models.rating import MOST_CARED, MOST_EXPECTED
from ketasim.studies.patients.crew import Crew
from ketasim.studies.patients.published import PublishedArm, PublishedTrial
from ketasim.studies.patients.reading import Setting

Array = NDArray[np.float64]
TRIALS = 1000
LEVELS = (0.025, 0.5, 0.975)
MOST_TRIES = 50  # times the size of an arm that is screened for it
DIFFERENCE = "minus"


@dataclass(frozen=True)
class Prediction:
    """One number of a trial that was not used: what trials of its size would show, and what it did.

    ``interval`` allows for another setting, ``narrow`` for sampling alone.
    """

    trial: str
    arm: str
    at: float
    kind: str
    published: float
    interval: tuple[float, float, float]
    narrow: tuple[float, float, float]

    @property
    def inside(self) -> bool:
        """Return whether the published number lies inside the 95 % interval."""
        return self.interval[0] <= self.published <= self.interval[2]

    @property
    def inside_narrow(self) -> bool:
        """Return whether it does with the setting taken for known."""
        return self.narrow[0] <= self.published <= self.narrow[2]

    @property
    def row(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "trial": self.trial, "arm": self.arm, "time_h": self.at, "statistic": self.kind,
            "published": self.published, "low": self.interval[0], "middle": self.interval[1],
            "high": self.interval[2], "inside": self.inside, "low_narrow": self.narrow[0],
            "high_narrow": self.narrow[2], "inside_narrow": self.inside_narrow,
        }  # fmt: skip


def predict(
    crew: Crew, trial: PublishedTrial, mean: Setting, spread: Setting, *, seed: int
) -> tuple[Prediction, ...]:
    """Return what trials like one would show, with and without doubt about the setting.

    Raises
    ------
    SolverError
        When too few of the cohort may enter.
    """
    wide = _trials(crew, trial, list(_settings(mean, spread, trial, seed)), seed)
    fixed = trial.held or mean
    narrow = _trials(crew, trial, [fixed] * TRIALS, seed + 1)
    published = dict(_published(trial))
    ends = {key: np.nanquantile(wide[key], LEVELS) for key in published}
    close = {key: np.nanquantile(narrow[key], LEVELS) for key in published}
    return tuple(
        Prediction(trial.name, *key, value, tuple(ends[key].tolist()), tuple(close[key].tolist()))
        for key, value in published.items()
    )


Key = tuple[str, float, str]


def _settings(
    mean: Setting, spread: Setting, trial: PublishedTrial, seed: int
) -> Iterator[Setting]:
    """Yield settings as another trial may have one."""
    source = np.random.default_rng([seed, 7])
    draws = source.standard_normal((TRIALS, 2))
    for a, b in draws.tolist():
        if trial.held is not None:
            yield trial.held
            continue
        yield Setting(
            float(np.clip(mean.expectation + spread.expectation * a, 0.0, MOST_EXPECTED)),
            float(np.clip(mean.care + spread.care * b, -MOST_CARED, MOST_CARED)),
        )


def _published(trial: PublishedTrial) -> Iterator[tuple[Key, float]]:
    """Yield each published number, and the difference of means between arms."""
    for arm, one in trial.statistics():
        yield (arm.name, one.at, one.kind), one.value
    for drug, control, at, kind in _differences(trial):
        first = next(o.value for o in drug.seen if (o.at, o.kind) == (at, kind))
        second = next(o.value for o in control.seen if (o.at, o.kind) == (at, kind))
        yield (f"{drug.name} {DIFFERENCE} {control.name}", at, kind), first - second


def _differences(
    trial: PublishedTrial,
) -> Iterator[tuple[PublishedArm, PublishedArm, float, str]]:
    for drug in trial.arms:
        for control in trial.controls if drug.drugged else ():
            there = {(one.at, one.kind) for one in control.seen}
            for one in drug.seen:
                change = one.kind == "change" or (
                    one.kind == "mean" and (one.at, "change") not in there
                )
                if change and one.at > 0.0 and (one.at, one.kind) in there:
                    yield drug, control, one.at, one.kind


def _trials(
    crew: Crew, trial: PublishedTrial, settings: Sequence[Setting], seed: int
) -> dict[Key, Array]:
    found: dict[Key, list[float]] = {key: [] for key, _ in _published(trial)}
    source = np.random.default_rng([seed, 11])
    for k, setting in enumerate(settings):
        shown: dict[Key, float] = {}
        for arm in trial.arms:
            rating = entered(crew, trial, arm, setting, source, seed + 1000 * (k + 1))
            shown |= _shown(trial, arm, rating)
        for drug, control, at, kind in _differences(trial):
            name = f"{drug.name} {DIFFERENCE} {control.name}"
            shown[name, at, kind] = shown[drug.name, at, kind] - shown[control.name, at, kind]
        for key, values in found.items():
            values.append(shown[key])
    return {key: np.array(values) for key, values in found.items()}


def _shown(trial: PublishedTrial, arm: PublishedArm, rating: Array) -> dict[Key, float]:
    at = [0.0, *(time for time in trial.times if time > 0.0)]
    shown = {}
    for one in arm.seen:
        own = rating[: one.n]
        visit = own[:, 1 + at.index(one.at)]
        value = one.of(own[:, 1], visit, trial.remission, np.ones(len(own)))
        shown[arm.name, one.at, one.kind] = value
    return shown


def entered(
    crew: Crew,
    trial: PublishedTrial,
    arm: PublishedArm,
    setting: Setting,
    source: np.random.Generator,
    seed: int,
) -> Array:
    """Return ratings of as many as an arm had, (n, 2 + n_visits), each let in by the screening."""
    kept: list[Array] = []
    had, tried = 0, 0
    while had < arm.n:
        some = crew.of(source.integers(len(crew), size=2 * arm.n))
        own = Crew(
            np.arange(tried, tried + len(some)), some.who, some.rest, some.courses, some.reader
        )
        rating = own.ratings(trial, arm, setting, seed)
        inside = rating[(rating[:, 0] >= trial.least) & (rating[:, 0] <= trial.most)]
        kept.append(inside)
        had, tried = had + len(inside), tried + len(some)
        if tried > MOST_TRIES * arm.n:
            raise SolverError(f"{trial.name}: hardly anybody of the cohort may enter it.")
    return np.concatenate(kept)[: arm.n]
