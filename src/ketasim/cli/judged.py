"""A judgement as text and as files."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path

from ketasim.cli.text import columns
from ketasim.errors import ConfigError
from ketasim.studies.judge.decide import Promise
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.record import record, table

SHOWN = 5  # candidates printed


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


def write(judgement: Judgement, out: Path, formats: Iterable[str] = ()) -> list[Path]:
    """Write picture, CSV and JSON; return the files.

    Raises
    ------
    ConfigError
        When one cannot be written.
    """
    from ketasim.plots.judgement import draw

    files = [out / f"judgement.{kind}" for kind in ("png", *formats)]
    for one in files:
        draw(judgement, one)
    try:
        with (out / "judgement.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(table(judgement))
        (out / "judgement.json").write_text(as_json(judgement) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from None
    return [*files, out / "judgement.csv", out / "judgement.json"]


def need_sampler() -> None:
    """Refuse before minutes are spent when the sampler is missing."""
    from ketasim.studies.judge.nested import dynesty

    dynesty()


def sampled(judgement: Judgement, out: Path, *, told: Callable[[str], None]) -> str:
    """Sample every account judged, write ``nested.json``, and return a table.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    from ketasim.models.antidepressant import antidepressant
    from ketasim.studies.judge.run import sample

    about = judgement.about
    found = sample(
        [one.hypothesis for one in judgement.accounts],
        judgement.experiments,
        reference=judgement.reference,
        model=antidepressant(),
        draws=int(str(about["draws"])),
        seed=int(str(about["seed"])),
        reach=float(str(about["reach"])),
        told=told,
    )
    text = json.dumps([asdict(one) for one in found], indent=1, allow_nan=False)
    _write(out / "nested.json", text + "\n")
    rows = [["account", "ln evidence", "error", "sampled (mean, standard deviation)"]]
    for one in sorted(found, key=lambda n: -n.evidence):
        learnt = zip(one.parameters, one.means, one.sds, strict=True)
        said = ", ".join(f"{name} {mean:.3g} ({sd:.2g})" for name, mean, sd in learnt)
        rows.append([one.name, f"{one.evidence:.1f}", f"{one.error:.1f}", said])
    return f"Nested sampling (the most telling parameters only):\n{columns(rows)}"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}).") from None


def as_json(judgement: Judgement) -> str:
    """Return everything a judgement found as JSON, without NaN or infinity."""
    return json.dumps(record(judgement), indent=1, allow_nan=False, ensure_ascii=False)


def as_text(judgement: Judgement) -> str:
    """Return ranking, verdict, what stays open, and what would decide."""
    parts = [
        _opening(judgement),
        _ranking(judgement),
        judgement.verdict,
        _pivotal(judgement),
        _listed("Explained by none", judgement.unexplained, judgement),
        _listed(
            "Separate none (all accounts do about equally well)", judgement.undecided, judgement
        ),
        _mixture(judgement),
        _promises(judgement),
        *judgement.refused,
        *judgement.remarks,
    ]
    return "\n\n".join(part for part in parts if part)


def _opening(judgement: Judgement) -> str:
    about = judgement.about
    told = f"calibrated to {judgement.reference.title[0].lower()}{judgement.reference.title[1:]}"
    how = f"{told} ({judgement.target:.3g} {judgement.reference.unit})".replace(" 1)", ")")
    if not about["calibrated"]:
        how = "NOT calibrated: the loudest default may win"
    return (
        f"{len(judgement.accounts)} accounts, {len(judgement.experiments)} findings, "
        f"{about['draws']} draws from seed {about['seed']}; each account {how}."
    )


def _ranking(judgement: Judgement) -> str:
    rows = [["account", "gain", "ln evidence", "90 % of resamplings", "share", "AICc", "weight",
             "agrees", "contradicted", "fresh findings"]]  # fmt: skip
    best = judgement.scores[judgement.ranking[0]].evidence
    fresh = judgement.scores[judgement.fresh_ranking[0]].fresh
    for i in judgement.ranking:
        account, score = judgement.accounts[i], judgement.scores[i]
        low, high = (end - best for end in score.interval)
        marks = judgement.agreement[:, i]
        rows.append(
            [
                account.name, "-" if isnan(account.gain) else f"{account.gain:.2f}",
                f"{score.evidence - best:.1f}", f"{low:.1f} to {high:.1f}",
                f"{judgement.probabilities[i]:.2g}", f"{score.aicc:.1f}",
                f"{judgement.akaike[i]:.2g}", str(int((marks == 2.0).sum())),
                str(int((marks == 0.0).sum())), f"{score.fresh - fresh:.1f}",
            ]
        )  # fmt: skip
    told = (
        "ln evidence is relative to the best; fresh findings: the same by the "
        f"{int(judgement.fresh.sum())} findings the model was not fitted to."
    )
    return f"{columns(rows)}\n{told}"


def _pivotal(judgement: Judgement) -> str:
    if not judgement.pivotal:
        return "Leaving out any one finding leaves the same account first."
    lines = [
        f"Without {judgement.experiments[i].name}, {judgement.names[k]} would be first."
        for i, k in judgement.pivotal
    ]
    return "\n".join(lines)


def _listed(title: str, which: Sequence[int], judgement: Judgement) -> str:
    if not which:
        return f"{title}: no finding."
    lines = [f"  {judgement.experiments[i].name}: {judgement.experiments[i].title}" for i in which]
    return "\n".join([f"{title}:", *lines])


def _mixture(judgement: Judgement) -> str:
    mixed, score = judgement.mixed, judgement.mixed_score
    if mixed is None or score is None:
        return ""
    best = min(one.aicc for one in judgement.scores)
    versus = "better" if score.aicc < best else "worse"
    missed = ", ".join(judgement.experiments[i].name for i in judgement.missed_by_mixture)
    return (
        f"Best mixture: {mixed.name}; AICc {score.aicc:.1f}, {versus} than the best single account "
        f"by {abs(score.aicc - best):.1f}. It still misses: {missed or 'nothing'}."
    )


def _promises(judgement: Judgement) -> str:
    if len(judgement.accounts) < 2 or not judgement.promises:
        return ""
    which = judgement.contenders if len(judgement.contenders) > 1 else judgement.ranking[:2]
    between = " and ".join(judgement.names[i] for i in which)
    rows = [["would decide", "bits", "bits, all", *judgement.names]]
    rows += [_promise(one) for one in judgement.promises[:SHOWN]]
    told = f"The experiment that would decide between {between} (expected information):"
    return f"{told}\n{columns(rows, indent='  ')}"


def _promise(one: Promise) -> list[str]:
    medians = ["-" if isnan(value) else f"{value:.2g}" for value in one.medians]
    mark = "" if one.experiment.done else " (proposed)"
    return [f"{one.experiment.name}{mark}", f"{one.bits:.2f}", f"{one.bits_of_all:.2f}", *medians]
