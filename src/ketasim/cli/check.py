"""``ketasim check``: the model against the published record."""

import json
import sys
from collections.abc import Sequence
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ketasim.cli.cluster import spread
from ketasim.cli.modules import WITH, named
from ketasim.errors import ConfigError

if TYPE_CHECKING:
    from ketasim.core.model import Model
    from ketasim.studies.findings.finding import Finding, ReadOut
    from ketasim.studies.findings.robustness import Standing
    from ketasim.studies.findings.scorecard import Flag, Verdict

HARD_CHECK_FAILED, NOT_COMPUTED = 1, 3
MOST_DRAWS = 100_000
WORDS = {"agrees": "pass", "fails": "FAIL", "tells little": "flag", "reported": "    "}
FLAGS = {
    "null": "passed by a null",
    "input": "an input again",
    "assumed": "hang on something assumed",
}
MARKS = {"agrees": "x", "fails": "."}
PASSED = {"agrees": True, "fails": False, "tells little": False}


@click.command(short_help="Score the model against the published record.")
@click.option("--only", type=int, multiple=True, help="Only the check of this number.")
@click.option("--model", "name", help="A hypothesis or null, as disinhibition or null-no-memory.")
@click.option("--module", "module", help="The checks of one module, as safety; or all.")
@WITH
@click.option("--checks", "folder", type=click.Path(path_type=Path), help="A folder of checks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--draws", type=int, help="How often each passes when the unmeasured is drawn.")
@click.option("--nulls", is_flag=True, help="The null models and the rivals beside the default.")
@click.option("--rest", is_flag=True, help="Gains of feedback loops, and whether draws return.")
@click.option("--course", is_flag=True, help="How many draws are fast and then slow.")
@click.option("--posterior", type=click.Path(path_type=Path), help="Draws too, a CSV (--course).")
@spread
def command(
    only: tuple[int, ...],
    name: str | None,
    module: str | None,
    modules: tuple[str, ...],
    folder: Path | None,
    as_json: bool,  # noqa: FBT001  (click passes by name)
    draws: int | None,
    nulls: bool,  # noqa: FBT001
    rest: bool,  # noqa: FBT001
    course: bool,  # noqa: FBT001
    posterior: Path | None,
) -> None:
    """Print every check with target, prediction, tolerance, verdict and reference.

    A measure that a null model passes too, that is its own input again, or whose verdict flips when
    something assumed is 30 % less or more is flagged (~) and does not count as a pass.

    Exits with 1 when a hard check fails, and else with 3 when the runs of a check failed, so that
    it could not be computed: that is no verdict on the model.
    """
    from ketasim.config.findings import load_checks
    from ketasim.studies.findings.flags import flagged
    from ketasim.verbs.check import model_for

    if module is not None:
        of_modules(named([module]), only, name, as_json=as_json)
        return
    checks = chosen(load_checks(folder), only)
    model = model_for(checks, hypothesis=name, modules=named(modules))
    if rest or course:
        click.echo(of_draws(model, draws, posterior, rest=rest, as_json=as_json))
        return
    if draws is not None:
        click.echo(standing(checks, model, draws, as_json=as_json))
        return
    if nulls:
        click.echo(beside_the_nulls(checks))
        return
    found = flagged(checks, model)
    click.echo(to_json(found, model) if as_json else to_text(found))
    if any(one.finding.hard and one.failed for one in found):
        sys.exit(HARD_CHECK_FAILED)
    if not all(one.computed for one in found):
        sys.exit(NOT_COMPUTED)


def of_modules(
    modules: Sequence[str], only: Sequence[int], name: str | None, *, as_json: bool
) -> None:
    """Print the checks of modules, each with why the model fails it where it does.

    Exits as the command does.
    """
    from ketasim.verbs.check import check_modules

    found = check_modules(modules, only=only, model=name)
    if as_json:
        records = {one: json.loads(to_json(*card)) for one, card in found.items()}
        click.echo(json.dumps(records, indent=1))
    else:
        click.echo("\n\n".join(f"{one}\n{to_text(card[0])}" for one, card in found.items()))
    verdicts = [one for card, _ in found.values() for one in card]
    if len(found) > 1 and not as_json:
        judged = [one for one in verdicts if not one.finding.reported]
        click.echo(f"\n{sum(v.passed for v in judged)} of {len(judged)} module checks pass.")
    if not all(one.computed for one in verdicts):
        sys.exit(NOT_COMPUTED)


def of_draws(
    model: "Model", draws: int | None, posterior: Path | None, *, rest: bool, as_json: bool
) -> str:
    """Return what became of rest, or of the course of one dose, over draws.

    Raises
    ------
    ConfigError
        When the number of draws is not positive or too large, or the posterior cannot be read.
    """
    from ketasim.verbs import rest as verbs

    count = {} if draws is None else {"draws": draws}
    found: verbs.Rest | verbs.Courses = (
        verbs.rest(model, **count)
        if rest
        else verbs.fast_then_slow(model, posterior=posterior, **count)
    )
    return json.dumps(found.record, indent=1) if as_json else found.text


