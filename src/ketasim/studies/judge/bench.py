"""Every arm of every experiment made ready to run under any account and any draws."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.models.rivals import Hypothesis
from ketasim.studies.cohort import Cohort
from ketasim.studies.expressions import Reading
from ketasim.studies.judge.experiment import Experiment
from ketasim.studies.readouts import Readout
from ketasim.studies.scorecard import Check, Scorecard, scorecard
from ketasim.units import split, unit

Array = NDArray[np.float64]
BLOCK = 64  # draws whose time courses are held in memory at once
RTOL = 1e-5
BEFORE = -0.5  # what `at(-30 min)` reads [h]


@dataclass(frozen=True)
class Bench:
    """Experiments and the reference effect on one model; one compiled kernel serves all."""

    model: Model
    experiments: tuple[Experiment, ...]
    card: Scorecard
    reference: Scorecard
    threads: int | None = None

    def predict(self, parameters: Array) -> Array:
        """Return every read-out under every draw, nan where it cannot be computed.

        Parameters
        ----------
        parameters
            Canonical, shape (n_draws, n_parameters).

        Returns
        -------
        array
            Shape (n_experiments, n_draws), each in its experiment's unit.
        """
        blocks = [
            np.concatenate(self.card.predict(parameters[at : at + BLOCK], rtol=RTOL))
            for at in range(0, len(parameters), BLOCK)
        ]
        return np.concatenate(blocks, axis=1)

    def effect(self, parameters: Array) -> Array:
        """Return the reference effect under every draw, shape (n_draws,)."""
        found: Array = self.reference.predict(parameters, rtol=RTOL)[0][0]
        return found

    def rows(self, account: Hypothesis, draws: Array, gains: Array) -> Array:
        """Return draws under an account: its own values set, its gains as given (n_draws,)."""
        order = {name: column for column, name in enumerate(self.model.parameters)}
        found = draws.copy()
        for name, text in account.values.items():
            number, have = split(text, name)
            found[:, order[name]] = number * unit(have).factor
        for name, share in account.gains.items():
            found[:, order[name]] = gains * share
        return found


def bench(
    experiments: Sequence[Experiment],
    reference: Experiment,
    model: Model,
    *,
    threads: int | None = None,
) -> Bench:
    """Compile one kernel for all arms, those of the reference effect included.

    Raises
    ------
    ConfigError, ModelError
        When a read-out asks for a name that the model does not have.
    """
    checks = [one.check for one in experiments]
    whole = scorecard([*checks, reference.check], model, times=times_of([*checks, reference.check]))
    used = {i for check in checks for i in _places(whole, check)}
    mine = _places(whole, reference.check)
    return Bench(
        model,
        tuple(experiments),
        _part(whole, checks, sorted(used), whole.cohort.times),
        _part(whole, [reference.check], mine, np.array(times_of([reference.check]))),
        threads,
    )


def times_of(checks: Sequence[Check]) -> tuple[float, ...]:
    """Return the times [h] that read-outs ask for, and a grid where one asks for a whole course."""
    asked = [one for check in checks for one in check.lookups if isinstance(one, Reading)]
    readouts = [Readout.parse(one.summary) for one in asked]
    moments = {BEFORE, 0.0, 24.0, *(t for r in readouts if r.reducer == "at" for t in r.arguments)}
    if any(r.reducer != "at" for r in readouts):
        moments.update(np.arange(0.0, 4.0, 0.1).round(9).tolist())
        moments.update(np.arange(4.0, 24.0, 1.0).tolist())
        moments.update(np.arange(24.0, 169.0, 12.0).tolist())
    return tuple(sorted(moments))


def _places(card: Scorecard, check: Check) -> list[int]:
    found = [card.place(arm, drug=drug) for arm in check.arms.values() for drug in (True, False)]
    return list(dict.fromkeys(found))


def _part(
    whole: Scorecard, checks: Sequence[Check], places: Sequence[int], times: Array
) -> Scorecard:
    """Return some checks of a scorecard with only the runs they need, on the same kernel."""
    keep = {old: new for new, old in enumerate(places)}
    runs = tuple(replace(whole.cohort.scenarios[i], times=tuple(times.tolist())) for i in places)
    old = whole.cohort
    part = Cohort(old.model, runs, old.record, times, old.kernel)
    where = {key: keep[i] for key, i in whole.places.items() if i in keep}
    return Scorecard(whole.model, tuple(checks), part, where)
