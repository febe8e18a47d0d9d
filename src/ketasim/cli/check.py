"""``ketasim check``: the model against the published record."""

import sys
from pathlib import Path

import click

HARD_CHECK_FAILED = 1


@click.command(short_help="Score the model against the published record.")
@click.option("--only", type=int, multiple=True, help="Only the check of this number.")
@click.option("--model", "account", help="An account or null, as disinhibition or null-no-memory.")
@click.option("--checks", "folder", type=click.Path(path_type=Path), help="A folder of checks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--draws", type=int, help="How often each passes when the unmeasured is drawn.")
@click.option("--nulls", is_flag=True, help="The null models and the rivals beside the default.")
def command(
    only: tuple[int, ...],
    account: str | None,
    folder: Path | None,
    as_json: bool,  # noqa: FBT001  (click passes by name)
    draws: int | None,
    nulls: bool,  # noqa: FBT001
) -> None:
    """Print every check with target, prediction, tolerance, verdict and reference.

    Exits with 1 when a hard check fails.
    """
    from ketasim.cli import verdicts
    from ketasim.config.checks import load_checks
    from ketasim.models.antidepressant import antidepressant
    from ketasim.models.rivals import hypothesis
    from ketasim.studies.scorecard import score

    checks = verdicts.chosen(load_checks(folder), only)
    model = hypothesis(account).model(antidepressant()) if account else antidepressant()
    if draws is not None:
        click.echo(verdicts.standing(checks, model, draws))
        return
    if nulls:
        click.echo(verdicts.beside_the_nulls(checks))
        return
    found = score(checks, model)
    click.echo(verdicts.as_json(found, model) if as_json else verdicts.as_text(found))
    if any(one.check.hard and not one.passed for one in found):
        sys.exit(HARD_CHECK_FAILED)
