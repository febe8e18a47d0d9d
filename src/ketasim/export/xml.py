"""XML written by hand: elements, and content MathML in which every literal has its unit.

Every number keeps all its digits, and the same content gives the same bytes.
"""

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

Element = ElementTree.Element

SBML = "http://www.sbml.org/sbml/level3/version2/core"
MATHML = "http://www.w3.org/1998/Math/MathML"
XHTML = "http://www.w3.org/1999/xhtml"
TIME = "http://www.sbml.org/sbml/symbols/time"
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return _ILLEGAL.sub("", text)


def element(tag: str, *children: Element | None, **attributes: str) -> Element:
    """Return an element; children that are None are left out."""
    made = Element(tag, {name: legal(value) for name, value in attributes.items()})
    made.extend(child for child in children if child is not None)
    return made


def words(tag: str, text: str, **attributes: str) -> Element:
    """Return an element that holds text."""
    made = element(tag, **attributes)
    made.text = legal(text)
    return made


def group(tag: str, children: Iterable[Element]) -> Element | None:
    """Return an element that holds others, or None when there are none."""
    found = list(children)
    return element(tag, *found) if found else None


def number(value: float) -> str:
    """Return a float with all its digits."""
    return repr(float(value))


def written(root: Element) -> str:
    """Return a document as text, indented, in UTF-8."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def literal(value: float, unit: str = "dimensionless") -> Element:
    """Return a number with a unit."""
    mantissa, e, exponent = number(value).partition("e")
    if not e:
        return words("cn", mantissa, **{"sbml:units": unit})
    made = words("cn", mantissa, **{"type": "e-notation", "sbml:units": unit})
    separator = element("sep")
    separator.tail = str(int(exponent))
    made.append(separator)
    return made


def name(identifier: str) -> Element:
    """Return a reference to a variable."""
    return words("ci", identifier)


def apply(tag: str, *operands: Element) -> Element:
    """Return an operation on operands."""
    return element("apply", element(tag), *operands)


def call(function: str, operands: Sequence[Element]) -> Element:
    """Return a call of a function definition."""
    return element("apply", name(function), *operands)


def now() -> Element:
    """Return the symbol of time."""
    return words("csymbol", "time", encoding="text", definitionURL=TIME)


def choice(yes: Element, condition: Element, no: Element) -> Element:
    """Return a choice by value (never by time)."""
    return element("piecewise", element("piece", yes, condition), element("otherwise", no))


def math(content: Element) -> Element:
    """Return a formula ready to be placed."""
    return element("math", content, **{"xmlns": MATHML, "xmlns:sbml": SBML})


def function(arguments: Sequence[str], body: Element) -> Element:
    """Return the formula of a function definition."""
    bound = (element("bvar", name(one)) for one in arguments)
    return math(element("lambda", *bound, body))
