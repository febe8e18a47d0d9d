"""What the model has, a mechanism in words, and the machine it runs on."""

import os

from ketasim import export
from ketasim.config.packaged import packaged_library
from ketasim.core.model import Model
from ketasim.models.modules import MODULES
from ketasim.reports import contents
from ketasim.reports.text import Table, Text
from ketasim.results.folder import machine, source_state, versions
from ketasim.verbs.trials import trials


def list_configs() -> Table:
    """Return the configurations that come with the package, with their titles."""
    return contents.configs()


def list_modules() -> Table:
    """Return the modules that a model may have, with what each adds and couples into."""
    return contents.modules(MODULES.values())


def list_targets(*, of: str = "", model: Model | None = None) -> Text:
    """Return every knob with its range and the laws it enters; ``of`` one mechanism only."""
    return contents.targets(_checked(of, model), of)


def list_parameters(*, of: str = "", model: Model | None = None, bounds: bool = False) -> Table:
    """Return every parameter with bounds and evidence; ``of`` one mechanism only.

    With ``bounds``: what each end of the bounds rests on (a source, a test, nothing that was read),
    and the range by what was published.
    """
    own = _checked(of, model)
    return contents.bounds(own, of) if bounds else contents.parameters(own, of)


def list_states(*, of: str = "", model: Model | None = None) -> Table:
    """Return every state and quantity that can be recorded; ``of`` one mechanism only."""
    return contents.states(_checked(of, model), of)


def list_drugs(*, model: Model | None = None) -> Table:
    """Return every drug with its molar mass [g/mol], its parts and its routes."""
    return contents.drugs(_default(model))


def list_routes(*, model: Model | None = None) -> Table:
    """Return every route with the drugs that can be given by it."""
    return contents.routes(_default(model))


def describe(
    name: str | None = None,
    *,
    model: Model | None = None,
    format: str = "markdown",  # noqa: A002  (what a user would call it)
) -> Text:
    """Return a mechanism's story, equations and sourced numbers; or a sheet of the whole model.

    Parameters
    ----------
    name
        A mechanism such as ``"nmda"``; the whole model when not given.
    model
        The default model when not given.
    format
        Of the sheet: ``"markdown"`` or ``"latex"``.

    Raises
    ------
    ConfigError
        When there is no such mechanism or format.
    """
    if name is None:
        return Text(export.sheet(_default(model), format=format))
    return contents.description(_default(model), name)


def doctor() -> Table:
    """Return versions and processor, and what came of trying each engine, the cache and a store.

    A row whose text begins with ``FAULT`` says what is wrong and what to type.
    """
    about = machine()
    rows = list(versions().items())
    rows += [("system", about["system"]), ("processor", about["processor"])]
    rows += [("features", " ".join(about["features"]) or "-"), ("cores", str(os.cpu_count()))]
    state = source_state()
    if state is not None:
        rows.append(("source", state["commit"][:12] + (" (changed)" if state["changed"] else "")))
    return Table(("what", "which"), (*rows, *trials()))


def _default(model: Model | None) -> Model:
    return packaged_library().model("antidepressant") if model is None else model


def _checked(of: str, model: Model | None) -> Model:
    own = _default(model)
    contents.check_mechanism(of, own)
    return own
