"""What is read in a finding: a read-out over its arms, or what is left of one; and its number.

The language is that of :mod:`ketasim.readouts`. An effect is what an arm shows less what it shows
without the drug; a share is what is left of one.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.readouts import Lookup, Reading, Readout
from ketasim.readouts import parse as parse_readout

Array = NDArray[np.float64]
NOISE = 1e-5  # ten times the relative tolerance of a run
NOTHING = 0.01  # a smaller whole effect leaves nothing of which a share could be left


@dataclass(frozen=True)
class Formula:
    """One number of a finding: a read-out, or its share of a ``whole``.

    The number is taken as it comes out in the read-out's own unit; a finding's unit only says what
    that is, as ``60 * ketamine.x.y.t_peak`` is in min.
    """

    part: Readout
    whole: Readout | None = None

    @property
    def text(self) -> str:
        """Return it as it was written."""
        return self.part.text if self.whole is None else f"{self.part.text} of {self.whole.text}"

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """Return everything that is looked up, each once."""
        more = () if self.whole is None else self.whole.lookups
        return tuple(dict.fromkeys((*self.part.lookups, *more)))

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Return what is read of the arms' runs."""
        return tuple(one for one in self.lookups if isinstance(one, Reading))

    @property
    def moments(self) -> tuple[float, ...]:
        """Return the times [h] that runs must reach, in order."""
        return tuple(sorted({t for one in self.readings for t in one.reduction.moments}))

    def evaluate(self, lookup: Callable[[Lookup], Array]) -> Array:
        """Return its value; nan where there is no such number, as where 0 is divided by 0.

        Parameters
        ----------
        lookup
            Gives the canonical value of a reading, a parameter or a dose, shape (n_draws,) or ().
        """
        part = self.part.evaluate(lookup)
        if self.whole is None:
            return part
        whole = self.whole.evaluate(lookup)
        with np.errstate(all="ignore"):
            return np.where(np.abs(whole) < NOTHING, np.nan, part / whole)


def parse(text: str, *, model: Model, arms: Collection[str], where: str = "value") -> Readout:
    """Read a formula over arms and make sure that everything in it exists.

    Parameters
    ----------
    text
        As ``"effect(nbqx, outcome.mood.at(24 h))"``; names may be short.
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
    return parse_readout(text, model, arms=arms, where=where, bare="declared")


def difference(treated: Array, control: Array) -> Array:
    """Return an effect; what integration cannot tell from nothing is nothing."""
    effect = treated - control
    size = np.maximum(np.abs(treated), np.abs(control))
    return np.where(np.abs(effect) < NOISE * size, 0.0, effect)
