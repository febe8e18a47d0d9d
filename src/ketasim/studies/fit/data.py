"""Data of one's own: a tidy CSV as points, every fault of it named at once with its line.

A row is one value: when, what was read, the value, its error, in which arm. Lines that begin with
``#`` say what an arm is and how an assay errs, so that one file says everything::

    # arm low = rat_10; dosing[0].amount=3 mg/kg
    # assay blot: log-normal, scale, error = 15 %
    time [h],readout,value,error,unit,arm,assay
    0.5,bdnf.free@t / bdnf.free.start,1.8,,1,low,blot
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import isfinite, nan, sqrt
from typing import Any, NamedTuple

from ketasim.core.model import Model
from ketasim.errors import ConfigError, KetasimError, suggest
from ketasim.readouts import KINDS, Readout, parse
from ketasim.studies.findings.arms import Arm
from ketasim.studies.fit.told import Told
from ketasim.units import Unit, dimension_name, unit

MAX_ROWS = 100_000
NAMES = {"read-out": "readout", "observable": "readout", "sem": "error", "experiment": "assay"}
NEEDED = ("time", "readout", "value", "arm")
KNOWN = (*NEEDED, "error", "sd", "n", "unit", "assay")
MODELS = ("normal", "log-normal")
WORDS = (*MODELS, "lognormal", "scale", "offset", "free", "error")
_HEADING = re.compile(r"\s*([^\[]+?)\s*(?:\[(.*)\])?\s*$")
_ARM = re.compile(r"#\s*arm\b\s*(.*)", re.IGNORECASE)
_ASSAY = re.compile(r"#\s*assay\b\s*(.*)", re.IGNORECASE)
_MOMENT = re.compile(r"@\s*t\b(?![\w.(])|\.at\(\s*t\s*\)")
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_COMMA = re.compile(r"[-+]?\d+,\d+")


@dataclass(frozen=True)
class Assay:
    """How values of one assay err, and what stands between them and the model.

    ``error`` is the share of a value that is its error where a row says none. ``scale`` and
    ``offset`` say that a reading is ``offset + scale * read-out``; with ``free`` they are fitted
    like parameters, else the best are computed for every point tried.
    """

    name: str
    model: str = "normal"
    error: float = nan
    scale: bool = False
    offset: bool = False
    free: bool = False


@dataclass(frozen=True)
class Point:
    """One value in the unit of its read-out.

    ``error`` is a standard error; ``censored`` is -1 for "below the value", 1 for above it.
    ``text`` is the read-out as it was written, ``curve`` the course it lies on, if it is one.
    """

    line: int
    arm: str
    assay: str
    readout: Readout
    time: float
    value: float
    error: float
    censored: int = 0
    curve: str = ""
    text: str = ""


@dataclass(frozen=True, repr=False)
class Data(Told):
    """The points of a file with the arms they were seen in and the assays they were read by."""

    source: str
    points: tuple[Point, ...]
    arms: Mapping[str, Arm]
    assays: Mapping[str, Assay]
    digest: str = ""
    unused: tuple[str, ...] = ()
    model: Model | None = None  # of whose names they are, where it is not the default one


class Row(NamedTuple):
    """One line of the table as text, by column."""

    line: int
    cells: Mapping[str, str]


@dataclass
class Sheet:
    """A file taken apart, and what is wrong with it so far, a sentence a line number."""

    source: str
    digest: str = ""
    rows: list[Row] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    arms: dict[str, tuple[int, str, tuple[str, ...]]] = field(default_factory=dict)
    assays: dict[str, Assay] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    faults: list[tuple[int, str]] = field(default_factory=list)

    def fault(self, line: int, told: object) -> None:
        """Keep one fault."""
        self.faults.append((line, str(told)))

    @property
    def asked(self) -> dict[str, tuple[int, str, tuple[str, ...]]]:
        """Return each arm that a row names: the line, the configuration and the changes to it."""
        lines = {row.cells.get("arm", ""): row.line for row in reversed(self.rows)}
        return {name: self.arms.get(name, (at, name, ())) for name, at in lines.items() if name}

    def refuse(self) -> None:
        """Raise ConfigError with every fault, in the order of the lines."""
        if not self.faults:
            return
        told = [f"{self.source} line {line}: {text}" for line, text in sorted(self.faults)]
        many = f"{len(told)} fault{'' if len(told) == 1 else 's'} in {self.source}."
        raise ConfigError("\n".join([*told, many]))


def read(text: str, source: str) -> Sheet:
    """Take a CSV apart; what cannot be read is kept as faults.

    Parameters
    ----------
    text
        The whole file.
    source
        Its name, for messages.
    """
    sheet = Sheet(source, sha256(text.encode()).hexdigest()[:16])
    numbered = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    for i, line in numbered:
        if line.lstrip().startswith("#"):
            _told(sheet, i, line.strip())
    table = [(i, line) for i, line in numbered if not line.lstrip().startswith("#")]
    if not table:
        sheet.fault(1, "no table. Its header: time [h],readout,value,error,unit,arm")
        return sheet
    _rows(sheet, table)
    return sheet


def _told(sheet: Sheet, line: int, text: str) -> None:
    """Read ``# arm NAME = CONFIG; KEY=VALUE`` or ``# assay NAME: words``; else it is a remark."""
    if match := _ARM.match(text):
        name, equals, what = (part.strip() for part in match[1].partition("="))
        config, *changes = (part.strip() for part in what.split(";"))
        if not (name and equals and config):
            sheet.fault(line, 'write "# arm NAME = CONFIG" or "# arm NAME = CONFIG; KEY=VALUE".')
        elif name in sheet.arms:
            sheet.fault(line, f'arm "{name}" is told twice; give it one line.')
        else:
            sheet.arms[name] = (line, config, tuple(one for one in changes if one))
    elif match := _ASSAY.match(text):
        name, _, words = (part.strip() for part in match[1].partition(":"))
        if not name:
            sheet.fault(line, 'write "# assay NAME: log-normal, scale, error = 15 %".')
        elif name in sheet.assays:
            sheet.fault(line, f'assay "{name}" is told twice; give it one line.')
        else:
            sheet.assays[name] = _assay(sheet, line, name, words)


