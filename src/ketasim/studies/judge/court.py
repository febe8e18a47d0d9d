"""What is asked of one hypothesis after another: prior draws, posterior draws, scores.

A hypothesis that was heard before, by the same findings and with the same effort, is not heard
again where there is a shelf that remembers it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from math import ceil
from typing import Any
from typing import Protocol as Shape

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.rivals import Hypothesis
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.predict import computed, not_computed
from ketasim.studies.judge.guide import Guide, fit
from ketasim.studies.judge.likelihood import Data, by_paper, paper
from ketasim.studies.judge.prepare import Prepared, Question, Runs, Space, question, space
from ketasim.studies.judge.scores import Bank, Score, bank, score
from ketasim.studies.posterior.evidence import Evidence, replicate
from ketasim.studies.posterior.smc import ENOUGH, Posterior, Stage

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Progress = Callable[[str], None]
MOST_FAILED = 0.5  # share of findings that may fail under a hypothesis before it is left out
MOST_LOST = 0.05  # share of draws that may fail before a finding is left out for all
KEEP = 0.06  # effective share of a cloud on its way from the guide to the likelihood
REFINED = 128  # runs after which the guide is fitted again
DECIDING = 128  # posterior draws under which candidates are run
FEWEST = 64  # draws of the prior
HOPELESS = 2.0  # times the most replicates: where so many are needed, none is added
ASIDE = 1.2  # of the draws that are needed, as many are asked for where there were too few
BANKED = 256  # draws, of prior and of posterior, in which other data are sought


class Shelf(Shape):
    """Remembers arrays by a key; see :class:`ketasim.results.shelf.Folder`."""

    def get(self, key: str) -> Mapping[str, NDArray[Any]] | None:
        """Return what was put there, or None."""

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Remember arrays."""


@dataclass(frozen=True)
class Effort:
    """How much is spent.

    Posterior draws of a replicate, replicates, how many there may be where their draws are worth
    too little, moves of a stage, repeats of model recovery, draws of the guide, and how often a
    hypothesis that is not settled is sampled anew.
    """

    draws: int = 384
    replicates: int = 5
    most: int = 10
    moves: int = 1
    repeats: int = 100
    guide: int = 4096
    tries: int = 3

    def with_draws(self, n: int) -> "Effort":
        """Return the same with ``n`` draws of a replicate, and as many of the guide as fit."""
        return replace(self, draws=n, guide=min(self.guide, max(16 * n, 256)))


FULL = Effort()
QUICK = Effort(draws=256, replicates=3, most=12, moves=0, repeats=40, guide=2048, tries=2)


@dataclass(frozen=True)
class Case:
    """A hypothesis with its coordinates and what was run of it."""

    question: Question
    space: Space
    runs: Runs


