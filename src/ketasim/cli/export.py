"""``ketasim export sbml CONFIG``: the model in the formats of other tools."""

from pathlib import Path

import click


@click.group(short_help="Write SBML or a COMBINE archive.")
def command() -> None:
    """Write a configuration in the formats of other tools."""


@command.command(short_help="Write SBML.")
@click.argument("config")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File; else CONFIG.xml.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_on=5 1/uM/s".')
@click.option("--check", is_flag=True, help="Simulate it in libRoadRunner and COPASI.")
@click.option("--omex", is_flag=True, help="Also write a COMBINE archive beside it.")
def sbml(
    config: str,
    out: Path | None,
    sets: tuple[str, ...],
    check: bool,  # noqa: FBT001  (click passes by name)
    omex: bool,  # noqa: FBT001
) -> None:
    """Write CONFIG as SBML Level 3 Version 2, its doses as events."""
    from ketasim.cli import exported
    from ketasim.config import load

    setup = load(config, sets=sets)
    for caution in setup.cautions if not omex else ():  # an archive holds a run, which says them
        click.echo(caution, err=True)
    path = out or Path(f"{Path(config).stem}.xml")
    verdict = exported.write(setup, path)
    if check:
        verdict += exported.compared(setup)
    click.echo(verdict)
    click.echo(path)
    if omex:
        click.echo(exported.archive(setup, path.with_suffix(".omex")))
