"""``ketasim gradient CONFIG --readout spines.density.peak``: what moves a number, and how much."""

from pathlib import Path

import click

from ketasim.cli.modules import WITH, named


@click.command(short_help="Derivatives of read-outs by everything.")
@click.argument("config")
@click.option(
    "--readout", "readouts", multiple=True, required=True, help="A number, as spines.density.peak."
)
@click.option(
    "--by", multiple=True, help="Only by this: nmda.k_s, dosing[0].amount, spines.stable.start."
)
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@WITH
@click.option("--top", type=click.IntRange(1), default=12, help="Rows shown of each read-out.")
@click.option("--rtol", type=float, help="Relative tolerance; else 1e-9.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder; else gradient/CONFIG.")
@click.option("--format", "formats", multiple=True, type=click.Choice(["svg", "pdf"]))
def command(
    config: str,
    readouts: tuple[str, ...],
    by: tuple[str, ...],
    sets: tuple[str, ...],
    modules: tuple[str, ...],
    top: int,
    rtol: float | None,
    out: Path | None,
    formats: tuple[str, ...],
) -> None:
    """Say by how much each read-out of CONFIG moves with every parameter, dose and input.

    Derivatives are taken back through the steps of one run, so all of them cost a few runs.
    """
    from ketasim.cli.run import say
    from ketasim.results import folder
    from ketasim.verbs.gradient import gradient

    place = out or Path("gradient", Path(config).stem)
    found = gradient(
        config, readouts, by=by or None, sets=sets, modules=named(modules), rtol=rtol, tell=say
    )
    folder.prepare(place)
    for table in found.tables(top=top):
        click.echo(f"{table}\n")
    for note in found.dataset.attrs["notes"]:
        click.echo(f"note: {note}")
    click.echo(f"written: {', '.join(str(one) for one in found.save(place, formats=formats))}")
