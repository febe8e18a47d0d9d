"""Hypotheses made comparable: each with its gain at the ledger's values and under every draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.rivals import Hypothesis
from ketasim.studies.designs.draw import Seed
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.former import Renamed
from ketasim.studies.findings.observed import Number
from ketasim.studies.findings.predict import (
    Prediction,
    Predictor,
    computed,
    not_computed,
    predictor,
)
from ketasim.studies.judge.calibrate import Calibration, Places, calibrate
from ketasim.studies.judge.draws import parameter_draws
from ketasim.units import split, unit

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
MOST_TRIED = 32  # candidates tried for each draw wanted
FEWEST = 16  # draws without which nothing is said about uncertainty


@dataclass(frozen=True)
class Prepared(Renamed):
    """A hypothesis ready to be judged.

    ``gain`` at the ledger's values (nan for a null, which has none); ``predicted`` (n_findings,)
    there; ``drawn`` (n_findings, n_draws) under the first draws that reach the reference effect,
    of ``tried`` candidates, with their ``gains``; ``free`` counts the numbers fitted. ``status``
    and ``drawn_status`` say of each prediction whether its runs succeeded.
    """

    FORMER: ClassVar = {"ease": "acceptance_rate"}

    hypothesis: Hypothesis
    gain: float
    predicted: Array
    drawn: Array
    gains: Array
    tried: int
    free: int
    status: Codes
    drawn_status: Codes

    @property
    def name(self) -> str:
        """Return the hypothesis's name."""
        return self.hypothesis.name

    @property
    def acceptance_rate(self) -> float:
        """Return the share of candidate draws under which the reference effect is reached."""
        return len(self.gains) / self.tried if self.tried else 1.0


@dataclass(frozen=True)
class Comparison:
    """What hypotheses are compared by: findings, draws and the reference effect to reach."""

    model: Model
    findings: tuple[Finding, ...]
    predictor: Predictor
    reference: Predictor
    target: float
    draws: int
    seed: Seed
    prior_width: float
    calibrated: bool = True

    def predict(self, parameters: Array) -> Prediction:
        """Return every finding's read-out under every draw, shape (n_findings, n_draws).

        Parameters
        ----------
        parameters
            Canonical, shape (n_draws, n_parameters).
        """
        found = self.predictor.predict(parameters)
        return Prediction(
            np.concatenate([one.values for one in found]),
            np.concatenate([one.status for one in found]),
        )

    def effect(self, parameters: Array) -> Prediction:
        """Return the reference effect under every draw, shape (1, n_draws)."""
        return self.reference.predict(parameters)[0]

    def rows(self, hypothesis: Hypothesis, draws: Array, gains: Array) -> Array:
        """Return draws under a hypothesis: its own values set, its gains as given (n_draws,)."""
        order = {name: column for column, name in enumerate(self.model.parameters)}
        found = draws.copy()
        for name, text in hypothesis.values.items():
            number, have = split(text, name)
            found[:, order[name]] = number * unit(have).factor
        for name, share in hypothesis.gains.items():
            found[:, order[name]] = gains * share
        return found

    def prepare(self, hypothesis: Hypothesis, free: int | None = None) -> Prepared | str:
        """Return a hypothesis ready to be judged, or the sentence that says why it cannot be.

        ``free`` counts its fitted numbers where there are more than its gains.
        """
        hypothesis.model(self.model)  # refuses what the model does not have
        ledger = parameter_draws(self.model, 1, prior_width=0.0)
        found = self.gains(hypothesis, ledger)
        if not found.reached[0]:
            return self._refusal(hypothesis, found, ledger)
        own = self.predict(self.rows(hypothesis, ledger, found.gains))
        rows, gains, tried = self.draw(hypothesis)
        if len(rows) < FEWEST <= self.draws:
            return (
                f'"{hypothesis.name}" is left out: only {len(rows)} of {tried:,} draws reach the '
                f"reference effect of {self.target:.3g}; a smaller prior width, or more draws, may "
                "help."
            )
        drawn = self.predict(self.rows(hypothesis, rows, gains))
        return Prepared(
            hypothesis,
            gain=float(found.gains[0]) if hypothesis.gains else np.nan,
            predicted=own.values[:, 0],
            drawn=drawn.values,
            gains=gains,
            tried=tried,
            free=len(hypothesis.gains) if free is None else free,
            status=own.status[:, 0],
            drawn_status=drawn.status,
        )

    def gains(self, hypothesis: Hypothesis, rows: Array) -> Calibration:
        """Return the gains that bring rows of parameters to the reference effect."""
        n = len(rows)
        if not hypothesis.gains or not self.calibrated:
            return Calibration(np.ones(n), np.full(n, np.nan), np.full(n, np.nan))
        return calibrate(self._effect(hypothesis, rows), n, self.target)

    def _effect(self, hypothesis: Hypothesis, rows: Array) -> Callable[[Places, Array], Array]:
        return lambda which, gains: self.effect(self.rows(hypothesis, rows[which], gains)).values[0]

    def draw(self, hypothesis: Hypothesis) -> tuple[Array, Array, int]:
        """Return the first draws that reach the effect, their gains, and how many were tried."""
        rows, gains, tried, n = [], [], 0, 0
        whole = self.draws
        while n < self.draws and tried < MOST_TRIED * self.draws:
            pool = parameter_draws(
                self.model, tried + whole, seed=self.seed, prior_width=self.prior_width
            )[tried:]
            found = self.gains(hypothesis, pool)
            keep = np.flatnonzero(found.reached)[: self.draws - n]
            rows.append(pool[keep])
            gains.append(found.gains[keep])
            n += len(keep)
            tried += int(keep[-1]) + 1 if n == self.draws else whole
            whole = max(self.draws, min(4 * self.draws, _wanted(self.draws - n, n, tried)))
        return np.concatenate(rows), np.concatenate(gains), tried

    def _refusal(self, hypothesis: Hypothesis, found: Calibration, ledger: Array) -> str:
        low, high = (float(end[0]) for end in (found.silent, found.full))
        begin = f'"{hypothesis.name}" is left out: '
        full = self.effect(self.rows(hypothesis, ledger, np.ones(1)))
        if not full.computed.all():
            return f"{begin}its reference effect is {not_computed(full.status[0, 0])}."
        if not np.isfinite(low + high):
            return f"{begin}its reference effect cannot be computed."
        if low / self.target > 1.0:
            why = f"without any gain it already shows {low:.3g}"
        else:
            why = f"at full gain it shows {high:.3g}"
        return f"{begin}it cannot reach the reference effect of {self.target:.3g}; {why}."


