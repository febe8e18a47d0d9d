"""``ketasim resume STORE``: go on with a sweep that was stopped."""

from pathlib import Path

import click


@click.command(short_help="Go on with a sweep that was stopped.")
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--threads", type=click.IntRange(1), help="Chunks at once; else one a core.")
def command(store: Path, threads: int | None) -> None:
    """Compute what STORE lacks; nothing that is there is computed again."""
    from ketasim.cli import sweeping
    from ketasim.cli.remembered import ready_again

    ready, _ = ready_again(store, sweeping.threads(threads))
    sweeping.run(ready)
