"""``ketasim status STORE``: how much of a sweep is there."""

from pathlib import Path

import click


@click.command(short_help="Say how much of a sweep is there.")
@click.argument("store", type=click.Path(path_type=Path))
def command(store: Path) -> None:
    """Print how many chunks of STORE are done and how their members ended."""
    from ketasim.results import failures
    from ketasim.results.store import Store, open_dataset

    dataset = open_dataset(store)
    opened = Store(store)
    done, total = len(opened.done()), opened.manifest.chunks
    click.echo(f"{store}: {done:,}/{total:,} chunks. {failures.sentence(dataset)}")
    held = opened.claims.count()
    if held:
        click.echo(f"{held} chunk{'s are' if held > 1 else ' is'} being computed now.")
    elif done < total:
        click.echo(f"To go on: ketasim resume {store}")