def chosen(checks: "Sequence[Finding]", only: Sequence[int]) -> "list[Finding]":
    """Return the checks asked for, or all.

    Raises
    ------
    ConfigError
        When there is no check of a number asked for.
    """
    numbers = [one.number or 0 for one in checks]
    for number in only:
        if number not in numbers:
            known = f"{min(numbers)} to {max(numbers)}"
            raise ConfigError(f"--only {number}: no such check. Checks here: {known}.")
    return [one for one in checks if not only or one.number in only]


def to_text(verdicts: "Sequence[Verdict]") -> str:
    """Return the scorecard as a table with a closing count."""
    lines = [line for one in verdicts for line in _block(one)]
    judged = [one for one in verdicts if not one.finding.reported]
    counted = [one for one in judged if _is_counted(one)]
    inputs = [one for one in judged if one.finding.consistency]
    told = [f"{sum(one.passed for one in counted)} of {len(counted)} checks pass"]
    told += [f"{sum(one.passed for one in inputs)} of {len(inputs)} inputs come back"] * bool(
        inputs
    )
    told.append(f"{len(verdicts) - len(judged)} report only")
    missing = sum(not one.computed for one in judged)
    told += [f"{missing} not computed"] * bool(missing)
    told.append(f"{sum(one.finding.hard and one.failed for one in judged)} hard checks fail.")
    return "\n".join([*lines, *_counted_flags(counted), "; ".join(told)])


def _counted_flags(counted: "Sequence[Verdict]") -> list[str]:
    """Return how many measures of the counted checks do not count, and why."""
    flags = [
        {flag.kind for flag in own}
        for one in counted
        for readout, own in zip(one.finding.readouts, one.flags, strict=True)
        if readout.judged
    ]
    if not any(flags):
        return []
    by = {kind: sum(kind in own for own in flags) for kind in FLAGS}
    told = ", ".join(f"{by[kind]} {words}" for kind, words in FLAGS.items() if by[kind])
    return [f"~ {sum(map(bool, flags))} of {len(flags)} measures do not count: {told}."]


def _block(one: "Verdict") -> list[str]:
    finding = one.finding
    word = WORDS.get(one.word, "  - ")
    kind = " (hard)" if finding.hard else " (input)" if finding.consistency else ""
    sources = ", ".join(finding.references)
    why = "" if one.word in WORDS else f"  {one.word}"
    lines = [f"{finding.number:>3} {word}  {finding.title}{kind}{why}  [{sources}]"]
    flags = one.flags or ((),) * len(finding.readouts)
    for readout, value, verdict, own in zip(
        finding.readouts, one.predictions, one.words, flags, strict=True
    ):
        unit = "" if readout.unit == "1" else f" {readout.unit}"
        mark = {"agrees": " ", "reported": " ", "fails": "!"}.get(verdict, "-")
        shown = f"{value:.3g}{unit}" if verdict in WORDS else verdict
        wanted = readout.accepted.told if readout.accepted else ""
        lines.append(f"       {mark}  {readout.name}: {shown}  ({wanted})")
        lines += [f"          ~ {'; '.join(flag.told for flag in own)}"] * bool(own)
    return [*lines, *([f"       why: {finding.fails}"] * bool(finding.fails and one.failed))]


def standing(
    checks: "Sequence[Finding]", model: "Model", draws: int, *, as_json: bool = False
) -> str:
    """Return how often each check passes when everything not measured is drawn, twice over.

    Within the ledger's bounds, some of which were moved until tests held, and within ranges that
    owe nothing to tests.

    Raises
    ------
    ConfigError
        When the number of draws is not positive or too large.
    """
    from tqdm.auto import tqdm

    from ketasim.cli.text import columns
    from ketasim.studies.findings.robustness import pass_shares, unmeasured

    if not 1 <= draws <= MOST_DRAWS:
        raise ConfigError(f"--draws {draws}: must lie between 1 and {MOST_DRAWS:,}.")
    judged = [one for one in checks if not one.reported]
    with tqdm(total=2 * draws, unit=" draws", disable=None) as bar:
        found = pass_shares(judged, model, draws=draws, progress=bar.update)
        widely = pass_shares(judged, model, draws=draws, widely=True, progress=bar.update)
    if as_json:
        shares = [_shares(*pair) for pair in zip(found, widely, strict=True)]
        return json.dumps(
            {"model_digest": model.digest, "draws": draws, "checks": shares}, indent=1
        )
    rows = [["check", "ledger", "wide", ""]]
    rows += [
        [str(one.finding.number), _share(one.share), _share(other.share), one.finding.title]
        for one, other in zip(found, widely, strict=True)
    ]
    count = len(unmeasured(model))
    closing = _not_computed(found, "ledger") + _not_computed(widely, "wide")
    return (
        f"Share of {draws:,} draws of {count} parameters that nobody has measured, each anywhere\n"
        "within the ledger's bounds (some were moved until tests held), and within wide ranges\n"
        "(published, or a rule by kind of quantity; ketasim list parameters --bounds), under\n"
        f"which a check passes:\n{columns(rows)}{closing}"
    )


