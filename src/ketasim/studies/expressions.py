"""Read-outs as small formulas over the arms of an experiment, read by a parser of our own.

A formula holds numbers, ``+ - * / ( )``, ``abs(x)``, ``min(x, y)``, ``max(x, y)`` and

- ``nbqx.outcome.mood.at(24 h)``: a summary of a recorded name in the arm ``nbqx``;
- ``effect(nbqx, outcome.mood.at(24 h))``: the same, less what that arm shows without the drug;
- ``parameter(nmda.k_s)``: a ledger value in its declared unit; ``given(arm)``: the dose [umol].

Nothing in a formula is ever run as code.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError

MAX_LENGTH, MAX_DEPTH = 2000, 50
Array = NDArray[np.float64]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<mark>[-+*/(),]))"
)
_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "abs": (1, np.abs),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}


@dataclass(frozen=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True)
class Reading:
    """A summary (``'outcome.mood.at(24 h)'``) of an arm; ``effect`` takes off the undrugged arm."""

    arm: str
    summary: str
    effect: bool = False


@dataclass(frozen=True)
class Ledger:
    """A parameter's value, in its declared unit."""

    name: str


@dataclass(frozen=True)
class Given:
    """The drug given in an arm [umol]."""

    arm: str


@dataclass(frozen=True)
class Operation:
    """A function of other nodes."""

    function: Callable[..., Any]
    operands: tuple["Node", ...]


Node = Number | Reading | Ledger | Given | Operation
Lookup = Callable[[Reading | Ledger | Given], Array]


def parse(text: str, where: str = "value") -> Node:
    """Read a formula.

    Raises
    ------
    ConfigError
        When it is too long, too deep, or not a formula; the message shows the place.
    """
    if len(text) > MAX_LENGTH:
        raise ConfigError(f"{where}: {len(text)} characters; a formula has at most {MAX_LENGTH}.")
    return _Parser(text, where).whole()


def readings(node: Node) -> Iterator[Reading | Ledger | Given]:
    """Yield everything a formula looks up."""
    if isinstance(node, Operation):
        for one in node.operands:
            yield from readings(one)
    elif not isinstance(node, Number):
        yield node


def evaluate(node: Node, lookup: Lookup) -> Array:
    """Return the value of a formula, shape as ``lookup`` gives; 0/0 is nan."""
    if isinstance(node, Number):
        return np.asarray(node.value)
    if isinstance(node, Operation):
        operands = [evaluate(one, lookup) for one in node.operands]
        with np.errstate(all="ignore"):
            return np.asarray(node.function(*operands), dtype=float)
    return lookup(node)


class _Parser:
    """Recursive descent over one formula; it lives no longer than its call."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where, self.at, self.depth = text, where, 0, 0

    def refuse(self, wanted: str) -> ConfigError:
        here = self.text[self.at : self.at + 20] or "the end"
        return ConfigError(f'{self.where}: in "{self.text[:80]}": {wanted} before "{here}".')

    def peek(self) -> tuple[str, str]:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            if self.text[self.at :].strip():
                raise self.refuse("a number, a name or an operator is needed")
            return "end", ""
        kind = str(match.lastgroup)
        return kind, match[kind]

    def take(self, *wanted: str) -> str:
        kind, token = self.peek()
        if token not in wanted and kind not in wanted:
            raise self.refuse(f"{' or '.join(wanted)} is needed")
        match = _TOKEN.match(self.text, self.at)
        self.at = match.end() if match else len(self.text)
        return token

    def whole(self) -> Node:
        node = self.sum()
        if self.peek()[0] != "end":
            raise self.refuse("an operator is needed")
        return node

    def sum(self) -> Node:
        return self.chain(("+", "-"), lambda: self.chain(("*", "/"), self.factor))

    def chain(self, marks: tuple[str, ...], part: Callable[[], Node]) -> Node:
        functions = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
        node = part()
        while self.peek()[1] in marks:
            node = Operation(functions[self.take(*marks)], (node, part()))
        return node

    def factor(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConfigError(f"{self.where}: nested too deeply; at most {MAX_DEPTH} levels.")
        node = self.plain_factor()
        self.depth -= 1
        return node

    def plain_factor(self) -> Node:
        kind, token = self.peek()
        if token == "-":
            self.take("-")
            return Operation(np.negative, (self.factor(),))
        if kind == "number":
            return Number(float(self.take("number")))
        if token == "(":
            self.take("(")
            node = self.sum()
            self.take(")")
            return node
        name = self.take("name")
        return self.named(name)

    def named(self, name: str) -> Node:
        if name in _FUNCTIONS:
            count, function = _FUNCTIONS[name]
            return Operation(function, self.operands(count))
        if name in ("parameter", "given"):
            self.take("(")
            inner = self.take("name")
            self.take(")")
            return Ledger(inner) if name == "parameter" else Given(inner)
        if name == "effect":
            self.take("(")
            arm = self.take("name")
            self.take(",")
            summary = self.summary(self.take("name"))
            self.take(")")
            return Reading(arm, summary, effect=True)
        arm, dot, rest = name.partition(".")
        if not dot:
            raise self.refuse(f'"{name}" is not a read-out; write arm.name.at(24 h)')
        return Reading(arm, self.summary(rest))

    def operands(self, count: int) -> tuple[Node, ...]:
        self.take("(")
        found = [self.sum()]
        for _ in range(count - 1):
            self.take(",")
            found.append(self.sum())
        self.take(")")
        return tuple(found)

    def summary(self, name: str) -> str:
        """Take the arguments of a summary as they are written, e.g. ``(0 h, 4 h)``."""
        if self.peek()[1] != "(":
            return name
        close = self.text.find(")", self.at)
        if close < 0:
            raise self.refuse('a closing ")" is needed')
        arguments = self.text[self.at : close + 1].strip()
        self.at = close + 1
        return name + arguments
