"""A TOML file as a table, bounded in size and depth; and ``--set "nmda.k_s=0.5 uM"`` on top of it.

What cannot be read is refused with line and column.
"""

import re
import tomllib
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ketasim.config.packaged import configs
from ketasim.config.schema import Config
from ketasim.errors import ConfigError, suggest
from ketasim.files.names import exists, is_file

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
Toml = dict[str, Any]

# tomllib takes quadratic time over one very long dotted key, so these are refused unread.
_PART = r"""(?:(?<![\w-])[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_LONG_KEY = re.compile(rf"(?:{_PART}\.[ \t]*){{{MAX_DEPTH},}}")
_PLACE = re.compile(r"(.*?)\s*\(at (?:line (\d+), column (\d+)|end of document)\)")
_PLAINER = {
    "Expected newline or end of document after a statement": "expected a new line after a value",
    "Expected '=' after a key in a key/value pair": 'expected "=" after a key',
    "Invalid value": "this is not a value; text needs quotes",
    "Cannot overwrite a value": "this key is given twice",
}


def read_file(path: Path) -> str:
    """Return the text of a configuration file.

    Raises
    ------
    ConfigError
        When there is no such file, or it is a folder, empty, too large, or not UTF-8 text.
    """
    if exists(path) and path.is_dir():
        raise ConfigError(f"{path}: this is a folder. Give a .toml file in it.{_neighbours(path)}")
    if not is_file(path):
        ready = ' "ketasim list configs" shows those that are ready to run.'
        raise ConfigError(f"{path}: no such file.{_nearest(path)}{ready}")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ConfigError(f"{path.name}: {size / 1e6:.1f} MB; a configuration has at most 1 MB.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name}: not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    if not text.strip():
        raise ConfigError(f"{path.name}: the file is empty. Start with: schema = 1")
    return text


def parse(text: str, source: str) -> Toml:
    """Return TOML text as a table; ``source`` names it in messages.

    Raises
    ------
    ConfigError
        When the text is not TOML, or is nested too deeply.
    """
    deep = f"{source}: nested too deeply; at most {MAX_DEPTH} levels."
    if _LONG_KEY.search(text):
        raise ConfigError(deep)
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ConfigError(deep) from None
    except ValueError as error:
        raise ConfigError(_explain(error, text, source)) from None
    if _depth(table) > MAX_DEPTH:
        raise ConfigError(deep)
    return table


def _explain(error: ValueError, text: str, source: str) -> str:
    match = _PLACE.match(str(error))
    if match is None:
        return f"{source}: not valid TOML: {error}."
    words = _PLAINER.get(match[1], match[1][:1].lower() + match[1][1:])
    if match[2] is None:
        return f"{source}, at its end: {words}."
    line, column = int(match[2]), int(match[3])
    written = "".join(text.split("\n")[line - 1 : line])
    comma = re.search(r"(?<![\w.])(\d+),(\d+)", written)
    cure = f" Write {comma[1]}.{comma[2]}, not {comma[1]},{comma[2]}." if comma else ""
    return f"{source} line {line}, column {column}: {words}.{cure}"


def _depth(table: Toml) -> int:
    """Return the nesting depth, without recursion."""
    level: list[Any] = [table]
    depth = 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            item
            for one in level
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, dict | list)
        ]
    return depth


def _nearest(path: Path) -> str:
    """Return a suggestion from the files beside a path, and for a bare name those that ship."""
    stems = [one.stem for one in path.parent.glob("*.toml") if one.name != "pyproject.toml"]
    shipped = list(configs()) if path.parent == Path() else []
    return suggest(path.stem, [*stems[:1000], *shipped])


def _neighbours(folder: Path) -> str:
    names = sorted(one.name for one in folder.glob("*.toml"))[:5]
    return f" There are: {', '.join(names)}." if names else ""


_STEP = re.compile(r"\.?([\w-]{1,60})|\[(\d{1,6})\]")


@dataclass(frozen=True)
class Overrides:
    """Changes from the command line: to keys of the file, parameters of the model, its modules."""

    keys: tuple[tuple[str, Any], ...] = ()
    parameters: tuple[tuple[str, Any], ...] = ()
    modules: tuple[str, ...] = ()

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


def read_overrides(
    texts: Iterable[str], modules: Iterable[str] = (), schema: type[Config] = Config
) -> Overrides:
    """Read ``NAME=VALUE`` texts; a name that begins with no section of a file is a parameter.

    Raises
    ------
    ConfigError
        When a text has no ``=`` or no name.
    """
    sections = {field.alias or name for name, field in schema.model_fields.items()}
    keys: list[tuple[str, Any]] = []
    parameters: list[tuple[str, Any]] = []
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise ConfigError(f'--set {text[:60]}: write NAME=VALUE, e.g. --set "nmda.k_s=0.5 uM".')
        section = re.split(r"[.\[]", name)[0]
        (keys if section in sections else parameters).append((name, _value(value)))
    return Overrides(tuple(keys), tuple(parameters), tuple(modules))


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
