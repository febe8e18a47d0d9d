"""Which mechanism reads which: one column in the model's order, arcs right, feedback left."""

from collections.abc import Iterator
from dataclasses import dataclass

from ketasim.core.model import Model
from ketasim.export.xml import Element, element, words, written

SVG = "http://www.w3.org/2000/svg"
WIDTH, HEIGHT, DOWN, MARGIN = 110.0, 26.0, 42.0, 12.0
REACH = 0.62  # how far an arc bulges, as a share of the distance it spans
COLOURS = (  # by source, and told apart by readers who confuse red and green
    "#4477aa", "#ee6677", "#228833", "#aa8800", "#3a9bc1", "#aa3377", "#777777", "#994f00",
)  # fmt: skip


@dataclass(frozen=True)
class Arc:
    """One mechanism reads another, by place in the model's order; upwards is feedback."""

    source: int
    reader: int

    @property
    def feedback(self) -> bool:
        """Return whether a later mechanism is read by an earlier one."""
        return self.source > self.reader

    @property
    def span(self) -> int:
        """Return how many places the arc spans."""
        return abs(self.source - self.reader)


def arcs(model: Model) -> tuple[Arc, ...]:
    """Return who is read by whom, each pair once."""
    place = {one.name: i for i, one in enumerate(model.mechanisms)}
    pairs = {
        Arc(place[owner], place[one.name]): None
        for one in model.mechanisms
        for owner in (read.of.partition(".")[0] for read in one.reads)
        if owner in place
    }
    return tuple(pairs)


def svg(model: Model) -> str:
    """Return the drawing as SVG."""
    found = arcs(model)
    left = MARGIN + _bulge(max((one.span for one in found if one.feedback), default=0))
    right = MARGIN + _bulge(max((one.span for one in found if not one.feedback), default=0))
    wide, high = left + WIDTH + right, 2 * MARGIN + DOWN * len(model.mechanisms)
    boxes = (p for i, m in enumerate(model.mechanisms) for p in _box(m.name, i, left))
    root = element(
        "svg",
        element("defs", *(_head(i, colour) for i, colour in enumerate(COLOURS))),
        *(_path(one, left) for one in found),
        *boxes,
        **{
            "xmlns": SVG,
            "viewBox": f"0 0 {wide:g} {high:g}",
            "width": f"{wide:g}",
            "font-family": "sans-serif",
            "font-size": "13",
        },
    )
    return written(root)


def _bulge(span: int) -> float:
    """Return how far from the boxes an arc of cubic Bezier form reaches."""
    return 0.75 * REACH * span * DOWN + 10.0


def _middle(place: int) -> float:
    return MARGIN + place * DOWN + HEIGHT / 2


def _box(name: str, place: int, left: float) -> Iterator[Element]:
    middle, y = left + WIDTH / 2, _middle(place)
    frame = {"x": f"{left:g}", "y": f"{y - HEIGHT / 2:g}", "width": f"{WIDTH:g}"}
    yield element("rect", **frame, height=f"{HEIGHT:g}", rx="5", fill="white", stroke="#333")
    yield words("text", name, **{"x": f"{middle:g}", "y": f"{y + 4.5:g}", "text-anchor": "middle"})


def _path(one: Arc, left: float) -> Element:
    side, sign = (left, -1.0) if one.feedback else (left + WIDTH, 1.0)
    fall = 1.0 if one.source < one.reader else -1.0
    start, end = _middle(one.source) + 6.0 * fall, _middle(one.reader) - 6.0 * fall
    out = side + sign * (REACH * one.span * DOWN + 10.0)
    tip = side + sign * 6.0
    path = f"M{side:g},{start:g} C{out:g},{start:g} {out:g},{end:g} {tip:g},{end:g}"
    kind = one.source % len(COLOURS)
    look = {"fill": "none", "stroke": COLOURS[kind], "stroke-width": "1.4"}
    dashes = {"stroke-dasharray": "6 3"} if one.feedback else {}
    return element("path", d=path, **{"marker-end": f"url(#tip{kind})"}, **look, **dashes)


def _head(kind: int, colour: str) -> Element:
    tip = element("path", d="M0,0 L8,4 L0,8 z", fill=colour)
    size = {"markerWidth": "8", "markerHeight": "8", "refX": "3", "refY": "4"}
    units = {"markerUnits": "userSpaceOnUse", "orient": "auto"}
    return element("marker", tip, id=f"tip{kind}", **size, **units)


def tikz(model: Model) -> str:
    """Return the drawing as TikZ code."""
    lines = [r"\begin{tikzpicture}[y=-7.5mm,box/.style={draw,rounded corners=2pt,"]
    lines += [r"  font=\sffamily\footnotesize,minimum width=24mm}]"]
    for i, one in enumerate(model.mechanisms):
        label = one.name.replace("_", r"\_")
        lines.append(rf"\node[box] (m{i}) at (0,{i}) {{{label}}};")
    for arc in arcs(model):
        side = "west" if arc.feedback else "east"
        out, looseness = ("180" if arc.feedback else "0"), 1.2 + 0.02 * arc.span
        style = f"->,out={out},in={out},looseness={looseness:.2f}"
        style += ",dashed" if arc.feedback else ""
        lines.append(rf"\draw[{style}] (m{arc.source}.{side}) to (m{arc.reader}.{side});")
    return "\n".join([*lines, r"\end{tikzpicture}"])
