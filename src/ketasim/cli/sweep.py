"""``ketasim sweep CONFIG --vary ...``: many members into one store."""

from pathlib import Path

import click


@click.command(short_help="Run one configuration for many values.")
@click.argument("config")
@click.option(
    "--vary",
    multiple=True,
    help='"dosing[0].amount = logspace(0.05, 5, 41) mg/kg"; with --sample also a name, or a group: '
    "uncertain, exponents, gains, body, subject, everything, nmda, measured.",
)
@click.option(
    "--sample",
    help="Draw instead of a grid: sobol:4096, lhs:1000 or random:1000; what is uncertain, unless "
    "--vary says what.",
)
@click.option("--table", type=click.Path(path_type=Path), help="A CSV file, a row a member.")
@click.option("--summary", "summaries", multiple=True, help='"spines.peak, glutamate.auc(0h,4h)"')
@click.option("--record", multiple=True, help="A name whose full time course is kept.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Store; else out/CONFIG.zarr.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_on=5 1/uM/s".')
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Chunks at once; else one a core.")
@click.option("--engine", help="ensemble or reference; else the file's, else ensemble.")
@click.option("--rtol", help="Relative tolerance, 1e-12 to 1e-2.")
@click.option("--chunk", type=click.IntRange(1), help="Members computed and stored together.")
@click.option("--max-steps", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--max-seconds", type=click.FloatRange(0.0, min_open=True), default=10.0)
@click.option("--allow-looser", is_flag=True, help="A last attempt at 100 x the tolerance.")
@click.option("--shard", help="i/n: only every n-th chunk, for batch jobs on one store.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what it will take, and stop.")
@click.option("--resume", is_flag=True, help="Refuse to start a new store.")
def command(config: str, **options: object) -> None:
    """Run CONFIG for many values; the same command again resumes what was stopped."""
    from ketasim.cli.sweeping import Order, carry_out

    carry_out(Order(config, **options))  # type: ignore[arg-type]
