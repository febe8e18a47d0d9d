"""``ketasim rerun STORE --member 1521``: one row again, the reference engine beside it."""

from pathlib import Path

import click


@click.command(short_help="Run one member of a sweep again.")
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--member", type=click.IntRange(0), required=True, help="Which, counted from 0.")
def command(store: Path, member: int) -> None:
    """Run one member of STORE again, exactly, and once more with the reference engine."""
    from ketasim.cli.again import compare_member

    compare_member(store, member)
