"""TOML <-> Scenario: read with every mistake named by file and key, written so that it reruns.

>>> setup = load("human_healthy_iv")
>>> setup.scenario.name
'human_healthy_iv'

- ``files``: a file as a table, with single keys changed by ``--set``
- ``schema``: which keys there are; ``messages``: what is wrong with one
- ``protocol``: tables as doses, inputs, baths and output times
- ``build``: a table as a scenario; ``write``: a scenario as text
- ``packaged``: the models, subjects and files that come with the package
- ``findings``, ``finding_file``: evidence in files
- ``petab``: data, arms and free numbers as a PEtab problem, out and in
- ``schedule_file``, ``schedules``: what is free, wished and limited of a schedule
- ``people``, ``published``, ``population``, ``trial``: virtual patients and what they are put to
- ``hypotheses``, ``judging``: hypotheses in files, and what they are judged by
"""

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from ketasim.config import packaged
from ketasim.config import write as _write
from ketasim.config.build import Setup, build
from ketasim.config.files import parse, read_file, read_overrides
from ketasim.config.messages import explain
from ketasim.config.packaged import Library, packaged_library
from ketasim.config.schema import Config
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError

__all__ = ["Library", "Setup", "dump", "load", "loads", "packaged"]


def load(
    path: str | Path,
    *,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    library: Library | None = None,
) -> Setup:
    """Read a configuration file, or one that comes with the package by its name.

    Parameters
    ----------
    path
        A TOML file, or a name that ``ketasim list configs`` shows.
    sets
        Changes such as ``"nmda.k_s=0.5 uM"`` or ``"dosing[0].amount=1 mg/kg"``.
    modules
        Modules the model has beside those the file asks for: ``["safety"]``.
    library
        Models and subjects; those of the package when not given.

    Returns
    -------
    Setup
        The scenario, the method and tolerance, and cautions to print.

    Raises
    ------
    ConfigError
        When the file cannot be read or carried out; nothing has been integrated then.
    """
    found = packaged.find(str(path))
    return loads(read_file(found), source=found.name, sets=sets, modules=modules, library=library)


def loads(
    text: str,
    *,
    source: str = "config.toml",
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    library: Library | None = None,
) -> Setup:
    """Read a configuration from text; see :func:`load`.

    Raises
    ------
    ConfigError
        When the text cannot be understood or carried out; ``source`` names it in the message.
    """
    overrides = read_overrides(sets, modules)
    table = overrides.applied(parse(text, source))
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(explain(error, source)) from None
    return build(config, source, overrides=overrides, library=library or packaged_library())


def dump(what: Setup | Scenario, *, library: Library | None = None) -> str:
    """Return TOML text that :func:`loads` reads back as the same scenario.

    Raises
    ------
    ConfigError
        When the model or species has no name that a file could give.
    """
    setup = what if isinstance(what, Setup) else Setup(what)
    return _write.dump(setup, library or packaged_library())