def _shares(one: "Standing", other: "Standing") -> dict[str, Any]:
    record: dict[str, Any] = {"number": one.finding.number, "title": one.finding.title}
    for name, each in (("ledger", one), ("wide", other)):
        record[name] = each.share if isfinite(each.share) else None
        record[f"{name}_not_computed"] = each.not_computed
    return record


def _not_computed(found: "Sequence[Standing]", where: str) -> str:
    """Return how many draws of each check could not be computed, as a sentence, or nothing."""
    lost = [f"{one.finding.number}: {one.not_computed}" for one in found if one.not_computed]
    if not lost:
        return ""
    told = "Shares are of the draws that were computed; not computed"
    return f"\n{told} ({where}; check: draws): {', '.join(lost)}."


def _share(share: float) -> str:
    return f"{share:.0%}" if isfinite(share) else "-"


def beside_the_nulls(checks: "Sequence[Finding]") -> str:
    """Return which checks the default, the nulls and the rivals pass, and which tell little."""
    from ketasim.cli.text import columns
    from ketasim.config.hypotheses import fitted_rivals
    from ketasim.models.antidepressant import antidepressant
    from ketasim.models.rivals import NULLS, RIVALS
    from ketasim.studies.findings.flags import NO_RESPONSE, without_response
    from ketasim.studies.findings.scorecard import score
    from ketasim.studies.judge.calibrate import matched_to_reference

    base = antidepressant()
    judged = [one for one in checks if not one.reported]
    matched = {one.name: matched_to_reference(one, base) for one in (*NULLS, *RIVALS[1:])}
    models = {"default": base, **{name: model for name, (model, _) in matched.items()}}
    models |= {one.name: one.model(base) for one in fitted_rivals()}
    gains = {name: f"{gain:.2f}" for name, (_, gain) in matched.items() if isfinite(gain)}
    gains |= {one.name: f"{float(one.values[one.strength]):.2f}" for one in fitted_rivals()}
    found = {name: score(judged, model) for name, model in models.items()}
    found[NO_RESPONSE] = score([without_response(one) for one in judged], base)
    rows = [["hypothesis", "gain", "passes", *(str(one.number) for one in judged)]]
    for name, verdicts in found.items():
        counted = [one for one in verdicts if _is_counted(one)]
        told = f"{sum(one.passed for one in counted)} of {len(counted)}"
        rows.append([name, gains.get(name, ""), told, *(MARKS.get(v.word, "-") for v in verdicts)])
    nulls = {name: found[name] for name in (*(one.name for one in NULLS), NO_RESPONSE)}
    little = [
        str(c.number)
        for i, c in enumerate(judged)
        if all(null[i].passed for null in nulls.values())
    ]
    lines = [columns(rows), *(_failing(name, verdicts) for name, verdicts in nulls.items())]
    return "\n".join([*lines, f"Every null passes, so these tell little: {', '.join(little)}."])


def _failing(name: str, verdicts: "Sequence[Verdict]") -> str:
    counted = [one for one in verdicts if _is_counted(one)]
    failed = sum(not one.passed for one in counted)
    enough = "at least" if 3 * failed >= 2 * len(counted) else "FEWER than"
    return f"{name} fails {failed} of {len(counted)} counted checks: {enough} two thirds."


def to_json(verdicts: "Sequence[Verdict]", model: "Model") -> str:
    """Return the scorecard as JSON, without NaN or infinity."""
    counted = [one for one in verdicts if _is_counted(one)]
    table = {
        "model": model.name,
        "model_digest": model.digest,
        "counted": len(counted),
        "passed": sum(one.passed for one in counted),
        "checks": [_record(one) for one in verdicts],
    }
    return json.dumps(table, indent=1, allow_nan=False)


def _is_counted(one: "Verdict") -> bool:
    return not (one.finding.reported or one.finding.consistency)


def _record(one: "Verdict") -> dict[str, Any]:
    check = one.finding
    flags = one.flags or ((),) * len(check.readouts)
    rows = zip(check.readouts, one.predictions, one.words, flags, strict=True)
    return {
        "number": check.number,
        "title": check.title,
        "hard": check.hard,
        "consistency": check.consistency,
        "grade": check.grade,
        "passed": PASSED.get(one.word),
        "verdict": one.word,
        "rows": check.rows,
        "references": check.references,
        "note": check.note,
        "fails": check.fails if one.failed else "",
        "measures": [_measure(*row) for row in rows],
    }


def _measure(one: "ReadOut", value: float, verdict: str, flags: "Sequence[Flag]") -> dict[str, Any]:
    accepted = one.accepted
    low, high = (-inf, inf) if accepted is None else (accepted.low, accepted.high)
    return {
        "name": one.name,
        "unit": one.unit,
        "target": accepted.target if accepted else None,
        "low": None if low == -inf else low,
        "high": None if high == inf else high,
        "prediction": value if isfinite(value) else None,
        "passed": PASSED.get(verdict),
        "verdict": verdict,
        "counts": bool(one.judged) and not flags,
        "flags": [{"kind": one.kind, "what": one.what, "told": one.told} for one in flags],
    }
