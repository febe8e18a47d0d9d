"""A TOML file as a table: bounded in size and depth, refused with line and column."""

import re
import tomllib
from pathlib import Path
from typing import Any

from ketasim.errors import ConfigError, suggest

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
    if path.is_dir():
        raise ConfigError(f"{path}: this is a folder. Give a .toml file in it.{_neighbours(path)}")
    if not path.is_file():
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
    stems = [one.stem for one in path.parent.glob("*.toml") if one.name != "pyproject.toml"]
    return suggest(path.stem, stems[:1000])


def _neighbours(folder: Path) -> str:
    names = sorted(one.name for one in folder.glob("*.toml"))[:5]
    return f" There are: {', '.join(names)}." if names else ""
