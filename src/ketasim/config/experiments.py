"""Experiments as files: one TOML a published finding, or a proposal."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from ketasim.config.checks import ArmTable, arm_of
from ketasim.config.files import parse, read_file
from ketasim.config.library import Library, packaged_library
from ketasim.config.messages import explain, located
from ketasim.config.packaged import folder
from ketasim.config.schema import SubjectTable, Table, complaint
from ketasim.core.model import Model
from ketasim.errors import ConfigError, suggest
from ketasim.studies import expressions
from ketasim.studies.arms import Arm
from ketasim.studies.judge.experiment import Experiment
from ketasim.studies.judge.outcomes import Direction, Number, Outcome
from ketasim.studies.readouts import Readout
from ketasim.units import unit

MOST_FILES = 1000
NOTHING = 0.01  # a smaller whole effect leaves nothing of which a share could be left


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class FindingTable(Table):
    """``[finding]``: a read-out, and what was observed of it; a proposal leaves that out."""

    value: str
    of: str | None = None
    unit: str = "1"
    observed: float | None = None
    left: float | None = None
    error: float | None = Field(None, gt=0.0)
    direction: Literal["up", "down", "none"] | None = None
    least: float | None = Field(None, gt=0.0)

    @model_validator(mode="after")
    def _one_kind(self) -> "FindingTable":
        if (self.error is None) == (self.least is None):
            raise complaint(
                ": give error (of a number, or of what is left) or least (the smallest effect "
                "that would have been noticed), not both."
            )
        if self.direction is not None and self.least is None:
            raise complaint(".direction: a direction needs least, the smallest effect noticed.")
        if self.error is None and (self.observed, self.left, self.of) != (None, None, None):
            raise complaint(": observed, left and of need an error; a direction has least.")
        if self.observed is not None and self.left is not None:
            raise complaint(": write observed (a number), or left (a share of `of`), not both.")
        if self.left is not None and self.of is None:
            raise complaint('.of: name the whole effect, e.g. "effect(ketamine, ...)".')
        return self


class ExperimentFile(Table):
    """A finding: who and what, the evidence, the arms, the read-out."""

    schema_: Literal[1] = Field(alias="schema")
    title: str = Field(max_length=120)
    species: Literal["human", "rat", "mouse"]
    preparation: str = Field(max_length=200)
    rows: Names = ()
    references: Names = ()
    grade: Literal["A", "B", "C"] | None = None
    contested: bool = False
    note: str = ""
    arms: dict[str, ArmTable] = Field(min_length=1)
    finding: FindingTable


def load_experiments(
    folders: Iterable[Path] = (), *, packaged: bool = True, library: Library | None = None
) -> list[Experiment]:
    """Read the published findings of the package and those of folders of your own, by name.

    Raises
    ------
    ConfigError
        When a folder is missing or empty, a file cannot be read, or two have the same name.
    """
    places = [folder() / "experiments"] if packaged else []
    found: dict[str, Experiment] = {}
    for place in (*places, *folders):
        for one in load_folder(place, library=library):
            if one.name in found:
                raise ConfigError(f'{place}: there is already an experiment "{one.name}"; rename.')
            found[one.name] = one
    return list(found.values())


def load_folder(place: Path, *, library: Library | None = None) -> list[Experiment]:
    """Read every experiment of one folder, by name; see :func:`load_experiments`."""
    if place.is_file():
        return [load_experiment(place, library=library)]
    files = sorted(place.glob("*.toml"))
    if not files:
        raise ConfigError(f"{place}: no experiment files (*.toml) here.")
    if len(files) > MOST_FILES:
        raise ConfigError(f"{place}: {len(files):,} files; at most {MOST_FILES:,}.")
    return [load_experiment(one, library=library) for one in files]


def candidates() -> list[Experiment]:
    """Return the proposals that come with the package."""
    return load_folder(folder() / "candidates")


def reference_effect(name: str | Path = "mouse") -> Experiment:
    """Return the effect to which accounts are calibrated: a packaged name, or a file.

    Raises
    ------
    ConfigError
        When there is none of that name, or it has no number to reach.
    """
    place = folder() / "reference_effects"
    known = {one.stem: one for one in sorted(place.glob("*.toml"))}
    if str(name) not in known and not Path(name).is_file():
        raise ConfigError(
            f'reference "{name}": no such effect.{suggest(str(name), known)} '
            f"Effects here: {', '.join(known)}; or give a file."
        )
    found = load_experiment(known.get(str(name), Path(name)))
    if not isinstance(found.outcome, Number) or found.outcome.observed == 0.0:
        raise ConfigError(f"{found.name}: a reference effect is a number, and not 0.")
    return found


def load_experiment(path: Path, *, library: Library | None = None) -> Experiment:
    """Read one experiment; see :func:`load_experiments`."""
    text = read_file(path)
    try:
        table = ExperimentFile.model_validate(parse(text, path.name))
    except ValidationError as error:
        raise ConfigError(explain(error, path.name)) from None
    library = library or packaged_library()
    model = library.model("antidepressant")
    with located(f"{path.name}: "):
        arms = {name: _arm(name, one, table, library, model) for name, one in table.arms.items()}
        formula = _formula(table.finding, arms, model)
        unit(table.finding.unit, "finding.unit")
    return Experiment(
        name=path.stem,
        title=table.title,
        species=table.species,
        preparation=table.preparation,
        arms=arms,
        formula=formula,
        unit=table.finding.unit,
        outcome=_outcome(table.finding),
        grade=table.grade or "",
        contested=table.contested,
        rows=table.rows,
        references=table.references,
        note=" ".join(table.note.split()),
        written=text,
    )


def _arm(name: str, one: ArmTable, table: ExperimentFile, library: Library, model: Model) -> Arm:
    """Return an arm; its subject is of the experiment's species unless it says otherwise."""
    if "subject" not in one.model_fields_set:
        one = one.model_copy(update={"subject": SubjectTable(species=table.species)})
    return arm_of(name, one, library, model)


def _formula(finding: FindingTable, arms: dict[str, Arm], model: Model) -> expressions.Node:
    value = _node(finding.value, "finding.value", arms, model)
    if finding.of is None:
        return value
    return expressions.Operation(_share, (value, _node(finding.of, "finding.of", arms, model)))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return what is left of an effect; nan where there was none."""
    return np.where(np.abs(whole) < NOTHING, np.nan, part / whole)


def _node(text: str, where: str, arms: dict[str, Arm], model: Model) -> expressions.Node:
    node = expressions.parse(text, where)
    for asked in expressions.readings(node):
        arm = getattr(asked, "arm", None)
        if arm is not None and arm not in arms:
            raise ConfigError(
                f'{where}: no arm "{arm}".{suggest(arm, arms)} Arms here: {", ".join(arms)}.'
            )
        if isinstance(asked, expressions.Reading):
            name = Readout.parse(asked.summary, where).name
            known = {*model.states, *(str(one.name) for one in model.quantities)}
            if name not in known:
                hint = suggest(name, known)
                raise ConfigError(f"{where}: {name}: no such state or quantity.{hint}")
        if isinstance(asked, expressions.Ledger):
            model.value(asked.name)
    return node


def _outcome(finding: FindingTable) -> Outcome:
    if finding.least is not None:
        return Direction(finding.direction, finding.least)
    seen = finding.observed if finding.left is None else finding.left
    return Number(seen, finding.error or 1.0)
