"""``ketasim trial CONFIG``: arms, visits and analysis on virtual patients; power and sizes."""

import sys
from pathlib import Path

import click


@click.command(short_help="A virtual trial: arms, analysis, power and sample size.")
@click.argument("config", default="nasal_four_weeks")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder; else trial/CONFIG.")
@click.option(
    "--cohort",
    type=click.Path(path_type=Path),
    help="A folder that ketasim population wrote; else its population is made first.",
)
@click.option("--patients", type=click.IntRange(8), help="Randomised; else the file's.")
@click.option("--method", help="mixed, locf or observed; else the file's.")
@click.option("--seed", type=click.IntRange(0), help="Else the file's.")
@click.option(
    "--change", "changed", multiple=True, help="Change the trial itself: dropout.share=0.2."
)
@click.option("--set", "sets", multiple=True, help='Change the model: "nmda.k_s=0.5 uM".')
@click.option("--threads", type=click.IntRange(1), help="Chunks at once; else one a core.")
@click.option("--format", "formats", multiple=True, type=click.Choice(["pdf", "svg"]))
def command(
    config: str,
    out: Path | None,
    cohort: Path | None,
    patients: int | None,
    method: str | None,
    seed: int | None,
    changed: tuple[str, ...],
    sets: tuple[str, ...],
    threads: int | None,
    formats: tuple[str, ...],
) -> None:
    """Carry out the trial of CONFIG once, analyse it three ways, and try other sizes.

    The runs go to OUT/runs; the same command again resumes them. Writes patients.csv, effects,
    power, figures and trial.json into OUT.

    \b
    Examples:
      ketasim population trials -o population/trials
      ketasim trial nasal_four_weeks --cohort population/trials
      ketasim trial one_infusion --patients 80 --change blinding.kept=true -o out
    """  # noqa: D301  (click's mark for lines kept as they are)
    from ketasim.cli.progress import STOPPED, listener, prompt_stop
    from ketasim.cli.run import say
    from ketasim.cli.sweep import threads as counted
    from ketasim.engines.contract import Halted
    from ketasim.results.folder import prepare
    from ketasim.verbs.virtual_trial import trial

    place = prepare(out or Path("trial", Path(config).stem))
    own = {"patients": patients, "seed": seed, "analysis.method": method}
    changes = [*changed, *sets, *(f"{name}={one}" for name, one in own.items() if one is not None)]
    again = "Give the same command again to go on."
    try:
        with prompt_stop(again) as wish, listener(wish) as progress:
            found = trial(
                config, sets=changes, cohort=cohort, store=place / "runs",
                threads=counted(threads), progress=progress, tell=say,
            )  # fmt: skip
    except (KeyboardInterrupt, Halted):
        click.echo(f"stopped. {again}", err=True)
        sys.exit(STOPPED)
    click.echo(found)
    click.echo(f"written: {', '.join(str(one) for one in found.save(place, formats=formats))}")
