"""How a run ended, and the sentence for each way."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import SolverError


class Status(IntEnum):
    """One code a member of a sweep; NOT_RUN is also what a store shows for what is missing."""

    NOT_RUN = -1
    OK = 0
    OK_AFTER_RETRY = 1
    MAX_STEPS = 2
    TIME_LIMIT = 3
    NONFINITE = 4
    STEP_TOO_SMALL = 5
    NEGATIVE_STATE = 6
    BAD_PARAMETER = 7
    WORKER_DIED = 8
    NO_BASELINE = 9
    DRUG_LOST = 10

    @property
    def sentence(self) -> str:
        """Return what happened, as the end of a sentence."""
        return _SENTENCES[self]

    @property
    def ok(self) -> bool:
        """Say whether the member's values may be used."""
        return self in (Status.OK, Status.OK_AFTER_RETRY)


_SENTENCES = {
    Status.NOT_RUN: "it has not been run",
    Status.OK: "it reached the last output time",
    Status.OK_AFTER_RETRY: "it reached the last output time at the second or a later attempt",
    Status.MAX_STEPS: "it needed more steps than the limit allows",
    Status.TIME_LIMIT: "it took longer than the limit allows",
    Status.NONFINITE: "a state or a law stopped being a finite number",
    Status.STEP_TOO_SMALL: "no step was small enough for the tolerance",
    Status.NEGATIVE_STATE: "a state left the interval it cannot leave",
    Status.BAD_PARAMETER: "a value is outside its domain, so nothing was integrated",
    Status.WORKER_DIED: "the process that computed it died twice",
    Status.NO_BASELINE: "no resting state was found under the conditions that always held",
    Status.DRUG_LOST: "drug was lost or made on the way",
}


AGAIN = (Status.MAX_STEPS, Status.NONFINITE, Status.STEP_TOO_SMALL, Status.NEGATIVE_STATE)


def meanings() -> Mapping[int, str]:
    """Return each code's name, as CF flag meanings."""
    return {int(one): one.name.lower() for one in Status}


class Stopped(SolverError):
    """Integration stopped; what was reached before is kept.

    ``observed`` maps names to (n_times,) canonical, NaN from the point of failure.
    """

    def __init__(self, message: str, status: Status) -> None:
        super().__init__(message)
        self.status = status
        self.observed: Mapping[str, NDArray[Any]] = {}
        self.steps = 0


def usable(status: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return which members' values may be used, shape (n_members,)."""
    found: NDArray[np.bool_] = (status == Status.OK) | (status == Status.OK_AFTER_RETRY)
    return found
