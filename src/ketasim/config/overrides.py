"""``--set "nmda.k_s=0.5 uM"``: one number changed without editing a file."""

import re
import tomllib
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ketasim.config.files import Toml
from ketasim.config.schema import Config
from ketasim.errors import ConfigError

_STEP = re.compile(r"\.?([\w-]{1,60})|\[(\d{1,6})\]")
_SECTIONS = frozenset(field.alias or name for name, field in Config.model_fields.items())


@dataclass(frozen=True)
class Overrides:
    """Changes from the command line: to keys of the file, and to parameters of the model."""

    keys: tuple[tuple[str, Any], ...] = ()
    parameters: tuple[tuple[str, Any], ...] = ()

    def applied(self, table: Toml) -> Toml:
        """Return the table with its keys changed.

        Raises
        ------
        ConfigError
            When a path leads nowhere.
        """
        changed = deepcopy(table) if self.keys else table
        for path, value in self.keys:
            _put(changed, path, value)
        return changed


def read_overrides(texts: Iterable[str]) -> Overrides:
    """Read ``NAME=VALUE`` texts; a name that begins with no section is a parameter.

    Raises
    ------
    ConfigError
        When a text has no ``=`` or no name.
    """
    keys: list[tuple[str, Any]] = []
    parameters: list[tuple[str, Any]] = []
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise ConfigError(f'--set {text[:60]}: write NAME=VALUE, e.g. --set "nmda.k_s=0.5 uM".')
        section = re.split(r"[.\[]", name)[0]
        (keys if section in _SECTIONS else parameters).append((name, _value(value)))
    return Overrides(tuple(keys), tuple(parameters))


def _value(text: str) -> Any:
    """Read a TOML value, or keep plain text such as ``0.5 uM`` as it is."""
    if len(text) > 10_000 or not re.match(r"[-+\d.\"'\[{tf]", text):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _put(table: Toml, path: str, value: Any) -> None:
    steps = [int(m[2]) if m[2] else m[1] for m in _STEP.finditer(path)]
    if "".join(m[0] for m in _STEP.finditer(path)) != path or not 1 <= len(steps) <= 10:
        raise ConfigError(f"--set {path[:60]}: write a key such as dosing[0].amount.")
    here: Any = table
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int):
            if not isinstance(here, list) or step >= len(here):
                count = len(here) if isinstance(here, list) else 0
                raise ConfigError(
                    f"--set {path}: there is no [{step}]; the file has {count} of these."
                )
        elif not isinstance(here, dict):
            raise ConfigError(f'--set {path}: "{step}" is not in a table.')
        elif following is not None and step not in here:
            here[step] = {}
        if following is None:
            here[step] = value
        else:
            here = here[step]
