"""What every engine agrees on: how much a run may spend, how exact it is, what is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass

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
