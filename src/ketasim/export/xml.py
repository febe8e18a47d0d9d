"""XML written by hand, so that every number keeps all its digits and bytes never change."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree

Element = ElementTree.Element

SBML = "http://www.sbml.org/sbml/level3/version2/core"
MATHML = "http://www.w3.org/1998/Math/MathML"
XHTML = "http://www.w3.org/1999/xhtml"
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
