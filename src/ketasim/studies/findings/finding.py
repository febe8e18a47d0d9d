"""A finding: arms, what was read, what was observed of it, and how far the report is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ketasim.studies.findings.arms import Arm
from ketasim.studies.findings.observed import Curve, Direction, Interval, Number
from ketasim.studies.findings.reading import Formula

Grade = Literal["A", "B", "C"]
# The chance that a report says nothing about its read-out: A read in the source, B read there with
# dose, time or preparation open, C not yet confirmed. Reports that others contradict: CONTESTED.
OUTLIER: Mapping[str, float] = {"A": 0.02, "B": 0.05, "C": 0.1, "": 0.02}
CONTESTED = 0.2


@dataclass(frozen=True)
class ReadOut:
    """One thing read in a finding.

    ``formulas`` holds one formula, or one for each point of a curve. ``observed`` is what was seen
    (or could be, in a proposal); ``accepted`` the interval that a scorecard asks for.
    """

    name: str
    formulas: tuple[Formula, ...]
    unit: str
    observed: Number | Direction | Curve | None = None
    accepted: Interval | None = None

    @property
    def judged(self) -> bool:
        """Return whether a scorecard gives a verdict on it."""
        return self.accepted is not None and not self.accepted.reported

    @property
    def done(self) -> bool:
        """Return whether something was observed that a hypothesis can be judged by."""
        return self.observed is not None and self.observed.observed is not None


@dataclass(frozen=True)
class Finding:
    """Evidence, or (where nothing was observed yet) a proposal for some.

    ``number`` orders a scorecard, and ``hard`` marks what may not fail there; ``consistency`` marks
    a check that asks whether inputs come back, which is no evidence for a model and counted apart.
    ``assumed`` names conditions (an input, a drug) whose level nobody read in the source. ``rows``
    and ``references`` are the evidence, ``written`` is the text of the file. ``modules`` are those
    that the model must have, and ``fails`` says why the model does not show it, where it does not.
    """

    name: str
    title: str
    arms: Mapping[str, Arm]
    readouts: tuple[ReadOut, ...]
    species: str = ""
    preparation: str = ""
    grade: str = ""
    contested: bool = False
    rows: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    note: str = ""
    number: int | None = None
    hard: bool = False
    consistency: bool = False
    assumed: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    fails: str = ""
    written: str = field(default="", compare=False)

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """Return the formulas of all read-outs, in order."""
        return tuple(formula for one in self.readouts for formula in one.formulas)

    @property
    def done(self) -> bool:
        """Return whether anything was observed that a hypothesis can be judged by."""
        return any(one.done for one in self.readouts)

    @property
    def reported(self) -> bool:
        """Return whether a scorecard only reports it."""
        return not any(one.judged for one in self.readouts)

    @property
    def outlier_probability(self) -> float:
        """Return the chance that the report says nothing about its read-out."""
        own = OUTLIER[self.grade]
        return max(own, CONTESTED) if self.contested else own

    @property
    def observed(self) -> Number | Direction:
        """Return what was observed of a finding with one read-out that is no curve.

        Raises
        ------
        ValueError
            When there are several observations, or none; see :meth:`parts`.
        """
        if len(self.readouts) == 1 and isinstance(
            found := self.readouts[0].observed, Number | Direction
        ):
            return found
        raise ValueError(f"{self.name} holds not one observation; take its parts()")

    @property
    def unit(self) -> str:
        """Return the unit of the first read-out."""
        return self.readouts[0].unit

    def parts(self) -> tuple["Finding", ...]:
        """Return a finding for each observation: of each read-out, and of each point of a curve.

        What has only an acceptance interval, which states no error, is left out.
        """
        found: list[Finding] = []
        several = len(self.readouts) > 1
        for one in self.readouts:
            own = replace(self, readouts=(one,))
            if several and one.name != self.title:
                own = replace(own, name=f"{self.name}: {one.name}", title=one.name)
            if isinstance(one.observed, Curve):
                found += _points(own, one, one.observed)
            elif one.observed is not None:
                found.append(own)
        return tuple(found)


def _points(own: Finding, one: ReadOut, curve: Curve) -> list[Finding]:
    return [
        replace(
            own,
            name=f"{own.name} at {time:g} h",
            title=f"{own.title}, {time:g} h",
            readouts=(replace(one, formulas=(formula,), observed=number),),
        )
        for time, formula, number in zip(curve.times, one.formulas, curve.points, strict=True)
    ]
