"""``ketasim list KIND``: what the model has, with units, meanings and evidence."""

import click

KINDS = ("targets", "parameters", "states", "drugs", "routes", "configs")


@click.command(short_help="List targets, parameters, states, ...")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--of", "mechanism", default="", help="Only one mechanism, e.g. nmda.")
def command(kind: str, mechanism: str) -> None:
    """List targets, parameters, states, drugs, routes or configs."""
    from ketasim.cli import tables
    from ketasim.config.library import packaged_library

    if kind == "configs":
        click.echo(tables.configs())
        return
    model = packaged_library().model("antidepressant")
    tables.check_mechanism(mechanism, model)
    lists = {
        "targets": tables.targets,
        "parameters": tables.parameters,
        "states": tables.states,
        "drugs": tables.drugs,
        "routes": tables.routes,
    }
    click.echo(lists[kind](model, mechanism))
