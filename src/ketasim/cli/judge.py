"""``ketasim judge``: rival hypotheses before published and own findings."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ketasim.cli.cluster import spread
from ketasim.errors import ConfigError

if TYPE_CHECKING:
    from ketasim.studies.judge.decide import Designs
    from ketasim.studies.judge.information import ExpectedInformation
    from ketasim.studies.judge.judgement import Judgement

SHOWN = 5  # candidates printed
ALONE = 20  # designs printed where nothing else is
FEW = 32  # posterior draws under which a quick judgement runs experiments
FINISHED = "finished"  # folder of what was sampled
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
@click.option("--decide", is_flag=True, help="Print only which experiments would decide.")
@click.option("--no-designs", is_flag=True, help="Do not rank thousands of experiments.")
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
    "--format", "formats", multiple=True, type=click.Choice(["svg", "pdf"]),
    help="The picture in this format too.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@spread
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
    decide: bool,  # noqa: FBT001
    no_designs: bool,  # noqa: FBT001
    no_mixture: bool,  # noqa: FBT001
    bayes: bool,  # noqa: FBT001
    out: Path,
    formats: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
) -> None:
    """Judge HYPOTHESES (names or files; the six rivals when none is given) by findings.

    Log evidence comes from replicate runs of tempered sequential Monte Carlo, with their spread.
    Writes the matrix and further figures, with CSV, JSON and netCDF beside them, and prints the
    ranking, how sure it is, what one paper carries, what nothing explains, and which of thousands
    of experiments would decide. A judgement that was stopped goes on in the same folder.
    """
    from ketasim.config.findings import load_findings
    from ketasim.config.judging import decide as ranked
    from ketasim.config.judging import judge

    prepare(out)
    for name, given in (("--no-mixture", no_mixture), ("--bayes", bayes)):
        if given:
            click.echo(f"{name} has no effect any more: {FORMER[name]}", err=True)
    findings = load_findings(own, packaged=not only)
    with _progress() as progress:
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
            progress=progress,
            store=out / FINISHED,
        )
        told = None
        if not (found.missing or no_designs) and len(found.hypotheses) > 1:
            many = FEW if quick else None
            told = ranked(found, candidates or None, draws=many, progress=progress)
    files = write(found, out, formats, told)
    if as_json:
        click.echo(to_json(found, told))
        return
    if decide:
        click.echo(designs_text(told, ALONE) if told else found.verdict)
    else:
        click.echo(to_text(found, told))
    click.echo(f"written: {', '.join(str(one) for one in files)}")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Yield what is told what is being done: a bar on a terminal, else a line each."""
    if not sys.stderr.isatty():
        yield lambda what: click.echo(f"{what} ...", err=True)
        return
    from tqdm.auto import tqdm

    with tqdm(unit=" steps", bar_format="{desc} [{elapsed}, {n} steps]") as bar:

        def tell(what: str) -> None:
            bar.set_description_str(what)
            bar.update()

        yield tell


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


def write(
    judgement: "Judgement",
    out: Path,
    formats: Iterable[str] = (),
    designs: "Designs | None" = None,
) -> list[Path]:
    """Write pictures, CSV, JSON and (where there is a result) netCDF, all or none; return them."""
    from ketasim.results.output import files_in, put_in

    with files_in(out, last="judgement.json") as place:
        return put_in(out, _written(judgement, place, formats, designs))


def _written(
    judgement: "Judgement", out: Path, formats: Iterable[str], designs: "Designs | None"
) -> list[Path]:
    from ketasim.plots.certainty import draw_evidence, draw_predictions
    from ketasim.plots.designs import draw_designs
    from ketasim.plots.judgement import pages
    from ketasim.studies.judge.record import dataset, designs_table, table

    files: list[Path] = []
    for kind in ("png", *formats):
        files += pages(judgement, out / f"judgement.{kind}")
        files += [out / f"evidence.{kind}", out / f"predictions.{kind}"]
        draw_evidence(judgement, files[-2])
        draw_predictions(judgement, files[-1])
    tables = {"judgement.csv": table(judgement)}
    if designs is not None:
        for one in [out / f"designs.{kind}" for kind in ("png", *formats)]:
            draw_designs(designs, one)
            files.append(one)
        tables["designs.csv"] = designs_table(designs)
    for name, rows in tables.items():
        with (out / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        files.append(out / name)
    (out / "judgement.json").write_text(to_json(judgement, designs) + "\n", encoding="utf-8")
    files.append(out / "judgement.json")
    if not judgement.missing:
        dataset(judgement).to_netcdf(out / "judgement.nc")
        files.append(out / "judgement.nc")
    return files


def to_json(judgement: "Judgement", designs: "Designs | None" = None) -> str:
    """Return everything a judgement found as JSON, without NaN or infinity."""
    from ketasim.studies.judge.record import designs_record, record

    told = record(judgement)
    if designs is not None:
        told["designs"] = designs_record(designs)
    return json.dumps(told, indent=1, allow_nan=False, ensure_ascii=False)


def to_text(judgement: "Judgement", designs: "Designs | None" = None) -> str:
    """Return ranking, verdict, what stays open, and what would decide."""
    parts = [_opening(judgement)]
    if judgement.missing:
        parts += [_diagnostics(judgement), judgement.verdict, *judgement.refused]
        return "\n\n".join(parts)
    parts += [_ranking(judgement), "\n".join([judgement.verdict, *_certainty(judgement)])]
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
        designs_text(designs, SHOWN) if designs else "",
        *judgement.refused,
        *judgement.remarks,
    ]
    return "\n\n".join(part for part in parts if part)


def designs_text(designs: "Designs", n: int) -> str:
    """Return the designs that would tell most, the best of each arm, as text."""
    from ketasim.cli.text import columns

    between = " and ".join(designs.names[i] for i in designs.among)
    rows = [["experiment", "read", "group", "bits", "bits, all", *designs.names]]
    for i in designs.best(n):
        effects = (f"{x:.2g}" for x in designs.medians[i])
        bits = f"{designs.bits[i]:.2f}", f"{designs.bits_of_all[i]:.2f}"
        arm = designs.arms[designs.arm[i]].name
        rows.append([arm, designs.read(i), str(designs.group[i]), *bits, *effects])
    told = (
        f"Of {len(designs):,} experiments that could be made these would tell most between "
        f"{between}: the best reading of each, the smallest group that tells nine tenths of what "
        "the largest would, and the effect that each hypothesis predicts."
    )
    if designs.left_out:
        told += f" Not computed: {', '.join(designs.left_out)}."
    return f"{told}\n{columns(rows, indent='  ')}"


def _certainty(judgement: "Judgement") -> list[str]:
    """Return how sure it is that each hypothesis is behind; draws that are too few say nothing."""
    return [f"  {one}" for one in judgement.certainty]


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
    between = " and ".join(judgement.names[i] for i in judgement.in_question)
    rows = [["would decide", "bits", "bits, all", *judgement.names]]
    rows += [_row(one) for one in judgement.information[:SHOWN]]
    told = f"The finding that would decide between {between} (expected information):"
    return f"{told}\n{columns(rows, indent='  ')}"


def _row(one: "ExpectedInformation") -> list[str]:
    medians = ["-" if isnan(value) else f"{value:.2g}" for value in one.medians]
    mark = "" if one.finding.done else " (proposed)"
    return [f"{one.finding.name}{mark}", f"{one.bits:.2f}", f"{one.bits_of_all:.2f}", *medians]
