"""Rival hypotheses before published and own findings: ``judge(hypotheses, findings)``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.rivals import Hypothesis
from ketasim.studies.findings.finding import CONTESTED, Finding
from ketasim.studies.findings.predict import computed, not_computed
from ketasim.studies.judge.draws import PRIOR_WIDTH, check_draws
from ketasim.studies.judge.information import expected_information
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.mixing import best_mixture
from ketasim.studies.judge.nested import Nested, nested
from ketasim.studies.judge.prepare import Comparison, Prepared, comparison
from ketasim.studies.judge.scores import comparable, model_recovery, score, whole_draws

Progress = Callable[[str], None]
MOST_FAILED = 0.5  # share of findings that may fail under a hypothesis before it is left out


def judge(
    hypotheses: Sequence[Hypothesis],
    findings: Sequence[Finding],
    *,
    reference: Finding,
    model: Model,
    candidates: Sequence[Finding] = (),
    calibration_set: frozenset[str] = frozenset(),
    draws: int = 256,
    seed: int = 1,
    prior_width: float = PRIOR_WIDTH,
    calibrated: bool = True,
    mix: bool = True,
    threads: int | None = None,
    progress: Progress = lambda _: None,
) -> Judgement:
    """Judge hypotheses by findings.

    A run that fails counts neither for nor against a hypothesis: its draw is left out of that
    hypothesis's evidence, or, where too many would be lost, the finding is left out for all.

    Parameters
    ----------
    hypotheses
        Edits of the one model; each is first brought to the same reference effect.
    findings
        Findings, and proposals (which count as candidates). One with several observations, or a
        curve, counts as several.
    reference
        The effect to reach; where it states no number, what ``model`` shows at its own values.
    candidates
        Further proposals, among which the one that would decide is looked for.
    calibration_set
        Names of findings that the model itself was fitted to; the others are held out, and
        hypotheses are ranked by those alone too.
    draws, seed, prior_width
        Parameter draws for each hypothesis: how many, from which seed, and how far towards the
        ledger's bounds (0 to 1).
    calibrated
        Off, every hypothesis keeps its full gain: only to show what that would do.
    mix
        Whether to look for the best mixture.
    threads
        How many; no number depends on it.
    progress
        Called with what is being done.

    Raises
    ------
    ConfigError
        When there is nothing to judge, two things have one name, or no hypothesis can be judged.
    ModelError
        When a hypothesis names what the model does not have.
    """
    asked = _asked(findings, candidates)
    _check_names(asked.parts)
    done = [one for one in asked.parts if asked.counts(one)]
    _check(hypotheses, done)
    check_draws(draws, prior_width)
    runs = _Runs(
        asked.parts, reference, model, _Settings(draws, seed, prior_width, calibrated, threads)
    )
    found: list[Prepared | str] = []
    for one in hypotheses:
        progress(f"{one.name}: calibrated and run")
        prepared = runs.of(one).prepare(one)
        found.append(prepared if isinstance(prepared, str) else _able(prepared, len(done)))
    refused = tuple(one for one in found if isinstance(one, str))
    whole = [one for one in found if isinstance(one, Prepared)]
    if not whole:
        raise ConfigError(" ".join(["no hypothesis can be judged.", *refused]))
    keep = comparable(whole, len(done))
    kept = [one for one, keeps in zip(done, keep, strict=True) if keeps]
    if not kept:
        raise ConfigError("no hypothesis can be judged: no finding could be computed under all.")
    mixed = None
    if mix and calibrated:
        progress("mixtures")
        mixed = _mixed([one.hypothesis for one in whole], runs.plain, kept, keep)
    progress("scores, model recovery, and what would decide")
    case = _Case(done, keep, whole, mixed, refused, calibration_set)
    return _judgement(case, asked, runs)


def sample(
    hypotheses: Sequence[Hypothesis],
    findings: Sequence[Finding],
    *,
    reference: Finding,
    model: Model,
    draws: int = 256,
    seed: int = 1,
    prior_width: float = PRIOR_WIDTH,
    progress: Progress = lambda _: None,
) -> tuple[Nested, ...]:
    """Return the evidence of hypotheses by nested sampling; arguments as for :func:`judge`.

    Raises
    ------
    ConfigError
        When there is nothing to sample.
    MissingExtra
        When dynesty is not installed.
    """
    done = [part for one in findings for part in one.parts() if part.done]
    _check(hypotheses, done)
    check_draws(draws, prior_width)
    runs = _Runs(done, reference, model, _Settings(draws, seed, prior_width))
    found = []
    for one in hypotheses:
        progress(f"{one.name}: nested sampling")
        found.append(nested(one, runs.of(one), done))
    return tuple(found)


@dataclass(frozen=True)
class _Asked:
    """Everything to predict, observations first; which of it counts; which states no error."""

    parts: list[Finding]
    counted: frozenset[str]
    several: tuple[str, ...]
    without_error: tuple[str, ...]

    def counts(self, one: Finding) -> bool:
        return one.name in self.counted


def _asked(findings: Sequence[Finding], candidates: Sequence[Finding]) -> _Asked:
    """Return the parts of findings: those observed, then proposals, then candidates observed."""
    own = [part for one in findings for part in one.parts()]
    further = [part for one in candidates for part in one.parts()]
    done = [one for one in own if one.done]
    proposed = [one for one in (*own, *further) if not one.done]
    parts = [*done, *proposed, *(one for one in further if one.done)]
    every = (*findings, *candidates)
    return _Asked(
        parts,
        frozenset(one.name for one in done),
        tuple(f"{one.name} ({len(p)})" for one in every if len(p := one.parts()) > 1),
        tuple(one.name for one in every if not one.parts()),
    )


@dataclass(frozen=True)
class _Settings:
    draws: int
    seed: int
    prior_width: float
    calibrated: bool = True
    threads: int | None = None


@dataclass(frozen=True)
class _Runs:
    """One comparison for each set of mechanisms, made when first needed."""

    findings: Sequence[Finding]
    reference: Finding
    model: Model
    settings: _Settings
    _made: dict[tuple[int, ...], Comparison] = field(default_factory=dict)

    @property
    def plain(self) -> Comparison:
        """Return what hypotheses without mechanisms of their own are compared by."""
        return self._comparison((), self.model)

    def of(self, one: Hypothesis) -> Comparison:
        """Return what a hypothesis is compared by."""
        return self._comparison(tuple(map(id, one.mechanisms)), one.structure(self.model))

    def _comparison(self, key: tuple[int, ...], model: Model) -> Comparison:
        if key not in self._made:
            s = self.settings
            self._made[key] = comparison(
                self.findings,
                model,
                reference=self.reference,
                target=self.plain.target if key else None,
                draws=s.draws,
                seed=s.seed,
                prior_width=s.prior_width,
                calibrated=s.calibrated,
                threads=s.threads,
            )
        return self._made[key]


def _able(one: Prepared, n: int) -> Prepared | str:
    """Return a hypothesis, or why it is left out: most of the findings fail under it."""
    known = computed(one.status[:n])
    if known.mean() >= MOST_FAILED:
        return one
    first = one.status[:n][~known][0]
    return (
        f'"{one.name}" is left out: {int((~known).sum())} of {n} findings could not be computed '
        f"under it ({not_computed(first).removeprefix('not computed: ')})."
    )


def _mixed(
    hypotheses: Sequence[Hypothesis],
    plain: Comparison,
    kept: Sequence[Finding],
    keep: NDArray[np.bool_],
) -> Prepared | None:
    best = best_mixture(hypotheses, plain, findings=kept, keep=keep)
    found = plain.prepare(best[0], best[1]) if best else None
    return found if isinstance(found, Prepared) else None


@dataclass(frozen=True)
class _Case:
    """What was run: findings, which of them are kept, and the hypotheses."""

    done: Sequence[Finding]
    keep: NDArray[np.bool_]
    whole: Sequence[Prepared]
    mixed: Prepared | None
    refused: tuple[str, ...]
    calibration_set: frozenset[str]


def _judgement(case: _Case, asked: _Asked, runs: _Runs) -> Judgement:
    """Score what was run, and look at what it leaves open."""
    seed = runs.settings.seed
    done = [one for one, keeps in zip(case.done, case.keep, strict=True) if keeps]
    left_out = [one.name for one, keeps in zip(case.done, case.keep, strict=True) if not keeps]
    held_out = np.array([one.name not in case.calibration_set for one in done])
    pairs = [whole_draws(one, case.keep) for one in case.whole]
    hypotheses = tuple(one for one, _ in pairs)
    lost = {one.name: count for one, count in pairs if count}
    mixed, lost_mixed = whole_draws(case.mixed, case.keep) if case.mixed else (None, 0)
    if mixed is not None and not mixed.drawn.shape[1]:
        mixed = None
    if mixed is not None and lost_mixed:
        lost[mixed.name] = lost_mixed
    found = Judgement(
        findings=tuple(done),
        hypotheses=hypotheses,
        scores=tuple(score(one, done, held_out, seed=seed) for one in hypotheses),
        held_out=held_out,
        recovery=model_recovery(hypotheses, done, seed=seed),
        information=(),
        mixed=mixed,
        mixed_score=score(mixed, done, held_out, seed=seed) if mixed else None,
        refused=case.refused,
        remarks=(),
        target=runs.plain.target,
        reference=runs.reference,
        about=_about(runs),
        left_out=tuple(left_out),
        not_computed=lost,
    )
    contenders = found.contenders if len(found.contenders) > 1 else found.ranking[:2]
    drawn = [
        [row[known] for row, known in zip(one.drawn, computed(one.drawn_status), strict=True)]
        for one in case.whole
    ]
    ranked = expected_information(asked.parts, drawn, contenders)
    remarks = _remarks(found, case, asked, {one.finding.name for one in ranked})
    return replace(found, information=tuple(ranked), remarks=remarks)


def _about(runs: _Runs) -> Mapping[str, object]:
    s = runs.settings
    return {
        "model": runs.model.name,
        "model_digest": runs.model.digest,
        "draws": s.draws,
        "seed": s.seed,
        "reach": s.prior_width,
        "calibrated": s.calibrated,
    }


def _remarks(judgement: Judgement, case: _Case, asked: _Asked, ranked: set[str]) -> tuple[str, ...]:
    """Return a sentence for everything that is treated apart; nothing is dropped in silence."""
    found = []
    contested = [one.name for one in judgement.findings if one.contested]
    if contested:
        found.append(
            f"{len(contested)} findings are contested and count as saying nothing with a chance of "
            f"{CONTESTED:.0%}: {', '.join(contested)}."
        )
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
    return (*found, *_failures(judgement, case, asked, ranked), *_nothing_to_read(judgement))


def _failures(judgement: Judgement, case: _Case, asked: _Asked, ranked: set[str]) -> list[str]:
    """Return what failed runs have cost."""
    found = []
    for name in judgement.left_out:
        i = next(i for i, one in enumerate(case.done) if one.name == name)
        every = {one.name: np.append(one.status[i], one.drawn_status[i]) for one in case.whole}
        why = [
            f"{who} ({not_computed(status[~computed(status)][0])})"
            for who, status in every.items()
            if not computed(status).all()
        ]
        found.append(f"{name} is left out for every hypothesis; runs failed: {', '.join(why)}.")
    found += [
        f"{name}: {count} draws are left out, in which a run failed; that counts neither for nor "
        "against it."
        for name, count in judgement.not_computed.items()
    ]
    missing = [one.name for one in asked.parts if one.name not in ranked]
    if missing:
        found.append(f"Nothing is said of what these would decide: {', '.join(missing)}.")
    return found


def _nothing_to_read(judgement: Judgement) -> list[str]:
    found = []
    for one in judgement.hypotheses:
        pairs = zip(judgement.findings, one.predicted, strict=True)
        if missing := [finding.name for finding, value in pairs if np.isnan(value)]:
            found.append(
                f"{one.name} has nothing to read in {len(missing)} findings (no effect of which a "
                f"share could be left), which counts against it: {', '.join(missing)}."
            )
    return found


def _check_names(parts: Sequence[Finding]) -> None:
    names: set[str] = set()
    for one in parts:
        if one.name in names:
            raise ConfigError(f'two findings are named "{one.name}"; rename one.')
        names.add(one.name)


def _check(hypotheses: Sequence[Hypothesis], done: Sequence[Finding]) -> None:
    if not hypotheses:
        raise ConfigError("no hypotheses to judge; name at least one.")
    if not done:
        raise ConfigError("no findings to judge by: none of the experiments states an observation.")
    names = [one.name for one in hypotheses]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f'two hypotheses are named "{twice}"; rename one.')