def _wanted(missing: int, n: int, tried: int) -> int:
    """Return how many more candidates are likely to give what is missing."""
    return int(1.2 * missing * tried / max(n, 1)) + 1


def comparison(
    findings: Sequence[Finding],
    model: Model,
    *,
    reference: Finding,
    target: float | None = None,
    draws: int,
    seed: Seed,
    prior_width: float,
    calibrated: bool = True,
    threads: int | None = None,
) -> Comparison:
    """Gather the runs of all findings, and those of the reference effect.

    Parameters
    ----------
    findings
        Each with one observation; see :meth:`Finding.parts`.
    model
        The model that hypotheses edit.
    reference
        The effect to reach.
    target
        The effect's size; by default the number stated, or else what the model shows as it stands.
    draws, seed, prior_width
        Parameter draws for each hypothesis; see :func:`parameter_draws`.
    calibrated
        Whether gains are calibrated.
    threads
        How many; no number depends on it.

    Raises
    ------
    ConfigError
        When the model as it stands shows no such effect.
    ModelError
        When a read-out asks for a name that the model does not have.
    """
    made = Comparison(
        model,
        tuple(findings),
        predictor(findings, model, threads=threads),
        predictor([reference], model, threads=threads),
        np.nan if target is None else target,
        draws,
        seed,
        prior_width,
        calibrated,
    )
    return made if target is not None else replace(made, target=_target(reference, made))


def _target(reference: Finding, made: Comparison) -> float:
    """Return the effect to reach: the number stated, or what the model shows as it stands."""
    seen = reference.observed
    if isinstance(seen, Number) and seen.observed is not None:
        return seen.observed
    found = made.effect(parameter_draws(made.model, 1, prior_width=0.0))
    shown, status = float(found.values[0, 0]), found.status
    why = f"({shown:g})" if computed(status).all() else f"({not_computed(status[0, 0])})"
    if not abs(shown) > 0.0:
        raise ConfigError(
            f"{reference.name}: the model as it stands shows no such effect {why}; state a number "
            "to reach in the reference, as observed = 0.15."
        )
    return shown
