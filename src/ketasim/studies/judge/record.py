"""A judgement as plain tables: for JSON, for CSV, for whoever reads it next."""

from math import isfinite
from typing import Any

import numpy as np

from ketasim.studies.findings.finding import Finding
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.prepare import Prepared
from ketasim.studies.judge.scores import Score

WORDS = {2.0: "agrees", 1.0: "strained", 0.0: "contradicted"}
HEADER = (
    "experiment", "title", "species", "grade", "contested", "model_fitted_to_it", "unit",
    "observed", "account", "predicted", "median_of_draws", "draws_5", "draws_95", "verdict",
    "log_likelihood", "log_evidence", "log_evidence_left_out", "references",
)  # fmt: skip


def word(grade: float) -> str:
    """Return a cell's agreement in a word."""
    return WORDS.get(grade, "nothing to read")


def number(value: float) -> float | None:
    """Return a number that JSON can hold."""
    return float(value) if isfinite(value) else None


def table(judgement: Judgement) -> list[list[Any]]:
    """Return one row for each finding and hypothesis, the header first."""
    pairs = list(zip(judgement.hypotheses, judgement.scores, strict=True))
    if judgement.mixed is not None and judgement.mixed_score is not None:
        pairs.append((judgement.mixed, judgement.mixed_score))
    rows: list[list[Any]] = [list(HEADER)]
    for i, one in enumerate(judgement.findings):
        fitted = not bool(judgement.held_out[i])
        for prepared, score in pairs:
            rows.append(
                [*_finding(one, fitted=fitted), prepared.name, *_cell(one, i, prepared, score)]
            )
            rows[-1].append(" ".join(one.references))
    return rows


def _finding(one: Finding, *, fitted: bool) -> list[Any]:
    head = [one.name, one.title, one.species, one.grade, one.contested, fitted]
    return [*head, one.unit, one.observed.told]


def _cell(one: Finding, i: int, prepared: Prepared, score: Score) -> list[Any]:
    value = prepared.predicted[i]
    drawn = prepared.drawn[i][np.isfinite(prepared.drawn[i])]
    spread = np.percentile(drawn, [50.0, 5.0, 95.0]).tolist() if len(drawn) else [np.nan] * 3
    grade = float(one.observed.agreement(np.asarray(value)))
    tail = [score.logs[i], score.each[i], score.left_out[i]]
    shown = [number(x) for x in (value, *spread)]
    return [*shown, word(grade), *(number(x) for x in tail)]


def record(judgement: Judgement) -> dict[str, Any]:
    """Return everything a judgement found, without NaN or infinity."""
    names = [one.name for one in judgement.findings]
    header, *rows = table(judgement)
    return {
        "about": {**judgement.about, "findings": len(names), "reference": judgement.reference.name,
                  "reference_effect": judgement.target},
        "verdict": judgement.verdict,
        "chosen": judgement.chosen.name if judgement.chosen else None,
        "contenders": [judgement.names[i] for i in judgement.contenders],
        "ranking": [_ranked(judgement, i) for i in judgement.ranking],
        "ranking_by_fresh_findings": [judgement.names[i] for i in judgement.held_out_ranking],
        "explained_by_none": [names[i] for i in judgement.unexplained],
        "separate_none": [names[i] for i in judgement.undecided],
        "pivotal": {names[i]: judgement.names[k] for i, k in judgement.pivotal},
        "mixture": _mixture(judgement, names),
        "would_decide": [_information(judgement, i) for i in range(len(judgement.information))],
        "separation": _recovery(judgement),
        "refused": judgement.refused,
        "not_computed": judgement.left_out,
        "remarks": judgement.remarks,
        "findings": [dict(zip(header, row, strict=True)) for row in rows],
    }  # fmt: skip


def _ranked(judgement: Judgement, i: int) -> dict[str, Any]:
    prepared, score = judgement.hypotheses[i], judgement.scores[i]
    return {
        "account": prepared.name,
        "story": prepared.hypothesis.story,
        "gain": number(prepared.gain),
        "free_numbers": prepared.free,
        "log_evidence": number(score.evidence),
        "log_evidence_interval": [number(end) for end in score.interval],
        "log_evidence_fresh": number(score.held_out),
        "probability": number(judgement.probabilities[i]),
        "log_likelihood": number(score.logs.sum()),
        "aicc": number(score.aicc),
        "akaike_weight": number(judgement.akaike[i]),
        "agrees": int((judgement.agreement[:, i] == 2.0).sum()),
        "contradicted": int((judgement.agreement[:, i] == 0.0).sum()),
        "nothing_to_read": int(np.isnan(judgement.agreement[:, i]).sum()),
        "draws_that_reach_the_effect": number(prepared.acceptance_rate),
        "effective_draws": number(score.effective_draws),
        "draws_not_computed": judgement.not_computed.get(prepared.name, 0),
    }


def _mixture(judgement: Judgement, names: list[str]) -> dict[str, Any] | None:
    mixed, score = judgement.mixed, judgement.mixed_score
    if mixed is None or score is None:
        return None
    return {
        "name": mixed.name,
        "gains": {k: mixed.gain * share for k, share in mixed.hypothesis.gains.items()},
        "values": dict(mixed.hypothesis.values),
        "aicc": number(score.aicc),
        "log_evidence": number(score.evidence),
        "still_misses": [names[i] for i in judgement.missed_by_mixture],
    }


def _information(judgement: Judgement, i: int) -> dict[str, Any]:
    one = judgement.information[i]
    medians = {k: number(v) for k, v in zip(judgement.names, one.medians, strict=True)}
    return {
        "experiment": one.finding.name,
        "title": one.finding.title,
        "proposed": not one.finding.done,
        "bits": one.bits,
        "bits_between_all": one.bits_of_all,
        "predicted": medians,
    }


def _recovery(judgement: Judgement) -> dict[str, Any]:
    found = judgement.recovery
    return {
        "accounts": found.names,
        "named": found.named.tolist(),
        "pairs": found.pairs.tolist(),
        "not_separable": found.confused(),
    }
