"""``ketasim status``, ``resume``, ``failures`` and ``rerun``: a sweep's store, later."""

import csv
import sys
from pathlib import Path

import click

SHOWN = 50
DIFFERENT = 1
_STORE = click.argument("store", type=click.Path(path_type=Path))


@click.command(short_help="Say how much of a sweep is there.")
@_STORE
def status(store: Path) -> None:
    """Print how many chunks of STORE are done and how their members ended."""
    from ketasim.verbs import stores

    click.echo(stores.status(store))


@click.command(short_help="Go on with a sweep that was stopped.")
@_STORE
@click.option("--threads", type=click.IntRange(1), help="Chunks at once; else one a core.")
@click.option("--dask", help="On a cluster: a scheduler's ADDRESS, or local:N workers here.")
def resume(store: Path, threads: int | None, dask: str | None) -> None:
    """Compute what STORE lacks; nothing that is there is computed again."""
    from ketasim.cli import sweep
    from ketasim.verbs import stores

    sweep.carry_out(stores.reopen(store), threads=sweep.threads(threads), dask=dask)


@click.command(short_help="List the members of a sweep that failed.")
@_STORE
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write all of them as CSV.")
def failures(store: Path, out: Path | None) -> None:
    """List what failed in STORE, with status and design values."""
    from ketasim.reports.stores import failure_table
    from ketasim.reports.text import columns
    from ketasim.results import failures as failing
    from ketasim.results.output import file_at
    from ketasim.results.store import open_dataset

    dataset = open_dataset(store)
    if out is not None:
        header, *rows = failing.rows(dataset)
        with file_at(out) as place, place.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
        click.echo(f"{len(rows):,} rows in {out}")
        return
    click.echo(failing.sentence(dataset))
    table = failure_table(dataset)
    if not len(table):
        return
    click.echo(columns([table.header, *table.rows[:SHOWN]]))
    if len(table) > SHOWN:
        more = len(table) - SHOWN
        click.echo(f"and {more:,} more: ketasim failures {store} -o failures.csv")
    sys.stdout.flush()
    click.echo(f"One of them again: ketasim rerun {store} --member {table.rows[0][0]}")


@click.command(short_help="Run one member of a sweep again.")
@_STORE
@click.option("--member", type=click.IntRange(0), required=True, help="Which, counted from 0.")
def rerun(store: Path, member: int) -> None:
    """Run one member of STORE again, exactly, and once more with the reference engine.

    Exits with 1 when the row computed now is not the one that is kept, bit for bit.
    """
    from ketasim.verbs import stores

    found = stores.rerun(store, member)
    click.echo(found)
    if found.was_run and not found.same:
        sys.exit(DIFFERENT)
