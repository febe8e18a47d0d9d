"""Rival hypotheses before published and own findings: ``judge(hypotheses, findings)``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.rivals import Hypothesis
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.predict import computed, not_computed
from ketasim.studies.judge.draws import PRIOR_WIDTH, check_draws
from ketasim.studies.judge.guide import Guide, fit
from ketasim.studies.judge.information import expected_information
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.likelihood import Data, by_paper
from ketasim.studies.judge.prepare import (
    Prepared,
    Question,
    Runs,
    Space,
    asked_of,
    question,
    space,
    with_number,
)
from ketasim.studies.judge.record import remarks
from ketasim.studies.judge.scores import Bank, Score, bank, model_recovery, score
from ketasim.studies.posterior.evidence import Evidence, replicate

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Progress = Callable[[str], None]
MOST_FAILED = 0.5  # share of findings that may fail under a hypothesis before it is left out
MOST_LOST = 0.05  # share of draws that may fail before a finding is left out for all
KEEP = 0.06  # effective share of a cloud on its way from the guide to the likelihood
REFINED = 128  # runs after which the guide is fitted again
DECIDING = 128  # posterior draws under which candidates are run
FEWEST = 64  # draws of the prior
BANKED = 256  # draws, of prior and of posterior, in which other data are sought


@dataclass(frozen=True)
class Effort:
    """How much is spent.

    Posterior draws of a replicate, replicates, moves of a stage, repeats of model recovery, and
    draws of the guide, and how often a hypothesis that is not settled is sampled anew.
    """

    draws: int = 384
    replicates: int = 5
    moves: int = 1
    repeats: int = 100
    guide: int = 4096
    tries: int = 3

    def with_draws(self, n: int) -> "Effort":
        """Return the same with ``n`` draws of a replicate, and as many of the guide as fit."""
        return replace(self, draws=n, guide=min(self.guide, max(16 * n, 256)))


FULL, QUICK = Effort(), Effort(draws=256, replicates=3, moves=0, repeats=40, guide=2048, tries=1)


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
    effort = QUICK if quick else FULL
    effort = effort if draws is None else effort.with_draws(draws)
    check_draws(effort.draws, prior_width)
    reference = with_number(reference, model, threads)
    twice = any(set(reference.rows) & set(one.rows) for one in done)
    court = _Court(done, reference, model, effort, seed, prior_width, calibrated, twice, threads)
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
    among = found.contenders if len(found.contenders) > 1 else found.ranking[:2]
    drawn = [court.candidates(asked.parts, one.prepared) for one in heard]
    ranked = expected_information(asked.parts, drawn, among)
    found = replace(found, information=tuple(ranked))
    return replace(found, remarks=remarks(found, asked, twice=twice))


@dataclass(frozen=True)
class _Case:
    """A hypothesis with its coordinates and what was run of it."""

    question: Question
    space: Space
    runs: Runs


@dataclass(frozen=True)
class _Heard:
    prepared: Prepared
    score: Score
    bank: Bank


@dataclass(frozen=True)
class _Court:
    """What does not differ between hypotheses."""

    done: Sequence[Finding]
    reference: Finding
    model: Model
    effort: Effort
    seed: int
    prior_width: float
    calibrated: bool
    twice: bool
    threads: int | None

    @property
    def place(self) -> int:
        """Return the place of the reference among what is asked for, or -1."""
        return len(self.done) if self.calibrated and not self.twice else -1

    def cases(
        self, hypotheses: Sequence[Hypothesis], progress: Progress
    ) -> tuple[list[_Case], list[str]]:
        """Run every hypothesis under draws of the prior; return those that can be run."""
        made: dict[tuple[int, ...], Question] = {}
        found: list[_Case] = []
        refused: list[str] = []
        every = [*self.done, *([self.reference] if self.place >= 0 else [])]
        for one in hypotheses:
            progress(f"{one.name}: prior draws")
            where = space(one, self.model, prior_width=self.prior_width, free=self.calibrated)
            key = tuple(map(id, one.mechanisms))
            if key not in made:
                made[key] = question(every, where.model, threads=self.threads)
            runs = Runs(where, made[key].machine)
            rng = np.random.default_rng([self.seed, 0])
            runs.ask(rng.standard_normal((max(self.effort.draws, FEWEST), where.n_dim)))
            lost = self._lost(_Case(made[key], where, runs))
            if lost.mean() < MOST_FAILED:
                found.append(_Case(made[key], where, runs))
                continue
            status = runs.status[0]
            refused.append(
                f'"{one.name}" is left out: {int(lost.sum())} of {len(lost)} findings could not be '
                f"computed under it ({not_computed(status[~computed(status)][0])})."
            )
        if not found:
            raise ConfigError(" ".join(["no hypothesis can be judged.", *refused]))
        return found, refused

    def _lost(self, case: _Case) -> Flags:
        """Return the findings that fail in too many draws of the prior."""
        failed = ~computed(case.runs.status[0])
        return np.array(
            [
                failed[[row for row in place if row >= 0]].any(axis=0).mean() > MOST_LOST
                for place in case.question.places
            ]
        )

    def keep(self, cases: Sequence[_Case]) -> Flags:
        """Return the findings by which all hypotheses can be compared."""
        keep: Flags = ~np.any([self._lost(one) for one in cases], axis=0)
        if not keep[: len(self.done)].any():
            raise ConfigError(
                "no hypothesis can be judged: no finding could be computed under all."
            )
        return keep

    def data(self, asked: Question, keep: Flags) -> Data:
        """Return the data of the findings kept."""
        return asked.data(keep, self.place)

    def hear(
        self, case: _Case, keep: Flags, calibration_set: frozenset[str], progress: Progress
    ) -> _Heard:
        """Return what the findings say of one hypothesis."""
        name = case.space.hypothesis.name
        data, rows = self.data(case.question, keep), case.question.rows(keep)
        prior = self._prior(case, data, rows)
        guide = self._guide(case, data, rows, progress)
        found = self._evidence(case, data, rows, guide, progress)
        for again in range(1, self.effort.tries):
            if not (found.missing or found.thin):
                break
            progress(f"{name}: again, with a stand-in fitted to all runs so far")
            guide = fit(*case.runs.known(rows))
            found = self._evidence(case, data, rows, guide, progress, again=again)
        recent = _Recalled(case.runs)
        values = recent.of(found.draws)
        status = np.concatenate([one[rows] for one in case.runs.status], axis=1)
        read = case.question.read(values)[: len(self.done)][keep[: len(self.done)]]
        prepared = Prepared(
            case.space.hypothesis, case.space, found.draws, values, read,
            sum(len(one) for one in case.runs.at),
            int((~computed(status).all(axis=0)).sum()),
        )  # fmt: skip
        order = np.cumsum(keep) - 1
        own = replace(data, finding=order[data.finding])
        thin, few = (slice(None, None, -(-n // BANKED)) for n in (len(found.draws), len(prior[1])))
        logs = by_paper(data, values).sum(axis=0)
        stored = bank(prior, (values, logs), found.log_evidence)
        fresh = stored.fresh(self._fitted(case, data, calibration_set), found)
        return _Heard(
            prepared,
            score(name, found, own, values, n=len(read), held_out=fresh),
            bank(
                (prior[0][:, few], prior[1][few]),
                (values[:, thin], logs[thin]),
                found.log_evidence,
            ),
        )

    def _prior(self, case: _Case, data: Data, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return predictions and log-likelihoods under draws of the prior."""
        values, status = case.runs.values[0], case.runs.status[0]
        fine = computed(status[rows]).all(axis=0)
        return values[:, fine], by_paper(data, values[:, fine]).sum(axis=0)

    def _fitted(self, case: _Case, data: Data, calibration_set: frozenset[str]) -> Data:
        """Return the data of findings that the model was fitted to, and the reference effect."""
        every = case.question.findings
        fitted = [i == self.place or one.name in calibration_set for i, one in enumerate(every)]
        return data.only(np.array(fitted)[data.finding])

    def _guide(self, case: _Case, data: Data, rows: NDArray[np.int64], progress: Progress) -> Guide:
        """Return a stand-in for the runs, fitted again where it points to."""
        guide = fit(*case.runs.known(rows))
        progress(f"{case.space.hypothesis.name}: where the findings point")
        found = replicate(
            lambda at: guide.log_likelihood(data, at), case.space.n_dim, replicates=1,
            seed=self.seed + 1, particles=self.effort.guide, keep=0.25, most_moves=2,
        )  # fmt: skip
        case.runs.ask(found.draws[:: max(1, self.effort.guide // REFINED)])
        return fit(*case.runs.known(rows))

    def _evidence(
        self, case: _Case, data: Data, rows: NDArray[np.int64], guide: Guide, progress: Progress,
        *, again: int = 0,
    ) -> Evidence:  # fmt: skip
        """Return posterior draws and evidence from replicates."""

        def log_likelihood(at: Array) -> Array:
            values, status = case.runs.ask(at)
            fine = computed(status[rows]).all(axis=0)
            return np.where(fine, by_paper(data, values).sum(axis=0), -np.inf)

        name, effort = case.space.hypothesis.name, self.effort
        return replicate(
            log_likelihood, case.space.n_dim,
            replicates=effort.replicates,
            seed=self.seed + 1000 * again,
            particles=effort.draws,
            guide=lambda at: guide.log_likelihood(data, at),
            guide_particles=max(effort.guide, effort.draws),
            guide_moves=2,
            keep=KEEP if effort.moves else 1e-3,
            most_moves=effort.moves,
            progress=lambda what: progress(f"{name}: {what}"),
        )  # fmt: skip

    def candidates(self, parts: Sequence[Finding], prepared: Prepared) -> list[Array]:
        """Return for each candidate what the posterior predicts, computed draws only."""
        asked = question(parts, prepared.space.model, threads=self.threads)
        step = max(1, len(prepared.at) // DECIDING)
        runs = Runs(prepared.space, asked.machine)
        values, status = runs.ask(prepared.at[::step])
        found = []
        for read, place in zip(asked.read(values), asked.places, strict=True):
            fine = computed(status[[row for row in place if row >= 0]]).all(axis=0)
            found.append(read[fine])
        return found

    def about(self, *, quick: bool) -> dict[str, object]:
        """Return what a judgement rests on."""
        return {
            "model": self.model.name,
            "model_digest": self.model.digest,
            "draws": self.effort.draws,
            "replicates": self.effort.replicates,
            "seed": self.seed,
            "reach": self.prior_width,
            "calibrated": self.calibrated,
            "quick": quick,
        }


class _Recalled:
    """Predictions at points that were run before; it lives no longer than one look."""

    def __init__(self, runs: Runs) -> None:
        self.at = np.concatenate(runs.at)
        self.values = np.concatenate(runs.values, axis=1)
        self.where = {row.tobytes(): i for i, row in enumerate(self.at)}

    def of(self, at: Array) -> Array:
        """Return predictions (n_rows, n) at points (n, n_dim)."""
        return self.values[:, [self.where[row.tobytes()] for row in at]]


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
