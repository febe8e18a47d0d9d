"""``ketasim export sbml CONFIG``, ``export petab DATA``, ``export c CONFIG``: for other tools."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ketasim.cli.modules import WITH, named

if TYPE_CHECKING:
    from ketasim.config import Setup


@click.group(short_help="Write SBML, a COMBINE archive, PEtab or C.")
def command() -> None:
    """Write a configuration in the formats of other tools."""


@command.command(short_help="Write SBML.")
@click.argument("config")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File; else CONFIG.xml.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@WITH
@click.option("--check", is_flag=True, help="Simulate it in libRoadRunner and COPASI.")
@click.option("--omex", is_flag=True, help="Also write a COMBINE archive beside it.")
def sbml(
    config: str,
    out: Path | None,
    sets: tuple[str, ...],
    modules: tuple[str, ...],
    check: bool,  # noqa: FBT001  (click passes by name)
    omex: bool,  # noqa: FBT001
) -> None:
    """Write CONFIG as SBML Level 3 Version 2, its doses as events."""
    from ketasim.config import load

    setup = load(config, sets=sets, modules=named(modules))
    for caution in setup.cautions if not omex else ():  # an archive holds a run, which says them
        click.echo(caution, err=True)
    path = out or Path(f"{Path(config).stem}.xml")
    verdict = _write(setup, path)
    if check:
        verdict += _compared(setup)
    click.echo(verdict)
    click.echo(path)
    if omex:
        click.echo(_archive(setup, path.with_suffix(".omex")))


@command.command("c", short_help="Write C for other integrators.")
@click.argument("config")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File; else CONFIG.c.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@WITH
def in_c(config: str, out: Path | None, sets: tuple[str, ...], modules: tuple[str, ...]) -> None:
    """Write CONFIG as C99: slopes, exact sparse Jacobian, observables, and what is given when.

    The file needs nothing but math.h; benchmarks/cvodes.c shows it under CVODES with KLU.
    """
    from ketasim import export
    from ketasim.config import load
    from ketasim.results.output import file_at

    setup = load(config, sets=sets, modules=named(modules))
    for caution in setup.cautions:
        click.echo(caution, err=True)
    path = out or Path(f"{Path(config).stem}.c")
    text = export.c_source(setup.scenario)
    with file_at(path) as place:
        place.write_text(text, encoding="utf-8")
    click.echo(path)


@command.command(short_help="Write a fit as a PEtab problem.")
@click.argument("data")
@click.option("--free", required=True, multiple=True, help="To estimate, with commas.")
@click.option(
    "--findings", "own", multiple=True, type=click.Path(path_type=Path),
    help="Findings as well, where they are numbers read in one arm: a file, folder or name.",
)  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder; else DATA_petab.")
def petab(data: str, free: tuple[str, ...], own: tuple[Path, ...], out: Path | None) -> None:
    r"""Write what a fit to DATA asks as a PEtab problem, version 2, and have petab check it.

    DATA is a CSV as "ketasim data check" reads it, or the name of one that comes with the package.

    \b
    ketasim export petab plasma --free pk_s.clearance_70,disposition.q_fast_70 -o plasma_petab
    """
    from ketasim.cli.fit import findings_of, parted
    from ketasim.config.findings import as_data
    from ketasim.config.petab import save_petab
    from ketasim.errors import ModelError
    from ketasim.export.petab import faults

    parts = (text.partition("=") for text in parted(free))
    wishes = {name.strip(): told.strip() or None for name, _, told in parts}
    more = [as_data(one) for one in findings_of(own)] if own else []
    place = out or Path(f"{Path(data).stem}_petab")
    path = save_petab(place, data=[data, *more], free=wishes)
    found = faults(path)
    if found:
        raise ModelError(f"{path}: petab finds fault with it: {'; '.join(found)}")
    click.echo(f"PEtab 2, 0 faults by its linter\n{path}")


def _write(setup: "Setup", path: Path) -> str:
    """Write a setup as SBML and return libSBML's verdict on it."""
    from ketasim import export
    from ketasim.export.peers import require_valid
    from ketasim.results.output import file_at

    text = export.sbml(setup.scenario)
    verdict = require_valid(text)
    for line in (*verdict.units, *verdict.others):
        click.echo(line, err=True)
    with file_at(path) as place:
        place.write_text(text, encoding="utf-8")
    return str(verdict)


def _compared(setup: "Setup") -> str:
    """Return how far each engine is from the reference, as the rest of a line."""
    from ketasim import export
    from ketasim.errors import MissingExtra, SolverError
    from ketasim.export import peers

    text, told, points = export.sbml(setup.scenario), "", 0
    for _, run in peers.engines():
        if isinstance(run, MissingExtra):
            click.echo(str(run), err=True)
            continue
        found = peers.compare(setup.scenario, text, run)
        if not found.agrees:
            raise SolverError(f"the export does not agree with the reference: {found}.")
        told += f"; {found}"
        points = found.points
    return f"{told} over {points:,} points" if told else "; no engine to check with"


def _archive(setup: "Setup", path: Path) -> Path:
    """Write a setup as a COMBINE archive, with the result it should give."""
    from ketasim import export
    from ketasim.cli.run import say
    from ketasim.config import dump
    from ketasim.reports.runs import shown
    from ketasim.results.output import file_at
    from ketasim.verbs.run import run

    result = run(setup, tell=say).dataset
    with file_at(path) as place:
        export.omex(
            setup.scenario,
            place,
            result=result,
            names=shown(result),
            files={"scenario.toml": dump(setup).encode()},
        )
    return path
