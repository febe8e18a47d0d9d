"""Summaries as text: ``spines.density.at(24h)``, ``glutamate.relative.auc(0h, 4h)``, and ratios.

A summary is a recorded name, a dot, and one of ``at(t)``, ``peak``, ``t_peak``, ``trough``,
``t_trough``, ``auc``, ``mean`` (each but ``at`` optionally over a window, ``peak(0h, 4h)``),
``above(x)``, ``below(x)``, ``time_to(x)``. Summaries and numbers may be joined with ``+ - * /`` and
brackets, and named: ``fold = spines.density.at(24h) / spines.density.at(0h)``. The text is read by
a parser of our own; nothing in it is ever run as code.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.scenario import clock
from ketasim.errors import ConfigError
from ketasim.studies import measures
from ketasim.studies.formula import LEVELLED, WINDOWED, Atom, Node, parse, split_list

Array = NDArray[np.float64]

MAX_LENGTH, MAX_SUMMARIES = 2000, 1000


@dataclass(frozen=True)
class Summary:
    """A summary ready to be computed: its label, the text it came from, its unit."""

    label: str
    text: str
    unit: str
    node: Node

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Return every measure in it."""
        return tuple(_atoms(self.node))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the recorded names it needs."""
        return tuple(dict.fromkeys(one.name for one in self.atoms))

    @property
    def moments(self) -> tuple[float, ...]:
        """Return the times [h] that must be among the output times."""
        found: set[float] = set()
        for one in self.atoms:
            found.update(one.window or ())
            found.update(() if one.moment is None else (one.moment,))
        return tuple(sorted(found))

    def compute(self, times: Array, series: Mapping[str, Array]) -> Array:
        """Return the summary of each member, (n_members,) in ``unit``.

        Parameters
        ----------
        times
            Output times [h], among them all of ``moments``.
        series
            Names to values (n_members, n_times) in declared units.
        """
        n = len(next(iter(series.values())))
        with np.errstate(all="ignore"):
            return np.broadcast_to(_evaluate(self.node, times, series), n).astype(float)


def read(text: str, model: Model) -> Summary:
    """Read one summary.

    Raises
    ------
    ConfigError
        When a name or measure is not known, or the text is not a summary.
    UnitError
        When a time or level lacks its unit, or unlike things are added.
    """
    if len(text) > MAX_LENGTH:
        raise ConfigError(f"summary: {len(text)} characters; at most {MAX_LENGTH}.")
    label, equals, formula = text.rpartition("=")
    node = parse(formula, model)
    if not any(True for _ in _atoms(node)):
        raise ConfigError(f'summary "{text[:60]}": no recorded name in it.')
    return Summary(_label(label if equals else formula), formula.strip(), node.unit, node)


def read_all(texts: Iterable[str], model: Model) -> tuple[Summary, ...]:
    """Read several summaries; a text may hold several with commas between them.

    Raises
    ------
    ConfigError, UnitError
        When one cannot be read, or two have the same label.
    """
    found = [read(part, model) for text in texts for part in split_list(text)]
    if len(found) > MAX_SUMMARIES:
        raise ConfigError(f"{len(found)} summaries; at most {MAX_SUMMARIES}.")
    seen: set[str] = set()
    for one in found:
        if one.label in seen:
            raise ConfigError(f'two summaries are called "{one.label}"; name one: x = ...')
        seen.add(one.label)
    return tuple(found)


def _label(text: str) -> str:
    """Return a name that may also be a folder's: a slash would make two of it."""
    plain = re.sub(r"\s*/\s*", " per ", text.strip())
    plain = re.sub(r"\s*\*\s*", " times ", plain).strip()
    plain = re.sub(r"\s*,\s*", ",", re.sub(r"\(\s*|\s*\)", lambda m: m[0].strip(), plain))
    if not re.fullmatch(r"[\w.()+\-, %]{1,200}", plain) or plain.strip(".") != plain:
        raise ConfigError(f'"{text.strip()[:60]}" cannot name a summary; name it: x = ...')
    return plain


def _atoms(node: Node) -> Iterator[Atom]:
    if node.atom is not None:
        yield node.atom
    for part in node.parts:
        yield from _atoms(part)


def _evaluate(node: Node, times: Array, series: Mapping[str, Array]) -> Array:
    if node.atom is not None:
        return _measure(node.atom, times, series[node.atom.name])
    if not node.parts:
        return np.asarray(node.value)
    parts = [_evaluate(part, times, series) for part in node.parts]
    return node.value * np.asarray(_JOIN[node.mark](*parts))


_JOIN: Mapping[str, Callable[..., Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "neg": np.negative,
    "scale": lambda x: x,
}


def _measure(atom: Atom, times: Array, values: Array) -> Array:
    if atom.moment is not None:
        return measures.at(times, values, atom.moment)
    if atom.level is not None:
        return LEVELLED[atom.measure](times, values, atom.level)
    measure = WINDOWED[atom.measure][0]
    if atom.window is None:
        return measure(times, values)
    first, last = np.searchsorted(times, atom.window)
    return measure(times[first : last + 1], values[:, first : last + 1])


def check_moments(summaries: Iterable[Summary], begin: float, end: float) -> None:
    """Refuse a summary of a time outside the run.

    Raises
    ------
    ConfigError
        When a time lies before ``begin`` or after ``end`` [h].
    """
    for one in summaries:
        for moment in one.moments:
            if not begin <= moment <= end:
                raise ConfigError(
                    f'summary "{one.text}": {clock(moment)} lies outside the run, which goes from '
                    f"{clock(begin)} to {clock(end)}."
                )
