"""``ketasim plot STORE``: a sweep as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ketasim.studies.fit.data import Point

KINDS = ("response", "map", "fan", "spaghetti")


@click.command(short_help="Draw a sweep.")
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), help="Else what fits the sweep.")
@click.option("--show", "name", help="The summary or time course to draw; else the first.")
@click.option("--x", help="The varied value across.")
@click.option("--y", help="The varied value up, for a map.")
@click.option("--data", help="A CSV of your own, drawn over a fan; or plasma, spines.")
@click.option("--style", default="column", show_default=True, help="column or page.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File; else STORE.png.")
def command(
    store: Path,
    kind: str | None,
    name: str | None,
    x: str | None,
    y: str | None,
    data: str | None,
    style: str,
    out: Path | None,
) -> None:
    """Draw STORE: dose-response, map, fan or spaghetti."""
    from ketasim.plots import sweeps
    from ketasim.plots.style import save, style_named
    from ketasim.results.failures import varied
    from ketasim.results.output import file_at, put_in
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
            dataset, name, kind="spaghetti" if kind == "spaghetti" else "fan", style=size,
            seen=seen_in(dataset.attrs.get("scenario"), data),
        )  # fmt: skip
    target = out or store.with_suffix(".png")
    with file_at(target) as place:
        files = save(figure, place, style=size)
    for path in put_in(target.parent, files):
        click.echo(str(path))


def seen_in(scenario: str | None, data: str | None) -> "Sequence[Point]":
    """Return the values to draw over a sweep's own scenario.

    Raises
    ------
    ConfigError
        When data have a fault, or the sweep was made in Python and does not say of what.
    """
    from ketasim.cli.run import say
    from ketasim.config import loads
    from ketasim.errors import ConfigError
    from ketasim.verbs.run import values_of

    if data is None:
        return ()
    if scenario is None:
        raise ConfigError("--data: this sweep was made in Python and does not say of which arm.")
    asked = loads(scenario).scenario
    return values_of(data, [asked], say)[asked.name]
