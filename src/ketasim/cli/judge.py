"""``ketasim judge``: rival hypotheses before published and own findings."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ketasim.errors import ConfigError

if TYPE_CHECKING:
    from ketasim.studies.judge.information import ExpectedInformation
    from ketasim.studies.judge.judgement import Judgement

SHOWN = 5  # candidates printed


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
    help="The effect every hypothesis is calibrated to: mouse, human, or a file.",
)
@click.option("--draws", type=int, default=256, show_default=True, help="Parameter draws.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--reach",
    "--prior-width",
    "prior_width",
    type=float,
    default=0.25,
    show_default=True,
    help="How far draws go towards the ledger's bounds, 0 to 1.",
)
@click.option("--no-calibration", is_flag=True, help="Leave every hypothesis at full gain.")
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
    hypotheses: tuple[str, ...],
    own: tuple[Path, ...],
    only: bool,  # noqa: FBT001
    candidates: tuple[Path, ...],
    reference: str,
    draws: int,
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

    Every hypothesis is first calibrated to one reference effect. Writes the matrix as a picture,
    with CSV and JSON beside it, and prints the ranking, what nothing explains, what would decide.
    """
    from ketasim.config.findings import load_findings
    from ketasim.config.judging import judge

    prepare(out)
    if bayes:
        need_sampler()
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
        mix=not no_mixture,
        progress=_progress,
    )
    files = write(found, out, formats)
    click.echo(to_json(found) if as_json else to_text(found))
    if bayes:
        click.echo(sampled(found, out, progress=_progress), err=as_json)
        files.append(out / "nested.json")
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
    from ketasim.plots.judgement import draw
    from ketasim.studies.judge.record import table

    files = [out / f"judgement.{kind}" for kind in ("png", *formats)]
    for one in files:
        draw(judgement, one)
    try:
        with (out / "judgement.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(table(judgement))
        (out / "judgement.json").write_text(to_json(judgement) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from None
    return [*files, out / "judgement.csv", out / "judgement.json"]


def need_sampler() -> None:
    """Refuse before minutes are spent when the sampler is missing."""
    from ketasim.studies.judge.nested import dynesty

    dynesty()


def sampled(judgement: "Judgement", out: Path, *, progress: Callable[[str], None]) -> str:
    """Sample every hypothesis judged, write ``nested.json``, and return a table.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    from ketasim.cli.text import columns
    from ketasim.models.antidepressant import antidepressant
    from ketasim.studies.judge.run import sample

    about = judgement.about
    found = sample(
        [one.hypothesis for one in judgement.hypotheses],
        judgement.findings,
        reference=judgement.reference,
        model=antidepressant(),
        draws=int(str(about["draws"])),
        seed=int(str(about["seed"])),
        prior_width=float(str(about["reach"])),
        progress=progress,
    )
    text = json.dumps([asdict(one) for one in found], indent=1, allow_nan=False)
    _write(out / "nested.json", text + "\n")
    rows = [["hypothesis", "ln evidence", "error", "sampled (mean, standard deviation)"]]
    for one in sorted(found, key=lambda n: -n.evidence):
        learnt = zip(one.parameters, one.means, one.sds, strict=True)
        said = ", ".join(f"{name} {mean:.3g} ({sd:.2g})" for name, mean, sd in learnt)
        rows.append([one.name, f"{one.evidence:.1f}", f"{one.error:.1f}", said])
    failed = [f"{one.name} {one.not_computed} of {one.calls}" for one in found if one.not_computed]
    lost = (
        f"\nPoints at which a run failed, taken as at the ledger's values: {', '.join(failed)}."
        if failed
        else ""
    )
    return f"Nested sampling (the most telling parameters only):\n{columns(rows)}{lost}"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}).") from None


def to_json(judgement: "Judgement") -> str:
    """Return everything a judgement found as JSON, without NaN or infinity."""
    from ketasim.studies.judge.record import record

    return json.dumps(record(judgement), indent=1, allow_nan=False, ensure_ascii=False)


def to_text(judgement: "Judgement") -> str:
    """Return ranking, verdict, what stays open, and what would decide."""
    parts = [
        _opening(judgement),
        _ranking(judgement),
        judgement.verdict,
        _pivotal(judgement),
        _listed("Explained by none", judgement.unexplained, judgement),
        _listed(
            "Separate none (all hypotheses do about equally well)", judgement.undecided, judgement
        ),
        _mixture(judgement),
        _information(judgement),
        *judgement.refused,
        *judgement.remarks,
    ]
    return "\n\n".join(part for part in parts if part)


def _opening(judgement: "Judgement") -> str:
    about = judgement.about
    told = f"calibrated to {judgement.reference.title[0].lower()}{judgement.reference.title[1:]}"
    how = f"{told} ({judgement.target:.3g} {judgement.reference.unit})".replace(" 1)", ")")
    if not about["calibrated"]:
        how = "NOT calibrated: the largest default gain may win"
    return (
        f"{len(judgement.hypotheses)} hypotheses, {len(judgement.findings)} findings, "
        f"{about['draws']} draws from seed {about['seed']}; each hypothesis {how}."
    )


def _ranking(judgement: "Judgement") -> str:
    from ketasim.cli.text import columns

    rows = [["hypothesis", "gain", "ln evidence", "90 % of resamplings", "share", "AICc", "weight",
             "agrees", "contradicted", "held out"]]  # fmt: skip
    best = judgement.scores[judgement.ranking[0]].evidence
    held_out = judgement.scores[judgement.held_out_ranking[0]].held_out
    for i in judgement.ranking:
        prepared, score = judgement.hypotheses[i], judgement.scores[i]
        low, high = (end - best for end in score.interval)
        marks = judgement.agreement[:, i]
        rows.append(
            [
                prepared.name, "-" if isnan(prepared.gain) else f"{prepared.gain:.2f}",
                f"{score.evidence - best:.1f}", f"{low:.1f} to {high:.1f}",
                f"{judgement.probabilities[i]:.2g}", f"{score.aicc:.1f}",
                f"{judgement.akaike[i]:.2g}", str(int((marks == 2.0).sum())),
                str(int((marks == 0.0).sum())), f"{score.held_out - held_out:.1f}",
            ]
        )  # fmt: skip
    told = (
        "ln evidence is relative to the best; held out: the same by the "
        f"{int(judgement.held_out.sum())} findings the model was not fitted to."
    )
    return f"{columns(rows)}\n{told}"


def _pivotal(judgement: "Judgement") -> str:
    if not judgement.pivotal:
        return "Leaving out any one finding leaves the same hypothesis first."
    lines = [
        f"Without {judgement.findings[i].name}, {judgement.names[k]} would be first."
        for i, k in judgement.pivotal
    ]
    return "\n".join(lines)


def _listed(title: str, which: Sequence[int], judgement: "Judgement") -> str:
    if not which:
        return f"{title}: no finding."
    lines = [f"  {judgement.findings[i].name}: {judgement.findings[i].title}" for i in which]
    return "\n".join([f"{title}:", *lines])


def _mixture(judgement: "Judgement") -> str:
    mixed, score = judgement.mixed, judgement.mixed_score
    if mixed is None or score is None:
        return ""
    best = min(one.aicc for one in judgement.scores)
    versus = "better" if score.aicc < best else "worse"
    missed = ", ".join(judgement.findings[i].name for i in judgement.missed_by_mixture)
    return (
        f"Best mixture: {mixed.name}; AICc {score.aicc:.1f}, {versus} than the best single "
        f"hypothesis by {abs(score.aicc - best):.1f}. It still misses: {missed or 'nothing'}."
    )


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
