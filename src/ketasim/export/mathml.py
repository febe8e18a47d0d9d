"""Expressions as content MathML, every literal with its unit."""

from collections.abc import Sequence

from ketasim.compile.trace import Node
from ketasim.export.laws import Expression, shape
from ketasim.export.xml import MATHML, SBML, Element, element, number, words

_TAGS = {
    "add": "plus", "sub": "minus", "mul": "times", "div": "divide", "neg": "minus", "exp": "exp",
    "log": "ln", "abs": "abs", "max": "max",
}  # fmt: skip
POWER, HILL = "positive_power", "hill"
_FUNCTIONS = {"pow": POWER, "hill": HILL}
TIME = "http://www.sbml.org/sbml/symbols/time"


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


def of_law(law: Expression) -> Element:
    """Return a law as the formula of a function definition."""
    return function(law.arguments, _written(law.result, law.arguments))


def _written(node: Node, names: Sequence[str]) -> Element:
    if node.op == "const":
        return literal(node.value)
    if node.op == "leaf":
        return name(names[node.leaf[1]])
    operation, operands = shape(node)
    parts = [_written(one, names) for one in operands]
    if operation in _FUNCTIONS:
        return call(_FUNCTIONS[operation], parts)
    if operation == "where":
        return choice(parts[2], apply("geq", parts[0], parts[1]), parts[3])
    if operation == "sqrt":
        return apply("power", parts[0], literal(0.5))
    if operation == "recip":
        return apply("divide", literal(1.0), parts[0])
    return apply(_TAGS[operation], *parts)


def power_function() -> Element:
    """Return base to the power exponent, and 0 for a base that is not positive."""
    positive = apply("max", name("base"), literal(0.0))
    return function(("base", "exponent"), apply("power", positive, name("exponent")))


def hill_function() -> Element:
    """Return a saturating response: 0 at or below rest, one half at ``half``."""

    def raised() -> Element:
        return call(POWER, [apply("divide", name("x"), name("half")), name("steepness")])

    body = apply("divide", raised(), apply("plus", literal(1.0), raised()))
    return function(("x", "half", "steepness"), body)
