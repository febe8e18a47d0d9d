"""What ``run`` and ``demo`` share: integrate, write the folder, print the summary."""

from collections.abc import Iterable
from pathlib import Path

import click
import xarray as xr

from ketasim.cli.text import last_line, summary_table
from ketasim.config import Setup, dump
from ketasim.errors import SolverError
from ketasim.results import folder
from ketasim.results.summary import headlines, observables
from ketasim.studies.simulate import simulate


def integrate(setup: Setup) -> xr.Dataset:
    """Say the cautions, run the scenario, and let the result carry its question."""
    for caution in setup.cautions:
        click.echo(caution, err=True)
    dataset = simulate(setup.scenario, engine=setup.engine, method=setup.method, rtol=setup.rtol)
    return dataset.assign_attrs(scenario=dump(setup))


def carry_out(setup: Setup, out: Path, *, formats: Iterable[str] = ()) -> Path:
    """Run a setup, write its folder, print the summary, and return the picture's path."""
    from ketasim.plots.timecourse import draw

    folder.prepare(out)
    try:
        dataset = integrate(setup)
    except SolverError as error:
        question = out / folder.SCENARIO
        question.write_text(dump(setup), encoding="utf-8")
        raise SolverError(f"{error} Reproduce: ketasim run {question} --debug") from error
    files = folder.write(
        out,
        dataset,
        scenario=dataset.attrs["scenario"],
        draw=draw,
        formats=("png", *formats),
    )
    click.echo(summary_table(dataset, shown(dataset)))
    click.echo(last_line(dataset, out))
    return files[0]


def shown(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return what to print: the headline observables, or all when none of them was recorded."""
    names = observables(dataset)
    return names if len(names) <= 12 else headlines(dataset) or names
