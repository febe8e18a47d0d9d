"""A published trial from a file: who, arms, visits, and which numbers were read where."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from ketasim.config.files import parse, read_file
from ketasim.config.finding_file import Names
from ketasim.config.messages import located, validated
from ketasim.config.packaged import Library, packaged_library
from ketasim.config.people import found
from ketasim.config.protocol import protocol_of, time_of
from ketasim.config.schema import Config, DosingTable, Quantity, Table, complaint
from ketasim.core.protocol import Protocol
from ketasim.studies.patients.published import (
    KINDS,
    PublishedArm,
    PublishedTrial,
    Statistic,
    error_of,
)
from ketasim.studies.patients.reading import Setting

ROOM = "published"


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class SeenTable(Table):
    """``[[arms.NAME.seen]]``: what was seen of an arm at one visit, and where it was read."""

    at: Quantity
    n: int | None = Field(None, ge=2)
    mean: float | None = None
    sd: float | None = Field(None, gt=0.0)
    change: float | None = None
    sd_change: float | None = Field(None, gt=0.0)
    response: float | None = Field(None, ge=0.0, le=1.0)
    remission: float | None = Field(None, ge=0.0, le=1.0)
    read: str = Field(min_length=1, max_length=300)

    @model_validator(mode="after")
    def _spread(self) -> "SeenTable":
        for mean, sd in (("mean", "sd"), ("change", "sd_change")):
            if (getattr(self, mean) is None) != (getattr(self, sd) is None):
                raise complaint(f".{mean}: a mean and its standard deviation ({sd}) go together.")
        if all(getattr(self, kind) is None for kind in KINDS):
            raise complaint(f": nothing was seen; there are {', '.join(KINDS)}.")
        return self


class PublishedArmTable(Table):
    """``[arms.NAME]``: what was given, and to how many."""

    n: int = Field(ge=2)
    dosing: Annotated[tuple[DosingTable, ...], BeforeValidator(_as_tuple)] = ()
    seen: Annotated[tuple[SeenTable, ...], BeforeValidator(_as_tuple)] = Field(min_length=1)


class SettingTable(Table):
    """``[setting]``: what a visit and weeks bring, where that is known beforehand [points]."""

    expectation: float = Field(ge=0.0, le=30.0)
    care: float = Field(ge=-30.0, le=30.0)


class PublishedFile(Table):
    """A trial as it was published."""

    schema_: Literal[1] = Field(alias="schema")
    title: str = Field(min_length=1, max_length=200)
    references: Names = ()
    rows: Names = ()
    note: str = Field("", max_length=1000)
    least: float = Field(0.0, ge=0.0, le=60.0)
    most: float = Field(60.0, ge=0.0, le=60.0)
    remission: float = Field(12.0, ge=0.0, le=60.0)
    setting: SettingTable | None = None
    arms: dict[str, PublishedArmTable] = Field(min_length=1)


def load_published(name: str, *, library: Library | None = None) -> PublishedTrial:
    """Return a published trial by the name of a packaged file, or from a file.

    Raises
    ------
    ConfigError
        When there is no such file, or it says something that cannot be understood.
    """
    path = found(name, ROOM)
    table = validated(PublishedFile, parse(read_file(path), path.name), path.name)
    with located(f"{path.name}: "):
        return _built(table, path, library or packaged_library())


def _built(table: PublishedFile, path: Path, library: Library) -> PublishedTrial:
    arms = tuple(_arm(name, one, library) for name, one in table.arms.items())
    held = table.setting
    return PublishedTrial(
        name=path.stem,
        title=table.title,
        arms=arms,
        least=table.least,
        most=table.most,
        remission=table.remission,
        held=None if held is None else Setting(held.expectation, held.care),
        references=table.references,
        rows=table.rows,
        note=table.note,
    )


def _arm(name: str, one: PublishedArmTable, library: Library) -> PublishedArm:
    with located(f"arms.{name}."):
        protocol = dosed(one.dosing, library)
        seen = [stat for i, row in enumerate(one.seen) for stat in _statistics(row, one.n, i)]
    return PublishedArm(name, protocol, one.n, tuple(seen))


def dosed(dosing: tuple[DosingTable, ...], library: Library) -> Protocol:
    """Return the doses of a person, checked against the default model."""
    config = Config.model_validate({"schema": 1}).model_copy(update={"dosing": dosing})
    model, subject = library.model("antidepressant"), library.subject("human", None)
    return protocol_of(config, model, subject)


def _statistics(row: SeenTable, of_arm: int, i: int) -> list[Statistic]:
    at, n = time_of(row.at, f"seen[{i}].at"), row.n or of_arm
    about = {"sd": row.mean, "sd_change": row.change}
    spread = {"mean": row.sd, "change": row.sd_change}
    return [
        Statistic(
            kind, at, value, error_of(kind, value, n, spread.get(kind)), n, about.get(kind) or 0.0
        )
        for kind in KINDS
        if (value := getattr(row, kind)) is not None
    ]
