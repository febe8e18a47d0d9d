"""What a formula is made of: numbers, look-ups, and what joins them; plain data that pickles.

A look-up is something only a run or a model can answer: a :class:`Reading` of a time course, a
:class:`Ledger` value, the drug :class:`Given`. Values are in canonical units throughout. A sum or
product of any length is one flat node, so that depth grows with brackets only.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.readouts.reduction import Reduction, with_unit
from ketasim.units import unit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """A number as it is written, with its unit."""

    value: float
    unit: str = "1"


@dataclass(frozen=True)
class Reading:
    """A reduction in an arm (none in a single scenario); an effect is less the undrugged run."""

    arm: str | None
    reduction: Reduction
    effect: bool = False


@dataclass(frozen=True)
class Ledger:
    """A parameter's value, by full name."""

    name: str


@dataclass(frozen=True)
class Given:
    """The drug given in an arm [umol]."""

    arm: str


@dataclass(frozen=True)
class Chain:
    """Operands joined by ``marks``: of ``+`` and ``-``, or of ``*`` and ``/``, one fewer."""

    operands: tuple["Node", ...]
    marks: str


@dataclass(frozen=True)
class Call:
    """A function of other nodes: ``neg`` (a sign in front), ``abs``, ``min`` or ``max``."""

    function: str
    operands: tuple["Node", ...]


Lookup = Reading | Ledger | Given
Node = Number | Lookup | Chain | Call

FUNCTIONS: Mapping[str, int] = {"abs": 1, "min": 2, "max": 2}
_COMPUTE: Mapping[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
    "neg": np.negative, "abs": np.abs, "min": np.minimum, "max": np.maximum,
}  # fmt: skip


def lookups(node: Node) -> Iterator[Lookup]:
    """Yield every look-up of a formula, in the order of its text."""
    if isinstance(node, Chain | Call):
        for operand in node.operands:
            yield from lookups(operand)
    elif not isinstance(node, Number):
        yield node


def value(node: Node, known: Mapping[Lookup, Array]) -> Array:
    """Return a formula's value in its canonical unit, with the look-ups' values at hand."""
    if isinstance(node, Number):
        return np.asarray(node.value * unit(node.unit).factor)
    if isinstance(node, Call):
        operands = [value(operand, known) for operand in node.operands]
        return np.asarray(_COMPUTE[node.function](*operands))
    if isinstance(node, Chain):
        total = value(node.operands[0], known)
        for mark, operand in zip(node.marks, node.operands[1:], strict=True):
            total = np.asarray(_COMPUTE[mark](total, value(operand, known)))
        return total
    return known[node]


def written(node: Node, model: Model) -> str:
    """Return a formula as text in full names and canonical units, which reads back to the node.

    It is to be read with ``bare="refuse"``, where a number without unit is just that.
    """
    if isinstance(node, Number):
        return with_unit(node.value, node.unit)
    if isinstance(node, Reading):
        return _reading(node, model)
    if isinstance(node, Ledger):
        return f"parameter({node.name})"
    if isinstance(node, Given):
        return f"given({node.arm})"
    parts = [
        f"({written(operand, model)})" if _loose(operand, node) else written(operand, model)
        for operand in node.operands
    ]
    if isinstance(node, Chain):
        rest = (f" {mark} {part}" for mark, part in zip(node.marks, parts[1:], strict=True))
        return "".join([parts[0], *rest])
    return f"-{parts[0]}" if node.function == "neg" else f"{node.function}({', '.join(parts)})"


def _loose(inner: Node, outer: Node) -> bool:
    """Return whether an operand needs brackets where it stands."""
    if not isinstance(inner, Chain):
        return False
    if isinstance(outer, Chain):
        return inner.marks[0] in "+-" or outer.marks[0] in "*/"
    return isinstance(outer, Call) and outer.function == "neg"


def _reading(one: Reading, model: Model) -> str:
    text = one.reduction.written(model)
    if not one.effect:
        return text if one.arm is None else f"{one.arm}.{text}"
    return f"effect({text})" if one.arm is None else f"effect({one.arm}, {text})"


def in_no_arm(node: Node) -> Node:
    """Return a formula over one arm as that of a single scenario."""
    if isinstance(node, Reading):
        return replace(node, arm=None)
    if isinstance(node, Chain | Call):
        return replace(node, operands=tuple(in_no_arm(one) for one in node.operands))
    return node
