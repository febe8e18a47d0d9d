"""A judgement as plain tables, for JSON and CSV, with a sentence for all that is treated apart."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError, MissingExtra, SolverError, suggest
from ketasim.studies.findings.finding import CONTESTED, Finding
from ketasim.studies.findings.observed import seen
from ketasim.studies.judge.decide import USUAL, Designs
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.prepare import Asked, Prepared
from ketasim.studies.judge.scores import Score

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

Array = NDArray[np.float64]
WORDS = {2.0: "agrees", 1.0: "strained", 0.0: "contradicted"}
HEADER = (
    "experiment", "title", "species", "grade", "contested", "model_fitted_to_it", "unit",
    "observed", "account", "predicted", "draws_5", "draws_95", "verdict", "log_predictive",
    "references",
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
    spread = np.percentile(drawn, [5.0, 95.0]).tolist() if len(drawn) else [np.nan] * 2
    grade = float(one.observed.agreement(np.asarray(value)))
    shown = [number(x) for x in (value, *spread)]
    return [*shown, word(grade), number(score.each[i])]


def dataset(judgement: Judgement) -> "Dataset":
    """Return posterior predictions and gains of every draw, and the evidence, as a dataset.

    Returns
    -------
    xarray.Dataset
        ``predicted`` (hypothesis, finding, draw) in each finding's unit, ``gain`` (hypothesis,
        draw), ``log_evidence`` (hypothesis, replicate), and ``effective_draws`` (hypothesis).
        Where a hypothesis has fewer draws or replicates than another, nan follows.
    """
    import xarray as xr

    found = judgement.hypotheses
    return xr.Dataset(
        {
            "predicted": (
                ("hypothesis", "finding", "draw"), _padded([one.drawn for one in found]),
            ),
            "gain": (("hypothesis", "draw"), _padded([one.gains for one in found])),
            "log_evidence": (
                ("hypothesis", "replicate"), _padded([s.found.each for s in judgement.scores]),
            ),
            "effective_draws": ("hypothesis", [s.effective_draws for s in judgement.scores]),
        },
        coords={
            "hypothesis": list(judgement.names),
            "finding": [one.name for one in judgement.findings],
            "unit": ("finding", [one.unit for one in judgement.findings]),
        },
        attrs={
            "missing": " ".join(judgement.missing), "model": str(judgement.about["model_digest"]),
        },
    )  # fmt: skip


def _padded(arrays: Sequence[Array]) -> Array:
    """Return arrays that differ in their last length stacked, with nan behind the shorter."""
    longest = max(one.shape[-1] for one in arrays)
    found = np.full((len(arrays), *arrays[0].shape[:-1], longest), np.nan)
    for row, one in zip(found, arrays, strict=True):
        row[..., : one.shape[-1]] = one
    return found


def to_arviz(judgement: Judgement, hypothesis: str) -> Any:
    """Return the draws of one hypothesis for ArviZ.

    Groups ``posterior`` (coordinates, gain), ``posterior_predictive`` and ``observed_data`` of
    findings that state a number, and ``sample_stats``; chains are replicates.

    Returns
    -------
    xarray.DataTree or arviz.InferenceData
        A DataTree for ArviZ from 1.0 on.

    Raises
    ------
    ConfigError
        When no hypothesis of that name was judged.
    MissingExtra
        When ArviZ is not installed.
    SolverError
        When a diagnostic failed.
    """
    try:
        import arviz
    except ImportError:
        raise MissingExtra('This needs arviz: pip install "ketasim[fit]".') from None
    tree = tree_of(judgement, hypothesis)
    if not hasattr(arviz, "InferenceData"):
        return tree
    return arviz.InferenceData(**{str(k): v.to_dataset() for k, v in tree.children.items()})


def tree_of(judgement: Judgement, hypothesis: str) -> "DataTree":
    """Return what :func:`to_arviz` does, as an xarray tree; it raises the same but for ArviZ."""
    import xarray as xr

    if judgement.missing:
        raise SolverError(f"judge: no result. {' '.join(judgement.missing)}")
    if hypothesis not in judgement.names:
        raise ConfigError(
            f'"{hypothesis}" was not judged.{suggest(hypothesis, judgement.names)} '
            f"Judged: {', '.join(judgement.names)}."
        )
    i = judgement.names.index(hypothesis)
    prepared, found = judgement.hypotheses[i], judgement.scores[i].found
    runs, axes = len(found.replicates), ("chain", "draw")
    where = {name: prepared.at[:, k] for k, name in enumerate(prepared.space.priors)}
    values = {name: (axes, v.reshape(runs, -1)) for name, v in where.items()}
    values["gain"] = (axes, prepared.gains.reshape(runs, -1))
    labels = {
        "finding": [one.name for one in judgement.findings],
        "unit": ("finding", [one.unit for one in judgement.findings]),
    }
    shown = prepared.drawn.T.reshape(runs, -1, len(judgement.findings))
    told = [seen(one.observed) for one in judgement.findings]
    logs = {"lp": (axes, found.log_likelihoods.reshape(runs, -1))}
    about = {"coordinates": "standard normal", "hypothesis": hypothesis}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(values, attrs=about),
            "sample_stats": xr.Dataset(logs),
            "posterior_predictive": xr.Dataset({"value": ((*axes, "finding"), shown)}, labels),
            "observed_data": xr.Dataset({"value": ("finding", told)}, labels),
        }
    )


def designs_table(designs: Designs) -> list[list[Any]]:
    """Return one row for each design, most telling first, the header first."""
    head = ["rank", "species", "drug", "held", "readout", "time_h", "group", "error", "bits",
            "bits_between_all", *(f"effect_{name}" for name in designs.names)]  # fmt: skip
    rows = [
        [
            i + 1, *designs.arms[designs.arm[i]][:3], designs.readouts[designs.readout[i]],
            float(designs.time[i]), int(designs.group[i]), float(designs.error[i]),
            float(designs.bits[i]), float(designs.bits_of_all[i]),
            *(float(x) for x in designs.medians[i]),
        ]
        for i in range(len(designs))
    ]  # fmt: skip
    return [head, *rows]


def designs_record(designs: Designs, n: int = 100) -> dict[str, Any]:
    """Return what a ranking of designs rests on, and the best design of each of ``n`` arms."""
    head, *rows = designs_table(designs)
    return {
        "designs": len(designs),
        "arms": len(designs.arms),
        "between": [designs.names[i] for i in designs.among],
        "errors": dict(designs.errors),
        "errors_are_those_of_groups_of": USUAL,
        "not_computed": designs.left_out,
        "best": [dict(zip(head, rows[i], strict=True)) for i in designs.best(n)],
    }


def record(judgement: Judgement) -> dict[str, Any]:
    """Return everything a judgement found, without NaN or infinity."""
    names = [one.name for one in judgement.findings]
    header, *rows = table(judgement)
    return {
        "about": {**judgement.about, "findings": len(names), "reference": judgement.reference.name,
                  "reference_effect": judgement.target},
        "verdict": judgement.verdict,
        "how_sure": judgement.certainty,
        "missing": judgement.missing,
        "too_few_draws": judgement.thin,
        "chosen": judgement.chosen.name if judgement.chosen else None,
        "contenders": [judgement.names[i] for i in judgement.contenders],
        "ranking": [_ranked(judgement, i) for i in judgement.ranking],
        "ranking_by_fresh_findings": [judgement.names[i] for i in judgement.held_out_ranking],
        "explained_by_none": [names[i] for i in judgement.unexplained],
        "separate_none": [names[i] for i in judgement.undecided],
        "pivotal_papers": [
            {"paper": name, "first_without": judgement.names[k], "sure": sure}
            for name, k, sure in judgement.pivotal
        ],
        "papers": _papers(judgement),
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
        "free_numbers": prepared.space.n_dim,
        "log_evidence": number(score.evidence),
        "log_evidence_interval": [number(end) for end in score.interval],
        "log_evidence_sd_of_replicates": number(score.found.spread),
        "log_evidence_replicates": [number(x) for x in score.found.each],
        "log_predictive_fresh": number(score.held_out),
        "log_predictive_fresh_error": number(score.held_out_error),
        "probability": number(judgement.probabilities[i]),
        "agrees": int((judgement.agreement[:, i] == 2.0).sum()),
        "contradicted": int((judgement.agreement[:, i] == 0.0).sum()),
        "nothing_to_read": int(np.isnan(judgement.agreement[:, i]).sum()),
        "effective_draws": number(score.effective_draws),
        "likelihoods": score.found.evaluations,
        "runs_not_computed": prepared.failed,
        "missing": score.found.missing,
        "stages": [
            [asdict(stage) for stage in one.stages if stage.path == "likelihood"]
            for one in score.found.replicates
        ],
    }


def _papers(judgement: Judgement) -> list[dict[str, Any]]:
    return [
        {
            "paper": name,
            "log_predictive": {s.name: number(s.papers[k]) for s in judgement.scores},
            "effective_draws": {s.name: number(s.papers_effective[k]) for s in judgement.scores},
        }
        for k, name in enumerate(judgement.papers)
    ]


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


def remarks(judgement: Judgement, asked: Asked, *, twice: bool) -> tuple[str, ...]:
    """Return the sentences; ``twice`` where the reference effect is a finding already."""
    found = []
    if twice:
        found.append("The reference effect is among the findings already and counts once.")
    contested = [one.name for one in judgement.findings if one.contested]
    if contested:
        found.append(
            f"{len(contested)} findings are contested and count as saying nothing with a chance of "
            f"{CONTESTED:.0%}: {', '.join(contested)}."
        )
    unread = [one.name for one in judgement.findings if "unconfirmed" in one.note]
    if unread:
        found.append(f"Numbers not read in the source (unconfirmed): {', '.join(unread)}.")
    found += [
        f'"{one.name}" states no observation: it counts as a proposal.'
        for one in asked.parts
        if not one.done and one.rows
    ]
    if asked.several:
        found.append(
            "Each observation of a finding, and each point of a curve, counts as a finding: "
            f"{', '.join(asked.several)}."
        )
    if asked.without_error:
        found.append(
            "Nothing is judged by what states an acceptance interval and no error: "
            f"{', '.join(asked.without_error)}."
        )
    return (*found, *_failures(judgement, asked.parts), *_nothing_to_read(judgement))


def _failures(judgement: Judgement, parts: Sequence[Finding]) -> list[str]:
    """Return what failed runs have cost."""
    found = []
    if judgement.left_out:
        found.append(
            f"Left out for every hypothesis, because runs failed: {', '.join(judgement.left_out)}."
        )
    found += [
        f"{name}: in {count} draws a run failed; they count as impossible."
        for name, count in judgement.not_computed.items()
    ]
    ranked = {one.finding.name for one in judgement.information}
    missing = [one.name for one in parts if one.name not in ranked]
    if missing:
        found.append(f"Nothing is said of what these would decide: {', '.join(missing)}.")
    return found


def _nothing_to_read(judgement: Judgement) -> list[str]:
    found = []
    for one in judgement.hypotheses:
        pairs = zip(judgement.findings, one.predicted, strict=True)
        if missing := [finding.name for finding, value in pairs if np.isnan(value)]:
            found.append(
                f"{one.name} predicts no effect of which a share could be left in {len(missing)} "
                "findings; that there is an effect counts against it once a paper, and what is "
                f"left of it is not asked: {', '.join(missing)}."
            )
    return found