def _assay(sheet: Sheet, line: int, name: str, words: str) -> Assay:
    found = Assay(name)
    for word in filter(None, (part.strip().lower() for part in words.split(","))):
        head, equals, value = (part.strip() for part in word.partition("="))
        if head == "error" and equals:
            share = _share(value)
            if share is None:
                sheet.fault(line, f'assay {name}: error = "{value}": write a share, as "15 %".')
            else:
                found = replace(found, error=share)
        elif head.replace("lognormal", "log-normal") in MODELS:
            found = replace(found, model=head.replace("lognormal", "log-normal"))
        elif all(part in ("scale", "offset", "free", "and") for part in head.split()):
            parts = head.split()
            found = replace(
                found,
                scale=found.scale or "scale" in parts,
                offset=found.offset or "offset" in parts,
                free=found.free or "free" in parts,
            )
        else:
            hint = suggest(head, WORDS) or f" Words here: {', '.join(WORDS)}."
            sheet.fault(line, f'assay {name}: "{word}" is not understood.{hint}')
    if found.offset and found.model == "log-normal" and not found.free:
        found = replace(found, free=True)  # no formula gives the best offset of logarithms
    return found


def _share(text: str) -> float | None:
    number, sign = text.rstrip("% "), text.strip().endswith("%")
    try:
        share = float(number) / 100.0 if sign else float("nan")
    except ValueError:
        return None
    return share if 0.0 < share < 10.0 else None


