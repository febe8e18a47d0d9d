"""``ketasim experiments``: list, show and check published and own findings."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ketasim.errors import ConfigError, suggest

if TYPE_CHECKING:
    from ketasim.studies.findings.finding import Finding, ReadOut

_FOLDER = click.argument("folders", nargs=-1, type=click.Path(path_type=Path))


@click.group(short_help="List, show and check the findings that hypotheses are judged by.")
def command() -> None:
    """List, show and check the findings that hypotheses are judged by."""


@command.command("list")
@_FOLDER
@click.option("--candidates", is_flag=True, help="The packaged proposals instead.")
def list_(folders: tuple[Path, ...], candidates: bool) -> None:  # noqa: FBT001
    """List the published findings, and those of FOLDERS of your own."""
    from ketasim.config.findings import candidates as proposals
    from ketasim.config.findings import load_findings

    click.echo(listed(proposals() if candidates else load_findings(folders)))


@command.command()
@click.argument("name")
@click.option("--experiments", "own", multiple=True, type=click.Path(path_type=Path),
              help="A folder of your own to look in too.")  # fmt: skip
def show(name: str, own: tuple[Path, ...]) -> None:
    """Show the finding NAME: what was done, what was seen, and how far it is trusted."""
    click.echo(shown(name, own))


@command.command()
@_FOLDER
def check(folders: tuple[Path, ...]) -> None:
    """Read every finding of FOLDERS (the packaged ones when none is given) and report."""
    click.echo(checked(folders))


def listed(findings: "Sequence[Finding]") -> str:
    """Return one line for each finding, and the counts."""
    from ketasim.cli.text import columns

    rows = [["name", "species", "observed", "grade", "title"]]
    for one in findings:
        grade = (one.grade or "-") + (" contested" if one.contested else "")
        rows.append([one.name, one.species, _seen(one), grade, one.title])
    contested = sum(one.contested for one in findings)
    done = sum(one.done for one in findings)
    intervals = sum(not one.parts() for one in findings)
    scored = f", {intervals} for the scorecard only" if intervals else ""
    return (
        f"{columns(rows)}\n{done} findings, {len(findings) - done - intervals} proposals{scored}; "
        f"{contested} contested."
    )


def _seen(one: "Finding") -> str:
    return " | ".join(_told(each) for each in one.readouts)


def _told(one: "ReadOut") -> str:
    what = one.observed or one.accepted
    told = what.told if what else "-"
    return told if one.unit == "1" else f"{told} {one.unit}"


def shown(name: str, own: Iterable[Path]) -> str:
    """Return everything known of one finding, its file included.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    from ketasim.cli.text import columns
    from ketasim.config.findings import candidates, load_findings

    known = {one.name: one for one in (*load_findings(own), *candidates())}
    if name not in known:
        raise ConfigError(
            f'"{name[:60]}": no such experiment.{suggest(name, known)} '
            f'"ketasim experiments list" shows all {len(known)}.'
        )
    one = known[name]
    outlier = f"{one.outlier_probability:.0%} chance that it says nothing about its read-out"
    trust = f"grade {one.grade or '-'}{', contested' if one.contested else ''}; {outlier}"
    facts = [
        ["title", one.title],
        ["preparation", f"{one.species}; {one.preparation}"],
        ["observed", _seen(one) if one.done else "nothing yet: a proposal"],
        ["trusted", trust],
        ["evidence", ", ".join(one.rows) or "-"],
        ["references", ", ".join(one.references) or "-"],
        ["note", one.note or "-"],
    ]
    return f"{columns(facts)}\n\n{one.written.rstrip()}"


def checked(folders: Sequence[Path]) -> str:
    """Return that all files can be read; every fault of every file is said before that fails.

    Raises
    ------
    ConfigError
        With a line for each file that cannot be read.
    """
    from ketasim.config.findings import load_folder
    from ketasim.config.packaged import folder

    places = folders or [folder() / "experiments", folder() / "candidates"]
    faults, count = [], 0
    for place in places:
        files = sorted(place.glob("*.toml")) if place.is_dir() else [place]
        if not files:
            faults.append(f"{place}: no experiment files (*.toml) here.")
        for one in files:
            try:
                count += len(load_folder(one))
            except ConfigError as error:
                faults.append(str(error))
    if faults:
        raise ConfigError(
            "\n".join([*faults, f"{count} experiments are sound, {len(faults)} not."])
        )
    return f"{count} experiments are sound."
