"""Hypotheses as files: gains, parameter changes, or a mixture of hypotheses."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from ketasim.config.files import parse, read_file
from ketasim.config.messages import located, validated
from ketasim.config.packaged import Library, folder, packaged_library
from ketasim.config.schema import Modules, Quantity, Table, complaint
from ketasim.core.model import Model
from ketasim.errors import ConfigError, suggest
from ketasim.files.names import is_file
from ketasim.models.rivals import NULLS, RIVALS, Hypothesis, mixture


class HypothesisFile(Table):
    """A hypothesis: what it says, its gain or gains, what it changes, and the modules it needs."""

    schema_: Literal[1] = Field(alias="schema")
    name: str = Field(min_length=1, max_length=60)
    story: str = Field(max_length=500)
    strength: str | None = None
    shares: dict[str, float] = Field(default_factory=dict)
    mixture: dict[str, float] = Field(default_factory=dict)
    parameters: dict[str, Quantity] = Field(default_factory=dict)
    with_: Modules = ()

    @model_validator(mode="after")
    def _one_size(self) -> "HypothesisFile":
        ways = [bool(self.strength), bool(self.shares), bool(self.mixture)]
        if sum(ways) > 1:
            raise complaint(": give one of strength, shares and mixture.")
        for table in (self.shares, self.mixture):
            if table and (min(table.values()) < 0.0 or not max(table.values()) > 0.0):
                raise complaint(": shares must be >= 0, and not all of them 0.")
        return self


def load_hypotheses(names: Iterable[str] = ()) -> list[Hypothesis]:
    """Return hypotheses by name or file; the six rivals when none is given.

    Raises
    ------
    ConfigError
        When a name is unknown or a file cannot be read.
    """
    return [load_hypothesis(one) for one in names] or list(RIVALS)


def fitted_rivals() -> list[Hypothesis]:
    """Return the rivals, the default first, each at its own best point (``configs/rivals``)."""
    found = ((one, folder() / "rivals" / f"{one.name}.toml") for one in RIVALS)
    return [load_hypothesis(str(path)) for _, path in found if is_file(path)]


def load_hypothesis(name: str, *, library: Library | None = None) -> Hypothesis:
    """Return one hypothesis: a rival, a null, a packaged file by its name, or a file of your own.

    Raises
    ------
    ConfigError
        When there is none, or the file says something that cannot be understood.
    """
    built_in = {one.name: one for one in (*RIVALS, *NULLS)}
    if name in built_in:
        return built_in[name]
    packaged = {one.stem: one for one in sorted((folder() / "hypotheses").glob("*.toml"))}
    path = packaged.get(name, Path(name))
    if not is_file(path):
        known = [*built_in, *(one for one in packaged if one not in built_in)]
        raise ConfigError(
            f'"{name[:60]}": no such hypothesis.{suggest(name, known)} Hypotheses here: '
            f"{', '.join(known)}; or give a file."
        )
    return _read(path, library or packaged_library())


def _read(path: Path, library: Library) -> Hypothesis:
    table = validated(HypothesisFile, parse(read_file(path), path.name), path.name)
    with located(f"{path.name}: "):
        found = _built(table)
        _check_gains(found, library.model("antidepressant"))
    return found


def _built(table: HypothesisFile) -> Hypothesis:
    if table.mixture:
        if table.parameters:
            raise ConfigError("parameters: a mixture changes drivers only; leave them out.")
        parts = [load_hypothesis(one) for one in table.mixture]
        return mixture(parts, list(table.mixture.values()), name=table.name)
    off = {gain: 0.0 for one in RIVALS for gain in one.gains}
    return Hypothesis(
        table.name,
        table.story,
        {**off, **table.parameters},
        strength=table.strength or "",
        shares=table.shares,
        modules=table.with_,
    )


def _check_gains(one: Hypothesis, model: Model) -> None:
    """Refuse a gain that is not a plain number between bounds that start at 0."""
    one.model(model)
    model = one.structure(model)
    for name in one.gains:
        model.value(name)
        parameter = model.parameters[name]
        if parameter.unit != "1" or not (parameter.bounds[0] == 0.0 and parameter.bounds[1] >= 1.0):
            drivers = ", ".join(key for key, p in model.parameters.items() if p.role == "gain")
            low, high = parameter.bounds
            raise ConfigError(
                f"{name} ({low:g} to {high:g} {parameter.unit}) cannot be calibrated between 0 "
                f"and 1. Gains: {drivers}."
            )
