"""A trial as data: who is let in, what each arm is given, and what goes wrong on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ketasim.core.protocol import Protocol
from ketasim.studies.patients.reading import Setting

Method = Literal["mixed", "locf", "observed"]
Estimand = Literal["policy", "hypothetical"]


@dataclass(frozen=True)
class TrialArm:
    """One arm: what is given, and its share of those randomised."""

    name: str
    protocol: Protocol
    share: float = 1.0

    @property
    def drugged(self) -> bool:
        """Return whether anything is given."""
        return bool(self.protocol.doses)


@dataclass(frozen=True)
class Blinding:
    """How patients find out what they are given, and what that does to their expectation.

    Who dissociates by ``half`` [points] at the first session believes to have the drug with a
    chance of one half; ``width`` [points] says how steeply the chance rises. Expectation is
    multiplied by ``believed`` or ``doubted``. With ``kept`` nobody finds out.
    """

    kept: bool = False
    half: float = 6.0
    width: float = 2.5
    believed: float = 1.3
    doubted: float = 0.7


@dataclass(frozen=True)
class Dropout:
    """Who is lost: ``share`` of the usual by the last visit, and more of those who are worse.

    The hazard is multiplied by e to the power ``lack`` for ten points above the mean score of all
    at that visit; ``adverse`` is the share lost besides in arms that are given a drug.
    """

    share: float = 0.0
    lack: float = 0.0
    adverse: float = 0.0


@dataclass(frozen=True)
class Rescue:
    """What else is given to whom a trial does not help: at a score of ``least`` from ``start`` [h].

    It lowers later scores by ``gain`` points. Nobody is rescued where ``least`` is not reached.
    """

    least: float = 61.0
    start: float = 0.0
    gain: float = 0.0


@dataclass(frozen=True)
class Plan:
    """A trial before anybody is randomised; times in hours, scores in points."""

    name: str
    title: str
    arms: tuple[TrialArm, ...]
    visits: tuple[float, ...]
    patients: int
    setting: Setting
    least: float = 0.0
    most: float = 60.0
    remission: float = 12.0
    blinding: Blinding = field(default_factory=Blinding)
    dropout: Dropout = field(default_factory=Dropout)
    rescue: Rescue = field(default_factory=Rescue)
    method: Method = "mixed"
    estimand: Estimand = "policy"
    alpha: float = 0.05
    whole: bool = True
    seed: int = 1
    sizes: tuple[int, ...] = ()
    trials: int = 500
    wanted: tuple[float, ...] = (0.8, 0.9)

    @property
    def sessions(self) -> tuple[float, ...]:
        """Return when visits bring expectation [h]: the doses of the arm that has most."""
        starts = [tuple(sorted({one.start for one in arm.protocol.doses})) for arm in self.arms]
        return max(starts, key=len, default=()) or (0.0,)

    @property
    def control(self) -> int:
        """Return the place of the arm that others are compared with: the first without a drug."""
        undrugged = [k for k, arm in enumerate(self.arms) if not arm.drugged]
        return undrugged[0] if undrugged else 0

    @property
    def protocols(self) -> Mapping[Protocol, tuple[float, ...]]:
        """Return every protocol that gives a drug, with the times [h] at which it is looked at."""
        return {arm.protocol: self.visits for arm in self.arms if arm.drugged}
