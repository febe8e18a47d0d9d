"""The models and subjects a configuration may name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from ketasim.core.model import Model
from ketasim.core.scenario import Subject
from ketasim.errors import ConfigError, suggest


@dataclass(frozen=True)
class Library:
    """Factories by name: of models, and of subjects (called with ``weight="70 kg"`` or nothing)."""

    models: Mapping[str, Callable[[], Model]]
    subjects: Mapping[str, Callable[..., Subject]]

    def model(self, name: str) -> Model:
        """Return a model by name; raises ConfigError when there is none."""
        if name not in self.models:
            raise ConfigError(
                f'model.name = "{name[:60]}": no such model.{suggest(name, self.models)} '
                f"Models here: {', '.join(self.models)}."
            )
        return self.models[name]()

    def subject(self, species: str, weight: "str | float | None") -> Subject:
        """Return a subject; the usual weight of the species when none is given."""
        factory = self.subjects[species]
        return factory() if weight is None else factory(weight=weight)


@cache
def packaged_library() -> Library:
    """Return the models and subjects of this package, each model built once."""
    from ketasim.models import antidepressant
    from ketasim.models.subjects import human, mouse, rat

    return Library(
        models={"antidepressant": cache(antidepressant)},
        subjects={"human": human, "rat": rat, "mouse": mouse},
    )
