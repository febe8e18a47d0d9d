"""``ketasim list KIND`` and ``ketasim describe MECHANISM``: what the model has and believes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ketasim.cli.modules import WITH, model_with

if TYPE_CHECKING:
    from ketasim.core.model import Model

KINDS = ("targets", "parameters", "states", "drugs", "routes", "configs", "modules")


@click.command(short_help="List targets, parameters, states, ...")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--of", "mechanism", default="", help="Only one mechanism, e.g. nmda.")
@WITH
@click.option("--bounds", is_flag=True, help="Of parameters: where each bound comes from.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text")
def list_(
    kind: str,
    mechanism: str,
    modules: tuple[str, ...],
    bounds: bool,  # noqa: FBT001  (click passes by name)
    form: str,
) -> None:
    """List targets, parameters, states, drugs, routes, configs or modules.

    With --bounds, parameters are listed with what each of their bounds rests on: a source, a test
    that it was set by, or nothing that was read; --format json or csv gives the same as data.

    \b
    Examples:
      ketasim list configs
      ketasim list parameters --of nmda
      ketasim list targets
    """  # noqa: D301  (click's mark for lines kept as they are)
    from ketasim.reports.contents import check_mechanism
    from ketasim.verbs import inspect

    model = model_with(modules)
    if bounds or form != "text":
        _bounds(kind, mechanism, form, model, bounds=bounds)
        return
    if kind not in ("configs", "targets", "parameters", "states"):
        check_mechanism(mechanism, model)
    lists = {
        "targets": lambda: inspect.list_targets(of=mechanism, model=model),
        "parameters": lambda: inspect.list_parameters(of=mechanism, model=model),
        "states": lambda: inspect.list_states(of=mechanism, model=model),
        "drugs": inspect.list_drugs,
        "routes": inspect.list_routes,
        "configs": inspect.list_configs,
        "modules": inspect.list_modules,
    }
    click.echo(lists[kind]())


def _bounds(kind: str, mechanism: str, form: str, model: "Model", *, bounds: bool) -> None:
    """Print what the bounds of parameters rest on, as a table, JSON or CSV."""
    from ketasim.errors import ConfigError
    from ketasim.reports import contents
    from ketasim.verbs import inspect

    if kind != "parameters" or not bounds:
        raise ConfigError(
            f"list {kind}: --bounds and --format belong together and to parameters: "
            "ketasim list parameters --bounds --format json."
        )
    if form == "text":
        click.echo(inspect.list_parameters(of=mechanism, model=model, bounds=True))
        return
    contents.check_mechanism(mechanism, model)
    records = contents.bound_records(model, mechanism)
    click.echo(contents.as_json(records) if form == "json" else contents.as_csv(records), nl=False)


@click.command(short_help="Print a mechanism, or all, with sources.")
@click.argument("mechanism", required=False)
@click.option("--all", "everything", is_flag=True, help="The whole model as a sheet.")
@click.option(
    "--format", "form", default="markdown", type=click.Choice(["markdown", "latex"]), help="Of it."
)
@WITH
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File for the sheet.")
def describe(
    mechanism: str | None,
    everything: bool,  # noqa: FBT001  (click passes by name)
    form: str,
    modules: tuple[str, ...],
    out: Path | None,
) -> None:
    """Print a mechanism's story, equations, and ledger with sources; or a sheet of all."""
    from ketasim.errors import ConfigError
    from ketasim.verbs import inspect

    model = model_with(modules)
    if everything and out is not None:
        _write_sheet(out, form, model)
    elif everything:
        click.echo(inspect.describe(format=form, model=model), nl=False)
    elif mechanism:
        click.echo(inspect.describe(mechanism, model=_having(mechanism, model)))
    else:
        known = ", ".join(one.name for one in model.mechanisms)
        raise ConfigError(f"describe: name a mechanism, or --all. Mechanisms here: {known}.")


def _having(mechanism: str, model: "Model") -> "Model":
    """Return the model, or, where only a module has a mechanism of that name, with the module."""
    from ketasim.models import MODULES, with_modules

    if any(one.name == mechanism for one in model.mechanisms):
        return model
    own = [one.name for one in MODULES.values() if mechanism in {m.name for m in one.mechanisms}]
    return with_modules(model, own)


def _write_sheet(out: Path, form: str, model: "Model") -> None:
    """Write the model's sheet; a Markdown file has its drawing beside it."""
    from ketasim import export
    from ketasim.export.diagram import svg
    from ketasim.results.output import files_in

    drawing = out.with_suffix(".svg")
    texts = {out: export.sheet(model, format=form, picture=drawing.name)}
    if form == "markdown":
        texts[drawing] = svg(model)
    with files_in(out.parent) as place:
        for path, text in texts.items():
            (place / path.name).write_text(text, encoding="utf-8")
    click.echo("\n".join(str(path) for path in texts))
