"""What a kernel is called: a hash of its text and of everything else that decides its code."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

EMITTERS = ("emit.py", "elementary.py")
_HERE = Path(__file__).parent


@cache
def versions() -> str:
    """Return what decides machine code beside a module's text."""
    parts = [version("numba"), version("llvmlite"), platform.python_version()]
    return "\0".join([*parts, *((_HERE / one).read_text(encoding="utf-8") for one in EMITTERS)])


@cache
def writers() -> str:
    """Return a hash of the code that writes modules, so that no older one's plan is taken."""
    parts = [one.read_text(encoding="utf-8") for one in sorted(_HERE.glob("*.py"))]
    return digest("\0".join([*parts, versions()]))


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def module_of(text: str) -> str:
    """Return the name of the module that holds a text."""
    return f"kernel_{digest(chr(0).join([text, versions()]))}"


def plan_of(key: str) -> str:
    """Return the name under which a plan is kept."""
    return f"plan_{digest(chr(0).join([key, writers()]))}"
