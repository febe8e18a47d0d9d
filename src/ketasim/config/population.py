"""``ketasim population``: whose population, how large, and which trials it is to match."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ketasim.config.build import Setup, build
from ketasim.config.files import parse, read_file, read_overrides
from ketasim.config.finding_file import Names
from ketasim.config.messages import located, validated
from ketasim.config.packaged import Library, packaged_library
from ketasim.config.people import found, load_people
from ketasim.config.published import load_published
from ketasim.config.schema import Config, EngineTable, InterventionTable, ModelTable, Table
from ketasim.core.describe import Described, some
from ketasim.studies.patients.people import People
from ketasim.studies.patients.published import PublishedTrial

ROOM = "populations"
MOST = 10_000_000
SHARED = ("model", "intervention", "engine")  # tables that a configuration has too
ALWAYS_UNTIL = "1 d"  # of a scenario without doses; each arm has its own end


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class PopulationFile(Table):
    """One population: plausible patients, and the trials that a cohort of them is to match."""

    schema_: Literal[1] = Field(alias="schema")
    title: str = Field("", max_length=200)
    people: str
    patients: int = Field(20_000, ge=10, le=MOST)
    cohort: int = Field(1000, ge=2, le=100_000)
    seed: int = Field(1, ge=0)
    method: Literal["weights", "select", "accept"] = "weights"
    match: Names = ()
    predict: Names = ()
    model: ModelTable = ModelTable()
    intervention: Annotated[tuple[InterventionTable, ...], BeforeValidator(_as_tuple)] = ()
    engine: EngineTable = EngineTable()


@dataclass(frozen=True, repr=False)
class PopulationAsked(Described):
    """A population read and checked: ``setup`` is what every patient starts from, undosed."""

    name: str
    title: str
    people: People
    setup: Setup
    patients: int
    cohort: int
    seed: int
    method: str
    match: tuple[PublishedTrial, ...]
    predict: tuple[PublishedTrial, ...]

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        return f"Population {self.name}", [
            ("about", self.title),
            ("patients", f"{self.patients:,} plausible, a cohort of {self.cohort:,}"),
            ("matched to", some([one.name for one in self.match]) or "nothing"),
            ("predicts", some([one.name for one in self.predict]) or "nothing"),
        ]


def load_population(
    name: str | Path, *, sets: Iterable[str] = (), library: Library | None = None
) -> PopulationAsked:
    """Return a population by the name of a packaged file, or from a file.

    Parameters
    ----------
    sets
        Changes such as ``"patients=2000"`` of its numbers and names, or ``"nmda.k_s=0.5 uM"``.

    Raises
    ------
    ConfigError
        When there is no such file, or it says something that cannot be understood.
    """
    path = found(str(name), ROOM)
    keys, others = parted(sets, PopulationFile)
    table = parse(read_file(path), path.name) | keys
    asked = validated(PopulationFile, table, path.name)
    people = load_people(asked.people)
    own = {key: table[key] for key in SHARED if key in table}
    setup = base_of(own, people.species, path.name, others, library or packaged_library())
    with located(f"{path.name}: "):
        people.crowd(setup.scenario.model, 1)
    return PopulationAsked(
        name=path.stem,
        title=asked.title or people.title,
        people=people,
        setup=setup,
        patients=asked.patients,
        cohort=min(asked.cohort, asked.patients),
        seed=asked.seed,
        method=asked.method,
        match=tuple(load_published(one) for one in asked.match),
        predict=tuple(load_published(one) for one in asked.predict),
    )


def parted(sets: Iterable[str], file: type[Table]) -> tuple[dict[str, object], list[str]]:
    """Return what changes keys of a file itself, and what changes the scenario behind it."""
    keys, others = {}, []
    for text in sets:
        name, equals, value = (part.strip() for part in text.partition("="))
        if equals and name in file.model_fields and name not in SHARED:
            try:
                keys[name] = tomllib.loads(f"value = {value}")["value"]
            except tomllib.TOMLDecodeError:
                keys[name] = value
        else:
            others.append(text)
    return keys, others


def base_of(
    own: Mapping[str, Any], species: str, source: str, sets: Iterable[str], library: Library
) -> Setup:
    """Return the scenario that every arm of every patient is made from: no dose, all conditions.

    ``own`` are the tables of the file that a configuration has too.
    """
    table = {
        "schema": 1,
        "name": source.removesuffix(".toml"),
        "subject": {"species": species},
        "output": {"until": ALWAYS_UNTIL},
        **own,
    }
    overrides = read_overrides(sets)
    config = validated(Config, overrides.applied(table), source)
    return build(config, source, overrides=overrides, library=library)
