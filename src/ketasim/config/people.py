"""How subjects of a species differ, from a file: traits, what covariates do, what goes together."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from ketasim.config.files import parse, read_file
from ketasim.config.finding_file import Names
from ketasim.config.messages import located, validated
from ketasim.config.packaged import folder
from ketasim.config.schema import Table, complaint
from ketasim.core.evidence import Evidence
from ketasim.errors import ConfigError, suggest
from ketasim.files.names import is_file
from ketasim.studies.designs.distributions import read_distribution
from ketasim.studies.designs.patients import Count, Values
from ketasim.studies.patients.people import Effect, Pair, People, Trait

PEOPLE = "patients"
_COUNT = re.compile(r"\s*count\(\s*(\d{1,3})\s*,\s*(0?\.\d{1,9})\s*\)\s*$")


class Sourced(Table):
    """A line of a table: what it rests on."""

    evidence: Literal["measured", "derived", "fitted", "assumed"]
    note: str = Field(min_length=1, max_length=400)
    keys: Names = ()

    @model_validator(mode="after")
    def _sources(self) -> "Sourced":
        if (self.evidence == "assumed") == bool(self.keys):
            raise complaint(": what is measured, derived or fitted has keys; what is assumed none.")
        return self

    @property
    def standing(self) -> Evidence:
        """Return what the line rests on."""
        return Evidence(self.evidence, self.note, self.keys)


class TraitTable(Sourced):
    """``[traits."NAME"]``: how a trait is spread, or by how much the ledger's value is."""

    values: str | None = None
    spread: float | None = Field(None, gt=0.0, le=2.0)
    scales: Names = ()

    @model_validator(mode="after")
    def _one_way(self) -> "TraitTable":
        if (self.values is None) == (self.spread is None):
            raise complaint(': write values = "lognormal(1, 1.2, 0.5, 2)", or spread = 0.2.')
        return self


class EffectTable(Sourced):
    """``[[effects]]``: what a covariate does to parameters."""

    of: str
    scales: Names
    ratio: float = Field(gt=0.0)
    origin: float = 0.0
    per: float = Field(1.0, gt=0.0)


class PairTable(Sourced):
    """``[[correlations]]``: two traits that go together."""

    between: Annotated[tuple[str, str], BeforeValidator(lambda v: tuple(v))]
    r: float = Field(gt=-1.0, lt=1.0)


class PeopleFile(Table):
    """A species, and how its members differ."""

    schema_: Literal[1] = Field(alias="schema")
    species: Literal["human", "rat", "mouse", "monkey"]
    title: str = Field(min_length=1, max_length=200)
    references: Names = ()
    traits: dict[str, TraitTable]
    effects: Annotated[tuple[EffectTable, ...], BeforeValidator(lambda v: tuple(v))] = ()
    correlations: Annotated[tuple[PairTable, ...], BeforeValidator(lambda v: tuple(v))] = ()

    @model_validator(mode="after")
    def _listed(self) -> "PeopleFile":
        lines = (*self.traits.values(), *self.effects, *self.correlations)
        lost = sorted({key for one in lines for key in one.keys} - set(self.references))
        if lost:
            raise complaint(f"references: list {', '.join(lost)} too, which lines rest on.")
        return self


def load_people(name: str) -> People:
    """Return people by the name of a packaged file (human, rat, mouse), or from a file.

    Raises
    ------
    ConfigError
        When there is no such file, or it says something that cannot be understood.
    """
    path = found(name, PEOPLE)
    table = validated(PeopleFile, parse(read_file(path), path.name), path.name)
    with located(f"{path.name}: "):
        return _built(table)


def found(name: str, room: str) -> Path:
    """Return a file by its path, or by its name among those of a room that come with the package.

    Raises
    ------
    ConfigError
        When there is neither.
    """
    packaged = {one.stem: one for one in sorted((folder() / room).glob("*.toml"))}
    stem = name.removesuffix(".toml")
    path = packaged[stem] if stem in packaged and not is_file(Path(name)) else Path(name)
    if not is_file(path):
        raise ConfigError(
            f'"{name[:60]}": no such file.{suggest(stem, packaged)} With the package come, in '
            f"configs/{room}: {', '.join(packaged)}."
        )
    return path


def _built(table: PeopleFile) -> People:
    traits = tuple(
        Trait(name, one.standing, _values(one.values, name), one.spread, one.scales)
        for name, one in table.traits.items()
    )
    effects = tuple(
        Effect(one.of, one.scales, one.ratio, one.origin, one.per, one.standing)
        for one in table.effects
    )
    pairs = tuple(Pair(*one.between, one.r, one.standing) for one in table.correlations)
    return People(table.species, table.title, traits, effects, pairs)


def _values(text: str | None, name: str) -> Values | None:
    if text is None:
        return None
    count = _COUNT.match(text[:60])
    if count:
        return Count(int(count[1]), float(count[2]))
    return read_distribution(text, f'traits."{name[:60]}".values')
