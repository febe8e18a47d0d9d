"""``ketasim judge``: rival hypotheses before published and own findings."""

import csv
import json
from collections.abc import Iterable, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ketasim.errors import ConfigError

if TYPE_CHECKING:
    from ketasim.studies.judge.information import ExpectedInformation
    from ketasim.studies.judge.judgement import Judgement

SHOWN = 5  # candidates printed
FORMER = {
    "--no-mixture": "mixtures are judged as hypotheses of their own.",
    "--bayes": "all evidence is sampled now.",
}


@click.command(short_help="Judge rival hypotheses by published and own findings.")
@click.argument("hypotheses", nargs=-1)
@click.option(
    "--experiments",
    "--findings",
    "own",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder or file of findings of your own, beside the published ones.",
)
@click.option("--only", is_flag=True, help="Only the findings given, not the published ones.")
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
    help="An effect every hypothesis should show, with its error: mouse, human, or a file.",
)
@click.option("--draws", type=int, help="Posterior draws of a replicate (384; quick: 256).")
@click.option("--quick", is_flag=True, help="Fewer draws, replicates and repeats; it says so.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--reach",
    "--prior-width",
    "prior_width",
    type=float,
    default=0.25,
    show_default=True,
    help="How far the prior goes towards the ledger's bounds, 0 to 1.",
)
@click.option("--no-calibration", is_flag=True, help="Leave every hypothesis at full gain.")
@click.option("--no-mixture", is_flag=True, hidden=True)
@click.option("--bayes", is_flag=True, hidden=True)
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
    hypotheses: tuple[str, ...],
    own: tuple[Path, ...],
    only: bool,  # noqa: FBT001
    candidates: tuple[Path, ...],
    reference: str,
    draws: int | None,
    quick: bool,  # noqa: FBT001
    seed: int,
    prior_width: float,
    no_calibration: bool,  # noqa: FBT001
    no_mixture: bool,  # noqa: FBT001
    bayes: bool,  # noqa: FBT001
    out: Path,
    formats: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
) -> None:
    """Judge HYPOTHESES (names or files; the six rivals when none is given) by findings.

    Log evidence comes from replicate runs of tempered sequential Monte Carlo, with their spread.
    Writes the matrix and further figures, with CSV and JSON beside them, and prints the ranking,
    what one paper carries, what nothing explains, and what would decide.
    """
    from ketasim.config.findings import load_findings
    from ketasim.config.judging import judge

    prepare(out)
    for name, given in (("--no-mixture", no_mixture), ("--bayes", bayes)):
        if given:
            click.echo(f"{name} has no effect any more: {FORMER[name]}", err=True)
    findings = load_findings(own, packaged=not only)
    found = judge(
        hypotheses or None,
        findings,
        candidates=candidates or None,
        reference=reference,
        draws=draws,
        seed=seed,
        prior_width=prior_width,
        calibrated=not no_calibration,
        quick=quick,
        progress=_progress,
    )
    files = write(found, out, formats)
    click.echo(to_json(found) if as_json else to_text(found))
    if not as_json:
        click.echo(f"written: {', '.join(str(one) for one in files)}")


def _progress(what: str) -> None:
    click.echo(f"{what} ...", err=True)


