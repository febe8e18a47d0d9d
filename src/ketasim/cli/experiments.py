"""``ketasim experiments``: list, show and check published and own findings."""

from pathlib import Path

import click

_FOLDER = click.argument("folders", nargs=-1, type=click.Path(path_type=Path))


@click.group(short_help="List, show and check the experiments that accounts are judged by.")
def command() -> None:
    """List, show and check the experiments that accounts are judged by."""


@command.command("list")
@_FOLDER
@click.option("--candidates", is_flag=True, help="The packaged proposals instead.")
def list_(folders: tuple[Path, ...], candidates: bool) -> None:  # noqa: FBT001
    """List the published findings, and those of FOLDERS of your own."""
    from ketasim.cli import findings
    from ketasim.config.experiments import candidates as proposals
    from ketasim.config.experiments import load_experiments

    found = proposals() if candidates else load_experiments(folders)
    click.echo(findings.listed(found))


@command.command()
@click.argument("name")
@click.option("--experiments", "own", multiple=True, type=click.Path(path_type=Path),
              help="A folder of your own to look in too.")  # fmt: skip
def show(name: str, own: tuple[Path, ...]) -> None:
    """Show the experiment NAME: what was done, what was seen, and how far it is trusted."""
    from ketasim.cli import findings

    click.echo(findings.shown(name, own))


@command.command()
@_FOLDER
def check(folders: tuple[Path, ...]) -> None:
    """Read every experiment of FOLDERS (the packaged ones when none is given) and report."""
    from ketasim.cli import findings

    click.echo(findings.checked(folders))
