"""A model of your own, read from a Python file that you name."""

import sys
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

from ketasim.core.declare import Mechanism
from ketasim.core.model import Model
from ketasim.errors import KetasimError, ModelError
from ketasim.files.names import is_file

FACTORY = "model"


def load(path: str | Path) -> Model:
    """Return the model that a Python file declares; the file is carried out as any program is.

    What it declares is, in this order: one :class:`Model`; what its function ``model()`` returns;
    or its mechanisms, in the order in which they are written (a list of them is one with them).
    Load only files that you would run.

    Parameters
    ----------
    path
        A file that ends in ``.py``; a model made of its mechanisms takes its name.

    Raises
    ------
    ModelError
        When there is no such file, it fails, or it declares no model or several.
    """
    file = Path(path)
    if file.suffix != ".py" or not is_file(file):
        raise ModelError(f'models.load("{file}"): no such Python file; give one that ends in .py.')
    model = _model(_carried_out(file), file)
    _ = model.digest  # of the file as it was carried out, whatever becomes of it
    return model


def _carried_out(file: Path) -> ModuleType:
    """Run a file as a module of its own name, which is how its laws can be told and traced."""
    spec = spec_from_file_location(f"ketasim_loaded_{file.stem}", file.resolve())
    if spec is None or spec.loader is None:
        raise ModelError(f"{file.name}: cannot be read as Python.")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        told = (
            str(error) if isinstance(error, KetasimError) else f"{type(error).__name__}: {error}."
        )
        raise ModelError(f"{file.name}: {told}") from error
    return module


def _model(module: ModuleType, file: Path) -> Model:
    public = {name: one for name, one in vars(module).items() if not name.startswith("_")}
    own = {id(one): name for name, one in public.items() if isinstance(one, Model)}
    if len(own) > 1:
        told = ", ".join(own.values())
        raise ModelError(
            f"{file.name}: several models ({told}); keep one, or return it by model()."
        )
    if own:
        found: Any = next(one for one in public.values() if isinstance(one, Model))
    elif callable(public.get(FACTORY)):
        found = _made(public[FACTORY], file)
    else:
        found = _mechanisms(public.values())
    return found if isinstance(found, Model) else _assembled(found, file)


def _made(factory: Any, file: Path) -> Any:
    asked = [p.name for p in signature(factory).parameters.values() if p.default is p.empty]
    if asked:
        raise ModelError(f"{file.name}: model() asks for {asked[0]}; it must need nothing.")
    return factory()


def _mechanisms(values: Iterable[Any]) -> list[Mechanism]:
    """Return mechanisms and those in lists, each once."""
    found: dict[int, Mechanism] = {}
    for one in values:
        several = one if isinstance(one, list | tuple) else [one]
        found |= {id(m): m for m in several if isinstance(m, Mechanism)}
    return list(found.values())


def _assembled(found: Any, file: Path) -> Model:
    several = list(found) if isinstance(found, list | tuple) else [found]
    wrong = [type(one).__name__ for one in several if not isinstance(one, Mechanism)]
    if wrong:
        raise ModelError(
            f"{file.name}: model() gives a {wrong[0]}; a Model or mechanisms are needed."
        )
    if not several:
        raise ModelError(
            f"{file.name}: declares no Model and no Mechanism; write MODEL = Model((...)) in it."
        )
    try:
        return Model(tuple(several), name=file.stem)
    except KetasimError as error:
        raise type(error)(f"{file.name}: {error}") from error
