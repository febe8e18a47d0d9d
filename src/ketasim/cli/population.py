"""``ketasim population CONFIG``: virtual patients, and a cohort that shows what trials showed."""

import sys
from pathlib import Path

import click


@click.command(short_help="Virtual patients matched to published trials.")
@click.argument("config", default="trials")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder; else population/CONFIG."
)
@click.option("--patients", type=click.IntRange(10), help="Plausible ones; else the file's.")
@click.option("--cohort", type=click.IntRange(2), help="Patients of the cohort; else the file's.")
@click.option("--method", help="weights, select or accept; else the file's.")
@click.option("--seed", type=click.IntRange(0), help="Else the file's.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@click.option("--threads", type=click.IntRange(1), help="Chunks at once; else one a core.")
@click.option("--format", "formats", multiple=True, type=click.Choice(["pdf", "svg"]))
def command(
    config: str,
    out: Path | None,
    patients: int | None,
    cohort: int | None,
    method: str | None,
    seed: int | None,
    sets: tuple[str, ...],
    threads: int | None,
    formats: tuple[str, ...],
) -> None:
    """Draw plausible patients, and of them a cohort that matches the trials that CONFIG names.

    The runs go to OUT/runs, a store for each regimen; the same command again resumes them. Then
    the trials that were not used are predicted. Writes cohort.csv (a row a patient), tables,
    figures and population.json into OUT.

    \b
    Examples:
      ketasim population trials
      ketasim population trials --patients 2000 --cohort 200 --method select -o out
    """  # noqa: D301  (click's mark for lines kept as they are)
    from ketasim.cli.progress import STOPPED, listener, prompt_stop
    from ketasim.cli.run import say
    from ketasim.cli.sweep import threads as counted
    from ketasim.engines.contract import Halted
    from ketasim.results.folder import prepare
    from ketasim.verbs.population import population

    place = prepare(out or Path("population", Path(config).stem))
    own = {"patients": patients, "cohort": cohort, "seed": seed, "method": method}
    changes = [*sets, *(f"{name}={one}" for name, one in own.items() if one is not None)]
    again = "Give the same command again to go on."
    try:
        with prompt_stop(again) as wish, listener(wish) as progress:
            found = population(
                config, sets=changes, store=place / "runs", threads=counted(threads),
                progress=progress, tell=say,
            )  # fmt: skip
    except (KeyboardInterrupt, Halted):
        click.echo(f"stopped. {again}", err=True)
        sys.exit(STOPPED)
    click.echo(found)
    click.echo(f"written: {', '.join(str(one) for one in found.save(place, formats=formats))}")
