"""How pictures look: printed sizes, a palette for every eye, the same bytes every time."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from itertools import zip_longest
from math import floor, log10
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from ketasim.errors import ConfigError, suggest

MM = 1 / 25.4  # inches
SCREEN = 110  # pixels an inch of paper
FORMATS = ("png", "svg", "pdf")
QUICK = 3  # compression of a PNG: a quarter less time than the usual 6, a fiftieth more bytes

# Okabe and Ito's colours, distinct to every kind of colour vision; their yellow is left out, as it
# vanishes on white paper.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK = "#E69F00", "#56B4E9", "#000000"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
COLOURS = {
    "blue": BLUE, "vermilion": VERMILION, "green": GREEN, "purple": PURPLE, "orange": ORANGE,
    "sky": SKY, "black": BLACK,
}  # fmt: skip
Dash = Any  # a line's dashes, as matplotlib has them
INK, FAINT, DOSE, WINDOW = "#222222", "#8C8C8C", "#BDBDBD", "#E7EDF3"


@dataclass(frozen=True)
class Style:
    """A printed size: width [mm], columns of panels, type [pt], lines [pt], panels [mm]."""

    width: float
    columns: int = 1
    title_size: float = 7.6
    text_size: float = 7.0
    line: float = 1.1
    panel: float = 10.0
    dpi: int = 300
    font: str = "DejaVu Sans"  # comes with matplotlib, hence the same bytes on every machine


COLUMN = Style(width=85.0)
PAGE = Style(width=178.0, columns=2, panel=12.0)
WIDTHS = (60.0, 400.0)  # [mm] that a figure may have
STYLES = {"column": COLUMN, "page": PAGE}


def style_named(name: str) -> Style:
    """Return a style by its name.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    if name not in STYLES:
        raise ConfigError(
            f'style "{name}": no such style.{suggest(name, STYLES)} Choose one of '
            f"{', '.join(STYLES)}."
        )
    return STYLES[name]


def style_of_width(width: str) -> Style:
    """Return the style of a width such as ``'85 mm'`` or ``'7 in'``: two columns from 150 mm on.

    Raises
    ------
    ConfigError
        When it is no length, or none that a figure can have.
    """
    found = re.match(r"\s*(\d+(?:\.\d*)?)\s*(mm|cm|in)\s*$", width)
    size = float(found[1]) * {"mm": 1.0, "cm": 10.0, "in": 25.4}[found[2]] if found else 0.0
    low, high = WIDTHS
    if not low <= size <= high:
        raise ConfigError(
            f'width "{width[:40]}": give {low:g} to {high:g} mm, such as 85mm (a column) or '
            "178mm (a page)."
        )
    return replace(PAGE if size >= 150.0 else COLUMN, width=size)


RAISED = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)
SMALLEST, LARGEST = 1e-3, 1e4  # numbers that a tick writes out


def log_ticks(axis: Any) -> None:
    """Label a logarithmic axis 0.1, 0.3, 1, 3, ... where it is short, else 0.1, 1, 10."""
    low, high = axis.get_view_interval()
    short = high < 1e3 * low and low > SMALLEST
    axis.set_major_locator(LogLocator(subs=(1.0, 3.0) if short else (1.0,), numticks=12))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))


def _tick(value: float) -> str:
    if SMALLEST <= value <= LARGEST:
        return f"{value:g}"
    power = floor(log10(value) + 1e-9)
    digit = round(value / 10.0**power)
    raised = f"10{str(power).translate(RAISED)}"
    return raised if digit == 1 else f"{digit}\u00b7{raised}"


def _settings(style: Style) -> dict[str, Any]:
    return {
        "font.family": "sans-serif",
        "font.sans-serif": [style.font, "DejaVu Sans"],
        "font.size": style.text_size,
        "text.hinting": "none",  # words as wide on the screen as on paper
        "axes.unicode_minus": True,
        "axes.linewidth": 0.6,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.0,
        "ytick.major.size": 2.0,
        "xtick.major.pad": 1.8,
        "ytick.major.pad": 1.5,
        "lines.solid_capstyle": "round",
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "ketasim",
    }


# What belongs to the user's session and has no say in a picture.
_SESSION = ("backend", "interactive", "toolbar", "timezone", "webagg", "figure.max_open_warning")


