"""``ketasim app [CONFIG]``: a page that runs the model in a browser."""

from pathlib import Path

import click

from ketasim.cli.modules import WITH, named


@click.command(short_help="Write a page that runs the model in a browser.")
@click.argument("config", default="human_depressed_iv")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File; else out/CONFIG.html.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@WITH
@click.option("--open", "show", is_flag=True, help="Open the page when done.")
def command(
    config: str,
    out: Path | None,
    sets: tuple[str, ...],
    modules: tuple[str, ...],
    show: bool,  # noqa: FBT001  (click passes by name)
) -> None:
    """Write one HTML file that opens on CONFIG and needs no network.

    Sliders and menus for who is dosed, with what, how and under which inputs; every parameter;
    curves with published values, bands of virtual subjects, rival accounts, and the ranking of all
    parameters. It is a research tool, not medical advice.

    \b
    Examples:
      ketasim app
      ketasim app twice_weekly -o out/page.html
    """  # noqa: D301  (click's mark for lines kept as they are)
    from ketasim.cli.run import say
    from ketasim.verbs.app import app

    path = out or Path("out", f"{Path(config).stem}.html")
    made = app(config, path, sets=sets, modules=named(modules), tell=say)
    click.echo(f"{path}   {made}")
    if show:
        click.launch(str(path))
