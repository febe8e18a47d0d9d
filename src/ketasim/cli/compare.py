"""``ketasim compare A B ...``: runs overlaid, a table, and a sentence for what is identical."""

from pathlib import Path

import click


@click.command(short_help="Overlay several configurations.")
@click.argument("configs", nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out", "compare"))
@click.option("--open", "show", is_flag=True, help="Open the figure when done.")
def command(configs: tuple[str, ...], out: Path, show: bool) -> None:  # noqa: FBT001
    """Run two or more CONFIGS at the same output times and overlay them."""
    from ketasim.cli import side_by_side as side
    from ketasim.config import load
    from ketasim.results import folder

    setups = side.aligned([load(one) for one in configs])
    folder.prepare(out)
    runs = side.integrated(setups)
    files = side.write(out, runs)
    click.echo(side.table(runs))
    click.echo(side.identity(runs))
    click.echo(f"figure: {files[0]}")
    if show:
        click.launch(str(files[0]))
