"""What a visit and weeks bring in a trial, from its control arm alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from ketasim.studies.patients.published import PublishedTrial
from ketasim.studies.patients.reading import Indices, Persons, Reader, Setting, rated

Array = NDArray[np.float64]
# What is thought of a setting before its control arm is seen [points]: assumed, and wide.
USUAL, WIDTH = Setting(6.0, 6.0), Setting(5.0, 8.0)
SOON, LATE, MANY = 72.0, 168.0, 2  # h, h, trials
SOME = 20_000  # patients on whom a setting is found


def fitted(
    trial: PublishedTrial, reader: Reader, rest: Array, who: Persons, numbers: Indices, seed: int
) -> Setting:
    """Return the setting under which the control arm changes as published.

    Parameters
    ----------
    rest
        Mood without drug, (n,).
    who, numbers
        What they bring to a rating, and their numbers.
    """
    if trial.held is not None:
        return trial.held
    wanted = [
        one for arm in trial.controls for one in arm.seen
        if one.kind in ("change", "mean") and one.at > 0.0
    ]  # fmt: skip
    if not wanted:
        return USUAL
    times = (-168.0, *trial.times)
    mood = np.broadcast_to(rest[:, None], (len(rest), len(times)))

    def misses(point: Array) -> Array:
        setting = Setting(float(point[0]), float(point[1]))
        scores = reader.scores(mood, times, who, setting, trial.sessions)
        found = rated(scores, times, who, numbers, seed, whole=False)
        let_in = (found[:, 0] >= trial.least) & (found[:, 0] <= trial.most)
        seen = found[let_in]
        own = [
            (seen[:, times.index(one.at)] - (seen[:, 1] if one.kind == "change" else 0.0)).mean()
            for one in wanted
        ]
        published = [(mean - one.value) / one.error for mean, one in zip(own, wanted, strict=True)]
        before = (
            (setting.expectation - USUAL.expectation) / WIDTH.expectation,
            (setting.care - USUAL.care) / WIDTH.care,
        )
        return np.array([*published, *before])

    best = optimize.least_squares(
        misses, [USUAL.expectation, USUAL.care], bounds=([0.0, -30.0], [30.0, 30.0]), diff_step=1e-3
    )
    return Setting(round(float(best.x[0]), 4), round(float(best.x[1]), 4))


def known(trial: PublishedTrial) -> tuple[bool, bool]:
    """Return whether a control arm tells of expectation (within three days) and of care (later)."""
    held = trial.held is not None
    times = [one.at for arm in trial.controls for one in arm.seen if one.at > 0.0]
    soon, late = any(t <= SOON for t in times), any(t >= LATE for t in times)
    return held or soon, held or late


def between(
    trials: Sequence[PublishedTrial], settings: Sequence[Setting]
) -> tuple[Setting, Setting]:
    """Return what a further setting will be like: its mean, and how far it may lie off (an SD).

    Of each part only trials count that tell of it. With ``k`` of them the next lies about their
    mean with their own variance times 1 + 1/k; one alone tells nothing of the spread, which is then
    that of what was thought before.
    """
    means, spreads = [], []
    told = np.array([known(trial) for trial in trials])
    for k, (usual, width) in enumerate(
        zip(vars(USUAL).values(), vars(WIDTH).values(), strict=True)
    ):
        own = np.array([list(vars(one).values())[k] for one in settings])[told[:, k]]
        means.append(float(own.mean()) if len(own) else usual)
        few = len(own) < MANY
        spreads.append(width if few else float(own.std(ddof=1)) * (1.0 + 1.0 / len(own)) ** 0.5)
    return Setting(*means), Setting(*spreads)
