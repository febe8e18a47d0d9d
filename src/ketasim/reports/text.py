"""Plain text: aligned columns, short numbers, times as people say them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite

NONE = "-"
NOTHING = 1e-9  # smaller numbers are rounding


class Text(str):
    """Text of several lines that shows itself as it is read, not quoted."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text itself."""
        return str(self)


@dataclass(frozen=True, repr=False)
class Table:
    """Rows under a header: aligned when printed, HTML in a notebook, mappings when iterated.

    Parameters
    ----------
    header
        A heading for every column.
    rows
        Cells as they are read, as many in a row as there are headings.
    note
        A last line that counts or explains.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Yield each row by heading."""
        for row in self.rows:
            yield dict(zip(self.header, row, strict=True))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __repr__(self) -> str:
        """Return the table as aligned text, its note last."""
        text = columns([self.header, *self.rows])
        return f"{text}\n{self.note}" if self.note else text

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.header)
        cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self.rows)
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        return f"<table><tr>{head}</tr>{body}</table><p>{escape(self.note)}</p>"


def columns(rows: Iterable[Sequence[str]], *, indent: str = "") -> str:
    """Return rows as left-aligned columns two spaces apart."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in table)
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def number(value: float) -> str:
    """Return four significant digits, or a dash for what was not reached."""
    return f"{value if abs(value) > NOTHING else 0.0:.4g}" if isfinite(value) else NONE


def moment(hours: float) -> str:
    """Return a time to three digits as people say it: ``'40 min'``, ``'1.5 h'``, ``'2.1 d'``."""
    if not isfinite(hours):
        return NONE
    for size, name in ((24.0, "d"), (1.0, "h")):
        if abs(hours) >= size * (2 if name == "d" else 1):
            return f"{hours / size:.3g} {name}"
    return f"{hours * 60:.3g} min"


def duration(seconds: float) -> str:
    """Return a time span as people say it."""
    for size, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.2g} s"


def milligrams(value: float) -> str:
    """Return a mass as it would be written on a chart."""
    return f"{value:.1f} mg" if value >= 1.0 or value == 0.0 else f"{value:.3g} mg"


def plural(count: int) -> str:
    """Return the ending of a counted noun."""
    return "" if count == 1 else "s"
