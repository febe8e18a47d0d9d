"""``ketasim judge``: rival accounts before published and own findings."""

from pathlib import Path

import click


@click.command(short_help="Judge rival accounts by published and own experiments.")
@click.argument("accounts", nargs=-1)
@click.option(
    "--experiments",
    "own",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder or file of experiments of your own, beside the published ones.",
)
@click.option("--only", is_flag=True, help="Only the experiments given, not the published ones.")
@click.option(
    "--candidates",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Proposals to choose the next experiment from (default: the packaged ones).",
)
@click.option(
    "--reference",
    default="mouse",
    show_default=True,
    help="The effect every account is calibrated to: mouse, human, or a file.",
)
@click.option("--draws", type=int, default=256, show_default=True, help="Parameter draws.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--reach",
    type=float,
    default=0.25,
    show_default=True,
    help="How far draws go towards the ledger's bounds, 0 to 1.",
)
@click.option("--no-calibration", is_flag=True, help="Leave every account at full gain.")
@click.option("--no-mixture", is_flag=True, help="Do not look for the best mixture.")
@click.option("--bayes", is_flag=True, help="Nested sampling too (ketasim[fit]; minutes).")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("judgement"),
    show_default=True,
    help="Folder for the picture, the CSV and the JSON.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["svg", "pdf"]),
    help="The picture in this format too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(
    accounts: tuple[str, ...],
    own: tuple[Path, ...],
    only: bool,  # noqa: FBT001
    candidates: tuple[Path, ...],
    reference: str,
    draws: int,
    seed: int,
    reach: float,
    no_calibration: bool,  # noqa: FBT001
    no_mixture: bool,  # noqa: FBT001
    bayes: bool,  # noqa: FBT001
    out: Path,
    formats: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
) -> None:
    """Judge ACCOUNTS (names or files; the six rivals when none is given) by experiments.

    Every account is first calibrated to one reference effect. Writes the matrix as a picture, with
    CSV and JSON beside it, and prints the ranking, what nothing explains, and what would decide.
    """
    from ketasim.cli import judged
    from ketasim.config.experiments import load_experiments
    from ketasim.config.judging import judge

    judged.prepare(out)
    if bayes:
        judged.need_sampler()
    experiments = load_experiments(own, packaged=not only)
    found = judge(
        accounts or None,
        experiments,
        candidates=candidates or None,
        reference=reference,
        draws=draws,
        seed=seed,
        reach=reach,
        calibrated=not no_calibration,
        mix=not no_mixture,
        told=_told,
    )
    files = judged.write(found, out, formats)
    click.echo(judged.as_json(found) if as_json else judged.as_text(found))
    if bayes:
        click.echo(judged.sampled(found, out, told=_told), err=as_json)
        files.append(out / "nested.json")
    if not as_json:
        click.echo(f"written: {', '.join(str(one) for one in files)}")


def _told(what: str) -> None:
    click.echo(f"{what} ...", err=True)
