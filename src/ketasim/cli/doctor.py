"""``ketasim doctor``: what is installed, on what machine, and whether everything works."""

import sys

import click

FAULTY = 2


@click.command(short_help="Print versions; try the engines, the cache and a store.")
def command() -> None:
    """Print versions and processor, and try each engine, the kernel cache and a store.

    Exits with 2 when something is wrong; its line says what, and what to type.
    """
    from ketasim.reports.text import columns
    from ketasim.verbs.inspect import doctor
    from ketasim.verbs.trials import FAULT

    rows = doctor().rows
    click.echo(columns(rows))
    if any(str(told).startswith(FAULT) for _, told in rows):
        sys.exit(FAULTY)
