"""What ``ketasim describe`` prints: one mechanism as text, or the whole model as a sheet."""

from pathlib import Path

import click

from ketasim.cli import tables
from ketasim.cli.equations import equations
from ketasim.cli.ledger import ledger, reads
from ketasim.core.model import Model
from ketasim.errors import ConfigError


def mechanism(model: Model, name: str) -> None:
    """Print a mechanism's story, equations and ledger.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    tables.check_mechanism(name, model)
    one = next(each for each in model.mechanisms if each.name == name)
    click.echo(f"{one.name.upper()}\n\n{one.story}\n\nEquations")
    click.echo("\n".join(f"  {line}" for line in equations(one)))
    click.echo(reads(one))
    click.echo(ledger(one))


def sheet(model: Model, form: str, out: Path | None) -> None:
    """Print the model's sheet, or write it; a Markdown file has its drawing beside it.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    from ketasim import export
    from ketasim.export.diagram import svg

    if out is None:
        click.echo(export.sheet(model, format=form), nl=False)
        return
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
