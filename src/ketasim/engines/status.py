"""How a run ended, and the sentence for each way."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import SolverError


class Status(IntEnum):
    """One code a member of a sweep; NOT_RUN is also what a store shows for what is missing."""

    sentence: str

    def __new__(cls, code: int, sentence: str) -> "Status":
        """Give each code its sentence."""
        one = int.__new__(cls, code)
        one._value_ = code
        one.sentence = sentence
        return one

    NOT_RUN = -1, "it has not been run"
    OK = 0, "it reached the last output time"
    OK_AFTER_RETRY = 1, "it reached the last output time at the second or a later attempt"
    MAX_STEPS = 2, "it needed more steps than the limit allows"
    TIME_LIMIT = 3, "it took longer than the limit allows"
    NONFINITE = 4, "a state or a law stopped being a finite number"
    STEP_TOO_SMALL = 5, "no step was small enough for the tolerance"
    NEGATIVE_STATE = 6, "a state left the interval it cannot leave"
    BAD_PARAMETER = 7, "a value is outside its domain, so nothing was integrated"
    WORKER_DIED = 8, "the process that computed it died twice"
    NO_BASELINE = 9, "no resting state was found under the conditions that always held"

    @property
    def ok(self) -> bool:
        """Say whether the member's values may be used."""
        return self in (Status.OK, Status.OK_AFTER_RETRY)


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
