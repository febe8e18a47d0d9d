"""What a schedule file may hold: a configuration, and what is free, wished and limited."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from ketasim.config.schema import Config, Quantity, Table, _as_names, _as_tuple, complaint


def _one_or_more(value: Any) -> Any:
    """Accept one table, or a list of them."""
    return (value,) if isinstance(value, dict) else _as_tuple(value)


class UsualTable(Table):
    """``[schedule.usual]``: a schedule to start from and to compare with."""

    amount: Quantity
    gap: Quantity | None = None
    duration: Quantity | None = None
    visits: int | None = None


class WayTable(Table):
    """``[schedule]``: a drug by a route, or several, with what is free of its visits."""

    drug: str = "ketamine"
    route: Annotated[tuple[str, ...], BeforeValidator(_as_names), Field(min_length=1)]
    visits: Annotated[tuple[int, ...], BeforeValidator(lambda v: _numbers(v)), Field(min_length=1)]
    start: Quantity = 0.0
    amount: Quantity
    amounts: str = "each"
    taper: str | float | None = None
    gap: Quantity | None = None
    gaps: str = "each"
    widen: str | float | None = None
    duration: Quantity = "0 min"
    durations: str = "same"
    usual: UsualTable | None = None


def _numbers(value: Any) -> Any:
    return (value,) if isinstance(value, int) else _as_tuple(value)


class ObjectiveTable(Table):
    """``[[objective]]``: what is to be least or most, over whom."""

    minimise: str | None = None
    maximise: str | None = None
    over: str = "mean"

    @model_validator(mode="after")
    def _one_way(self) -> "ObjectiveTable":
        if (self.minimise is None) == (self.maximise is None):
            raise complaint(": write either minimise = ... or maximise = ...")
        return self


class ConstraintTable(Table):
    """``[[constraint]]``: a number that may not be passed, over whom."""

    of: str
    at_most: Quantity | None = None
    at_least: Quantity | None = None
    over: str = "mean"
    each_visit: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> "ConstraintTable":
        if (self.at_most is None) == (self.at_least is None):
            raise complaint(": write either at_most = ... or at_least = ...")
        return self


class CohortTable(Table):
    """``[cohort]``: patients from a file, or drawn."""

    table: str | None = None
    patients: int | None = Field(None, ge=1, le=1_000_000)
    vary: Annotated[tuple[str, ...] | dict[str, str], BeforeValidator(_as_names)] = ("subject",)
    seed: int = Field(1, ge=0)

    @model_validator(mode="after")
    def _one_way(self) -> "CohortTable":
        if (self.table is None) == (self.patients is None):
            raise complaint(': write either table = "FILE.csv" or patients = 200.')
        return self


class UncertaintyTable(Table):
    """``[uncertainty]``: draws of a posterior that every patient is tried with."""

    posterior: str = "packaged"
    draws: int = Field(10, ge=1, le=100_000)
    over: str = "mean"


class SearchTable(Table):
    """``[search]``: how hard to look."""

    starts: int = Field(3, ge=1, le=1000)
    few: int = Field(24, ge=1)
    seed: int = Field(1, ge=0)
    points: int = Field(9, ge=2, le=200)


class ScheduleFile(Config):
    """One file, one question: which schedule is best."""

    title: str = ""
    schedule: Annotated[tuple[WayTable, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
    objective: Annotated[
        tuple[ObjectiveTable, ...], BeforeValidator(_one_or_more), Field(min_length=1, max_length=2)
    ]
    constraint: Annotated[tuple[ConstraintTable, ...], BeforeValidator(_one_or_more)] = ()
    cohort: CohortTable | None = None
    uncertainty: UncertaintyTable | None = None
    search: SearchTable = SearchTable()
