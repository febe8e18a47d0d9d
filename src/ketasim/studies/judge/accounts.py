"""Accounts made comparable: each with its gain at the ledger's values and under every draw."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.models.rivals import Hypothesis
from ketasim.studies.designs.draw import Seed
from ketasim.studies.judge.bench import Bench
from ketasim.studies.judge.calibrate import Calibration, Places, calibrate
from ketasim.studies.judge.draws import parameter_draws

Array = NDArray[np.float64]
MOST_TRIED = 32  # candidates tried for each draw wanted
FEWEST = 16  # draws without which nothing is said about uncertainty


@dataclass(frozen=True)
class Account:
    """A hypothesis ready to be judged.

    ``gain`` at the ledger's values (nan for a null, which has none); ``predicted`` (n_experiments,)
    there; ``drawn`` (n_experiments, n_draws) under the first draws that reach the reference effect,
    of ``tried`` candidates, with their ``gains``; ``free`` counts the numbers fitted.
    """

    hypothesis: Hypothesis
    gain: float
    predicted: Array
    drawn: Array
    gains: Array
    tried: int
    free: int

    @property
    def name(self) -> str:
        """Return the hypothesis's name."""
        return self.hypothesis.name

    @property
    def ease(self) -> float:
        """Return the share of candidate draws under which the reference effect is reached."""
        return self.drawn.shape[1] / self.tried if self.tried else 1.0


@dataclass(frozen=True)
class Ready:
    """What accounts are brought to: bench, draws and the effect to reach."""

    bench: Bench
    target: float
    draws: int
    seed: Seed
    reach: float
    calibrated: bool = True

    def account(self, hypothesis: Hypothesis, free: int | None = None) -> Account | str:
        """Return an account ready to be judged, or the sentence that says why it cannot be.

        ``free`` counts its fitted numbers where there are more than its gains.
        """
        hypothesis.model(self.bench.model)  # refuses what the model does not have
        ledger = parameter_draws(self.bench.model, 1, reach=0.0)
        found = self.gains(hypothesis, ledger)
        if not found.reached[0]:
            return self._refusal(hypothesis, found)
        predicted = self._predict(hypothesis, ledger, found.gains)[:, 0]
        rows, gains, tried = self.draw(hypothesis)
        if len(rows) < FEWEST <= self.draws:
            return (
                f'"{hypothesis.name}" is left out: only {len(rows)} of {tried:,} draws reach the '
                f"reference effect of {self.target:.3g}; a smaller reach, or more draws, may help."
            )
        drawn = self.bench.predict(self.bench.rows(hypothesis, rows, gains))
        gain = float(found.gains[0]) if hypothesis.gains else np.nan
        count = len(hypothesis.gains) if free is None else free
        return Account(hypothesis, gain, predicted, drawn, gains, tried, count)

    def _predict(self, hypothesis: Hypothesis, rows: Array, gains: Array) -> Array:
        return self.bench.predict(self.bench.rows(hypothesis, rows, gains))

    def gains(self, hypothesis: Hypothesis, rows: Array) -> Calibration:
        """Return the gains that bring rows of parameters to the reference effect."""
        n = len(rows)
        if not hypothesis.gains or not self.calibrated:
            return Calibration(np.ones(n), np.full(n, np.nan), np.full(n, np.nan))
        return calibrate(self._effect(hypothesis, rows), n, self.target)

    def _effect(self, hypothesis: Hypothesis, rows: Array) -> Callable[[Places, Array], Array]:
        bench = self.bench
        return lambda which, gains: bench.effect(bench.rows(hypothesis, rows[which], gains))

    def draw(self, hypothesis: Hypothesis) -> tuple[Array, Array, int]:
        """Return the first draws that reach the effect, their gains, and how many were tried."""
        rows, gains, tried, n = [], [], 0, 0
        whole = self.draws
        while n < self.draws and tried < MOST_TRIED * self.draws:
            pool = parameter_draws(
                self.bench.model, tried + whole, seed=self.seed, reach=self.reach
            )[tried:]
            found = self.gains(hypothesis, pool)
            keep = np.flatnonzero(found.reached)[: self.draws - n]
            rows.append(pool[keep])
            gains.append(found.gains[keep])
            n += len(keep)
            tried += int(keep[-1]) + 1 if n == self.draws else whole
            whole = max(self.draws, min(4 * self.draws, _wanted(self.draws - n, n, tried)))
        return np.concatenate(rows), np.concatenate(gains), tried

    def _refusal(self, hypothesis: Hypothesis, found: Calibration) -> str:
        low, high = (float(end[0]) for end in (found.silent, found.full))
        if not np.isfinite(low + high):
            return f'"{hypothesis.name}" is left out: its reference effect cannot be computed.'
        if low / self.target > 1.0:
            why = f"without any gain it already shows {low:.3g}"
        else:
            why = f"at full gain it shows {high:.3g}"
        return (
            f'"{hypothesis.name}" is left out: it cannot reach the reference effect of '
            f"{self.target:.3g}; {why}."
        )


def _wanted(missing: int, n: int, tried: int) -> int:
    """Return how many more candidates are likely to give what is missing."""
    return int(1.2 * missing * tried / max(n, 1)) + 1
