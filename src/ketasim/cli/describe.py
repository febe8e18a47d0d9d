"""``ketasim describe MECHANISM``: what is believed, the equations, and where numbers come from."""

import click


@click.command(short_help="Print a mechanism with its sources.")
@click.argument("mechanism")
def command(mechanism: str) -> None:
    """Print a mechanism's story, equations, and ledger with sources."""
    from ketasim.cli import tables
    from ketasim.cli.equations import equations
    from ketasim.cli.ledger import ledger, reads
    from ketasim.config.library import packaged_library

    model = packaged_library().model("antidepressant")
    tables.check_mechanism(mechanism, model)
    one = next(each for each in model.mechanisms if each.name == mechanism)
    click.echo(f"{one.name.upper()}\n\n{one.story}\n\nEquations")
    click.echo("\n".join(f"  {line}" for line in equations(one)))
    click.echo(reads(one))
    click.echo(ledger(one))
