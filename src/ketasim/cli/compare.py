"""``ketasim compare A B ...``: runs overlaid, a table, and a sentence for what is identical."""

from pathlib import Path

import click

from ketasim.cli.lean import lean
from ketasim.cli.modules import WITH, named


@click.command(short_help="Overlay several configurations.")
@click.argument("configs", nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out", "compare"))
@WITH
@click.option("--data", help="A CSV of your own, drawn over the curves; or plasma, spines.")
@click.option("--open", "show", is_flag=True, help="Open the figure when done.")
def command(
    configs: tuple[str, ...],
    out: Path,
    modules: tuple[str, ...],
    data: str | None,
    show: bool,  # noqa: FBT001
) -> None:
    """Run two or more CONFIGS at the same output times and overlay them.

    \b
    Examples:
      ketasim compare mouse_ip_after_stress ketamine_nbqx
      ketasim compare arketamine esketamine -o out/enantiomers
    """  # noqa: D301  (click's mark for lines kept as they are)
    from ketasim.cli.run import say
    from ketasim.config import load
    from ketasim.results import folder
    from ketasim.verbs.run import compare

    setups = [load(one, modules=named(modules)) for one in configs]
    if len(setups) > 1:
        folder.prepare(out)
    with lean():
        found = compare(*setups, data=data, tell=say)
        figure, *_ = found.save(out)
        click.echo(found)
    click.echo(f"figure: {figure}")
    if show:
        click.launch(str(figure))
