"""The scorecard as text and as JSON."""

import json
from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

from ketasim.cli.text import columns
from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.models.rivals import NULLS, RIVALS
from ketasim.studies.levelled import levelled
from ketasim.studies.robustness import pass_shares, unmeasured
from ketasim.studies.scorecard import Check, Measure, Verdict, score

MOST_DRAWS = 100_000


def chosen(checks: Sequence[Check], only: Sequence[int]) -> list[Check]:
    """Return the checks asked for, or all.

    Raises
    ------
    ConfigError
        When there is no check of a number asked for.
    """
    numbers = [one.number for one in checks]
    for number in only:
        if number not in numbers:
            known = f"{min(numbers)} to {max(numbers)}"
            raise ConfigError(f"--only {number}: no such check. Checks here: {known}.")
    return [one for one in checks if not only or one.number in only]


def as_text(verdicts: Sequence[Verdict]) -> str:
    """Return the scorecard as a table with a closing count."""
    lines = [line for one in verdicts for line in _block(one)]
    judged = [one for one in verdicts if not one.check.reported]
    passed = sum(one.passed for one in judged)
    hard = sum(one.check.hard and not one.passed for one in judged)
    told = f"{passed} of {len(judged)} checks pass; {len(verdicts) - len(judged)} report only"
    return "\n".join([*lines, f"{told}; {hard} hard checks fail."])


def _block(one: Verdict) -> list[str]:
    word = "    " if one.check.reported else "pass" if one.passed else "FAIL"
    kind = " (hard)" if one.check.hard else ""
    sources = ", ".join(one.check.references)
    lines = [f"{one.check.number:>3} {word}  {one.check.title}{kind}  [{sources}]"]
    for measure, value in zip(one.check.measures, one.predictions, strict=True):
        mark = " " if measure.passed(value) else "!"
        unit = "" if measure.unit == "1" else f" {measure.unit}"
        lines.append(f"       {mark}  {measure.name}: {value:.3g}{unit}  ({measure.wanted})")
    return lines


def standing(checks: Sequence[Check], model: Model, draws: int) -> str:
    """Return how often each check passes when everything not measured is drawn.

    Raises
    ------
    ConfigError
        When the number of draws is not positive or too large.
    """
    if not 1 <= draws <= MOST_DRAWS:
        raise ConfigError(f"--draws {draws}: must lie between 1 and {MOST_DRAWS:,}.")
    judged = [one for one in checks if not one.reported]
    found = pass_shares(judged, model, draws=draws)
    rows = [[str(one.check.number), f"{one.share:.0%}", one.check.title] for one in found]
    count = len(unmeasured(model))
    return (
        f"Share of {draws:,} draws of {count} parameters that nobody has measured, each anywhere\n"
        f"within its bounds, under which a check passes:\n{columns(rows)}"
    )


def beside_the_nulls(checks: Sequence[Check]) -> str:
    """Return which checks the default, the nulls and the rivals pass, and which tell little."""
    base = antidepressant()
    judged = [one for one in checks if not one.reported]
    level = {one.name: levelled(one, base) for one in (*NULLS, *RIVALS[1:])}
    accounts = {"default": base, **{name: model for name, (model, _) in level.items()}}
    gains = {name: f"{gain:.2f}" for name, (_, gain) in level.items() if isfinite(gain)}
    passed = {
        name: [one.passed for one in score(judged, model)] for name, model in accounts.items()
    }
    rows = [["account", "gain", "passes", *(str(one.number) for one in judged)]]
    for name, marks in passed.items():
        told = f"{sum(marks)} of {len(marks)}"
        rows.append([name, gains.get(name, ""), told, *("x" if mark else "." for mark in marks)])
    nulls = [passed[one.name] for one in NULLS]
    little = [str(c.number) for i, c in enumerate(judged) if all(null[i] for null in nulls)]
    return f"{columns(rows)}\nEvery null passes, so these tell little: {', '.join(little)}."


def as_json(verdicts: Sequence[Verdict], model: Model) -> str:
    """Return the scorecard as JSON, without NaN or infinity."""
    table = {
        "model": model.name,
        "model_digest": model.digest,
        "checks": [_record(one) for one in verdicts],
    }
    return json.dumps(table, indent=1, allow_nan=False)


def _record(one: Verdict) -> dict[str, Any]:
    check = one.check
    pairs = zip(check.measures, one.predictions, strict=True)
    return {
        "number": check.number,
        "title": check.title,
        "hard": check.hard,
        "passed": None if check.reported else one.passed,
        "rows": check.rows,
        "references": check.references,
        "note": check.note,
        "measures": [_measure(measure, value) for measure, value in pairs],
    }


def _measure(one: Measure, value: float) -> dict[str, Any]:
    return {
        "name": one.name,
        "unit": one.unit,
        "target": one.target,
        "low": None if one.low == -inf else one.low,
        "high": None if one.high == inf else one.high,
        "prediction": value if isfinite(value) else None,
        "passed": None if one.reported else one.passed(value),
    }
