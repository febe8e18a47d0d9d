"""What names stand for in a formula, and what a read-out may be called.

A label is also the name of a read-out's column and of its folder in a store.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ketasim.core.model import Model
from ketasim.errors import ConfigError, suggest
from ketasim.readouts.reduction import KINDS, Kind, Reduction, Window
from ketasim.units import read, split, unit


@dataclass(frozen=True)
class Names:
    """The names a formula may use: those of a model, and of arms where there are any.

    ``declared`` reads a plain number as a level in the name's declared unit.
    """

    model: Model
    arms: Collection[str] | None = None
    declared: bool = False

    def split_arm(self, dotted: str) -> tuple[str | None, str]:
        """Return the arm that a dotted name begins with, and the rest."""
        if self.arms is None:
            return None, dotted
        arm, dot, rest = dotted.partition(".")
        if not dot:
            name = dotted if self.full(dotted) else ""
            raise ConfigError(f'"{dotted}" is not a read-out; write {self.example(name)}.')
        lacking = self.full(dotted.rpartition(".")[0]) is not None
        self.check_arm(arm, f"; write {self._arm}.{dotted}" if lacking else "")
        return arm, rest

    def check_arm(self, arm: str, instead: str = "") -> None:
        """Refuse an arm that is not there."""
        if arm in (self.arms or ()):
            return
        here = ", ".join(sorted(self.arms or ())) or "none"
        hint = suggest(arm, self.arms or ())
        raise ConfigError(f'no arm "{arm}"{instead}.{hint} Arms here: {here}.')

    def plain(self, name: str = "") -> str:
        """Return a read-out of one run as it could be written here."""
        known = (*self.model.short_names, *self.model.recordable, "MECHANISM.NAME")
        return f"{name or known[0]}.at(24 h)"

    def example(self, name: str = "") -> str:
        """Return a read-out as it could be written here, with an arm where there are arms."""
        return self.plain(name) if self.arms is None else f"{self._arm}.{self.plain(name)}"

    @property
    def _arm(self) -> str:
        return next(iter(self.arms or ()), "ARM")

    def full(self, name: str) -> str | None:
        """Return the full name of a time course, itself or by its short name."""
        if name in self.model.recordable:
            return name
        return self.model.short_names.get(name)

    def known(self, name: str) -> str:
        """Return the full name of a time course, or refuse it with the nearest."""
        full = self.full(name)
        if full is None:
            hint = suggest(name, [*self.model.recordable, *self.model.short_names])
            raise ConfigError(f'"{name[:60]}": no such state or quantity.{hint}')
        return full

    def reducer(self, dotted: str) -> tuple[str, Kind]:
        """Return the full name and the reducer of ``name.reducer``."""
        head, _, tail = dotted.rpartition(".")
        if dotted in self.model.recordable or (tail not in KINDS and self.full(dotted)):
            raise ConfigError(f'"{dotted}" needs a reducer; write {self.example(dotted)}.')
        if not head:
            hint = suggest(dotted, [*self.model.recordable, *self.model.short_names])
            raise ConfigError(f'"{dotted[:60]}" is not a read-out; write {self.example()}.{hint}')
        kinds: list[Kind] = [kind for kind in KINDS if kind == tail]
        if kinds:
            return self.known(head), kinds[0]
        if self.full(head) is None:
            self.known(dotted)
        hint = suggest(tail, KINDS) or f" Reducers: {', '.join(KINDS)}."
        raise ConfigError(f'"{head}": no reducer "{tail[:40]}".{hint}')

    def ledger(self, name: str) -> str:
        """Return the declared unit of a parameter, or refuse it with the nearest."""
        if name not in self.model.parameters:
            hint = suggest(name, self.model.parameters)
            raise ConfigError(
                f'"{name[:60]}": no such parameter.{hint} "ketasim list parameters" shows all.'
            )
        return self.model.parameters[name].unit

    def reduction(self, kind: Kind, name: str, given: list[str]) -> Reduction:
        """Return a reducer with its arguments, as they are written, read."""
        reducer, own = KINDS[kind], self.model.unit(name)
        example = reducer.example(kind, own)
        wanted = 1 if reducer.argument else 0
        if len(given) not in (wanted, wanted + 2 * reducer.windowed):
            takes = [f"a {reducer.argument}"] if reducer.argument else []
            takes += ["at most a window of two times"] if reducer.windowed else []
            raise ConfigError(
                f"{kind} takes {', then '.join(takes) or 'no argument'}, not {len(given)} "
                f"argument{'s' * (len(given) != 1)}; write {example}."
            )
        moment = level = None
        if reducer.argument == "moment":
            moment = read(given[0], "h", "time")
        elif reducer.argument:
            level = self._level(given[0], own, reducer.argument)
        return Reduction(kind, name, moment, level, _window(given[wanted:]))

    def _level(self, text: str, own: str, word: str) -> float:
        """Return a level in its canonical unit, so exact that its printed form reads back to it."""
        number, have = split(text, word)
        if self.declared and have == "1":
            text, have = f"{number!r} {own}", own
        read(text, own, word)
        return number * unit(have).factor


def _window(given: list[str]) -> Window | None:
    if not given:
        return None
    begin, end = (read(text, "h", "time") for text in given)
    if not begin < end:
        raise ConfigError(f"its window is empty, {given[0]} to {given[1]}.")
    return begin, end


BOOKKEEPING = ("time", "member", "status", "steps", "rtol")
_VALID = re.compile(r"[\w.()+\-, %@]{1,200}")


def split_list(text: str) -> list[str]:
    """Split at the commas that stand outside brackets; empty parts are left out."""
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    return [part.strip() for part in (*parts, text[begin:]) if part.strip()]


def label_of(text: str) -> str:
    """Return the label of a formula without one: a slash would make two folders of it."""
    plain = re.sub(r"\s*/\s*", " per ", text.strip())
    plain = re.sub(r"\s*\*\s*", " times ", plain).strip()
    return re.sub(r"\s*,\s*", ",", re.sub(r"\(\s*|\s*\)", lambda m: m[0].strip(), plain))


def check_labels(labels: Iterable[str], *, taken: Iterable[str] = ()) -> None:
    """Refuse labels that cannot name a column of a store, or that name another one already.

    Parameters
    ----------
    labels
        What the read-outs are called.
    taken
        Names that stand for something else there: varied parameters, coordinates, recorded time
        courses. Bookkeeping columns (``time``, ``member``, ``status``, ``steps``, ``rtol``) are
        always among them.

    Raises
    ------
    ConfigError
        When a label is not valid, is taken, or stands twice; the sentence says how to rename it.
    """
    others, seen = {*BOOKKEEPING, *taken}, set[str]()
    for label in labels:
        shown = label.strip()[:60]
        if not _VALID.fullmatch(label) or label.strip(".") != label:
            raise ConfigError(f'"{shown}" cannot name a read-out; name it: x = ...')
        if label in others:
            raise ConfigError(
                f'"{shown}" is the name of something else there; call the read-out otherwise: '
                "x = ..."
            )
        if label in seen:
            raise ConfigError(f'two read-outs are called "{shown}"; name one otherwise: x = ...')
        seen.add(label)
