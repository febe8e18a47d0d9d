"""Laws as mathematics: traced once, then written as content MathML or in LaTeX notation.

A notation is a :class:`Writer`; :func:`written` goes through an expression with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ketasim.compile.trace import Graph, Node
from ketasim.core.declare import Law, arguments
from ketasim.core.laws import Wire
from ketasim.errors import ModelError
from ketasim.export.xml import Element, apply, call, choice, function, literal, name

T = TypeVar("T")
_TAGS = {
    "add": "plus", "sub": "minus", "mul": "times", "div": "divide", "neg": "minus", "exp": "exp",
    "log": "ln", "abs": "abs", "max": "max",
}  # fmt: skip
POWER, HILL = "positive_power", "hill"
_FUNCTIONS = {"pow": POWER, "hill": HILL}
# How tightly an operation binds: a part that binds less tightly is put in brackets.
_SUM, _PRODUCT, _ATOM = 1, 2, 3
LEGEND = (
    r"[x]_{+} = \max(x,\,0)",
    r"\mathcal{H}\left(x;\,K,\,n\right) = \frac{\left[x/K\right]_{+}^{n}}"
    r"{1 + \left[x/K\right]_{+}^{n}}",
)
Part = tuple[str, int]


@dataclass(frozen=True)
class Expression:
    """What a law computes, over its own arguments."""

    law: Law
    arguments: tuple[str, ...]
    result: Node

    @property
    def story(self) -> str:
        """Return the law's one sentence."""
        return (self.law.__doc__ or "").strip().partition("\n")[0]


def expression(law: Law) -> Expression:
    """Trace a law.

    Raises
    ------
    ModelError
        When it branches on a value or uses a function that cannot be written down.
    """
    graph = Graph()
    names = arguments(law)
    try:
        result = graph.lift(law(*(graph.leaf("argument", i) for i in range(len(names)))))
    except ModelError as error:
        raise ModelError(f"{law.__module__}.{law.__name__}: {error}") from error
    return Expression(law, names, result)


def shape(node: Node) -> tuple[str, tuple[Node, ...]]:
    """Return an operation and what it acts on, with a saturating response read as ``hill``."""
    if node.op != "div":
        return node.op, node.args
    raised, below = node.args
    saturating = below.op == "add" and below.args[0].is_const(1.0) and below.args[1] is raised
    if not saturating or raised.op != "pow":
        return node.op, node.args
    ratio, steepness = raised.args
    if ratio.op == "div":
        return "hill", (*ratio.args, steepness)
    return "hill", (ratio, node.graph.const(1.0), steepness)


@dataclass(frozen=True)
class Writer(Generic[T]):
    """How one notation writes a number, an argument's name, and an operation on what is written."""

    number: Callable[[float], T]
    name: Callable[[str], T]
    operation: Callable[[str, Sequence[T]], T]


def written(node: Node, names: Sequence[str], writer: Writer[T]) -> T:
    """Return an expression over names of its arguments, in the notation of a writer."""
    if node.op == "const":
        return writer.number(node.value)
    if node.op == "leaf":
        return writer.name(names[node.leaf[1]])
    operation, operands = shape(node)
    return writer.operation(operation, [written(one, names, writer) for one in operands])


def names_of(wires: Iterable[Wire]) -> dict[Law, str]:
    """Return one identifier for each law, ``law__nmda__bind``, in order of first use."""
    found: dict[Law, str] = {}
    taken: dict[str, int] = {}
    for law in (wire.law for wire in wires):
        if law in found:
            continue
        plain = f"law__{law.__module__.rpartition('.')[2]}__{law.__name__}"
        taken[plain] = taken.get(plain, 0) + 1
        found[law] = plain if taken[plain] == 1 else f"{plain}_{taken[plain]}"
    return found


def of_law(law: Expression) -> Element:
    """Return a law as the formula of a function definition."""
    return function(law.arguments, written(law.result, law.arguments, MATHML_WRITER))


