"""Write the model card: docs/model-card.md and its figure, from the model as it is.

python scripts/model_card.py            # write
python scripts/model_card.py --check    # exit 1 when what is written is out of date
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from math import isfinite
from pathlib import Path
from typing import Any

import card_figure
import card_modules
import numpy as np
from matplotlib.image import imread

from ketasim.config.findings import load_checks
from ketasim.config.hypotheses import fitted_rivals
from ketasim.core.model import Model
from ketasim.models.antidepressant import antidepressant
from ketasim.models.rivals import NULLS, RIVALS
from ketasim.reports.contents import equations, numbers
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.flags import NO_RESPONSE, flagged, without_response
from ketasim.studies.findings.robustness import pass_shares, unmeasured
from ketasim.studies.findings.scorecard import FAILS, Verdict, score
from ketasim.studies.judge.calibrate import matched_to_reference

DOCS = Path(__file__).parents[1] / "docs"
DRAWS = 64
SHADE = 0.02  # five of 256 levels; a curve that moves by 1e-4 of itself changes more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    chosen = parser.parse_args()
    model, checks = antidepressant(), load_checks()
    text = card(model, checks)
    target = DOCS / "model-card.md"
    if chosen.check:
        same = target.is_file() and target.read_text(encoding="utf-8") == text
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder, "card.png")
            card_figure.draw(fresh)
            same = same and _alike(DOCS / "figures" / "model-card.png", fresh)
        print("up to date" if same else "out of date: run python scripts/model_card.py")
        sys.exit(0 if same else 1)
    (DOCS / "figures").mkdir(exist_ok=True)
    card_figure.draw(DOCS / "figures" / "model-card.png")
    target.write_text(text, encoding="utf-8")
    print(f"wrote {target.relative_to(DOCS.parent)}")


def _alike(kept: Path, fresh: Path) -> bool:
    """Say whether two pictures show the same; the last bits of a shade differ between machines."""
    if not kept.is_file():
        return False
    a, b = imread(kept), imread(fresh)
    return a.shape == b.shape and float(np.abs(a - b).max()) <= SHADE


def card(model: Model, checks: list[Finding]) -> str:
    judged = [one for one in checks if not one.reported]
    verdicts = flagged(checks, model)
    parts = [
        "# Model card\n\nWritten by `python scripts/model_card.py`; nothing here is typed by hand.",
        _numbers(model),
        _failing(verdicts),
        "## Against the published record\n\n"
        "![Predictions over published numbers](figures/model-card.png)",
        _scorecard(verdicts),
        _hypotheses(model, judged),
        _standing(model, judged),
        _calibration(model),
        _limits(verdicts),
        card_modules.section(),
        *(_mechanism(one.name, model) for one in model.mechanisms),
    ]
    return "\n\n".join(parts) + "\n"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)


def _numbers(model: Model) -> str:
    kinds = Counter(one.evidence.kind for one in model.parameters.values())
    told = ", ".join(f"{kinds[k]} {k}" for k in ("measured", "derived", "fitted", "assumed"))
    return (
        f"Model `{model.name}`, digest `{model.digest}`: {len(model.states)} states, "
        f"{len(model.parameters)} parameters ({told}), {len(model.knobs)} knobs."
    )


def _failing(verdicts: list[Verdict]) -> str:
    """Return what the model gets wrong, first of all."""
    lines = []
    for one in verdicts:
        check = one.finding
        if check.reported or check.consistency or one.passed:
            continue
        told = []
        parts = zip(check.readouts, one.predictions, one.words, one.flags, strict=True)
        for readout, value, said, flags in parts:
            unit = "" if readout.unit == "1" else f" {readout.unit}"
            if said == FAILS:
                wanted = readout.accepted.told if readout.accepted else ""
                told.append(f"{readout.name}: {_tidy(value)}{unit}, wanted {wanted}")
            told += [
                f"{readout.name}: {f.told}"
                for f in flags
                if "null" not in f.told and "answers" not in f.told
            ]
        lines.append(f"- **{check.title}** (check {check.number}). " + "; ".join(told) + ".")
    head = "## What it gets wrong"
    if not lines:
        return (
            f"{head}\n\nNo counted check fails; the known failures are at the end of the scorecard."
        )
    return f"{head}\n\n" + "\n".join(lines)


def _scorecard(verdicts: list[Verdict]) -> str:
    rows = []
    for one in verdicts:
        check = one.finding
        kind = " (hard)" if check.hard else " (input)" if check.consistency else ""
        rows_of = zip(check.readouts, one.predictions, one.words, one.flags, strict=True)
        for readout, value, said, flags in rows_of:
            word = {"agrees": "pass", FAILS: "**fail**"}.get(said, said)
            unit = "" if readout.unit == "1" else f" {readout.unit}"
            rows.append(
                [
                    str(check.number),
                    check.title + kind,
                    readout.name,
                    readout.accepted.told if readout.accepted else "",
                    f"{_tidy(value)}{unit}",
                    word,
                    "; ".join(flag.told for flag in flags),
                    ", ".join(check.rows),
                    ", ".join(check.references),
                ]
            )
    judged = [one for one in verdicts if not one.finding.reported]
    counted = [one for one in judged if not one.finding.consistency]
    inputs = [one for one in judged if one.finding.consistency]
    failed = [str(one.finding.number) for one in counted if not one.passed]
    count = (
        f"{sum(one.passed for one in counted)} of {len(counted)} counted checks pass"
        f"{'; these do not: ' + ', '.join(failed) if failed else ''}. "
        f"{sum(one.passed for one in inputs)} of {len(inputs)} inputs come back. A measure with a "
        "reason not to count cannot pass a check (docs/judging.md)."
    )
    header = ["#", "check", "measure", "wanted", "predicted", "verdict", "does not count: why",
              "rows", "references"]  # fmt: skip
    return f"### Scorecard\n\n{count}\n\n{_table(header, rows)}"


def _tidy(value: float) -> str:
    """Return two digits that do not hang on the last bits of an integration."""
    return f"{float(f'{value:.2g}') if abs(value) >= 5e-4 else 0:g}"


def _hypotheses(model: Model, judged: list[Finding]) -> str:
    matched = {one.name: matched_to_reference(one, model) for one in (*NULLS, *RIVALS[1:])}
    models = {"default": model, **{name: each for name, (each, _) in matched.items()}}
    models |= {one.name: one.model(model) for one in fitted_rivals()}
    gains = {name: f"{gain:.2f}" for name, (_, gain) in matched.items() if isfinite(gain)}
    gains |= {one.name: f"{float(one.values[one.strength]):.2f}" for one in fitted_rivals()}
    judged = [one for one in judged if not one.consistency]
    found = {name: score(judged, each) for name, each in models.items()}
    found[NO_RESPONSE] = score([without_response(one) for one in judged], model)
    rows = [
        [
            name,
            gains.get(name, ""),
            f"{sum(one.passed for one in verdicts)} of {len(verdicts)}",
            *("x" if one.passed else "" if one.failed else "not computed" for one in verdicts),
        ]
        for name, verdicts in found.items()
    ]
    nulls = {name: found[name] for name in (*(one.name for one in NULLS), NO_RESPONSE)}
    failing = ", ".join(
        f"{name} {sum(not one.passed for one in verdicts)}" for name, verdicts in nulls.items()
    )
    stories = "\n".join(f"- **{one.name}**: {one.story}" for one in (*NULLS, *RIVALS[1:]))
    header = ["hypothesis", "gain", "passes", *(str(one.number) for one in judged)]
    return (
        "### Nulls and rivals\n\nEach hypothesis is an edit of the same model. Rivals stand at the "
        "gain that gives them the default's effect on mood at 24 h in a stressed mouse; those that "
        "are called fitted at their own best point, found for each by the same procedure from the "
        "same data (`python scripts/rivals.py`).\n\n"
        f"{stories}\n\n{_table(header, rows)}\n\n"
        f"Of {len(judged)} counted checks the nulls fail: {failing}; each is to fail two thirds. "
        f"In {NO_RESPONSE} no arm is given the drug."
    )


def _standing(model: Model, judged: list[Finding]) -> str:
    found = pass_shares(judged, model, draws=DRAWS)
    rows = [[str(one.finding.number), one.finding.title, f"{one.share:.0%}"] for one in found]
    lost = sum(one.not_computed for one in found)
    return (
        "### Which verdicts stand\n\n"
        f"Share of {DRAWS:,} draws under which a check passes when all {len(unmeasured(model))} "
        "parameters that nobody has measured are drawn independently anywhere within their bounds. "
        "A high share is a conclusion of the structure; a low one leans on chosen values. "
        "`ketasim check --draws` adds ranges that owe nothing to tests, published or ten times "
        "each way."
        + (f" Left out: {lost:,} verdicts that could not be computed." if lost else "")
        + "\n\n"
        + _table(["#", "check", "passes"], rows)
    )


def _calibration(model: Model) -> str:
    record = json.loads((DOCS / "calibration.json").read_text(encoding="utf-8"))
    fits = record["fits"]
    rows = [
        [
            name,
            f"{model.parameters[name].value:g} {model.parameters[name].unit}",
            *(f"{fit['values'][name]:.3g}" for fit in fits),
        ]
        for name in fits[0]["values"]
    ]
    header = ["parameter", "ledger", *(fit["start"] for fit in fits)]
    losses = ", ".join(
        f"{sum(fit['loss'].values()):.0f} ({fit['start']}: "
        + ", ".join(f"{name} {value:.0f}" for name, value in fit["loss"].items())
        + ")"
        for fit in fits
    )
    return (
        "### Calibration\n\nThe parameters tagged fitted, but those of what carries the drug, at "
        "the best point of curves, windows and prior (`scripts/calibrate.py`), by where the search "
        f"began. Loss: {losses}. Where the columns differ while the loss does not, parameters "
        "trade off.\n\n" + _table(header, rows) + "\n\n" + _determined(model, record["determined"])
    )


def _determined(model: Model, found: dict[str, dict[str, Any]]) -> str:
    rows = [
        [
            name,
            model.parameters[name].evidence.kind,
            f"{one['left']:.2f}",
            ", ".join(one["by"]) or "nothing",
        ]
        for name, one in sorted(found.items(), key=lambda each: each[1]["left"])
    ]
    silent = sum(not one["by"] for one in found.values())
    return (
        "### What determines each number\n\nWhat is left of the spread of each uncertain number "
        "(1: as much as its bounds allow) once curves and windows are known, all others being "
        "free, by the slopes at the ledger's values; and the study or check that tells most of it. "
        f"Of {len(found)} numbers data tell nothing of {silent}.\n\n"
        + _table(["parameter", "evidence", "left", "told most by"], rows)
    )


def _limits(verdicts: list[Verdict]) -> str:
    notes = [
        f"- Check {one.finding.number}: {one.finding.note}" for one in verdicts if one.finding.note
    ]
    return "## Limits\n\n" + "\n".join(notes)


def _mechanism(name: str, model: Model) -> str:
    one = next(each for each in model.mechanisms if each.name == name)
    lines = "\n".join(equations(one))
    rows = [
        [each.name, *numbers(each), str(each.evidence), each.meaning] for each in one.parameters
    ]
    header = ["parameter", "value", "unit", "bounds", "evidence", "meaning"]
    ledger = _table(header, rows) if rows else "No parameters."
    return f"## {name}\n\n{one.story}\n\n```text\n{lines}\n```\n\n{ledger}"


if __name__ == "__main__":
    main()
