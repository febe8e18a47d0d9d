"""What a law computes, as text: its source, its code, and what it calls by name.

Python reads a file when it is imported, and again when its source is asked for. Where somebody has
edited it in between, the source is not that of the law in use, and is not taken for it.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

OWN = "ketasim."  # what these modules hold is known by the package's version
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


@cache
def text_of(law: Callable[..., Any]) -> str:
    """Return a law's source, or, where that cannot be had or is another's, what its code does."""
    code: Any = getattr(law, "__code__", None)
    try:
        source = inspect.getsource(law)
    except (OSError, TypeError):
        source = ""
    if source and (code is None or _is_of(source, code)):
        return source
    return repr(law) if code is None else repr(_told(code))


def _is_of(source: str, code: CodeType) -> bool:
    """Say whether a source compiles to a code; what cannot be compiled alone is believed."""
    if code.co_freevars or code.co_name == "<lambda>":
        return True
    try:
        whole = compile(textwrap.dedent(source), "<law>", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return any(repr(_told(one)) == repr(_told(code)) for one in _inner(whole))


def _inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _told(code: CodeType) -> tuple[Any, ...]:
    """Return what a code does, whatever file and line it stands in."""
    consts = tuple(_told(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return (code.co_varnames, code.co_names, consts, code.co_code)


def source_of(law: Callable[..., Any]) -> str:
    """Return a law's source and that of what it names beside it."""
    return text_of(law) + beside(law)


@cache
def beside(law: Callable[..., Any]) -> str:
    """Return what a law calls or reads by name and which is not this package's; mostly nothing."""
    return "".join(
        f"\n{name} = " + (text_of(one) if isinstance(one, FunctionType) else _value(one))
        for name, one in _called(law)
        if not str(getattr(one, "__module__", "")).startswith(OWN)
        and not str(getattr(law, "__module__", "")).startswith(OWN)
        and (isinstance(one, FunctionType) or _is_plain(one))
    )


@cache
def code_of(law: Callable[..., Any]) -> str:
    """Return all that decides what a law computes: its code, and that of what it calls by name."""
    parts = [_function(law)]
    for name, one in _called(law):
        parts.append(f"{name} = {_function(one) if isinstance(one, FunctionType) else _value(one)}")
    return "\n".join(parts)


def _function(one: Callable[..., Any]) -> str:
    code: Any = getattr(one, "__code__", None)
    if code is None:
        return _value(one)
    return repr((_told(code), getattr(one, "__defaults__", None)))


def _called(law: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Yield by name what a function finds outside itself, and what those find, each once."""
    waiting, seen = [law], {id(law)}
    while waiting:
        one = waiting.pop()
        for name, value in _found_by(one):
            if id(value) in seen and isinstance(value, FunctionType):
                continue
            seen.add(id(value))
            yield name, value
            if isinstance(value, FunctionType):
                waiting.append(value)


def _found_by(one: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a function's own code names: globals, what it encloses, parts of modules."""
    code: Any = getattr(one, "__code__", None)
    if code is None:
        return
    around: dict[str, Any] = getattr(one, "__globals__", {})
    cells = getattr(one, "__closure__", None) or ()
    yield from zip(code.co_freevars, (cell.cell_contents for cell in cells), strict=True)
    for name in _names(code):
        if name in around:
            yield name, around[name]
            if isinstance(around[name], ModuleType):
                parts = vars(around[name])
                yield from ((f"{name}.{x}", parts[x]) for x in _names(code) if x in parts)


def _names(code: CodeType) -> list[str]:
    """Return the names a code looks up, and those that what is defined in it looks up."""
    found = [*code.co_names, *(name for one in _inner(code) for name in _names(one))]
    return list(dict.fromkeys(found))


def _is_plain(value: Any) -> bool:
    """Say whether a value is a number, a text, or a tuple of such."""
    return isinstance(value, _PLAIN) or (isinstance(value, tuple) and all(map(_is_plain, value)))


def _value(value: Any) -> str:
    """Return a value as text that is the same in every process."""
    if _is_plain(value):
        return repr(value)
    return f"{type(value).__qualname__} {getattr(value, '__name__', '')}"
