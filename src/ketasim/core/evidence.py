"""Where a number comes from: measured, fitted, derived, or honestly assumed."""

from dataclasses import dataclass
from math import inf
from typing import Literal

Kind = Literal["measured", "fitted", "derived", "assumed"]


@dataclass(frozen=True)
class Evidence:
    """The standing of one number: its kind, a note, and the reference keys it rests on."""

    kind: Kind
    note: str
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line for tables."""
        sources = f" [{', '.join(self.keys)}]" if self.keys else ""
        return f"{self.kind}: {self.note}{sources}"


def measured(note: str, *keys: str) -> Evidence:
    """A published measurement; ``keys`` are entries of ``references.bib``."""
    return Evidence("measured", note, keys)


def fitted(note: str, *keys: str) -> Evidence:
    """Adjusted so that the model meets the named targets."""
    return Evidence("fitted", note, keys)


def derived(note: str, *keys: str) -> Evidence:
    """Computed from other published numbers; the note says how."""
    return Evidence("derived", note, keys)


def assumed(why: str) -> Evidence:
    """Nobody has measured it, or we have not found it; the note says why this value."""
    return Evidence("assumed", why)


EndKind = Literal["source", "test", "limit", "chosen", "no source"]


@dataclass(frozen=True)
class End:
    """What one end of a parameter's bounds rests on.

    ``source``: an extreme that a source states, rounded outwards; ``test``: moved, or kept, so that
    a demand on the model holds for every draw; ``limit``: the number cannot lie beyond it;
    ``chosen``: set by who asks; ``no source``: nothing that was read says so.
    """

    kind: EndKind = "no source"
    note: str = ""
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the kind and the note, for tables."""
        sources = f" [{', '.join(self.keys)}]" if self.keys else ""
        return f"{self.kind}{f': {self.note}' if self.note else ''}{sources}"


@dataclass(frozen=True)
class Seen:
    """The range over which sources that were read disagree, in the parameter's own unit."""

    low: float
    high: float
    note: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grounds:
    """What a parameter's bounds rest on; an end that is not given rests on nothing that was read.

    ``seen`` is the range over sources where there are several; ``most`` the greatest value there
    can be, such as 1 for a share; ``least`` the least, such as 1 for a fold that a rise reaches.
    """

    low: End | None = None
    high: End | None = None
    seen: Seen | None = None
    most: float = inf
    least: float = -inf


UNREAD = Grounds()


def by_source(note: str, *keys: str) -> End:
    """Return an end that a source states; ``keys`` are entries of ``references.bib``."""
    return End("source", note, keys)


def by_test(why: str) -> End:
    """Return an end that was moved, or is kept, so that the model does what is asked of it."""
    return End("test", why)


def unsourced(note: str) -> End:
    """Return an end without a source, of which something is still to be told."""
    return End("no source", note)


def seen(low: float, high: float, note: str, *keys: str) -> Seen:
    """Return the range over which sources that were read disagree."""
    return Seen(low, high, note, keys)
