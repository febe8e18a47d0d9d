"""The kinds of values in compiled code: numbers, truth values, addresses, and tuples of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from ketasim.errors import ModelError

REAL, WHOLE, TRUTH = ir.DoubleType(), ir.IntType(64), ir.IntType(1)
STORED = {"f8": REAL, "i8": WHOLE, "i1": ir.IntType(8)}
ORDER = (TRUTH, WHOLE, REAL)  # a kind is turned into a later one where both meet
JOB = "job"  # the table of addresses and counts, which is handed on by its name


@dataclass(frozen=True)
class Pointer:
    """An address of numbers of a kind ('f8', 'i8' or 'i1')."""

    kind: str

    @property
    def type(self) -> Any:
        """Return the type of the address."""
        return STORED[self.kind].as_pointer()


Kind = Any  # one of REAL, WHOLE, TRUTH, a Pointer, JOB, or a tuple of kinds


@dataclass(frozen=True)
class Value:
    """A number or address, or a tuple of such."""

    kind: Kind
    code: Any

    @property
    def parts(self) -> "Sequence[Value]":
        """Return a tuple's entries."""
        return [Value(kind, code) for kind, code in zip(self.kind, self.code, strict=True)]


@dataclass(frozen=True)
class Place:
    """Where a name keeps what it stands for: a slot, or the slots of a tuple one after another."""

    kind: Kind
    slot: Any


def flat(kinds: Sequence[Kind]) -> Iterator[Any]:
    """Yield the types of what is handed on for arguments of some kinds."""
    for kind in kinds:
        if isinstance(kind, tuple):
            yield from flat(kind)
        else:
            yield type_of(kind)


def type_of(kind: Kind) -> Any:
    """Return LLVM's type of values of a kind."""
    if isinstance(kind, tuple):
        return ir.LiteralStructType([type_of(one) for one in kind])
    if kind == JOB:
        return WHOLE.as_pointer()
    return kind.type if isinstance(kind, Pointer) else kind


def joined(one: Kind, other: Kind) -> Kind:
    """Return the kind that values of two kinds both have."""
    if one == other or other is None:
        return one
    if one is None:
        return other
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return tuple(joined(a, b) for a, b in zip(one, other, strict=True))
    if one in ORDER and other in ORDER:
        return max(one, other, key=ORDER.index)
    raise ModelError(f"compiled code: a name stands for {one} and for {other}.")
