"""The grammar of read-outs, read by recursive descent; nothing in a text is ever run as code.

    sum      = product { ("+" | "-") product }
    product  = factor { ("*" | "/") factor }
    factor   = "-" factor | "(" sum ")" | number [unit] | function | reading
    function = "abs(" sum ")" | ("min" | "max") "(" sum "," sum ")"
             | "parameter(" name ")" | "given(" arm ")" | "effect(" [arm ","] timed ")"
    reading  = [arm "."] timed
    timed    = name "." reducer [ "(" arguments ")" ] | name "@" time

A unit follows its number (``5 ng/mL``, ``24h``, ``2 1/h``) and goes on over ``/unit`` or ``*unit``
only without blanks around the sign, and only while what follows are units.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from ketasim.errors import ConfigError, KetasimError, UnitError
from ketasim.readouts.names import Names, split_list
from ketasim.readouts.nodes import FUNCTIONS, Call, Chain, Given, Ledger, Node, Number, Reading
from ketasim.readouts.reduction import composed, product, tidy
from ketasim.units import dimension_name, unit

MAX_LENGTH, MAX_DEPTH = 2000, 50
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{_NUMBER})|(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)|(?P<mark>[-+*/(),@]))"
)
_UNIT = r"(?:70kg|[^\W\d_]+|%)(?:\^-?[1-9])?(?![\w.(@^])"
_FIRST = re.compile(rf"\s*(?P<unit>1/{_UNIT}|{_UNIT})")
_FURTHER = re.compile(rf"[*/]{_UNIT}")


@dataclass(frozen=True)
class Typed:
    """A node with the unit of its value; ``bare`` when it is made of plain numbers only."""

    node: Node
    unit: str
    bare: bool = False


def read(text: str, names: Names, where: str) -> Typed:
    """Read one formula.

    Raises
    ------
    ConfigError
        When it is too long, too deep or no formula, or a name is not known.
    UnitError
        When a unit is missing or unknown, or unlike things are added. Messages begin with
        ``where`` and show the text.
    """
    try:
        if len(text) > MAX_LENGTH:
            raise ConfigError(f"{len(text)} characters; at most {MAX_LENGTH}.")
        return _Parser(text, names).whole()
    except KetasimError as error:
        raise type(error)(f'{where}: "{text.strip()[:80]}": {error}') from None


class _Parser:
    """Recursive descent over one formula; it lives no longer than its call."""

    def __init__(self, text: str, names: Names) -> None:
        self.text, self.names, self.at, self.depth = text, names, 0, 0

    def refuse(self, wanted: str) -> ConfigError:
        here = self.text[self.at : self.at + 20].strip() or "the end"
        return ConfigError(f'{wanted} before "{here}".')

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
            shown = " or ".join(f'"{one}"' if len(one) == 1 else f"a {one}" for one in wanted)
            closing = "a closing " if wanted == (")",) else ""
            raise self.refuse(f"{closing}{shown} is needed")
        match = _TOKEN.match(self.text, self.at)
        self.at = match.end() if match else len(self.text)
        return token

    def whole(self) -> Typed:
        found = self.sum()
        if self.peek()[0] != "end":
            raise self.refuse("an operator is needed")
        return found

    def sum(self) -> Typed:
        parts, marks = self.chain("+-", self.product)
        if not marks:
            return parts[0]
        alike, units = self.alike(parts, "added")
        return Typed(Chain(alike, marks), units, all(part.bare for part in parts))

    def product(self) -> Typed:
        parts, marks = self.chain("*/", self.factor)
        units = parts[0].unit
        joined = composed if self.names.declared else product
        for mark, part in zip(marks, parts[1:], strict=True):
            units = joined(mark, units, part.unit)
        unit(units)
        nodes = tuple(part.node for part in parts)
        bare = all(part.bare for part in parts)
        return Typed(Chain(nodes, marks), units, bare) if marks else parts[0]

    def chain(self, either: str, part: Callable[[], Typed]) -> tuple[list[Typed], str]:
        parts, marks = [part()], ""
        while self.peek()[1] in tuple(either):
            marks += self.take(*either)
            parts.append(part())
        return parts, marks

    def alike(self, parts: list[Typed], joined: str) -> tuple[tuple[Node, ...], str]:
        """Return parts of one dimension, and their unit: that of the first that has one."""
        first = next((part for part in parts if not part.bare), parts[0])
        if not self.names.declared:
            first = parts[0]
        nodes = []
        for part in parts:
            if self.names.declared and part.bare and not first.bare:
                nodes.append(_with_unit(part.node, tidy(first.unit)))
                continue
            if unit(part.unit).dimension != unit(first.unit).dimension:
                raise _unlike(first, part, joined)
            nodes.append(part.node)
        return tuple(nodes), first.unit

    def factor(self) -> Typed:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConfigError(f"nested too deeply; at most {MAX_DEPTH} levels.")
        found = self.plain_factor()
        self.depth -= 1
        return found

    def plain_factor(self) -> Typed:
        kind, token = self.peek()
        if token == "-":
            self.take("-")
            inner = self.factor()
            return Typed(Call("neg", (inner.node,)), inner.unit, inner.bare)
        if token == "(":
            self.take("(")
            found = self.sum()
            self.take(")")
            return found
        if kind == "number":
            return self.number()
        if kind != "name":
            raise self.refuse("a number or a name is needed")
        return self.named(self.take("name"))

    def number(self) -> Typed:
        amount = float(self.take("number"))
        if not isfinite(amount):
            raise ConfigError("too large a number to compute with.")
        units = self.units()
        if units is None:
            return Typed(Number(amount), "1", bare=True)
        unit(units, f"{amount:g}")
        return Typed(Number(amount, units), units)

    def units(self) -> str | None:
        """Take the unit that follows a number, if one does."""
        match = _FIRST.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        found = match["unit"]
        while further := _FURTHER.match(self.text, self.at):
            if not _is_unit(further[0][1:]):
                break
            found, self.at = found + further[0], further.end()
        return found

    def named(self, name: str) -> Typed:
        if self.peek()[1] != "(" or "." in name:
            arm, timed = self.names.split_arm(name)
            return self.reading(arm, timed)
        if name in FUNCTIONS:
            return self.function(name)
        if name in ("parameter", "given"):
            self.take("(")
            inner = self.take("name")
            self.take(")")
            return self.ledger(inner) if name == "parameter" else self.given(inner)
        if name == "effect":
            return self.effect()
        raise ConfigError(f'"{name[:60]}" is not a read-out; write {self.names.example()}.')

    def function(self, name: str) -> Typed:
        self.take("(")
        parts = [self.sum()]
        for _ in range(FUNCTIONS[name] - 1):
            self.take(",")
            parts.append(self.sum())
        self.take(")")
        nodes, units = self.alike(parts, "compared")
        return Typed(Call(name, nodes), units, all(part.bare for part in parts))

    def ledger(self, name: str) -> Typed:
        return Typed(Ledger(name), self.names.ledger(name))

    def given(self, arm: str) -> Typed:
        if self.names.arms is None:
            raise ConfigError("given(arm) belongs to an experiment; there are no arms here.")
        self.names.check_arm(arm)
        return Typed(Given(arm), "umol")

    def effect(self) -> Typed:
        self.take("(")
        arm, timed = None, self.take("name")
        if self.names.arms is not None:
            arm = timed
            self.names.check_arm(arm.partition(".")[0])
            if arm not in self.names.arms or self.peek()[1] != ",":
                raise ConfigError(
                    f'"{arm[:60]}" names no arm alone; write effect(ARM, {self.names.plain()}).'
                )
            self.take(",")
            timed = self.take("name")
        elif self.peek()[1] == ",":
            raise ConfigError(f"there are no arms here; write effect({self.names.plain()}).")
        found = self.reading(arm, timed, effect=True)
        self.take(")")
        return found

    def reading(self, arm: str | None, timed: str, *, effect: bool = False) -> Typed:
        """Take what follows ``name.reducer`` or ``name``: arguments, or ``@`` and a time."""
        if self.peek()[1] == "@":
            self.take("@")
            reduction = self.names.reduction("at", self.names.known(timed), [self.moment()])
        else:
            name, kind = self.names.reducer(timed)
            reduction = self.names.reduction(kind, name, self.arguments())
        units = reduction.declared_unit(self.names.model)
        return Typed(Reading(arm, reduction, effect), units)

    def moment(self) -> str:
        """Take a time as it is written, ``-30 min``."""
        sign = self.take("-") if self.peek()[1] == "-" else ""
        begin = self.at
        self.take("number")
        self.units()
        return sign + self.text[begin : self.at].strip()

    def arguments(self) -> list[str]:
        """Take the arguments of a reducer as they are written, ``0 h`` and ``4 h``."""
        if self.peek()[1] != "(":
            return []
        self.take("(")
        close = self.text.find(")", self.at)
        if close < 0:
            raise self.refuse('a closing ")" is needed')
        inside, self.at = self.text[self.at : close], close + 1
        return split_list(inside)


def _is_unit(text: str) -> bool:
    try:
        unit(text)
    except UnitError:
        return False
    return True


def _with_unit(node: Node, units: str) -> Node:
    """Return a node of plain numbers as if its numbers had been written with a unit."""
    if isinstance(node, Number):
        return Number(node.value, units)
    if isinstance(node, Call):
        return Call(node.function, tuple(_with_unit(one, units) for one in node.operands))
    if isinstance(node, Chain) and node.marks[0] in "*/":
        return Chain((_with_unit(node.operands[0], units), *node.operands[1:]), node.marks)
    if isinstance(node, Chain):
        return Chain(tuple(_with_unit(one, units) for one in node.operands), node.marks)
    return node


def _unlike(first: Typed, other: Typed, joined: str) -> UnitError:
    one, two = (dimension_name(unit(part.unit)) for part in (first, other))
    hint = ""
    for bare, full in ((first, other), (other, first)):
        if bare.bare:
            hint = f'; a plain number needs its unit, e.g. "1 {full.unit}"'
    return UnitError(f"a {one} and a {two} cannot be {joined}{hint}.")
