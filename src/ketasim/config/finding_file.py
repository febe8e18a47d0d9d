"""What a finding's file may hold, table by table, and how its keys go together."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from ketasim.config.schema import (
    BathTable,
    DosingTable,
    InterventionTable,
    Modules,
    Quantity,
    SubjectTable,
    Table,
    complaint,
)

MOST_POINTS = 100
MOMENT = re.compile(r"\bat\(\s*t\s*\)")  # where a curve's formula takes its times

ACCEPT = ": give one of target and tolerance, between, at_most, at_least, reported = true."
_ERROR = (
    ": give error (of a number, or of what is left) or least (the smallest effect that would have "
    "been noticed), not both."
)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_subject(value: Any) -> Any:
    return {"species": value} if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Numbers = Annotated[tuple[float, ...], BeforeValidator(_as_tuple)]


class ArmTable(Table):
    """``[arms.NAME]``: who, and what is done; ``agent`` are knobs that stand for the drug.

    With ``like`` an arm is another one and what is written here beside it; its own doses, where it
    has any, replace those of the other.
    """

    like: str = ""
    subject: Annotated[SubjectTable, BeforeValidator(_as_subject)] = SubjectTable()
    dosing: Annotated[tuple[DosingTable, ...], BeforeValidator(_as_tuple)] = ()
    bath: Annotated[tuple[BathTable, ...], BeforeValidator(_as_tuple)] = ()
    agent: Annotated[tuple[InterventionTable, ...], BeforeValidator(_as_tuple)] = ()
    intervention: Annotated[tuple[InterventionTable, ...], BeforeValidator(_as_tuple)] = ()
    parameters: dict[str, Quantity] = Field(default_factory=dict)

    def beside(self, other: "ArmTable") -> "ArmTable":
        """Return the other arm with what is written here beside it."""
        own = {"subject": self.subject} if "subject" in self.model_fields_set else {}
        return other.model_copy(
            update={
                **own,
                "dosing": self.dosing or other.dosing,
                "bath": (*other.bath, *self.bath),
                "agent": (*other.agent, *self.agent),
                "intervention": (*other.intervention, *self.intervention),
                "parameters": {**other.parameters, **self.parameters},
            }
        )


class ReadOutTable(Table):
    """``[finding]`` or ``[[measure]]``: what is read, what was seen of it, what is accepted.

    Seen is a number (``observed``), what is left of an effect (``of``, ``left``), a direction, or
    points of a curve; a proposal leaves that out. Accepted is an interval.
    """

    MISSING: ClassVar[str]
    name: str = ""
    value: str
    of: str | None = None
    unit: str = "1"
    observed: float | None = None
    left: float | None = None
    error: float | None = Field(None, gt=0.0)
    direction: Literal["up", "down", "none"] | None = None
    least: float | None = Field(None, gt=0.0)
    times: Annotated[tuple[Quantity, ...], BeforeValidator(_as_tuple)] = Field(
        (), max_length=MOST_POINTS
    )
    values: Numbers = ()
    errors: Numbers = ()
    target: float | None = None
    tolerance: float | str | None = None
    between: Annotated[tuple[float, float] | None, BeforeValidator(_as_tuple)] = None
    at_most: float | None = None
    at_least: float | None = None
    reported: bool = False

    @property
    def accepts(self) -> bool:
        """Return whether it says what is accepted."""
        ways = (self.tolerance, self.between, self.at_most, self.at_least, self.reported or None)
        return any(way is not None for way in ways)

    @model_validator(mode="after")
    def _accepted(self) -> "ReadOutTable":
        ways = (self.tolerance, self.between, self.at_most, self.at_least, self.reported or None)
        if sum(way is not None for way in ways) > 1 or (self.target is not None) > self.accepts:
            raise complaint(ACCEPT)
        if (self.tolerance is not None) > (self.target is not None):
            raise complaint(": a tolerance needs a target.")
        if self.between is not None and self.between[0] > self.between[1]:
            raise complaint(".between: write the lower end first.")
        return self

    @model_validator(mode="after")
    def _seen(self) -> "ReadOutTable":
        if self.times:
            self._check_curve()
            return self
        if self.values or self.errors:
            raise complaint(".times: values and errors of a curve need their times.")
        if self.error is not None and self.least is not None:
            raise complaint(_ERROR)
        if self.error is None and self.least is None and not self.accepts:
            raise complaint(self.MISSING)
        if self.direction is not None and self.least is None:
            raise complaint(".direction: a direction needs least, the smallest effect noticed.")
        if self.error is None and (self.observed, self.left) != (None, None):
            raise complaint(": observed, left and of need an error; a direction has least.")
        if self.of is not None and self.least is not None:
            raise complaint(": observed, left and of need an error; a direction has least.")
        if self.observed is not None and self.left is not None:
            raise complaint(": write observed (a number), or left (a share of `of`), not both.")
        if self.left is not None and self.of is None:
            raise complaint('.of: name the whole effect, e.g. "effect(ketamine, ...)".')
        return self

    def _check_curve(self) -> None:
        alone = (self.observed, self.left, self.error, self.direction, self.least)
        if alone != (None,) * 5 or self.accepts:
            raise complaint(".times: a curve has times, values and errors, and nothing beside.")
        if not MOMENT.search(self.value):
            raise complaint('.value: a curve is read at its times, as in "ketamine.x.y.at(t)".')
        n = len(self.times)
        if len(self.errors) != n or len(self.values) not in (0, n):
            raise complaint(f".errors: {n} times need as many errors, and as many values or none.")
        if min(self.errors) <= 0.0:
            raise complaint(".errors: each must be greater than 0.")


class FindingTable(ReadOutTable):
    """``[finding]``: what was observed, or could be."""

    MISSING: ClassVar[str] = _ERROR


class MeasureTable(ReadOutTable):
    """``[[measure]]``: one of several read-outs, as a scorecard has them."""

    name: str
    unit: str
    MISSING: ClassVar[str] = ACCEPT


class FindingFile(Table):
    """A finding: who and what, the evidence, the arms, one read-out or several."""

    schema_: Literal[1] = Field(alias="schema")
    title: str
    number: int | None = Field(None, ge=1, le=999)
    hard: bool = False
    consistency: bool = False
    assumed: Names = ()
    species: Literal["human", "rat", "mouse", "monkey"] | None = None
    preparation: str = Field("", max_length=200)
    rows: Names = ()
    references: Names = ()
    grade: Literal["A", "B", "C"] | None = None
    contested: bool = False
    note: str = ""
    with_: Modules = ()
    fails: str = Field("", max_length=1000)
    arms: dict[str, ArmTable] = Field(default_factory=dict)
    finding: FindingTable | None = None
    measure: Annotated[tuple[MeasureTable, ...], BeforeValidator(_as_tuple)] = ()

    @model_validator(mode="after")
    def _whole(self) -> "FindingFile":
        if self.finding is None and not self.measure:
            raise complaint("finding: this key is needed, or at least one [[measure]].")
        for name, arm in self.arms.items():
            if arm.like and (arm.like == name or getattr(self.arms.get(arm.like), "like", "?")):
                known = ", ".join(n for n, one in self.arms.items() if not one.like and n != name)
                raise complaint(
                    f"arms.{name}.like: write the name of an arm that is like no other: {known}."
                )
        if self.finding is not None:
            for name in ("species", "preparation", "arms"):
                if not getattr(self, name):
                    raise complaint(f"{name}: this key is needed.")
            if len(self.title) > 120:
                raise complaint("title: at most 120 characters, please.")
        return self
