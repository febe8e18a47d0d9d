"""``ketasim failures STORE``: which members failed, how, and with which values."""

import csv
import sys
from pathlib import Path

import click

SHOWN = 50


@click.command(short_help="List the members of a sweep that failed.")
@click.argument("store", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write all of them as CSV.")
def command(store: Path, out: Path | None) -> None:
    """List what failed in STORE, with status and design values."""
    from ketasim.cli.text import columns
    from ketasim.results import failures
    from ketasim.results.store import open_dataset

    dataset = open_dataset(store)
    header, *rows = failures.rows(dataset)
    if out is not None:
        with out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
        click.echo(f"{len(rows):,} rows in {out}")
        return
    click.echo(failures.sentence(dataset))
    if not rows:
        return
    table = [[f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in r] for r in rows]
    click.echo(columns([header, *table[:SHOWN]]))
    if len(rows) > SHOWN:
        click.echo(f"and {len(rows) - SHOWN:,} more: ketasim failures {store} -o failures.csv")
    sys.stdout.flush()
    click.echo(f"One of them again: ketasim rerun {store} --member {rows[0][0]}")
