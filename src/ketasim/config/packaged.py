"""What a configuration may name: models and subjects, and the files that come with the package."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import ketasim
from ketasim.core.model import Model
from ketasim.core.scenario import Subject
from ketasim.errors import ConfigError, ModelError, suggest
from ketasim.files.names import exists, is_file
from ketasim.models.antidepressant import antidepressant, whole
from ketasim.models.modules import JOIN, modules_of, with_modules
from ketasim.models.subjects import human, monkey, mouse, rat


@dataclass(frozen=True)
class Library:
    """Factories by name: of models, and of subjects (called with ``weight="70 kg"`` or nothing)."""

    models: Mapping[str, Callable[[], Model]]
    subjects: Mapping[str, Callable[..., Subject]]

    def model(self, name: str, modules: Sequence[str] = ()) -> Model:
        """Return a model by name with some modules; raises ConfigError when there is none.

        The name may hold modules itself, as a composed model's does: ``antidepressant+safety``.
        """
        base, *joined = name.split(JOIN)
        if base not in self.models:
            raise ConfigError(
                f'model.name = "{name[:60]}": no such model.{suggest(base, self.models)} '
                f"Models here: {', '.join(self.models)}."
            )
        try:
            return self._composed(base, tuple(dict.fromkeys((*joined, *modules))))
        except ModelError as error:
            raise ConfigError(f"model.with = {error}") from error

    def _composed(self, base: str, modules: tuple[str, ...]) -> Model:
        own = self.models[base]
        return antidepressant(*modules) if own is antidepressant else with_modules(own(), modules)

    def subject(self, species: str, weight: "str | float | None") -> Subject:
        """Return a subject; the usual weight of the species when none is given."""
        factory = self.subjects[species]
        return factory() if weight is None else factory(weight=weight)


@cache
def packaged_library() -> Library:
    """Return the models and subjects of this package, each model built once."""
    return Library(
        models={"antidepressant": antidepressant, "whole": whole},
        subjects={"human": human, "rat": rat, "mouse": mouse, "monkey": monkey},
    )


def folder() -> Path:
    """Return the folder of the configurations that come with the package."""
    here = Path(ketasim.__file__).parent
    inside = here / "configs"
    return inside if inside.is_dir() else here.parents[1] / "configs"


def posterior(model: Model) -> tuple[Path, str]:
    """Return the folder of the posterior that comes with the package, and what to be careful about.

    Raises
    ------
    ConfigError
        When there is none.
    """
    place = folder() / "posterior"
    if not (place / "draws.csv").is_file():
        raise ConfigError("no posterior comes with this package; make it: scripts/posterior.py.")
    made = json.loads((place / "posterior.json").read_text(encoding="utf-8"))
    with (place / "draws.csv").open(encoding="utf-8") as lines:
        drawn = [head.partition(" [")[0] for head in lines.readline().strip().split(",")]
    own, beside = hangs_on(model, drawn), modules_of(model)
    if beside and made["hangs on"] == hangs_on(antidepressant(), drawn):
        named = ", ".join(beside)
        return (
            place,
            f"the packaged posterior was drawn without modules: {named} stand as they are.",
        )
    told = (
        f"the packaged posterior was drawn for model {made['model']}, of which laws, bounds or "
        f"numbers that are not drawn have changed since: make it again."
    )
    return place, "" if made["hangs on"] == own else told


def hangs_on(model: Model, drawn: Sequence[str]) -> str:
    """Return a short hash of all that draws of some parameters hang on: all but their own values.

    These are the laws, every number that is not drawn, and the bounds of those that are.
    """
    ends: list[str] = []
    for end in (0, 1):
        own = {name: model.parameters[name] for name in drawn if name in model.parameters}
        edits = {name: (one.bounds[end], one.unit) for name, one in own.items()}
        ends.append(replace(model, edits=edits).digest)
    return hashlib.sha256(" ".join(ends).encode()).hexdigest()[:16]


def configs() -> dict[str, str]:
    """Return each packaged configuration's name and the comment in its first line."""
    return {one.stem: _title(one) for one in sorted(folder().glob("*.toml"))}


def find(name: str) -> Path:
    """Return the path a user means: a file, or else the name of a packaged configuration."""
    path = Path(name)
    packaged = folder() / f"{name.removesuffix('.toml')}.toml"
    plain = path.name == name and name.isprintable()
    return packaged if plain and not exists(path) and is_file(packaged) else path


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else ""
