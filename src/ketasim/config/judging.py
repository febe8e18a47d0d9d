"""``ketasim.judge``: names and files on the way in, the packaged record by default."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from ketasim.config.findings import candidates as packaged_candidates
from ketasim.config.findings import load_checks, load_findings, load_folder, reference_effect
from ketasim.config.hypotheses import load_hypothesis
from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.models.rivals import RIVALS, Hypothesis
from ketasim.results.shelf import Folder
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.former import renamed
from ketasim.studies.judge import decide as designs
from ketasim.studies.judge import run
from ketasim.studies.judge.decide import Designs
from ketasim.studies.judge.draws import PRIOR_WIDTH
from ketasim.studies.judge.judgement import Judgement

Hypotheses = Iterable[str | Hypothesis]
Findings = Iterable[str | Path | Finding]
Progress = Callable[[str], None]
_Value = TypeVar("_Value")


def judge(
    hypotheses: Hypotheses | None = None,
    findings: Findings | None = None,
    *,
    candidates: Findings | None = None,
    reference: str | Path | Finding = "mouse",
    model: Model | None = None,
    draws: int | None = None,
    seed: int = 1,
    prior_width: float | None = None,
    calibrated: bool = True,
    quick: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    store: str | Path | None = None,
    experiments: Findings | None = None,
    reach: float | None = None,
    told: Progress | None = None,
) -> Judgement:
    """Judge rival hypotheses by findings; by default the six rivals by the published findings.

    Parameters
    ----------
    hypotheses
        Names (``"resting"``), files, or :class:`~ketasim.models.rivals.Hypothesis` objects.
    findings, candidates
        Files, folders or findings; candidates are proposals, among which (and among the findings)
        the one that would decide is looked for. The packaged ones when not given.
    reference
        An effect that every hypothesis should show, with an error: ``"mouse"``, ``"human"``, or a
        file.
    model
        The default model when not given.
    draws, seed, prior_width
        Posterior draws of each of several replicates, from which seed, and how far the prior goes
        towards the ledger's bounds (0 to 1; a quarter of the way when not given).
    calibrated, quick, threads, progress
        See :func:`ketasim.studies.judge.run.judge`.
    store
        A folder in which each hypothesis's draws are kept once it was heard: the same question goes
        on from there after it was stopped.
    experiments, reach, told
        Former names of ``findings``, ``prior_width`` and ``progress``.

    Returns
    -------
    Judgement
        The matrix, the ranking, what stays open, and what would decide.

    Raises
    ------
    ConfigError
        When a file or name cannot be understood, or nothing is left to judge.
    ModelError
        When a hypothesis names what the model does not have.
    """
    findings = _former("experiments", experiments, "findings", findings)
    prior_width = _former("reach", reach, "prior_width", prior_width)
    progress = _former("told", told, "progress", progress)
    judged = load_findings() if findings is None else _findings(findings)
    proposals = packaged_candidates() if candidates is None else _findings(candidates)
    needed = dict.fromkeys(name for one in (*judged, *proposals) for name in one.modules)
    rivals = list(RIVALS) if hypotheses is None else [_hypothesis(one) for one in hypotheses]
    effect = reference if isinstance(reference, Finding) else reference_effect(reference)
    return run.judge(
        rivals,
        judged,
        candidates=proposals,
        reference=effect,
        model=model or antidepressant(*needed),
        calibration_set=calibration_set(judged),
        draws=draws,
        seed=seed,
        prior_width=PRIOR_WIDTH if prior_width is None else prior_width,
        calibrated=calibrated,
        quick=quick,
        threads=threads,
        progress=progress or (lambda _: None),
        shelf=None if store is None else Folder(Path(store)),
    )


def decide(
    judgement: Judgement,
    candidates: Findings | None = None,
    *,
    draws: int | None = None,
    groups: Sequence[int] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Designs:
    """Rank thousands of experiments by what they would tell about which hypothesis holds.

    Every drug, dose and input that a finding or a proposal uses is combined with every other in the
    same species, read at several times in groups of several sizes.

    Parameters
    ----------
    judgement
        What :func:`judge` returned.
    candidates
        Proposals whose drugs, inputs and read-outs count too; the packaged ones when not given.
    draws
        Posterior draws of each hypothesis; 64 when not given.
    groups
        Subjects of a group; 6, 12, 24 and 48 when not given.
    threads, progress
        See :func:`judge`.

    Returns
    -------
    Designs
        Most telling first.

    Raises
    ------
    ConfigError
        When an argument is out of range, or there is nothing to combine or to decide between.
    SolverError
        When the judgement is no result.
    """
    return designs.decide(
        judgement,
        packaged_candidates() if candidates is None else _findings(candidates),
        draws=designs.DRAWS if draws is None else draws,
        groups=designs.GROUPS if groups is None else groups,
        threads=threads,
        progress=progress or (lambda _: None),
    )


def calibration_set(findings: Sequence[Finding]) -> frozenset[str]:
    """Return the findings whose evidence rows the scorecard, and so the model, was fitted to.

    Each observation of a finding is named, as a judgement names it.
    """
    rows = {row for check in load_checks() if not check.reported for row in check.rows}
    return frozenset(
        part.name for one in findings if rows.intersection(one.rows) for part in one.parts()
    )


def _former(
    old: str, old_value: _Value | None, new: str, new_value: _Value | None
) -> _Value | None:
    """Return an argument given under either name; the old one warns."""
    if old_value is None:
        return new_value
    if new_value is not None:
        raise ConfigError(f'judge: "{old}" is the former name of "{new}"; give one of them.')
    renamed(old, new, depth=3)
    return old_value


def _hypothesis(one: str | Hypothesis) -> Hypothesis:
    return one if isinstance(one, Hypothesis) else load_hypothesis(one)


def _findings(given: Findings) -> list[Finding]:
    found: list[Finding] = []
    for one in given:
        found += [one] if isinstance(one, Finding) else load_folder(Path(one))
    return found
