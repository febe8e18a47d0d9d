"""Units of sums, products and quotients."""

from collections import Counter

from ketasim.units import unit


def product(mark: str, left: str, right: str, where: str = "unit") -> str:
    """Return the unit of ``left * right`` or ``left / right``, canonical where neither serves.

    Raises
    ------
    UnitError
        When the unit is too large, too small or too high a power to be written.
    """
    if right == "1":
        return left
    if mark == "/" and left == right:
        return "1"
    if mark == "*" and left == "1":
        return right
    a, b = unit(left, where), unit(right, where)
    power = 1 if mark == "*" else -1
    joined = type(a)(
        "", 1.0, tuple(x + power * y for x, y in zip(a.dimension, b.dimension, strict=True))
    )
    return unit(joined.canonical, where).text


def composed(mark: str, left: str, right: str) -> str:
    """Return the unit of a product or quotient spelled from both, ``ng/mL * h`` as ``ng*h/mL``.

    A number in it is the product or quotient of the two numbers, whatever units they are in.
    """
    above, below = _spelled(left)
    if mark == "*":
        more, fewer = _spelled(right)
    else:
        fewer, more = _spelled(right)
    above, below = above + more, below + fewer
    common = above & below
    top, bottom = above - common, below - common
    return "/".join(["*".join(top.elements()) or "1", *bottom.elements()])


def tidy(text: str) -> str:
    """Return a unit as the grammar reads it after a number: no blanks, powers with ``^``."""
    return text.replace(" ", "").replace("**", "^")


def _spelled(text: str) -> tuple["Counter[str]", "Counter[str]"]:
    """Return what stands above and below the bar of a unit."""
    top, *bottom = (part.split("*") for part in tidy(text).split("/"))
    above, below = Counter(top), Counter(one for part in bottom for one in part)
    del above["1"], below["1"]
    return above, below