@dataclass(frozen=True)
class Sampled:
    """Posterior draws of a hypothesis with their predictions, runs tried, and runs failed."""

    found: Evidence
    values: Array
    tried: int
    failed: int

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays without objects."""
        each = self.found.replicates
        stages = [json.dumps([asdict(one) for one in two.stages]) for two in each]
        return {
            "draws": np.stack([one.draws for one in each]),
            "log_likelihoods": np.stack([one.log_likelihoods for one in each]),
            "numbers": np.array(
                [(one.log_evidence, one.effective, one.evaluations) for one in each]
            ),
            "seeds": np.array([one.seed for one in each]),
            "stages": np.array(stages),
            "values": self.values,
            "counts": np.array([self.tried, self.failed]),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "Sampled":
        """Return what was made into arrays."""
        rows = zip(
            arrays["draws"], arrays["log_likelihoods"], arrays["numbers"], arrays["seeds"],
            arrays["stages"], strict=True,
        )  # fmt: skip
        each = tuple(
            Posterior(
                draws, logs, float(log_evidence),
                tuple(Stage(**one) for one in json.loads(str(stages))),
                float(effective), int(evaluations), tuple(int(x) for x in seed),
            )
            for draws, logs, (log_evidence, effective, evaluations), seed, stages in rows
        )  # fmt: skip
        tried, failed = (int(x) for x in arrays["counts"])
        return cls(Evidence(each), arrays["values"], tried, failed)


@dataclass(frozen=True)
class Heard:
    """A hypothesis with its scores, and predictions in which other data are sought."""

    prepared: Prepared
    score: Score
    bank: Bank


@dataclass(frozen=True)
class Court:
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
    shelf: Shelf | None = None

    @property
    def place(self) -> int:
        """Return the place of the reference among what is asked for, or -1."""
        return len(self.done) if self.calibrated and not self.twice else -1

    def cases(
        self, hypotheses: Sequence[Hypothesis], progress: Progress
    ) -> tuple[list[Case], list[str]]:
        """Run every hypothesis under draws of the prior; return those that can be run."""
        made: dict[tuple[object, ...], Question] = {}
        found: list[Case] = []
        refused: list[str] = []
        every = [*self.done, *([self.reference] if self.place >= 0 else [])]
        for one in hypotheses:
            progress(f"{one.name}: prior draws")
            where = space(one, self.model, prior_width=self.prior_width, free=self.calibrated)
            key = (one.modules, *map(id, one.mechanisms))
            if key not in made:
                made[key] = question(every, where.model, threads=self.threads)
            runs = Runs(where, made[key].machine)
            rng = np.random.default_rng([self.seed, 0])
            runs.ask(rng.standard_normal((max(self.effort.draws, FEWEST), where.n_dim)))
            lost = self._lost(Case(made[key], where, runs))
            if lost.mean() < MOST_FAILED:
                found.append(Case(made[key], where, runs))
                continue
            status = runs.status[0]
            refused.append(
                f'"{one.name}" is left out: {int(lost.sum())} of {len(lost)} findings could not be '
                f"computed under it ({not_computed(status[~computed(status)][0])})."
            )
        if not found:
            raise ConfigError(" ".join(["no hypothesis can be judged.", *refused]))
        return found, refused

    def _lost(self, case: Case) -> Flags:
        """Return the findings that fail in too many draws of the prior."""
        failed = ~computed(case.runs.status[0])
        return np.array(
            [
                failed[[row for row in place if row >= 0]].any(axis=0).mean() > MOST_LOST
                for place in case.question.places
            ]
        )

    def keep(self, cases: Sequence[Case]) -> Flags:
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
        self, case: Case, keep: Flags, calibration_set: frozenset[str], progress: Progress
    ) -> Heard:
        """Return what the findings say of one hypothesis."""
        name = case.space.hypothesis.name
        data, rows = self.data(case.question, keep), case.question.rows(keep)
        prior = self._prior(case, data, rows)
        key = self._key(case, keep)
        known = self.shelf.get(key) if self.shelf else None
        if known is None:
            sampled = self._sampled(case, data, rows, progress)
            if self.shelf:
                self.shelf.put(key, sampled.arrays())
        else:
            sampled = Sampled.of(known)
        progress(f"{name}: {'remembered' if known is not None else 'done'}")
        found, values = sampled.found, sampled.values
        read = case.question.read(values)[: len(self.done)][keep[: len(self.done)]]
        prepared = Prepared(
            case.space.hypothesis, case.space, found.draws, values, read,
            sampled.tried, sampled.failed,
        )  # fmt: skip
        order = np.cumsum(keep) - 1
        own = replace(data, finding=order[data.finding])
        thin, few = (slice(None, None, -(-n // BANKED)) for n in (len(found.draws), len(prior[1])))
        logs = by_paper(data, values).sum(axis=0)
        stored = bank(prior, (values, logs), found.log_evidence)
        fresh = stored.fresh(self._fitted(case, data, calibration_set), found)
        return Heard(
            prepared,
            score(name, found, own, values, n=len(read), held_out=fresh),
            bank(
                (prior[0][:, few], prior[1][few]),
                (values[:, thin], logs[thin]),
                found.log_evidence,
            ),
        )

    def _sampled(
        self, case: Case, data: Data, rows: NDArray[np.int64], progress: Progress
    ) -> Sampled:
        """Sample the posterior, anew where it is not settled."""
        guide = self._guide(case, data, rows, progress)
        found = self._evidence(case, data, rows, guide, progress)
        for again in range(1, self.effort.tries):
            if not found.missing:
                break
            progress(f"{case.space.hypothesis.name}: again, guided by all runs so far")
            guide = fit(*case.runs.known(rows))
            found = self._evidence(case, data, rows, guide, progress, again=again)
        status = np.concatenate([one[rows] for one in case.runs.status], axis=1)
        return Sampled(
            found,
            _Recalled(case.runs).of(found.draws),
            sum(len(one) for one in case.runs.at),
            int((~computed(status).all(axis=0)).sum()),
        )

    def _key(self, case: Case, keep: Flags) -> str:
        """Return a name for all that the draws of a hypothesis depend on."""
        where = case.space
        told = [
            (one.name, one.arms, [f.text for f in one.formulas], one.observed,
             one.outlier_probability, paper(one))
            for one in case.question.findings
        ]  # fmt: skip
        own = (where.hypothesis.name, where.hypothesis.values, where.hypothesis.gains)
        how = (self.effort, self.seed, self.prior_width, self.place, keep.tolist())
        text = repr((where.model.digest, own, where.priors, where.free_gain, told, how))
        return sha256(text.encode()).hexdigest()[:24]

    def _prior(self, case: Case, data: Data, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return predictions and log-likelihoods under draws of the prior."""
        values, status = case.runs.values[0], case.runs.status[0]
        fine = computed(status[rows]).all(axis=0)
        return values[:, fine], by_paper(data, values[:, fine]).sum(axis=0)

    def _fitted(self, case: Case, data: Data, calibration_set: frozenset[str]) -> Data:
        """Return the data of findings that the model was fitted to, and the reference effect."""
        every = case.question.findings
        fitted = [i == self.place or one.name in calibration_set for i, one in enumerate(every)]
        return data.only(np.array(fitted)[data.finding])

    def _guide(self, case: Case, data: Data, rows: NDArray[np.int64], progress: Progress) -> Guide:
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
        self, case: Case, data: Data, rows: NDArray[np.int64], guide: Guide, progress: Progress,
        *, again: int = 0,
    ) -> Evidence:  # fmt: skip
        """Return posterior draws and evidence from replicates."""

        def log_likelihood(at: Array) -> Array:
            values, status = case.runs.ask(at)
            fine = computed(status[rows]).all(axis=0)
            return np.where(fine, by_paper(data, values).sum(axis=0), -np.inf)

        name, effort = case.space.hypothesis.name, self.effort

        def several(n: int, first: int) -> Evidence:
            return replicate(
                log_likelihood, case.space.n_dim,
                replicates=n,
                first=first,
                seed=self.seed + 1000 * again,
                particles=effort.draws,
                guide=lambda at: guide.log_likelihood(data, at),
                guide_particles=max(effort.guide, effort.draws),
                guide_moves=2,
                keep=KEEP if effort.moves else 1e-3,
                most_moves=effort.moves,
                progress=lambda what: progress(f"{name}: {what}"),
            )  # fmt: skip

        found = several(effort.replicates, 0)
        wanted = ceil(len(found.replicates) * ASIDE * ENOUGH / max(found.effective, 1.0))
        more = min(wanted, effort.most) - len(found.replicates)
        if found.thin and more > 0 and wanted <= HOPELESS * effort.most:
            found = Evidence((*found.replicates, *several(more, len(found.replicates)).replicates))
        return found

    def candidates(
        self, parts: Sequence[Finding], kept: Sequence[Finding], heard: Sequence[Prepared]
    ) -> list[list[Array]]:
        """Return for each hypothesis and part what the posterior predicts, computed draws only.

        What was judged by was predicted then; the rest is run.
        """
        known = {one.name: i for i, one in enumerate(kept)}
        rest = [one for one in parts if one.name not in known]
        made: dict[str, Question] = {}
        found = []
        for one in heard:
            model, step = one.space.model, max(1, len(one.at) // DECIDING)
            if rest and model.digest not in made:
                made[model.digest] = question(rest, model, threads=self.threads)
            drawn = {name: one.drawn[i][::step] for name, i in known.items()}
            if rest:
                asked = made[model.digest]
                values, status = Runs(one.space, asked.machine).ask(one.at[::step])
                for part, read, place in zip(rest, asked.read(values), asked.places, strict=True):
                    fine = computed(status[[row for row in place if row >= 0]]).all(axis=0)
                    drawn[part.name] = read[fine]
            found.append([drawn[part.name] for part in parts])
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
