"""Rival hypotheses before published and own findings: ``judge(hypotheses, findings)``."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.rivals import Hypothesis
from ketasim.studies.findings.finding import Finding
from ketasim.studies.judge.court import FULL, QUICK, Court, Effort, Progress, Shelf
from ketasim.studies.judge.draws import PRIOR_WIDTH, check_draws
from ketasim.studies.judge.information import expected_information
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.prepare import asked_of, with_number
from ketasim.studies.judge.record import remarks
from ketasim.studies.judge.scores import model_recovery


def _effort(*, quick: bool, draws: int | None) -> Effort:
    usual = QUICK if quick else FULL
    return usual if draws is None else usual.with_draws(draws)


def judge(
    hypotheses: Sequence[Hypothesis],
    findings: Sequence[Finding],
    *,
    reference: Finding,
    model: Model,
    candidates: Sequence[Finding] = (),
    calibration_set: frozenset[str] = frozenset(),
    draws: int | None = None,
    seed: int = 1,
    prior_width: float = PRIOR_WIDTH,
    calibrated: bool = True,
    quick: bool = False,
    threads: int | None = None,
    progress: Progress = lambda _: None,
    shelf: Shelf | None = None,
) -> Judgement:
    """Judge hypotheses by findings.

    Parameters
    ----------
    hypotheses
        Edits of the one model, each with a prior on its gain.
    findings
        Findings, and proposals (which count as candidates). One with several observations, or a
        curve, counts as several.
    reference
        An effect that every hypothesis should show; a datum with the error it states. Where it
        states no number, what ``model`` shows at its own values.
    candidates
        Further proposals, among which the one that would decide is looked for.
    calibration_set
        Names of findings that the model itself was fitted to; the others are held out, and
        hypotheses are ranked by those, given the fitted ones, too.
    draws, seed, prior_width
        Posterior draws of a replicate, from which seed, and how far the prior goes towards the
        ledger's bounds (0 to 1).
    calibrated
        Off, every hypothesis keeps its full gain and the reference effect is not asked for: only
        to show what that would do.
    quick, threads, progress
        Fewer draws, replicates and repeats; how many threads (no number depends on it); called with
        what is being done.
    shelf
        Remembers what was sampled of each hypothesis, for the same question another time.

    Raises
    ------
    ConfigError
        When there is nothing to judge, two things have one name, or no hypothesis can be judged.
    ModelError
        When a hypothesis names what the model does not have.
    """
    asked = asked_of(findings, candidates)
    done = [one for one in asked.parts if asked.counts(one)]
    _check(hypotheses, done, asked.parts)
    effort = _effort(quick=quick, draws=draws)
    check_draws(effort.draws, prior_width)
    reference = with_number(reference, model, threads)
    twice = any(set(reference.rows) & set(one.rows) for one in done)
    court = Court(
        done, reference, model, effort, seed, prior_width, calibrated, twice, threads, shelf
    )
    cases, refused = court.cases(hypotheses, progress)
    keep = court.keep(cases)
    heard = [court.hear(one, keep, calibration_set, progress) for one in cases]
    progress("model recovery, and what would decide")
    data = court.data(cases[0].question, keep)
    recovery = model_recovery(
        [one.prepared.name for one in heard], [one.bank for one in heard], data,
        seed=seed, repeats=effort.repeats,
    )  # fmt: skip
    kept = [one for one, keeps in zip(done, keep, strict=False) if keeps]
    found = Judgement(
        findings=tuple(kept),
        hypotheses=tuple(one.prepared for one in heard),
        scores=tuple(one.score for one in heard),
        papers=data.papers,
        held_out=np.array([one.name not in calibration_set for one in kept]),
        recovery=recovery,
        information=(),
        refused=tuple(refused),
        remarks=(),
        target=float(reference.observed.observed or 0.0),
        reference=reference,
        about=court.about(quick=quick),
        left_out=tuple(o.name for o, keeps in zip(done, keep, strict=False) if not keeps),
        not_computed={o.prepared.name: o.prepared.failed for o in heard if o.prepared.failed},
    )
    drawn = court.candidates(asked.parts, kept, [one.prepared for one in heard])
    ranked = expected_information(asked.parts, drawn, found.in_question)
    found = replace(found, information=tuple(ranked))
    return replace(found, remarks=remarks(found, asked, twice=twice))


def _check(
    hypotheses: Sequence[Hypothesis], done: Sequence[Finding], parts: Sequence[Finding]
) -> None:
    names: set[str] = set()
    for one in parts:
        if one.name in names:
            raise ConfigError(f'two findings are named "{one.name}"; rename one.')
        names.add(one.name)
    if not hypotheses:
        raise ConfigError("no hypotheses to judge; name at least one.")
    if not done:
        raise ConfigError("no findings to judge by: none of the experiments states an observation.")
    called = [one.name for one in hypotheses]
    twice = next((name for name in called if called.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f'two hypotheses are named "{twice}"; rename one.')
