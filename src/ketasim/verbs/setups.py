"""What a user means by a scenario: a configuration's name, a file, a Setup or a Scenario."""

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

from ketasim.config import Setup, load
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError, KetasimWarning
from ketasim.studies.cautions import PREFIX, cautions_of

Question = str | Path | Setup | Scenario
Tell = Callable[[str], object]


def setup_of(what: Question, *, sets: Iterable[str] = ()) -> Setup:
    """Return the setup that a user means.

    Parameters
    ----------
    what
        A packaged configuration's name, a TOML file, a Setup or a Scenario.
    sets
        Changes such as ``"nmda.k_s=0.5 uM"``, for a name or a file.

    Raises
    ------
    ConfigError
        When a file cannot be understood, or what is already built should be changed by text.
    """
    if isinstance(what, str | Path):
        return load(what, sets=sets)
    if list(sets):
        raise ConfigError(
            "sets: change files and named configurations only; for a Scenario write "
            'dataclasses.replace(scenario, model=scenario.model.with_values({"nmda.k_s": "1 uM"})).'
        )
    return what if isinstance(what, Setup) else Setup(what, cautions=cautions_of(what))


def warned(caution: str) -> None:
    """Say a caution the way Python does."""
    warnings.warn(caution.removeprefix(PREFIX), KetasimWarning, stacklevel=3)
