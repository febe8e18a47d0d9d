"""``ketasim plot STORE``: a sweep as a picture."""

from pathlib import Path

import click

KINDS = ("response", "map", "fan", "spaghetti")


@click.command(short_help="Draw a sweep.")
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), help="Else what fits the sweep.")
@click.option("--show", "name", help="The summary or time course to draw; else the first.")
@click.option("--x", help="The varied value across.")
@click.option("--y", help="The varied value up, for a map.")
@click.option("--style", default="column", show_default=True, help="column or page.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File; else STORE.png.")
def command(
    store: Path,
    kind: str | None,
    name: str | None,
    x: str | None,
    y: str | None,
    style: str,
    out: Path | None,
) -> None:
    """Draw STORE: dose-response, map, fan or spaghetti."""
    from ketasim.plots import sweeps
    from ketasim.plots.style import save, style_named
    from ketasim.results.failures import varied
    from ketasim.results.store import open_dataset

    dataset, size = open_dataset(store), style_named(style)
    known = sweeps.summaries(dataset)
    if kind is None:
        kind = "fan" if not known else "response" if len(varied(dataset)) == 1 else "map"
    if kind == "response":
        figure = sweeps.draw_response(dataset, name, x=x, style=size)
    elif kind == "map":
        figure = sweeps.draw_map(dataset, name, x=x, y=y, style=size)
    else:
        figure = sweeps.draw_fan(
            dataset, name, kind="spaghetti" if kind == "spaghetti" else "fan", style=size
        )
    for path in save(figure, out or store.with_suffix(".png"), style=size):
        click.echo(str(path))
