"""The grammar of summaries: measures of recorded names, joined with ``+ - * /`` and brackets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ketasim.core.model import Model
from ketasim.errors import ConfigError, UnitError, suggest
from ketasim.studies import measures
from ketasim.units import convert, dimension_name, unit
from ketasim.units import read as read_quantity

Window = tuple[float, float] | None

MAX_DEPTH = 50
WINDOWED: Mapping[str, tuple[measures.Measure, str]] = {
    "peak": (measures.peak, "{}"),
    "t_peak": (measures.time_of_peak, "h"),
    "trough": (measures.trough, "{}"),
    "t_trough": (measures.time_of_trough, "h"),
    "auc": (measures.area, "{}*h"),
    "mean": (measures.mean, "{}"),
}
LEVELLED: Mapping[str, measures.Measure] = {
    "above": measures.above,
    "below": measures.below,
    "time_to": measures.time_to,
}
_MEASURES = ("at", *WINDOWED, *LEVELLED)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<atom>[A-Za-z_][\w.]*(?:\s*\((?P<inside>[^()]*)\))?)|(?P<mark>[-+*/()]))"
)


@dataclass(frozen=True)
class Atom:
    """One measure of one recorded name; ``level`` is in the name's declared unit, times in h."""

    name: str
    measure: str
    window: Window = None
    moment: float | None = None
    level: float | None = None


@dataclass(frozen=True)
class Node:
    """A number, an atom, or two nodes joined; ``unit`` is the unit of its value."""

    unit: str
    value: float = 1.0
    atom: Atom | None = None
    mark: str = ""
    parts: tuple["Node", ...] = ()


def parse(text: str, model: Model) -> Node:
    """Read one formula.

    Raises
    ------
    ConfigError
        When a name or measure is not known, or the text is not a formula.
    UnitError
        When a time or level lacks its unit, or unlike things are added.
    """
    return _Parser(text, model).whole()


def split_list(text: str) -> list[str]:
    """Split at the commas that stand outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


class _Parser:
    """Recursive descent over one formula; it lives no longer than its call."""

    def __init__(self, text: str, model: Model) -> None:
        self.text, self.model = text, model
        self.known = {*model.states, *(str(q.name) for q in model.quantities)}
        self.at = self.depth = 0

    def refuse(self, cause: str) -> ConfigError:
        return ConfigError(f'summary "{self.text.strip()[:80]}": {cause}')

    def peek(self) -> "re.Match[str] | None":
        match = _TOKEN.match(self.text, self.at)
        if match is None and self.text[self.at :].strip():
            raise self.refuse(f'cannot be read from "{self.text[self.at :].strip()[:20]}" on.')
        return match

    def mark(self, *wanted: str) -> str:
        match = self.peek()
        if match is None or match["mark"] not in wanted:
            return ""
        self.at = match.end()
        return match["mark"]

    def whole(self) -> Node:
        node = self.sum()
        if self.peek() is not None:
            raise self.refuse(f'cannot be read from "{self.text[self.at :].strip()[:20]}" on.')
        return node

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refuse(f"nested too deeply; at most {MAX_DEPTH} levels.")
        node = self.product()
        while mark := self.mark("+", "-"):
            node = self.added(mark, node, self.product())
        self.depth -= 1
        return node

    def product(self) -> Node:
        node = self.factor()
        while mark := self.mark("*", "/"):
            node = _multiplied(mark, node, self.factor())
        return node

    def added(self, mark: str, left: Node, right: Node) -> Node:
        if unit(left.unit).dimension != unit(right.unit).dimension:
            names = [dimension_name(unit(one.unit)) for one in (left, right)]
            raise UnitError(f'summary "{self.text.strip()[:80]}": a {names[0]} and a {names[1]}.')
        factor = convert(1.0, right.unit, left.unit)
        if factor != 1.0:
            right = Node(left.unit, factor, mark="scale", parts=(right,))
        return Node(left.unit, mark=mark, parts=(left, right))

    def factor(self) -> Node:
        if self.mark("("):
            node = self.sum()
            if not self.mark(")"):
                raise self.refuse('a closing ")" is needed.')
            return node
        if self.mark("-"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.refuse(f"nested too deeply; at most {MAX_DEPTH} levels.")
            inner = self.factor()
            self.depth -= 1
            return Node(inner.unit, mark="neg", parts=(inner,))
        match = self.peek()
        if match is None or match["mark"]:
            raise self.refuse("a name or a number is needed at its end or before a sign.")
        self.at = match.end()
        if match["number"]:
            return Node("1", float(match["number"]))
        return self.atom(match["atom"].partition("(")[0].strip(), match["inside"])

    def atom(self, dotted: str, inside: str | None) -> Node:
        name, _, measure = dotted.rpartition(".")
        if dotted in self.known or measure not in _MEASURES:
            hint = suggest(measure, _MEASURES) if dotted not in self.known else ""
            raise self.refuse(
                f'"{dotted[:60]}" does not end in a measure.{hint} '
                f"Measures: {', '.join(_MEASURES)}, e.g. {self.example(dotted)}.peak."
            )
        if name not in self.known:
            raise self.refuse(
                f'"{name[:60]}": no such state or quantity.{suggest(name, self.known)}'
            )
        given = split_list(inside or "")
        if measure in WINDOWED:
            return self.windowed(name, measure, given)
        if len(given) != 1:
            sample = f"{measure}({'24h' if measure == 'at' else '1.1'})"
            raise self.refuse(f"{measure} needs one argument, e.g. {sample}.")
        if measure == "at":
            return Node(self.model.unit(name), atom=Atom(name, measure, moment=self.time(given[0])))
        level = self.level(given[0], name)
        return Node("h", atom=Atom(name, measure, level=level))

    def example(self, dotted: str) -> str:
        return dotted if dotted in self.known else sorted(self.known)[0]

    def windowed(self, name: str, measure: str, given: Sequence[str]) -> Node:
        if len(given) not in (0, 2):
            raise self.refuse(f"{measure} needs no argument or a window, {measure}(0h, 4h).")
        window: Window = None
        if given:
            window = (self.time(given[0]), self.time(given[1]))
            if not window[0] < window[1]:
                raise self.refuse(f"its window is empty, {given[0]} to {given[1]}.")
        shape = WINDOWED[measure][1]
        own = self.model.unit(name)
        text = "h" if own == "1" and "*h" in shape else shape.format(own)
        if "/" in own and "*h" in shape:
            head, _, rest = own.partition("/")
            text = f"{head}*h/{rest}" if head != "1" else f"h/{rest}"
        return Node(text, atom=Atom(name, measure, window=window))

    def time(self, text: str) -> float:
        return read_quantity(text, "h", f'summary "{self.text.strip()[:80]}": time')

    def level(self, text: str, name: str) -> float:
        own = self.model.unit(name)
        inside = read_quantity(text, own, f'summary "{self.text.strip()[:80]}": level')
        return inside / unit(own).factor


def _multiplied(mark: str, left: Node, right: Node) -> Node:
    if right.unit == "1":
        return Node(left.unit, mark=mark, parts=(left, right))
    if mark == "/" and left.unit == right.unit:
        return Node("1", mark=mark, parts=(left, right))
    if mark == "*" and left.unit == "1":
        return Node(right.unit, mark=mark, parts=(left, right))
    a, b = unit(left.unit), unit(right.unit)
    power = 1 if mark == "*" else -1
    factor = a.factor * b.factor**power
    joined = type(a)(
        "", 1.0, tuple(x + power * y for x, y in zip(a.dimension, b.dimension, strict=True))
    )
    return Node(joined.canonical, factor, mark=mark, parts=(left, right))
