"""A model's equations and numbers as a sheet, from its laws and ledgers: nobody types them.

A sheet is a sequence of blocks, written as Markdown or as LaTeX.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ketasim.core.declare import Derived, Flow, Law, Mechanism, Quantity, arguments
from ketasim.core.model import Model
from ketasim.errors import ConfigError, suggest
from ketasim.export.diagram import tikz
from ketasim.export.expression import LEGEND, expression, formula, symbol
from ketasim.export.notes import found
from ketasim.units import unit

PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[a4paper,margin=18mm,landscape]{geometry}
\usepackage{amsmath,array,booktabs,longtable,tikz}
\usepackage[hidelinks]{hyperref}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\allowdisplaybreaks
\begin{document}
"""
_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
        "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        "µ": r"\textmu{}", "<": r"\textless{}", ">": r"\textgreater{}",
    }
)  # fmt: skip
Columns = dict[str, float]  # header and share of the page
_STATES: Columns = {"state": 0.14, "name": 0.16, "at rest": 0.1, "unit": 0.08, "meaning": 0.42}
_READS: Columns = {"reads": 0.3, "of": 0.4, "unit": 0.2}
_KNOBS: Columns = {
    "target": 0.16, "name": 0.2, "untouched": 0.08, "unit": 0.06, "range": 0.1, "meaning": 0.3,
}  # fmt: skip
_COMPUTED: Columns = {"quantity": 0.2, "name": 0.22, "unit": 0.08, "meaning": 0.42}
_LEDGER: Columns = {
    "parameter": 0.11, "name": 0.14, "value": 0.06, "unit": 0.06, "plausible": 0.08,
    "meaning": 0.19, "evidence": 0.24,
}  # fmt: skip


@dataclass(frozen=True)
class Heading:
    """A title; level 1 is the document's own."""

    level: int
    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Maths:
    """Formulas, one a line, in LaTeX notation."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Symbol:
    """A cell that holds a formula."""

    text: str


@dataclass(frozen=True)
class Code:
    """A cell that holds a name as it is typed."""

    text: str


Cell = str | Symbol | Code


@dataclass(frozen=True)
class Table:
    """Rows under a header; ``widths`` are shares of the page, for LaTeX."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True)
class Picture:
    """A drawing: a file for Markdown (none when empty), TikZ code for LaTeX."""

    caption: str
    file: str
    tikz: str


Block = Heading | Text | Maths | Table | Picture


def markdown(blocks: Iterable[Block]) -> str:
    """Return blocks as Markdown with formulas that forges and notebooks draw."""
    return "\n\n".join(filter(None, map(_markdown, blocks))) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Maths):
        return "\n\n".join(f"```math\n{line}\n```" for line in block.lines)
    if isinstance(block, Picture):
        return f"![{block.caption}]({block.file})" if block.file else ""
    lines = [block.header, ("---",) * len(block.header), *block.rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(cell: Cell) -> str:
    if isinstance(cell, Symbol):
        return f"$`{cell.text}`$"
    if isinstance(cell, Code):
        return f"`{cell.text}`"
    return cell.replace("|", r"\|")


def latex(blocks: Iterable[Block]) -> str:
    """Return blocks as a LaTeX document."""
    return PREAMBLE + "\n\n".join(map(_latex, blocks)) + "\n\\end{document}\n"


def escaped(text: str) -> str:
    """Return plain text as LaTeX has it."""
    return text.translate(_SPECIAL)


def _latex(block: Block) -> str:
    if isinstance(block, Heading):
        command = ("section*", "subsection*", "subsubsection*")[min(block.level, 3) - 1]
        return rf"\{command}{{{escaped(block.text)}}}"
    if isinstance(block, Text):
        return escaped(block.text)
    if isinstance(block, Maths):
        lines = " \\\\\n".join(line.replace(" = ", " &= ", 1) for line in block.lines)
        return f"\\begin{{align*}}\n{lines}\n\\end{{align*}}"
    if isinstance(block, Picture):
        return f"\\begin{{center}}\n{block.tikz}\n\\end{{center}}"
    return _latex_table(block)


def _latex_table(table: Table) -> str:
    columns = "".join(
        rf">{{\raggedright\arraybackslash}}p{{{width:.2f}\linewidth}}" for width in table.widths
    )
    lines = [rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}", r"\toprule", _row(table.header)]
    lines += [r"\midrule", r"\endhead", *map(_row, table.rows), r"\bottomrule", r"\end{longtable}"]
    return "{\\footnotesize\n" + "\n".join(lines) + "\n}"


def _row(cells: Sequence[Cell]) -> str:
    return f"{' & '.join(map(_latex_cell, cells))} \\\\"


def _latex_cell(cell: Cell) -> str:
    if isinstance(cell, Symbol):
        return f"${cell.text}$"
    if isinstance(cell, Code):
        return rf"\texttt{{{escaped(cell.text)}}}"
    return escaped(cell)


Row = tuple[Cell, ...]


def tables(model: Model, one: Mechanism) -> Iterator[Table]:
    """Yield the tables of a mechanism that have rows."""
    parts = (
        (_STATES, _states(one)),
        (_READS, _reads(one)),
        (_KNOBS, _knobs(one)),
        (_COMPUTED, _computed(one)),
        (_LEDGER, _ledger(model, one)),
    )
    for columns, lines in parts:
        rows = tuple(lines)
        if rows:
            yield Table(tuple(columns), rows, tuple(columns.values()))


def _named(name: str) -> tuple[Symbol, Code]:
    return Symbol(symbol(name)), Code(name)


def _states(one: Mechanism) -> Iterator[Row]:
    for each in one.states:
        start = each.initial
        rest = Symbol(symbol(start)) if isinstance(start, str) else f"{start:g}"
        yield *_named(each.name), rest, each.unit, each.meaning


def _reads(one: Mechanism) -> Iterator[Row]:
    for each in one.reads:
        yield Symbol(symbol(each.name)), Code(each.of), each.unit


def _knobs(one: Mechanism) -> Iterator[Row]:
    for each in one.knobs:
        within = _range(each.bounds)
        yield *_named(each.name), f"{each.neutral:g}", each.unit, within, each.meaning


def _computed(one: Mechanism) -> Iterator[Row]:
    algebra: tuple[Derived | Quantity, ...] = (*one.derived, *one.quantities)
    for each in algebra:
        yield *_named(each.name), each.unit, each.meaning


def _ledger(model: Model, one: Mechanism) -> Iterator[Row]:
    for each in one.parameters:
        value = model.value(f"{one.name}.{each.name}") / unit(each.unit).factor
        about = (f"{value:g}", each.unit, _range(each.bounds), each.meaning, str(each.evidence))
        yield *_named(each.name), *about


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g}"