@contextmanager
def settings(style: Style = COLUMN) -> Iterator[None]:
    """Draw under these settings and matplotlib's own defaults; the user's come back afterwards."""
    plain: dict[Any, Any] = {
        key: value
        for key, value in mpl.rcParamsDefault.items()
        if not str(key).startswith(_SESSION)
    }
    plain.update(_settings(style))
    with mpl.rc_context(plain):
        yield


class Picture(Figure):
    """A figure that a notebook shows as it is: it was drawn with no pyplot, which would."""

    def _repr_png_(self) -> tuple[bytes, dict[str, float]]:
        """Return it for a screen of two pixels a point, and how wide it is there [pixels]."""
        with BytesIO() as file, settings():
            self.savefig(file, format="png", dpi=2 * SCREEN, metadata={"Software": None})
            return file.getvalue(), {"width": round(self.get_figwidth() * SCREEN)}


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size [mm], on a canvas of its own."""
    figure = Picture(figsize=(width * MM, height * MM))
    FigureCanvasAgg(figure)
    return figure


def provenance(attributes: Mapping[str, Any]) -> str:
    """Return in one line what made a result, for the metadata of a picture."""
    version, model = attributes.get("ketasim_version"), attributes.get("model")
    parts = [f"ketasim {version}" if version else "", f"model {model}" if model else ""]
    parts += [str(attributes.get("model_digest", "")), str(attributes.get("scenario_name", ""))]
    return ", ".join(part for part in parts if part)


def drawers(figures: Mapping[str, Figure], style: Style) -> dict[str, Callable[[Path], list[Path]]]:
    """Return, by name, what writes each picture to a path, as an answer's folder wants it."""
    return {name: partial(save, one, style=style) for name, one in figures.items()}


def save(
    figure: Figure, path: str | Path, *, numbers: bool = False, style: Style = COLUMN
) -> list[Path]:
    """Write a picture whose bytes depend on nothing but the picture; return the files written.

    Parameters
    ----------
    path
        Ends in ``.png``, ``.svg`` or ``.pdf``. Fonts are embedded in a PDF and outlines in an SVG.
    numbers
        Whether to write every plotted number beside it, with the ending ``.csv``.

    Raises
    ------
    ConfigError
        When the ending is none of these, or the file cannot be written.
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ConfigError(f"{target}: a picture ends in {', '.join('.' + one for one in FORMATS)}.")
    files = [target]
    how: dict[str, Any] = {"pil_kwargs": {"compress_level": QUICK}} if kind == "png" else {}
    try:
        with settings(style):
            figure.savefig(
                target, format=kind, dpi=style.dpi, metadata=_metadata(kind, figure.get_label()),
                **how,
            )  # fmt: skip
        if numbers:
            files.append(target.with_suffix(".csv"))
            with files[-1].open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(plotted(figure))
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written ({error.strerror}).") from None
    return files


def _metadata(kind: str, about: object) -> dict[str, Any]:
    """Say what the picture shows, and leave out dates and the software's version."""
    told = str(about) or None
    if kind == "png":
        return {"Software": None, **({"Description": told} if told else {})}
    if kind == "svg":
        return {"Date": None, "Creator": None, **({"Description": told} if told else {})}
    return {"CreationDate": None, "Creator": None, "Producer": None, "Subject": told}


def plotted(figure: Figure) -> list[list[Any]]:
    """Return every plotted number as a table, its header (with units) first.

    Curves that share their times share a column of them; shorter columns end in empty cells.
    """
    columns: list[list[Any]] = []
    last: list[Any] = []
    for line in _curves(figure):
        times, values = (part.tolist() for part in map(_array, line.get_data(orig=True)))
        if times != last:
            columns.append(["time [h]", *times])
            last = times
        columns.append([line.get_label(), *values])
    return [list(row) for row in zip_longest(*columns, fillvalue="")]


def _array(data: Any) -> Any:
    return data if hasattr(data, "tolist") else mpl.cbook.index_of(data)[1]


def _curves(figure: Figure) -> list[Line2D]:
    """Return one line a curve; matplotlib's own underscore marks the lines that are no data."""
    found: dict[str, Line2D] = {}
    for axes in figure.axes:
        for line in axes.get_lines():
            label = str(line.get_label())
            if not label.startswith("_"):
                found.setdefault(label, line)
    return list(found.values())
