"""``--with safety,serotonin``: the modules that a model has beside the chain from dose to mood."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ketasim.core.model import Model

WITH = click.option(
    "--with", "modules", multiple=True, help="Modules too: safety,serotonin; or all."
)
EVERY = "all"


def named(modules: Iterable[str]) -> tuple[str, ...]:
    """Return the modules of ``--with``, which may be given again or with commas; or every one.

    Raises
    ------
    ModelError
        When there is no module of a name.
    """
    from ketasim.errors import ModelError
    from ketasim.models.modules import MODULES, module

    found = [name.strip() for text in modules for name in text.split(",") if name.strip()]
    try:
        return tuple(MODULES) if EVERY in found else tuple(module(name).name for name in found)
    except ModelError as error:
        raise ModelError(f"--with {error}") from error


def hint(told: str) -> str:
    """Return where to find a name that an error calls missing, where a module has it."""
    missing, found, what = told.partition("no such ")
    names = re.findall(r"[a-z]\w*(?:\.[a-z]\w*)?", missing)
    if not found or not names:
        return ""
    from ketasim.models.modules import owner

    module = owner(names[-1])
    if module is None or ("." not in names[-1] and not what.startswith("mechanism")):
        return ""
    cure = f'add --with {module}, or with = ["{module}"] to the file.'
    return f' {names[-1]} comes with the module "{module}": {cure}'


def model_with(modules: Iterable[str]) -> "Model":
    """Return the default model with modules.

    Raises
    ------
    ModelError
        When there is no module of a name.
    """
    from ketasim.models import antidepressant

    return antidepressant(*named(modules))