def _mathml(operation: str, parts: Sequence[Element]) -> Element:
    if operation in _FUNCTIONS:
        return call(_FUNCTIONS[operation], parts)
    if operation == "where":
        return choice(parts[2], apply("geq", parts[0], parts[1]), parts[3])
    if operation == "sqrt":
        return apply("power", parts[0], literal(0.5))
    if operation == "recip":
        return apply("divide", literal(1.0), parts[0])
    return apply(_TAGS[operation], *parts)


MATHML_WRITER = Writer(number=literal, name=name, operation=_mathml)


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


def symbol(name: str) -> str:
    """Return a name as a symbol: ``k_on`` is k with the index "on"."""
    head, *index = name.split("_")
    stem = head if len(head) == 1 else rf"\mathrm{{{head}}}"
    below = r",\,".join(index)
    return rf"{stem}_{{\mathrm{{{below}}}}}" if index else stem


def formula(node: Node, symbols: Sequence[str]) -> str:
    """Return an expression over symbols of its arguments, in LaTeX notation."""
    return written(node, symbols, LATEX_WRITER)[0]


def _number(value: float) -> Part:
    text = f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.12g}"
    return text, _ATOM if value >= 0.0 else _SUM


def _held(part: Part, tightness: int) -> str:
    text, binds = part
    return text if binds >= tightness else rf"\left({text}\right)"


def _plus(parts: Sequence[Part]) -> Part:
    return f"{parts[0][0]} + {parts[1][0]}", _SUM


def _minus(parts: Sequence[Part]) -> Part:
    return f"{parts[0][0]} - {_held(parts[1], _PRODUCT)}", _SUM


def _times(parts: Sequence[Part]) -> Part:
    return r" \, ".join(_held(one, _PRODUCT) for one in parts), _PRODUCT


def _over(parts: Sequence[Part]) -> Part:
    return rf"\frac{{{parts[0][0]}}}{{{parts[1][0]}}}", _PRODUCT


def _positive_power(parts: Sequence[Part]) -> Part:
    return rf"\left[{parts[0][0]}\right]_{{+}}^{{{parts[1][0]}}}", _ATOM


def _hill(parts: Sequence[Part]) -> Part:
    x, half, steepness = (text for text, _ in parts)
    return rf"\mathcal{{H}}\left({x};\,{half},\,{steepness}\right)", _ATOM


def _where(parts: Sequence[Part]) -> Part:
    a, b, yes, no = (text for text, _ in parts)
    cases = rf"{yes} & {a} \ge {b} \\ {no} & \text{{else}}"
    return rf"\begin{{cases}} {cases} \end{{cases}}", _SUM


def _larger(parts: Sequence[Part]) -> Part:
    a, b = (text for text, _ in parts)
    return (rf"\left[{a}\right]_{{+}}" if b == "0" else rf"\max\left({a},\,{b}\right)"), _ATOM


_OPERATIONS: dict[str, Callable[[Sequence[Part]], Part]] = {
    "add": _plus,
    "sub": _minus,
    "mul": _times,
    "div": _over,
    "neg": lambda parts: (f"-{_held(parts[0], _PRODUCT)}", _SUM),
    "recip": lambda parts: (rf"\frac{{1}}{{{parts[0][0]}}}", _PRODUCT),
    "exp": lambda parts: (f"e^{{{parts[0][0]}}}", _ATOM),
    "log": lambda parts: (rf"\ln\left({parts[0][0]}\right)", _ATOM),
    "sqrt": lambda parts: (rf"\sqrt{{{parts[0][0]}}}", _ATOM),
    "abs": lambda parts: (rf"\left|{parts[0][0]}\right|", _ATOM),
    "max": _larger,
    "pow": _positive_power,
    "hill": _hill,
    "where": _where,
}


LATEX_WRITER: Writer[Part] = Writer(
    number=_number,
    name=lambda symbol: (symbol, _ATOM),
    operation=lambda operation, parts: _OPERATIONS[operation](parts),
)
