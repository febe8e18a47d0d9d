"""What every engine agrees on: how much a run may spend, and how exact it is."""

from dataclasses import dataclass

METHODS = ("LSODA", "BDF", "Radau")  # of the reference engine
ATOL_SHARE = 1e-3  # absolute tolerance is rtol times this share of each state's own scale


@dataclass(frozen=True)
class Limits:
    """What one run may spend before it is stopped."""

    steps: int = 100_000
    seconds: float = 60.0


ALONE = Limits()  # for a run by itself
MEMBER = Limits(seconds=10.0)  # for one member of many
