"""``ketasim run CONFIG``: one configuration in, one folder out."""

from pathlib import Path

import click


@click.command(short_help="Run one configuration.")
@click.argument("config")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder; else out/CONFIG.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_on=5 1/uM/s".')
@click.option("--values", type=click.Path(path_type=Path), help="SBML with changed parameters.")
@click.option("--engine", help="How to integrate: reference or ensemble.")
@click.option("--method", help="LSODA, BDF or Radau.")
@click.option("--rtol", help="Relative tolerance, 1e-12 to 1e-2.")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(["pdf", "svg"]), help="A figure more."
)
@click.option("--open", "show", is_flag=True, help="Open the figure when done.")
def command(
    config: str,
    out: Path | None,
    sets: tuple[str, ...],
    values: Path | None,
    engine: str | None,
    method: str | None,
    rtol: str | None,
    formats: tuple[str, ...],
    show: bool,  # noqa: FBT001  (click passes by name)
) -> None:
    """Run CONFIG, a TOML file or a name from "ketasim list configs"."""
    from ketasim.cli.carry_out import carry_out
    from ketasim.config import load

    chosen = {"engine.name": engine, "engine.method": method, "engine.rtol": rtol}
    changes = [f"{key}={value}" for key, value in chosen.items() if value is not None]
    setup = load(config, sets=[*sets, *changes])
    if values is not None:
        from ketasim.cli.exported import brought_back

        setup = load(config, sets=[*sets, *brought_back(values, setup), *changes])
    picture = carry_out(setup, out or Path("out", Path(config).stem), formats=formats)
    if show:
        click.launch(str(picture))
