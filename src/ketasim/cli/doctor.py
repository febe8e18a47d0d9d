"""``ketasim doctor``: what is installed, on what machine, and whether a short run works."""

import click


@click.command(short_help="Print versions and try a short run.")
def command() -> None:
    """Print versions, processor and engine, and try a short run."""
    from ketasim.reports.text import columns
    from ketasim.verbs.inspect import doctor

    click.echo(columns(doctor().rows))
