"""Rival accounts before published and own findings: ``judge(hypotheses, experiments)``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.rivals import Hypothesis
from ketasim.studies.judge.accounts import Account, Ready
from ketasim.studies.judge.bench import Bench, bench
from ketasim.studies.judge.decide import promises
from ketasim.studies.judge.draws import REACH, check_draws, parameter_draws
from ketasim.studies.judge.experiment import CONTESTED, Experiment
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.mixing import best_mixture
from ketasim.studies.judge.nested import Nested, nested
from ketasim.studies.judge.outcomes import Number
from ketasim.studies.judge.scores import score
from ketasim.studies.judge.separation import separation

Told = Callable[[str], None]


def judge(
    hypotheses: Sequence[Hypothesis],
    experiments: Sequence[Experiment],
    *,
    reference: Experiment,
    model: Model,
    candidates: Sequence[Experiment] = (),
    shaped: frozenset[str] = frozenset(),
    draws: int = 256,
    seed: int = 1,
    reach: float = REACH,
    calibrated: bool = True,
    mix: bool = True,
    threads: int | None = None,
    told: Told = lambda _: None,
) -> Judgement:
    """Judge accounts by findings.

    Parameters
    ----------
    hypotheses
        Edits of the one model; each is first brought to the same reference effect.
    experiments
        Findings, and proposals (which count as candidates).
    reference
        The effect to reach; where it states no number, what ``model`` shows at its own values.
    candidates
        Further proposals, among which the one that would decide is looked for.
    shaped
        Names of findings that the model itself was fitted to; accounts are ranked without them too.
    draws, seed, reach
        Parameter draws for each account: how many, from which seed, and how far towards the
        ledger's bounds (0 to 1).
    calibrated
        Off, every account keeps its full gain: only to show what that would do.
    mix
        Whether to look for the best mixture.
    threads
        How many; no number depends on it.
    told
        Called with what is being done.

    Raises
    ------
    ConfigError
        When there is nothing to judge, two things have one name, or no account can be calibrated.
    ModelError
        When an account names what the model does not have.
    """
    done = [one for one in experiments if one.done]
    proposed = [one for one in (*experiments, *candidates) if not one.done]
    asked = _unique([*done, *proposed, *(one for one in candidates if one.done)])
    _check(hypotheses, done)
    check_draws(draws, reach)
    runs = _Runs(asked, reference, model, _Settings(draws, seed, reach, calibrated, threads))
    found = {}
    for one in hypotheses:
        told(f"{one.name}: calibrated and run")
        found[one.name] = runs.of(one).account(one)
    refused = tuple(one for one in found.values() if isinstance(one, str))
    whole = [one for one in found.values() if not isinstance(one, str)]
    if not whole:
        raise ConfigError(" ".join(["no account can be judged.", *refused]))
    mixed = None
    if mix and calibrated:
        told("mixtures")
        mixed = _mixed([one.hypothesis for one in whole], runs.plain, done)
    told("scores, separation, and what would decide")
    return _judgement(done, asked, whole, mixed, refused, runs, shaped)


def sample(
    hypotheses: Sequence[Hypothesis],
    experiments: Sequence[Experiment],
    *,
    reference: Experiment,
    model: Model,
    draws: int = 256,
    seed: int = 1,
    reach: float = REACH,
    told: Told = lambda _: None,
) -> tuple[Nested, ...]:
    """Return the evidence of accounts by nested sampling; arguments as for :func:`judge`.

    Raises
    ------
    ConfigError
        When there is nothing to sample.
    MissingExtra
        When dynesty is not installed.
    """
    done = [one for one in experiments if one.done]
    _check(hypotheses, done)
    check_draws(draws, reach)
    runs = _Runs(done, reference, model, _Settings(draws, seed, reach))
    found = []
    for one in hypotheses:
        told(f"{one.name}: nested sampling")
        found.append(nested(one, runs.of(one), done))
    return tuple(found)


@dataclass(frozen=True)
class _Settings:
    draws: int
    seed: int
    reach: float
    calibrated: bool = True
    threads: int | None = None


@dataclass(frozen=True)
class _Runs:
    """One bench for each set of mechanisms, made when first needed."""

    experiments: Sequence[Experiment]
    reference: Experiment
    model: Model
    settings: _Settings
    _made: dict[tuple[int, ...], Ready] = field(default_factory=dict)

    @property
    def plain(self) -> Ready:
        """Return what accounts without mechanisms of their own are judged on."""
        return self._ready((), self.model)

    def of(self, one: Hypothesis) -> Ready:
        """Return what an account is judged on."""
        return self._ready(tuple(map(id, one.mechanisms)), one.structure(self.model))

    def _ready(self, key: tuple[int, ...], model: Model) -> Ready:
        if key not in self._made:
            s = self.settings
            made = bench(self.experiments, self.reference, model, threads=s.threads)
            target = self.plain.target if key else _target(self.reference, made)
            self._made[key] = Ready(made, target, s.draws, s.seed, s.reach, s.calibrated)
        return self._made[key]


def _target(reference: Experiment, made: Bench) -> float:
    """Return the effect to reach: the number stated, or what the model shows as it stands."""
    outcome = reference.outcome
    if isinstance(outcome, Number) and outcome.observed is not None:
        return outcome.observed
    shown = float(made.effect(parameter_draws(made.model, 1, reach=0.0))[0])
    if not abs(shown) > 0.0:
        raise ConfigError(
            f"{reference.name}: the model as it stands shows no such effect ({shown:g}); state a "
            "number to reach in the reference, as observed = 0.15."
        )
    return shown


def _mixed(
    hypotheses: Sequence[Hypothesis], ready: Ready, done: Sequence[Experiment]
) -> Account | None:
    best = best_mixture(hypotheses, ready.bench, ready.target, done)
    found = ready.account(best[0], best[1]) if best else None
    return found if isinstance(found, Account) else None


def _judgement(
    done: Sequence[Experiment],
    asked: Sequence[Experiment],
    whole: Sequence[Account],
    mixed: Account | None,
    refused: tuple[str, ...],
    runs: _Runs,
    shaped: frozenset[str],
) -> Judgement:
    """Score what was run, and look at what it leaves open."""
    settings, n = runs.settings, len(done)
    fresh = np.array([one.name not in shaped for one in done])
    accounts = tuple(_first(one, n) for one in whole)
    mixed = _first(mixed, n) if mixed else None
    found = Judgement(
        experiments=tuple(done),
        accounts=accounts,
        scores=tuple(score(one, done, fresh, seed=settings.seed) for one in accounts),
        fresh=fresh,
        separation=separation(accounts, done, seed=settings.seed),
        promises=(),
        mixed=mixed,
        mixed_score=score(mixed, done, fresh, seed=settings.seed) if mixed else None,
        refused=refused,
        remarks=_remarks(done, asked, accounts),
        target=runs.plain.target,
        reference=runs.reference,
        about=_about(runs),
    )
    contenders = found.contenders if len(found.contenders) > 1 else found.ranking[:2]
    drawn = [one.drawn for one in whole]
    return replace(found, promises=tuple(promises(asked, drawn, contenders)))


def _first(one: Account, n: int) -> Account:
    return replace(one, predicted=one.predicted[:n], drawn=one.drawn[:n])


def _about(runs: _Runs) -> Mapping[str, object]:
    s = runs.settings
    return {
        "model": runs.model.name,
        "model_digest": runs.model.digest,
        "draws": s.draws,
        "seed": s.seed,
        "reach": s.reach,
        "calibrated": s.calibrated,
    }


def _remarks(
    done: Sequence[Experiment], asked: Sequence[Experiment], accounts: Sequence[Account]
) -> tuple[str, ...]:
    """Return a sentence for everything that is treated apart; nothing is dropped in silence."""
    found = []
    doubted = [one.name for one in done if one.contested]
    if doubted:
        found.append(
            f"{len(doubted)} findings are contested and count as saying nothing with a chance of "
            f"{CONTESTED:.0%}: {', '.join(doubted)}."
        )
    found += [
        f'"{one.name}" states no observation: it counts as a proposal.'
        for one in asked
        if not one.done and one.rows
    ]
    for one in accounts:
        if missing := [e.name for e, v in zip(done, one.predicted, strict=True) if np.isnan(v)]:
            found.append(
                f"{one.name} has nothing to read in {len(missing)} findings (no effect of which a "
                f"share could be left), which counts against it: {', '.join(missing)}."
            )
    return tuple(found)


def _unique(experiments: Sequence[Experiment]) -> list[Experiment]:
    names: set[str] = set()
    for one in experiments:
        if one.name in names:
            raise ConfigError(f'two experiments are named "{one.name}"; rename one.')
        names.add(one.name)
    return list(experiments)


def _check(hypotheses: Sequence[Hypothesis], done: Sequence[Experiment]) -> None:
    if not hypotheses:
        raise ConfigError("no accounts to judge; name at least one.")
    if not done:
        raise ConfigError("no findings to judge by: none of the experiments states an observation.")
    names = [one.name for one in hypotheses]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f'two accounts are named "{twice}"; rename one.')
