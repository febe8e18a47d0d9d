"""Checks of the scorecard as files: one TOML a check."""

from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from ketasim.config.files import parse, read_file
from ketasim.config.library import Library, packaged_library
from ketasim.config.messages import explain, located
from ketasim.config.packaged import folder
from ketasim.config.protocol import protocol_of
from ketasim.config.schema import (
    BathTable,
    Config,
    DosingTable,
    InterventionTable,
    Quantity,
    SubjectTable,
    Table,
    complaint,
)
from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.studies import expressions
from ketasim.studies.arms import Arm
from ketasim.studies.scorecard import Check, Measure


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_subject(value: Any) -> Any:
    return {"species": value} if isinstance(value, str) else value


class ArmTable(Table):
    """``[arms.NAME]``: who, and what is done; ``agent`` are knobs that stand for the drug."""

    subject: Annotated[SubjectTable, BeforeValidator(_as_subject)] = SubjectTable()
    dosing: Annotated[tuple[DosingTable, ...], BeforeValidator(_as_tuple)] = ()
    bath: Annotated[tuple[BathTable, ...], BeforeValidator(_as_tuple)] = ()
    agent: Annotated[tuple[InterventionTable, ...], BeforeValidator(_as_tuple)] = ()
    intervention: Annotated[tuple[InterventionTable, ...], BeforeValidator(_as_tuple)] = ()
    parameters: dict[str, Quantity] = Field(default_factory=dict)


class MeasureTable(Table):
    """``[[measure]]``: a formula, and a target with tolerance, an interval, or one bound."""

    name: str
    value: str
    unit: str
    target: float | None = None
    tolerance: float | str | None = None
    between: Annotated[tuple[float, float] | None, BeforeValidator(_as_tuple)] = None
    at_most: float | None = None
    at_least: float | None = None
    reported: bool = False

    @model_validator(mode="after")
    def _judged(self) -> "MeasureTable":
        ways = (self.tolerance, self.between, self.at_most, self.at_least, self.reported or None)
        if sum(way is not None for way in ways) != 1:
            raise complaint(
                ": give one of target and tolerance, between, at_most, at_least, reported = true."
            )
        if (self.tolerance is not None) > (self.target is not None):
            raise complaint(": a tolerance needs a target.")
        return self


class CheckFile(Table):
    """A check: its number, evidence, arms and measures."""

    schema_: Literal[1] = Field(alias="schema")
    number: int = Field(ge=1, le=999)
    title: str
    hard: bool
    rows: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
    references: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
    note: str = ""
    arms: dict[str, ArmTable] = Field(default_factory=dict)
    measure: Annotated[tuple[MeasureTable, ...], BeforeValidator(_as_tuple)] = Field(min_length=1)


def load_checks(where: Path | None = None, *, library: Library | None = None) -> list[Check]:
    """Read every check of a folder (those of the package when none is given), by number.

    Raises
    ------
    ConfigError
        When a file cannot be read; the message names it and the key.
    """
    files = sorted((where or folder() / "checks").glob("*.toml"))
    if not files:
        raise ConfigError(f"{where}: no check files (*.toml) here.")
    checks = [load_check(one, library=library) for one in files]
    return sorted(checks, key=lambda one: one.number)


def load_check(path: Path, *, library: Library | None = None) -> Check:
    """Read one check; see :func:`load_checks`."""
    try:
        table = CheckFile.model_validate(parse(read_file(path), path.name))
    except ValidationError as error:
        raise ConfigError(explain(error, path.name)) from None
    library = library or packaged_library()
    model = library.model("antidepressant")
    with located(f"{path.name}: "):
        arms = {name: arm_of(name, one, library, model) for name, one in table.arms.items()}
        measures = tuple(_measure(i, one, set(arms)) for i, one in enumerate(table.measure))
    return Check(
        number=table.number,
        title=table.title,
        hard=table.hard,
        rows=table.rows,
        references=table.references,
        arms=arms,
        measures=measures,
        note=" ".join(table.note.split()),
    )


def arm_of(name: str, one: ArmTable, library: Library, model: Model) -> Arm:
    """Return an arm with its control: the same without doses, baths and agents.

    Raises
    ------
    ConfigError
        When an event cannot be carried out or a parameter is unknown.
    """
    subject = library.subject(one.subject.species, one.subject.weight)
    full = Config.model_construct(
        schema_=1,
        subject=one.subject,
        dosing=one.dosing,
        bath=one.bath,
        intervention=(*one.intervention, *one.agent),
    )
    bare = Config.model_construct(schema_=1, subject=one.subject, intervention=one.intervention)
    with located(f"arms.{name}."):
        treated, control = (protocol_of(part, model, subject) for part in (full, bare))
        model.with_values(one.parameters)
    return Arm(subject, treated, control, one.parameters)


def _measure(i: int, one: MeasureTable, arms: set[str]) -> Measure:
    where = f"measure[{i}].value"
    formula = expressions.parse(one.value, where)
    for asked in expressions.readings(formula):
        arm = getattr(asked, "arm", None)
        if arm is not None and arm not in arms:
            raise ConfigError(f'{where}: no arm "{arm}". Arms here: {", ".join(sorted(arms))}.')
    low, high = _interval(i, one)
    return Measure(one.name, formula, one.unit, one.target, low, high, one.reported)


def _interval(i: int, one: MeasureTable) -> tuple[float, float]:
    if one.between is not None:
        return one.between
    if one.target is not None and one.tolerance is not None:
        width = _width(f"measure[{i}].tolerance", one.tolerance, one.target)
        return one.target - width, one.target + width
    return (
        -inf if one.at_least is None else one.at_least,
        inf if one.at_most is None else one.at_most,
    )


def _width(where: str, tolerance: float | str, target: float) -> float:
    if not isinstance(tolerance, str):
        return float(tolerance)
    number, _, sign = tolerance.partition(" ")
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if sign != "%" or share <= 0.0:
        raise ConfigError(f'{where} = "{tolerance}": write a number, or a share as in "30 %".')
    return abs(target) * share / 100.0