def _rows(sheet: Sheet, table: Sequence[tuple[int, str]]) -> None:
    first, header = table[0]
    if ";" in header and "," not in header:
        return sheet.fault(first, "columns are separated by semicolons; save with commas.")
    heads = [_HEADING.match(cell) for cell in next(csv.reader([header]))]
    names = [NAMES.get(m[1].lower(), m[1].lower()) if m else "" for m in heads]
    for one in sorted({one for one in names if one and names.count(one) > 1}):
        sheet.fault(first, f'column "{one}" is there twice.')
    for one in (n for n in NEEDED if n not in names):
        hint = suggest(one, [n for n in names if n and n not in KNOWN])
        hint = hint or " Its header: time [h],readout,value,error,unit,arm"
        sheet.fault(first, f'no column "{one}".{hint}')
    sheet.units = {n: m[2] for n, m in zip(names, heads, strict=True) if m and m[2] is not None}
    if "time" in names and "time" not in sheet.units:
        sheet.fault(first, 'the unit of time belongs into the header: "time [h]" or "time [min]".')
    sheet.unused = tuple(n for n in names if n and n not in KNOWN)
    if len(table) - 1 > MAX_ROWS:
        return sheet.fault(first, f"{len(table) - 1:,} rows; at most {MAX_ROWS:,}.")
    for line, text in table[1:]:
        cells = next(csv.reader([text]))
        if len(cells) != len(names):
            hint = " Write 0.5, not 0,5." if _COMMA.search(text) and len(cells) > len(names) else ""
            sheet.fault(line, f"{len(cells)} cells where the header has {len(names)}.{hint}")
            continue
        sheet.rows.append(Row(line, {n: c.strip() for n, c in zip(names, cells, strict=True) if n}))
    if len(table) == 1:
        sheet.fault(first, "a header and no row under it.")
    return None


def bound(sheet: Sheet, arms: Mapping[str, Arm], model: Model) -> Data:
    """Return what a sheet says, its read-outs and units read; ``arms`` are those known.

    Raises
    ------
    ConfigError
        With every fault of the file, a line each.
    """
    points = []
    assays = dict(sheet.assays)
    for row in sheet.rows:
        point = _point(sheet, row, model, assays)
        if point is not None and point.arm in arms:
            points.append(point)
    used = {one.assay for one in points}
    for name in sheet.assays:
        if name not in used and not sheet.faults:
            sheet.fault(1, f'assay "{name}": no row names it in a column "assay".')
    sheet.refuse()
    free = {one.assay for one in points if one.censored}
    kept = {n: replace(a, free=a.free or n in free) for n, a in assays.items() if n in used}
    return Data(sheet.source, tuple(points), arms, kept, sheet.digest, sheet.unused)


def _point(sheet: Sheet, row: Row, model: Model, assays: dict[str, Assay]) -> Point | None:
    """Return a row as a point; None with every fault of it kept."""
    cells, sound = row.cells, len(sheet.faults)

    def part(read: Callable[..., Any], *given: Any) -> Any:
        try:
            return read(*given)
        except KetasimError as error:
            return sheet.fault(row.line, error)

    if not cells.get("arm"):
        sheet.fault(row.line, "no arm: write the name of a configuration, or of a line # arm.")
    time = part(_time, sheet, cells)
    readout, curve = part(readout_at, cells.get("readout", ""), time, model) or (None, "")
    name = cells.get("assay") or cells.get("readout", "")
    assay = assays.setdefault(name, Assay(name))
    factor = part(_factor, sheet, cells, readout, assay)
    value, censored = part(_value, cells.get("value", "")) or (nan, 0)
    error = part(_error, cells, value, assay)
    if assay.model == "log-normal" and value <= 0.0:
        sheet.fault(row.line, f"value = {value:g}: must be > 0 where the error is log-normal.")
    if len(sheet.faults) > sound or readout is None:
        return None
    seen = value * factor, error * factor, censored, curve, cells["readout"]
    return Point(row.line, cells["arm"], name, readout, time, *seen)


def _time(sheet: Sheet, cells: Mapping[str, str]) -> float:
    if not cells.get("time"):
        return nan
    clock = unit(sheet.units.get("time", "h"), "time")
    if clock.dimension != unit("h").dimension:
        raise ConfigError(f'time: "{clock.text}" is no unit of time; write "time [h]".')
    return _number(cells["time"], "time") * clock.factor / unit("h").factor


