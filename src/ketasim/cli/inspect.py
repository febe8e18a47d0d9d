"""``ketasim list KIND`` and ``ketasim describe MECHANISM``: what the model has and believes."""

from pathlib import Path

import click

KINDS = ("targets", "parameters", "states", "drugs", "routes", "configs")


@click.command(short_help="List targets, parameters, states, ...")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--of", "mechanism", default="", help="Only one mechanism, e.g. nmda.")
@click.option("--bounds", is_flag=True, help="Of parameters: where each bound comes from.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text")
def list_(
    kind: str,
    mechanism: str,
    bounds: bool,  # noqa: FBT001  (click passes by name)
    form: str,
) -> None:
    """List targets, parameters, states, drugs, routes or configs.

    With --bounds, parameters are listed with what each of their bounds rests on: a source, a test
    that it was set by, or nothing that was read; --format json or csv gives the same as data.

    \b
    Examples:
      ketasim list configs
      ketasim list parameters --of nmda
      ketasim list targets
    """  # noqa: D301  (click's mark for lines kept as they are)
    from ketasim.config.packaged import packaged_library
    from ketasim.reports.contents import check_mechanism
    from ketasim.verbs import inspect

    if bounds or form != "text":
        _bounds(kind, mechanism, form, bounds=bounds)
        return
    if kind not in ("configs", "targets", "parameters", "states"):
        check_mechanism(mechanism, packaged_library().model("antidepressant"))
    lists = {
        "targets": lambda: inspect.list_targets(of=mechanism),
        "parameters": lambda: inspect.list_parameters(of=mechanism),
        "states": lambda: inspect.list_states(of=mechanism),
        "drugs": inspect.list_drugs,
        "routes": inspect.list_routes,
        "configs": inspect.list_configs,
    }
    click.echo(lists[kind]())


def _bounds(kind: str, mechanism: str, form: str, *, bounds: bool) -> None:
    """Print what the bounds of parameters rest on, as a table, JSON or CSV."""
    from ketasim.config.packaged import packaged_library
    from ketasim.errors import ConfigError
    from ketasim.reports import contents
    from ketasim.verbs import inspect

    if kind != "parameters" or not bounds:
        raise ConfigError(
            f"list {kind}: --bounds and --format belong together and to parameters: "
            "ketasim list parameters --bounds --format json."
        )
    if form == "text":
        click.echo(inspect.list_parameters(of=mechanism, bounds=True))
        return
    model = packaged_library().model("antidepressant")
    contents.check_mechanism(mechanism, model)
    records = contents.bound_records(model, mechanism)
    click.echo(contents.as_json(records) if form == "json" else contents.as_csv(records), nl=False)


@click.command(short_help="Print a mechanism, or all, with sources.")
@click.argument("mechanism", required=False)
@click.option("--all", "everything", is_flag=True, help="The whole model as a sheet.")
@click.option(
    "--format", "form", default="markdown", type=click.Choice(["markdown", "latex"]), help="Of it."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File for the sheet.")
def describe(
    mechanism: str | None,
    everything: bool,  # noqa: FBT001  (click passes by name)
    form: str,
    out: Path | None,
) -> None:
    """Print a mechanism's story, equations, and ledger with sources; or a sheet of all."""
    from ketasim.config.packaged import packaged_library
    from ketasim.errors import ConfigError
    from ketasim.verbs import inspect

    if everything and out is not None:
        _write_sheet(out, form)
    elif everything:
        click.echo(inspect.describe(format=form), nl=False)
    elif mechanism:
        click.echo(inspect.describe(mechanism))
    else:
        model = packaged_library().model("antidepressant")
        known = ", ".join(one.name for one in model.mechanisms)
        raise ConfigError(f"describe: name a mechanism, or --all. Mechanisms here: {known}.")


def _write_sheet(out: Path, form: str) -> None:
    """Write the model's sheet; a Markdown file has its drawing beside it."""
    from ketasim import export
    from ketasim.config.packaged import packaged_library
    from ketasim.errors import ConfigError
    from ketasim.export.diagram import svg

    model = packaged_library().model("antidepressant")
    drawing = out.with_suffix(".svg")
    texts = {out: export.sheet(model, format=form, picture=drawing.name)}
    if form == "markdown":
        texts[drawing] = svg(model)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from None
    click.echo("\n".join(str(path) for path in texts))
