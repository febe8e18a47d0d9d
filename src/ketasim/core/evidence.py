"""Where a number comes from: measured, fitted, derived, or honestly assumed."""

from dataclasses import dataclass
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
