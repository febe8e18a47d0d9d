"""What ``ketasim export`` does with a setup."""

from pathlib import Path

import click

from ketasim import export
from ketasim.cli.carry_out import integrate, shown
from ketasim.config import Setup, dump
from ketasim.errors import ConfigError, MissingExtra, SolverError
from ketasim.export.peers import compare, engines
from ketasim.export.validate import require_valid


def write(setup: Setup, path: Path) -> str:
    """Write a setup as SBML and return libSBML's verdict on it.

    Raises
    ------
    MissingExtra
        When python-libsbml is not installed.
    ConfigError
        When the file cannot be written.
    """
    text = export.sbml(setup.scenario)
    verdict = require_valid(text)
    for line in (*verdict.units, *verdict.others):
        click.echo(line, err=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}).") from None
    return str(verdict)


def compared(setup: Setup) -> str:
    """Return how far each engine is from the reference, as the rest of a line.

    Raises
    ------
    SolverError
        When an engine cannot simulate the file, or disagrees.
    """
    text, told, points = export.sbml(setup.scenario), "", 0
    for _, run in engines():
        if isinstance(run, MissingExtra):
            click.echo(str(run), err=True)
            continue
        found = compare(setup.scenario, text, run)
        if not found.agrees:
            raise SolverError(f"the export does not agree with the reference: {found}.")
        told += f"; {found}"
        points = found.points
    return f"{told} over {points:,} points" if told else "; no engine to check with"


def archive(setup: Setup, path: Path) -> Path:
    """Write a setup as a COMBINE archive, with the result it should give."""
    result = integrate(setup)
    return export.omex(
        setup.scenario,
        path,
        result=result,
        names=shown(result),
        files={"scenario.toml": dump(setup).encode()},
    )


def brought_back(path: Path, setup: Setup) -> list[str]:
    """Return the parameters that a file changes as ``NAME=VALUE`` texts, and say them.

    Raises
    ------
    KetasimError
        When the file cannot be read, or a changed value or its unit is wrong.
    """
    values = export.read_values(path, setup.scenario)
    for caution in values.cautions:
        click.echo(caution, err=True)
    texts = [f"{name}={text}" for name, text in values.changed.items()]
    told = ", ".join(f"{name} = {text}" for name, text in values.changed.items())
    click.echo(f"{path.name}: {told or 'no parameter differs'}.", err=True)
    return texts
