"""libSBML and the engines of others: loaded when asked for, missed with a sentence."""

import locale
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ketasim.errors import MissingExtra

COPASI_WRONG = (
    'the installed "basico" is an unrelated SAP tool; COPASI\'s package is "copasi-basico".'
)


def libsbml() -> Any:
    """Return the libSBML module.

    Raises
    ------
    MissingExtra
        When python-libsbml is not installed.
    """
    try:
        return import_module("libsbml")
    except ImportError:
        raise MissingExtra(
            'SBML export needs python-libsbml: pip install "ketasim[sbml]".'
        ) from None


def roadrunner() -> Any:
    """Return the libRoadRunner module.

    Raises
    ------
    MissingExtra
        When it is not installed.
    """
    try:
        return import_module("roadrunner")
    except ImportError:
        raise MissingExtra("roadrunner is not installed: pip install libroadrunner.") from None


def copasi() -> Any:
    """Return COPASI's own bindings, which copasi-basico brings.

    Raises
    ------
    MissingExtra
        When they are not installed; an unrelated package of a similar name is pointed out.
    """
    before = locale.setlocale(locale.LC_ALL)
    try:
        return import_module("COPASI")
    except ImportError:
        wrong = f" {COPASI_WRONG[0].upper()}{COPASI_WRONG[1:]}" if installed("basico") else ""
        told = f"COPASI is not installed: pip install copasi-basico.{wrong}"
        raise MissingExtra(told) from None
    finally:
        locale.setlocale(locale.LC_ALL, before)  # COPASI turns the whole process to "C"


def installed(distribution: str) -> str:
    """Return the version of an installed distribution, or an empty string."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
