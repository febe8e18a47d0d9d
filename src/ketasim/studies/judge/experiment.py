"""A published finding: arms, a read-out, what was observed, and how far the report is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ketasim.studies.arms import Arm
from ketasim.studies.expressions import Node
from ketasim.studies.judge.outcomes import Outcome
from ketasim.studies.scorecard import Check, Measure

Grade = Literal["A", "B", "C"]
# The chance that a report says nothing about its read-out: A read in the source, B read there with
# dose, time or preparation open, C not yet confirmed. Reports that others contradict: CONTESTED.
DOUBT: Mapping[str, float] = {"A": 0.02, "B": 0.05, "C": 0.1, "": 0.02}
CONTESTED = 0.2


@dataclass(frozen=True)
class Experiment:
    """One finding, or (where nothing was observed yet) a proposal for one."""

    name: str
    title: str
    species: str
    preparation: str
    arms: Mapping[str, Arm]
    formula: Node
    unit: str
    outcome: Outcome
    grade: str = ""
    contested: bool = False
    rows: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    note: str = ""
    written: str = field(default="", compare=False)

    @property
    def done(self) -> bool:
        """Return whether an outcome was observed."""
        return self.outcome.observed is not None

    @property
    def doubt(self) -> float:
        """Return the chance that the report says nothing about its read-out."""
        own = DOUBT[self.grade]
        return max(own, CONTESTED) if self.contested else own

    @property
    def check(self) -> Check:
        """Return this finding in the form that the scorecard runs."""
        measure = Measure(self.title, self.formula, self.unit, None, 0.0, 0.0, reported=True)
        return Check(
            number=0,
            title=self.title,
            hard=False,
            rows=self.rows,
            references=self.references,
            arms=self.arms,
            measures=(measure,),
        )
