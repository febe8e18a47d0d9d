"""``ketasim describe MECHANISM``: what is believed, the equations, and where numbers come from."""

from pathlib import Path

import click


@click.command(short_help="Print a mechanism, or all, with sources.")
@click.argument("mechanism", required=False)
@click.option("--all", "everything", is_flag=True, help="The whole model as a sheet.")
@click.option(
    "--format", "form", default="markdown", type=click.Choice(["markdown", "latex"]), help="Of it."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File for the sheet.")
def command(
    mechanism: str | None,
    everything: bool,  # noqa: FBT001  (click passes by name)
    form: str,
    out: Path | None,
) -> None:
    """Print a mechanism's story, equations, and ledger with sources; or a sheet of all."""
    from ketasim.cli import described
    from ketasim.config.library import packaged_library
    from ketasim.errors import ConfigError

    model = packaged_library().model("antidepressant")
    if everything:
        described.sheet(model, form, out)
    elif mechanism:
        described.mechanism(model, mechanism)
    else:
        known = ", ".join(one.name for one in model.mechanisms)
        raise ConfigError(f"describe: name a mechanism, or --all. Mechanisms here: {known}.")
