"""Laws as published mathematics: traced expressions in LaTeX notation."""

from collections.abc import Callable, Sequence

from ketasim.compile.trace import Node
from ketasim.export.laws import shape

# How tightly an operation binds: a part that binds less tightly is put in brackets.
_SUM, _PRODUCT, _ATOM = 1, 2, 3
LEGEND = (
    r"[x]_{+} = \max(x,\,0)",
    r"\mathcal{H}\left(x;\,K,\,n\right) = \frac{\left[x/K\right]_{+}^{n}}"
    r"{1 + \left[x/K\right]_{+}^{n}}",
)

Part = tuple[str, int]


def symbol(name: str) -> str:
    """Return a name as a symbol: ``k_on`` is k with the index "on"."""
    head, *index = name.split("_")
    stem = head if len(head) == 1 else rf"\mathrm{{{head}}}"
    below = r",\,".join(index)
    return rf"{stem}_{{\mathrm{{{below}}}}}" if index else stem


def formula(node: Node, symbols: Sequence[str]) -> str:
    """Return an expression over symbols of its arguments, in LaTeX notation."""
    return _part(node, symbols)[0]


def _part(node: Node, symbols: Sequence[str]) -> Part:
    if node.op == "const":
        return _number(node.value), _ATOM if node.value >= 0.0 else _SUM
    if node.op == "leaf":
        return symbols[node.leaf[1]], _ATOM
    operation, operands = shape(node)
    return _WRITERS[operation]([_part(one, symbols) for one in operands])


def _number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.12g}"


def _held(part: Part, tightness: int) -> str:
    text, binds = part
    return text if binds >= tightness else rf"\left({text}\right)"


def _plus(parts: list[Part]) -> Part:
    return f"{parts[0][0]} + {parts[1][0]}", _SUM


def _minus(parts: list[Part]) -> Part:
    return f"{parts[0][0]} - {_held(parts[1], _PRODUCT)}", _SUM


def _times(parts: list[Part]) -> Part:
    return r" \, ".join(_held(one, _PRODUCT) for one in parts), _PRODUCT


def _over(parts: list[Part]) -> Part:
    return rf"\frac{{{parts[0][0]}}}{{{parts[1][0]}}}", _PRODUCT


def _positive_power(parts: list[Part]) -> Part:
    return rf"\left[{parts[0][0]}\right]_{{+}}^{{{parts[1][0]}}}", _ATOM


def _hill(parts: list[Part]) -> Part:
    x, half, steepness = (text for text, _ in parts)
    return rf"\mathcal{{H}}\left({x};\,{half},\,{steepness}\right)", _ATOM


def _where(parts: list[Part]) -> Part:
    a, b, yes, no = (text for text, _ in parts)
    cases = rf"{yes} & {a} \ge {b} \\ {no} & \text{{else}}"
    return rf"\begin{{cases}} {cases} \end{{cases}}", _SUM


def _larger(parts: list[Part]) -> Part:
    a, b = (text for text, _ in parts)
    return (rf"\left[{a}\right]_{{+}}" if b == "0" else rf"\max\left({a},\,{b}\right)"), _ATOM


_WRITERS: dict[str, Callable[[list[Part]], Part]] = {
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
