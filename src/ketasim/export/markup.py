"""A document as blocks, written as Markdown or as LaTeX."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