FORMATS = {"markdown": markdown, "latex": latex}


def sheet(model: Model, *, format: str = "markdown", picture: str = "") -> str:  # noqa: A002
    """Return every mechanism's story, equations and ledger as Markdown or LaTeX.

    ``picture`` names a file with the drawing of :func:`ketasim.export.diagram.svg`, for Markdown.

    Raises
    ------
    ConfigError
        When the format is not known.
    """
    if format not in FORMATS:
        here = ", ".join(FORMATS)
        raise ConfigError(f'format "{format}": not known.{suggest(format, FORMATS)} Use {here}.')
    return FORMATS[format](_blocks(model, picture))


def _blocks(model: Model, picture: str) -> Iterator[Block]:
    yield Heading(1, f"The model {model.name}")
    yield Text(
        f"{len(model.mechanisms)} mechanisms, {len(model.states)} states, "
        f"{len(model.parameters)} parameters. Written from the laws and ledgers themselves."
    )
    yield Picture("which mechanism reads which; dashed: feedback", picture, tikz(model))
    yield Text("Two functions are used throughout:")
    yield Maths(LEGEND)
    for mechanism in model.mechanisms:
        yield from _mechanism(model, mechanism)
    keys = sorted({key for one in model.parameters.values() for key in one.evidence.keys})
    if keys:
        yield Heading(2, "References")
        rows = tuple((one.key, str(one)) for one in found(tuple(keys)))
        yield Table(("key", "reference"), rows, (0.2, 0.75))


def _mechanism(model: Model, one: Mechanism) -> Iterator[Block]:
    yield Heading(2, one.name)
    for paragraph in one.story.split("\n\n"):
        yield Text(" ".join(paragraph.split()))
    algebra: tuple[Derived | Quantity, ...] = (*one.derived, *one.quantities)
    lines = [f"{symbol(each.name)} = {_of(each.law, each.using)}" for each in algebra]
    lines += [_balance(one, state.name) for state in one.states]
    if lines:
        yield Maths(tuple(lines))
    yield from tables(model, one)


def _of(law: Law, using: Mapping[str, str]) -> str:
    symbols = [symbol(using.get(name, name)) for name in arguments(law)]
    return formula(expression(law).result, symbols)


def _balance(one: Mechanism, state: str) -> str:
    """Return a state's differential equation, its flows written out."""
    terms = [("+", each) for each in one.flows if each.into == state]
    terms += [("-", each) for each in one.flows if each.out_of == state]
    told = " ".join(f"{sign} {_term(sign, each)}" for sign, each in terms) or "0"
    return rf"\frac{{d\,{symbol(state)}}}{{dt}} = {told.removeprefix('+ ')}"


def _term(sign: str, flow: Flow) -> str:
    text = _of(flow.law, flow.using)
    whole = expression(flow.law).result.op not in ("add", "sub", "neg")
    return text if whole or sign == "+" else rf"\left({text}\right)"
