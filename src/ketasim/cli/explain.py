"""``ketasim explain CONFIG --effect spines.density@24h``: which steps carry the effect."""

from pathlib import Path

import click

from ketasim.cli.modules import WITH, named


@click.command(short_help="Which steps carry an effect: cut one at a time.")
@click.argument("config")
@click.option("--effect", required=True, help="A read-out, as spines.density@24h.")
@click.option("--node", "nodes", multiple=True, help="Cut only this state or quantity.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@WITH
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder; else explain/CONFIG.")
@click.option("--format", "formats", multiple=True, type=click.Choice(["svg", "pdf"]))
def command(
    config: str,
    effect: str,
    nodes: tuple[str, ...],
    sets: tuple[str, ...],
    modules: tuple[str, ...],
    out: Path | None,
    formats: tuple[str, ...],
) -> None:
    """Hold one step of CONFIG at a time at its drug-free course and say what is lost.

    Prints the share of the effect that each node and each arrow carries, and draws the pathway.
    """
    from ketasim.cli.run import say
    from ketasim.config import load
    from ketasim.results import folder
    from ketasim.verbs.evidence import explain

    place = out or Path("explain", Path(config).stem)
    setup = load(config, sets=sets, modules=named(modules))
    folder.prepare(place)
    found = explain(setup, effect, nodes=nodes, tell=say)
    files = found.save(place, formats=formats)
    click.echo(found)
    click.echo(f"written: {', '.join(str(one) for one in files)}")
