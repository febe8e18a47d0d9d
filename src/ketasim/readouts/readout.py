"""A read-out: a label, a formula, its unit; read from text, computed from look-ups."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Literal

import numpy as np

from ketasim.core.model import Model
from ketasim.core.scenario import clock
from ketasim.core.shared import remembered
from ketasim.errors import ConfigError
from ketasim.readouts import grammar, nodes
from ketasim.readouts.names import Names, check_labels, label_of, split_list
from ketasim.readouts.nodes import Array, Lookup, Node, Reading
from ketasim.readouts.reduction import Reduction
from ketasim.units import unit

MAX_READOUTS = 1000
READ = 4 * MAX_READOUTS  # that are remembered of models with the same names
Bare = Literal["refuse", "declared"]


@dataclass(frozen=True)
class Readout:
    """A formula ready to be computed: its label, the text it came from, the unit of its value."""

    label: str
    text: str
    unit: str
    node: Node

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """Return what a run or a model must answer, each once, in the order of the text."""
        return tuple(dict.fromkeys(nodes.lookups(self.node)))

    @property
    def reductions(self) -> tuple[Reduction, ...]:
        """Return the reductions of time courses, each once."""
        found = (one.reduction for one in self.lookups if isinstance(one, Reading))
        return tuple(dict.fromkeys(found))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the full names of the time courses it needs, each once."""
        return tuple(dict.fromkeys(one.name for one in self.reductions))

    @property
    def moments(self) -> tuple[float, ...]:
        """Return the times [h] that a run must reach, in order."""
        return tuple(sorted({moment for one in self.reductions for moment in one.moments}))

    def evaluate(self, lookup: Callable[[Lookup], Array]) -> Array:
        """Return the value in ``unit``; 0/0 is nan, and nothing warns.

        Parameters
        ----------
        lookup
            Gives the value of a reading, a ledger value or a given amount of drug in its
            canonical unit, (n_members,) or one number; it is asked once for each.

        Returns
        -------
        Array
            Shape (n_members,), or () when every look-up gives one number.
        """
        known = {one: np.asarray(lookup(one), dtype=float) for one in self.lookups}
        with np.errstate(all="ignore"):
            return np.asarray(nodes.value(self.node, known) / unit(self.unit).factor)

    def written(self, model: Model) -> str:
        """Return the formula in full names and canonical units.

        Read with ``bare="refuse"``, it gives the same node.
        """
        return nodes.written(self.node, model)


def parse(
    text: str,
    model: Model,
    *,
    arms: Collection[str] | None = None,
    where: str = "read-out",
    bare: Bare = "refuse",
) -> Readout:
    """Read one read-out, ``formula`` or ``label = formula``.

    Parameters
    ----------
    text
        The read-out; see :mod:`ketasim.readouts.grammar`.
    model
        What the names in it stand for.
    arms
        Names of the arms of an experiment; None for a single scenario, whose formulas name none.
    where
        What the text is, for messages: each begins with it.
    bare
        What a plain number means beside something with a unit. ``'refuse'``: it lacks its unit.
        ``'declared'``, for findings: it is in the declared unit of what it is added to, compared
        with or a level of, and a product or quotient has the units of its parts.

    Raises
    ------
    ConfigError
        When the text is no read-out, a name, arm or reducer is not known, or a label is not valid.
    UnitError
        When a unit is missing or unknown, or unlike things are added.
    """
    label, equals, formula = text.rpartition("=")
    names = Names(model, None if arms is None else tuple(arms), declared=bare == "declared")
    typed = grammar.read(formula, names, where)
    found = Readout(label_of(label if equals else formula), formula.strip(), typed.unit, typed.node)
    if bare == "refuse" and not found.lookups:
        raise ConfigError(f'{where}: "{text.strip()[:60]}": no name of a time course in it.')
    if equals:
        _check_labels([found], where)
    return found


def parse_all(
    texts: Iterable[str], model: Model, *, where: str = "read-out"
) -> tuple[Readout, ...]:
    """Read the read-outs of a single scenario; a text may hold several with commas between.

    Raises
    ------
    ConfigError, UnitError
        As :func:`parse`; also when two have the same label, one has none that can name a column,
        or there are more than 1000.
    """
    parts = [part for text in texts for part in split_list(text)]
    if len(parts) > MAX_READOUTS:
        raise ConfigError(f"{where}: {len(parts)} read-outs; at most {MAX_READOUTS}.")
    read = remembered(
        model.mechanisms, parse_all, lambda: lru_cache(READ)(partial(parse, model=model))
    )
    found = tuple(read(part, where=where) for part in parts)
    _check_labels(found, where)
    return found


def _check_labels(found: Iterable[Readout], where: str) -> None:
    try:
        check_labels(one.label for one in found)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def check_moments(
    readouts: Iterable[Readout], begin: float, end: float, *, where: str = "read-out"
) -> None:
    """Refuse a read-out of a time outside the run.

    Raises
    ------
    ConfigError
        When a time lies before ``begin`` or after ``end`` [h].
    """
    for one in readouts:
        for moment in one.moments:
            if not begin <= moment <= end:
                raise ConfigError(
                    f'{where}: "{one.text[:80]}": {clock(moment)} lies outside the run, which '
                    f"goes from {clock(begin)} to {clock(end)}."
                )
