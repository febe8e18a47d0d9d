"""``ketasim optimise FILE``: doses, gaps, durations and routes chosen for a cohort."""

import json
from pathlib import Path

import click

from ketasim.cli.modules import WITH, named

UNMET = 3  # exit code where no schedule that was found keeps to every limit


@click.command(short_help="Choose doses and times for a cohort, within limits.")
@click.argument("config")
@click.option(
    "--patients", type=click.Path(path_type=Path),
    help="A cohort instead of the file's: CSV or netCDF, a row a patient.",
)  # fmt: skip
@WITH
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@click.option("--starts", type=click.IntRange(1), help="Searches of each plan; else the file's.")
@click.option("--points", type=click.IntRange(2), help="Points of the front of two wishes.")
@click.option("--seed", type=click.IntRange(0), help="What beginnings are drawn by.")
@click.option("--threads", type=click.IntRange(1), help="Else one a core; no number depends on it.")
@click.option("--rtol", type=float, help="Relative tolerance; else the engine's own, 8e-7.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder; else optimum/CONFIG.")
@click.option("--format", "formats", multiple=True, type=click.Choice(["svg", "pdf"]))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(
    config: str,
    patients: Path | None,
    modules: tuple[str, ...],
    sets: tuple[str, ...],
    starts: int | None,
    points: int | None,
    seed: int | None,
    threads: int | None,
    rtol: float | None,
    out: Path | None,
    formats: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
) -> None:
    """Choose the schedule of CONFIG: a file of what is free, wished and limited.

    Ready to use: iv_eight_weeks, effect_or_dissociation, maintenance.

    Writes the schedule, what every goal comes to, every start and patient, and (where two things
    are wished for) the front between them, with figures. The same command again goes on where it
    was stopped.
    """
    from ketasim.cli.run import say
    from ketasim.results.folder import finite
    from ketasim.verbs.optimise import optimise

    place = out or Path("optimum", Path(config).stem)
    found = optimise(
        config, patients=patients, modules=named(modules), sets=sets, starts=starts,
        points=points, seed=seed, threads=threads, rtol=rtol, out=place,
        progress=lambda what: click.echo(what, err=True), tell=say,
    )  # fmt: skip
    files = found.save(place, formats=formats)
    if as_json:
        click.echo(json.dumps(finite(found.record), indent=1, ensure_ascii=False))
    else:
        click.echo(f"{found}\n\nwritten: {', '.join(str(one) for one in files)}")
    if not found.is_allowed:
        raise SystemExit(UNMET)
