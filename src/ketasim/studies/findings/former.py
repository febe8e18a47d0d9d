"""Names of an earlier release: they answer for one more, and say what to write instead."""

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar


def renamed(old: str, new: str, *, depth: int = 2) -> None:
    """Warn that a name has changed; ``depth`` counts calls from here to whoever wrote it."""
    warnings.warn(
        f'"{old}" is now "{new}"; the old name goes with the next release.',
        DeprecationWarning,
        stacklevel=depth + 1,
    )


class Renamed:
    """A class whose attributes of ``FORMER`` names still answer, with a warning."""

    FORMER: ClassVar[Mapping[str, str]] = {}

    def __getattr__(self, name: str) -> Any:
        """Return what a former name stands for; raises AttributeError for any other."""
        new = type(self).FORMER.get(name)
        if new is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        renamed(name, new)
        return getattr(self, new)
