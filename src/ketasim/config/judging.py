"""``ketasim.judge``: names and files on the way in, the packaged record by default."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ketasim.config.checks import load_checks
from ketasim.config.experiments import candidates as packaged_candidates
from ketasim.config.experiments import load_experiments, load_folder, reference_effect
from ketasim.config.hypotheses import load_hypothesis
from ketasim.core.model import Model
from ketasim.models.antidepressant import antidepressant
from ketasim.models.rivals import RIVALS, Hypothesis
from ketasim.studies.judge import run
from ketasim.studies.judge.draws import REACH
from ketasim.studies.judge.experiment import Experiment
from ketasim.studies.judge.judgement import Judgement

Hypotheses = Iterable[str | Hypothesis]
Experiments = Iterable[str | Path | Experiment]


def judge(
    hypotheses: Hypotheses | None = None,
    experiments: Experiments | None = None,
    *,
    candidates: Experiments | None = None,
    reference: str | Path | Experiment = "mouse",
    model: Model | None = None,
    draws: int = 256,
    seed: int = 1,
    reach: float = REACH,
    calibrated: bool = True,
    mix: bool = True,
    threads: int | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Judgement:
    """Judge rival accounts by experiments; by default the six rivals by the published findings.

    Parameters
    ----------
    hypotheses
        Names (``"resting"``), files, or :class:`~ketasim.models.rivals.Hypothesis` objects.
    experiments, candidates
        Files, folders or experiments; candidates are proposals, among which (and among the
        experiments) the one that would decide is looked for. The packaged ones when not given.
    reference
        The effect to which every account is calibrated: ``"mouse"``, ``"human"``, or a file.
    model
        The default model when not given.
    draws, seed, reach
        Parameter draws for each account: how many, from which seed, and how far towards the
        ledger's bounds (0 to 1).
    calibrated, mix, threads, told
        See :func:`ketasim.studies.judge.run.judge`.

    Returns
    -------
    Judgement
        The matrix, the ranking, what stays open, and what would decide.

    Raises
    ------
    ConfigError
        When a file or name cannot be understood, or nothing is left to judge.
    ModelError
        When an account names what the model does not have.
    """
    findings = load_experiments() if experiments is None else _experiments(experiments)
    proposals = packaged_candidates() if candidates is None else _experiments(candidates)
    accounts = list(RIVALS) if hypotheses is None else [_account(one) for one in hypotheses]
    effect = reference if isinstance(reference, Experiment) else reference_effect(reference)
    return run.judge(
        accounts,
        findings,
        candidates=proposals,
        reference=effect,
        model=model or antidepressant(),
        shaped=shaped_by(findings),
        draws=draws,
        seed=seed,
        reach=reach,
        calibrated=calibrated,
        mix=mix,
        threads=threads,
        told=told,
    )


def shaped_by(experiments: Sequence[Experiment]) -> frozenset[str]:
    """Return the experiments whose evidence rows the scorecard, and so the model, was fitted to."""
    rows = {row for check in load_checks() if not check.reported for row in check.rows}
    return frozenset(one.name for one in experiments if rows.intersection(one.rows))


def _account(one: str | Hypothesis) -> Hypothesis:
    return one if isinstance(one, Hypothesis) else load_hypothesis(one)


def _experiments(given: Experiments) -> list[Experiment]:
    found: list[Experiment] = []
    for one in given:
        found += [one] if isinstance(one, Experiment) else load_folder(Path(one))
    return found
