"""``ketasim demo``: the whole chain on one human infusion, with no file needed."""

from pathlib import Path

import click

CONFIG = "human_depressed_iv"


@click.command(short_help="Run an infusion, with no file needed.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out", "demo"))
@click.option("--open", "show", is_flag=True, help="Open the figure when done.")
def command(out: Path, show: bool) -> None:  # noqa: FBT001  (click passes by name)
    """Show 0.5 mg/kg over 40 min in a depressed human: fast drug, slow synapses."""
    from ketasim.cli.carry_out import carry_out
    from ketasim.config import load

    picture = carry_out(load(CONFIG), out)
    click.echo(f"figure: {picture}   next: ketasim list configs, ketasim run NAME")
    if show:
        click.launch(str(picture))