def prepare(out: Path) -> None:
    """Make the folder before minutes are spent.

    Raises
    ------
    ConfigError
        When it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be made ({error.strerror}).") from None


def write(judgement: "Judgement", out: Path, formats: Iterable[str] = ()) -> list[Path]:
    """Write picture, CSV and JSON; return the files.

    Raises
    ------
    ConfigError
        When one cannot be written.
    """
    from ketasim.plots.judgement import draw, draw_evidence
    from ketasim.studies.judge.record import table

    files = [out / f"judgement.{kind}" for kind in ("png", *formats)]
    for one in files:
        draw(judgement, one)
    bars = [out / f"evidence.{kind}" for kind in ("png", *formats)]
    for one in bars:
        draw_evidence(judgement, one)
    files += bars
    try:
        with (out / "judgement.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(table(judgement))
        (out / "judgement.json").write_text(to_json(judgement) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from None
    return [*files, out / "judgement.csv", out / "judgement.json"]


def to_json(judgement: "Judgement") -> str:
    """Return everything a judgement found as JSON, without NaN or infinity."""
    from ketasim.studies.judge.record import record

    return json.dumps(record(judgement), indent=1, allow_nan=False, ensure_ascii=False)


def to_text(judgement: "Judgement") -> str:
    """Return ranking, verdict, what stays open, and what would decide."""
    parts = [_opening(judgement)]
    if judgement.missing:
        parts += [_diagnostics(judgement), judgement.verdict, *judgement.refused]
        return "\n\n".join(parts)
    parts += [_ranking(judgement), judgement.verdict]
    if judgement.thin:
        parts += [_thin(judgement), *judgement.refused, *judgement.remarks]
        return "\n\n".join(parts)
    parts += [
        _pivotal(judgement),
        _recovery(judgement),
        _listed("Explained by none", judgement.unexplained, judgement),
        _listed(
            "Separate none (all hypotheses do about equally well)", judgement.undecided, judgement
        ),
        _information(judgement),
        *judgement.refused,
        *judgement.remarks,
    ]
    return "\n\n".join(part for part in parts if part)


def _opening(judgement: "Judgement") -> str:
    about, effect = judgement.about, judgement.reference
    title = f"{effect.title[0].lower()}{effect.title[1:]}"
    how = f"{title} ({effect.observed.told} {effect.unit}) is a datum".replace(" 1)", ")")
    if not about["calibrated"]:
        how = "gains are NOT free: the largest default gain may win"
    quick = "QUICK: fewer draws than a result needs to rest on. " if about["quick"] else ""
    return (
        f"{quick}{len(judgement.hypotheses)} hypotheses, {len(judgement.findings)} findings of "
        f"{len(judgement.papers)} papers; {about['replicates']} replicates of {about['draws']} "
        f"posterior draws, seed {about['seed']}; {how}."
    )


def _diagnostics(judgement: "Judgement") -> str:
    from ketasim.cli.text import columns

    rows = [["hypothesis", "effective draws", "SD of replicates", "what is missing"]]
    for one in judgement.scores:
        told = " ".join(one.found.missing) or "nothing"
        rows.append([one.name, f"{one.effective_draws:.0f}", f"{one.found.spread:.2f}", told])
    return columns(rows)


def _thin(judgement: "Judgement") -> str:
    return (
        f"The posterior draws of {', '.join(judgement.thin)} are worth too few independent ones to "
        "say what each paper carries, what nothing explains, or what would decide; more draws "
        "(--draws) are needed for that."
    )


def _ranking(judgement: "Judgement") -> str:
    from ketasim.cli.text import columns

    rows = [["hypothesis", "gain", "ln evidence", "95 %", "SD", "draws", "agrees", "contradicted",
             "fresh given fitted"]]  # fmt: skip
    best = judgement.scores[judgement.ranking[0]].evidence
    held_out = judgement.scores[judgement.held_out_ranking[0]].held_out
    for i in judgement.ranking:
        prepared, score = judgement.hypotheses[i], judgement.scores[i]
        marks = judgement.agreement[:, i]
        wide = score.interval[1] - score.evidence
        rows.append(
            [
                prepared.name, "-" if isnan(prepared.gain) else f"{prepared.gain:.2f}",
                f"{score.evidence - best:.1f}", f"± {wide:.1f}", f"{score.found.spread:.2f}",
                f"{score.effective_draws:.0f}", str(int((marks == 2.0).sum())),
                str(int((marks == 0.0).sum())),
                f"{score.held_out - held_out:.1f} ± {2.0 * score.held_out_error:.1f}",
            ]
        )  # fmt: skip
    told = (
        "ln evidence is relative to the best, 95 % and SD over replicates; draws: how many "
        "independent ones the posterior is worth; fresh given fitted: how well the "
        f"{int(judgement.held_out.sum())} findings the model was not fitted to are foretold by "
        "those it was."
    )
    return f"{columns(rows)}\n{told}"


def _pivotal(judgement: "Judgement") -> str:
    if len(judgement.hypotheses) < 2:
        return ""
    if not judgement.pivotal:
        return "Leaving out any one paper leaves the same hypothesis first."
    lines = [
        f"Without {name}, {judgement.names[k]} {'would' if sure else 'may'} be first."
        for name, k, sure in judgement.pivotal
    ]
    return "\n".join(lines)


def _recovery(judgement: "Judgement") -> str:
    from ketasim.cli.text import columns

    found = judgement.recovery
    if len(found.names) < 2:
        return ""
    rows = [["data of, named", *found.names]]
    rows += [
        [name, *(f"{share:.2f}" for share in row)]
        for name, row in zip(found.names, found.named, strict=True)
    ]
    pairs = [f"{a} and {b}" for a, b in found.confused()]
    told = f"Not told apart in 90 of 100: {'; '.join(pairs)}." if pairs else "All pairs are told."
    return f"Model recovery, share of simulated data:\n{columns(rows, indent='  ')}\n{told}"


def _listed(title: str, which: Sequence[int], judgement: "Judgement") -> str:
    if not which:
        return f"{title}: no finding."
    lines = [f"  {judgement.findings[i].name}: {judgement.findings[i].title}" for i in which]
    return "\n".join([f"{title}:", *lines])


def _information(judgement: "Judgement") -> str:
    from ketasim.cli.text import columns

    if len(judgement.hypotheses) < 2 or not judgement.information:
        return ""
    which = judgement.contenders if len(judgement.contenders) > 1 else judgement.ranking[:2]
    between = " and ".join(judgement.names[i] for i in which)
    rows = [["would decide", "bits", "bits, all", *judgement.names]]
    rows += [_row(one) for one in judgement.information[:SHOWN]]
    told = f"The finding that would decide between {between} (expected information):"
    return f"{told}\n{columns(rows, indent='  ')}"


def _row(one: "ExpectedInformation") -> list[str]:
    medians = ["-" if isnan(value) else f"{value:.2g}" for value in one.medians]
    mark = "" if one.finding.done else " (proposed)"
    return [f"{one.finding.name}{mark}", f"{one.bits:.2f}", f"{one.bits_of_all:.2f}", *medians]
