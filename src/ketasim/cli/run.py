"""``ketasim run CONFIG`` and ``ketasim demo``: one configuration in, one folder out."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ketasim.cli.lean import lean
from ketasim.cli.modules import WITH, named

if TYPE_CHECKING:
    from ketasim.config import Setup

DEMO = "human_depressed_iv"


@click.command(short_help="Run one configuration.")
@click.argument("config")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder; else out/CONFIG.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@WITH
@click.option("--values", type=click.Path(path_type=Path), help="SBML with changed parameters.")
@click.option(
    "--engine",
    help="reference or ensemble; else the file's, else what is ready.",
)
@click.option("--method", help="Of the reference engine: LSODA, BDF or Radau.")
@click.option(
    "--rtol", help="Relative tolerance, 1e-12 to 1e-2; else 1e-7 (reference), 8e-7 (ensemble)."
)
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(["pdf", "svg"]), help="A figure more."
)
@click.option("--data", help="A CSV of your own, drawn over the curves; or plasma, spines.")
@click.option("--posterior", help='Bands from the folder that "ketasim posterior" wrote.')
@click.option("--uncertainty", is_flag=True, help="Bands from the packaged posterior.")
@click.option("--open", "show", is_flag=True, help="Open the figure when done.")
def command(
    config: str,
    out: Path | None,
    sets: tuple[str, ...],
    modules: tuple[str, ...],
    values: Path | None,
    engine: str | None,
    method: str | None,
    rtol: str | None,
    formats: tuple[str, ...],
    data: str | None,
    posterior: str | None,
    uncertainty: bool,  # noqa: FBT001
    show: bool,  # noqa: FBT001  (click passes by name)
) -> None:
    """Run CONFIG, a TOML file or a name from "ketasim list configs".

    \b
    Examples:
      ketasim run human_depressed_iv
      ketasim run rat_10 --rtol 1e-9 -o out/rat
      ketasim run esketamine_intranasal --format pdf -o out/nasal
    """  # noqa: D301  (click's mark for lines kept as they are)
    from ketasim.config import load

    chosen = {"engine.name": engine, "engine.method": method, "engine.rtol": rtol}
    changes = [f"{key}={value}" for key, value in chosen.items() if value is not None]
    own = named(modules)
    setup = load(config, sets=[*sets, *changes], modules=own)
    if values is not None:
        again = [*sets, *_brought_back(values, setup), *changes]
        setup = load(config, sets=again, modules=own)
    with lean():
        picture = _carry_out(
            setup, out or Path("out", Path(config).stem), formats=formats, data=data,
            posterior=posterior, uncertainty=uncertainty,
        )  # fmt: skip
    if show:
        click.launch(str(picture))


@click.command(short_help="Run an infusion, with no file needed.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out", "demo"))
@click.option("--open", "show", is_flag=True, help="Open the figure when done.")
def demo(out: Path, show: bool) -> None:  # noqa: FBT001
    """Show 0.5 mg/kg over 40 min in a depressed human: fast drug, slow synapses."""
    from ketasim.config import load

    with lean():
        picture = _carry_out(load(DEMO), out)
    click.echo(f"figure: {picture}   next: ketasim list configs, ketasim run NAME")
    if show:
        click.launch(str(picture))


def say(caution: str) -> None:
    """Say a caution on the error stream."""
    click.echo(caution, err=True)


def _carry_out(
    setup: "Setup", out: Path, *, formats: Iterable[str] = (), data: str | None = None,
    posterior: str | None = None, uncertainty: bool = False,
) -> Path:  # fmt: skip
    """Run a setup, write its folder, print the summary, and return the picture's path."""
    from ketasim.config import dump
    from ketasim.errors import SolverError
    from ketasim.reports.runs import last_line
    from ketasim.results import folder
    from ketasim.results.output import file_at
    from ketasim.verbs.run import run

    folder.prepare(out)
    try:
        found = run(setup, data=data, posterior=posterior, uncertainty=uncertainty, tell=say)
    except SolverError as error:
        question = out / folder.SCENARIO
        with file_at(question) as place:
            place.write_text(dump(setup), encoding="utf-8")
        raise SolverError(f"{error} Reproduce: ketasim run {question} --debug") from error
    picture, *_ = found.save(out, formats=formats)
    click.echo(found)
    if found.bands is not None:
        told = f"{found.bands.attrs['draws']} draws of {posterior or 'the packaged posterior'}"
        click.echo(f"Above: the model's own values. The figure and bands.csv: {told}.")
    click.echo(last_line(found.dataset, out))
    return picture


def _brought_back(path: Path, setup: "Setup") -> list[str]:
    """Return the parameters that an SBML file changes as ``NAME=VALUE`` texts, and say them."""
    from ketasim import export

    values = export.read_values(path, setup.scenario)
    for caution in values.cautions:
        say(caution)
    told = ", ".join(f"{name} = {text}" for name, text in values.changed.items())
    say(f"{path.name}: {told or 'no parameter differs'}.")
    return [f"{name}={text}" for name, text in values.changed.items()]
