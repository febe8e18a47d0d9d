"""Errors with an address: file, key path, cause and cure in one line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ketasim.config.schema import EXAMPLES
from ketasim.errors import ConfigError, KetasimError, suggest

_SHOWN = 5
T = TypeVar("T", bound=BaseModel)


@contextmanager
def located(prefix: str) -> Iterator[None]:
    """Turn an error of the package into a ConfigError that begins with ``prefix``."""
    try:
        yield
    except KetasimError as error:
        raise ConfigError(f"{prefix}{error}") from error


def explain(error: ValidationError, source: str) -> str:
    """Return one line for each of the first few problems, each with file and key path."""
    found = error.errors(include_url=False)
    lines = [f"{source}: {_sentence(one)}" for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"{source}: and {len(found) - _SHOWN} more.")
    return "\n".join(lines)


def validated(kind: type[T], table: object, source: str) -> T:
    """Return a table read as its kind; raises ConfigError with a line for each problem."""
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise ConfigError(explain(error, source)) from None


def key_path(location: tuple[Any, ...]) -> str:
    """Return ``dosing[0].amount`` for ``('dosing', 0, 'amount')``."""
    text = ""
    for part in location:
        if part == "moments":
            continue
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = re.fullmatch(r"[\w-]+", part)
            text += f".{part[:60]}" if plain else f'."{part[:60]}"'
    return text.removeprefix(".")


def _sentence(one: Any) -> str:
    path = key_path(one["loc"])
    kind, context = one["type"], one.get("ctx", {})
    if kind == "ketasim":
        return f"{path}{context['text']}".removeprefix(".")
    if kind == "missing":
        return f"{path}: this key is needed{_example(path)}."
    given = _shown(one["input"])
    if kind == "finite_number":
        return f"{path} = {given}: a finite number is needed."
    if kind == "literal_error":
        return f"{path} = {given}: not known.{_choices(one['input'], context['expected'])}"
    if kind in ("model_type", "tuple_type", "dict_type"):
        return f"{path}: {_shape(path, kind)}"
    words = (
        one["msg"].replace("Input should be", "must be").replace("a valid string", "text in quotes")
    )
    return f"{path} = {given}: {words}."


def _shown(value: Any) -> str:
    """Return a value as TOML would have it, cut short."""
    if isinstance(value, str):
        return f'"{value[:60]}"'
    return str(value).lower() if isinstance(value, bool) else repr(value)[:60]


def _example(path: str) -> str:
    key = path.split(".")[-1]
    if key == "schema":
        return "; write schema = 1 in the first line"
    return f', e.g. {key} = "{EXAMPLES[key]}"' if key in EXAMPLES else ""


def _choices(given: Any, expected: str) -> str:
    names = re.findall(r"'([^']*)'", expected)
    hint = suggest(given, names) if isinstance(given, str) else ""
    return f"{hint} Choose from: {', '.join(names) or expected}."


def _shape(path: str, kind: str) -> str:
    if kind == "tuple_type" and path in ("dosing", "intervention", "bath"):
        return f'write "[[{path}]]" with two brackets; there may be several.'
    if kind == "tuple_type":
        return "a list is needed, in square brackets."
    return f"a table is needed, e.g. [{path}]."