def _number(text: str, what: str) -> float:
    try:
        found = float(text)
    except ValueError:
        hint = f" Write {text.replace(',', '.')}." if _COMMA.fullmatch(text) else ""
        raise ConfigError(f'{what} = "{text[:40]}": a number is needed.{hint}') from None
    if not isfinite(found):
        raise ConfigError(f"{what} = {text}: a finite number is needed.")
    return found


def _value(text: str) -> tuple[float, int]:
    if text[:1] in ("<", ">"):
        return _number(text[1:].strip(), "value"), -1 if text[0] == "<" else 1
    if not text:
        raise ConfigError('no value: write a number, or "<5" where it was below detection.')
    return _number(text, "value"), 0


def _error(cells: Mapping[str, str], value: float, assay: Assay) -> float:
    """Return a standard error: the row's own, that of its mean, or the assay's share."""
    told = cells.get("error", "")
    if told.endswith("%"):
        share = _share(told)
        if share is None:
            raise ConfigError(f'error = "{told}": write a number, or a share as "15 %".')
        found = share * abs(value)
    elif told:
        found = _number(told, "error")
    elif cells.get("sd"):
        if not cells.get("n"):
            raise ConfigError("sd without n: write n, or the standard error in a column error.")
        n = _number(cells["n"], "n")
        if n < 1.0:
            raise ConfigError(f"n = {n:g}: must be at least 1.")
        found = _number(cells["sd"], "sd") / sqrt(n)
    elif isfinite(assay.error):
        found = assay.error * abs(value)
    else:
        raise ConfigError(
            f'no error: write one, or a line "# assay {assay.name}: error = 15 %" for all of it.'
        )
    if found <= 0.0:
        raise ConfigError(f"error = {found:g}: must be > 0.")
    return found


def readout_at(text: str, time: float | None, model: Model) -> tuple[Readout, str]:
    """Return a read-out at a time [h], and the course it lies on, where it is one."""
    if not text:
        raise ConfigError('no read-out: write a name such as "spines.density".')
    if time is None:  # which is a fault of its own
        time = 0.0 if is_timed(text) else nan
    at, curve, formula = f"{time!r} h", "", text
    if _is_course(text):
        curve = model.full_name(text)
        formula = f"{curve}@t"
    if _MOMENT.search(formula):
        if not isfinite(time):
            raise ConfigError(f'"{text[:60]}" is read at a time, and the row has none.')
        if time < 0.0:
            raise ConfigError(f"time = {time:g} h: must be 0 or later.")
        formula = _MOMENT.sub(f".at({at})", formula)
    elif isfinite(time):
        raise ConfigError(
            f'"{text[:60]}" says nothing of the time; write @t where it belongs, or no time.'
        )
    return parse(formula, model, where="readout"), curve


def is_timed(text: str) -> bool:
    """Return whether a read-out is one at the time of its row."""
    return _is_course(text) or bool(_MOMENT.search(text))


def _is_course(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and text.rpartition(".")[2] not in KINDS


def _factor(sheet: Sheet, cells: Mapping[str, str], readout: Readout | None, assay: Assay) -> float:
    """Return what turns a value into the unit of its read-out; 1 where a scale is fitted."""
    if assay.scale or readout is None:
        return 1.0
    told = cells.get("unit", "") or sheet.units.get("value", "")
    own: Unit = unit(readout.unit)
    if not told:
        if any(own.dimension):
            raise ConfigError(f'no unit: "{readout.unit}" or its like; write "value [UNIT]".')
        return 1.0 / own.factor
    have = unit(told, "unit")
    if have.dimension != own.dimension:
        raise ConfigError(
            f'unit = "{told}" is a {dimension_name(have)}; "{readout.text[:60]}" is a '
            f'{dimension_name(own)} ("{readout.unit}"). Another measure needs a line '
            f'"# assay {assay.name}: scale".'
        )
    return have.factor / own.factor
