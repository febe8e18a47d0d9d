"""The formulas of read-outs: the one place that knows their grammar and works them out.

An effect is what an arm shows less what it shows without the drug; a share is what is left of one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.errors import ConfigError, ModelError, suggest
from ketasim.studies import expressions
from ketasim.studies.expressions import Given, Ledger, Node, Operation, Reading
from ketasim.studies.readouts import Readout

Array = NDArray[np.float64]
NOISE = 1e-5  # ten times the relative tolerance of a run
NOTHING = 0.01  # a smaller whole effect leaves nothing of which a share could be left


@dataclass(frozen=True)
class Formula:
    """A formula as it was written, and as it was understood."""

    text: str
    node: Node

    @cached_property
    def lookups(self) -> tuple[Reading | Ledger | Given, ...]:
        """Return everything that is looked up."""
        return tuple(dict.fromkeys(expressions.readings(self.node)))

    @cached_property
    def readouts(self) -> tuple[Readout, ...]:
        """Return how each recorded name is reduced."""
        asked = (one for one in self.lookups if isinstance(one, Reading))
        return tuple(dict.fromkeys(Readout.parse(one.summary) for one in asked))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the states and quantities to record."""
        return tuple(dict.fromkeys(one.name for one in self.readouts))

    @property
    def runs(self) -> tuple[tuple[str, bool], ...]:
        """Return the runs it rests on: an arm, and whether with the drug."""
        asked = [one for one in self.lookups if isinstance(one, Reading)]
        both = [(one.arm, drug) for one in asked for drug in (True, False) if drug or one.effect]
        return tuple(dict.fromkeys(both))

    @property
    def moments(self) -> tuple[float, ...]:
        """Return the times at which values are read [h]."""
        return tuple(t for one in self.readouts if one.reducer == "at" for t in one.arguments)

    @property
    def whole_course(self) -> bool:
        """Return whether more than single times are needed."""
        return any(one.reducer != "at" for one in self.readouts)


class Runs(Protocol):
    """What a formula is worked out on."""

    @property
    def times(self) -> Array:
        """Return the output times (n_times,) [h]."""

    def course(self, arm: str, name: str, *, drug: bool) -> Array:
        """Return a time course in its declared unit, shape (n_draws, n_times)."""

    def parameter(self, name: str) -> Array:
        """Return a parameter in its declared unit, shape (n_draws,)."""

    def given(self, arm: str) -> Array:
        """Return the drug given [umol], shape (n_draws,)."""


def parse(text: str, *, model: Model, arms: Collection[str], where: str = "value") -> Formula:
    """Read a formula and make sure that everything in it exists.

    Parameters
    ----------
    text
        As ``"effect(nbqx, outcome.mood.at(24 h))"``.
    model
        Whose states, quantities and parameters may be asked for.
    arms
        The names of the arms.
    where
        The key, for messages.

    Raises
    ------
    ConfigError, UnitError
        When it is not a formula, or an arm, name, parameter, reducer or unit is unknown.
    """
    found = Formula(text, expressions.parse(text, where))
    for asked in found.lookups:
        if isinstance(asked, Reading | Given) and asked.arm not in arms:
            raise ConfigError(
                f'{where}: no arm "{asked.arm}".{suggest(asked.arm, arms)} '
                f"Arms here: {', '.join(arms) or 'none'}."
            )
        if isinstance(asked, Reading):
            _check_name(Readout.parse(asked.summary, where).name, model, where)
        if isinstance(asked, Ledger):
            try:
                model.value(asked.name)
            except ModelError as error:
                raise ConfigError(f"{where}: {error}") from None
    return found


def _check_name(name: str, model: Model, where: str) -> None:
    known = {*model.states, *(str(one.name) for one in model.quantities)}
    if name not in known:
        raise ConfigError(f"{where}: {name}: no such state or quantity.{suggest(name, known)}")


def share(part: Formula, whole: Formula) -> Formula:
    """Return the formula of what is left of an effect."""
    return Formula(f"{part.text} of {whole.text}", Operation(_share, (part.node, whole.node)))


def _share(part: Array, whole: Array) -> Array:
    """Return what is left of an effect; nan where there was none."""
    return np.where(np.abs(whole) < NOTHING, np.nan, part / whole)


def evaluate(formula: Formula, runs: Runs) -> Array:
    """Return the value of a formula under each draw, shape (n_draws,) or (); 0/0 is nan."""

    def read(one: Reading, *, drug: bool) -> Array:
        readout = Readout.parse(one.summary)
        return readout.reduce(runs.times, runs.course(one.arm, readout.name, drug=drug))

    def lookup(one: Reading | Ledger | Given) -> Array:
        if isinstance(one, Ledger):
            return runs.parameter(one.name)
        if isinstance(one, Given):
            return runs.given(one.arm)
        treated = read(one, drug=True)
        return _difference(treated, read(one, drug=False)) if one.effect else treated

    return expressions.evaluate(formula.node, lookup)


def _difference(treated: Array, control: Array) -> Array:
    """Return an effect; what integration cannot tell from nothing is nothing."""
    effect = treated - control
    size = np.maximum(np.abs(treated), np.abs(control))
    return np.where(np.abs(effect) < NOISE * size, 0.0, effect)
