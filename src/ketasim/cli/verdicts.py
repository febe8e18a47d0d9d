"""The scorecard as text and as JSON."""

import json
from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.studies.scorecard import Check, Measure, Verdict


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
