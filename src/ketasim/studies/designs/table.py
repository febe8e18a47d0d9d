"""The user's own table as a design: a CSV file, a DataFrame, a Dataset, or arrays by name."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError
from ketasim.files.names import is_file
from ketasim.studies.designs.design import Design, of_values
from ketasim.units import unit

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
MAX_BYTES = 1_000_000_000
MAX_COLUMNS = 5_000
_HEADER = re.compile(r"(?P<name>.+?)\s+\[(?P<unit>[^\[\]]{1,40})\]$")
_INDEX = ("member", "")


def table(source: Any, *, units: Mapping[str, str] | None = None) -> Design:
    """Return a design with one member a row of a table.

    Parameters
    ----------
    source
        A CSV file (``,`` or ``;`` or tab between columns; a decimal comma where ``;`` separates), a
        pandas DataFrame, an xarray Dataset of one dimension, or a mapping of names to arrays.
        Columns are headed ``nmda.k_s [1/h]``; a Dataset may say so in ``attrs["units"]``.
    units
        Units of columns whose header has none.

    Returns
    -------
    Design
        Empty cells and values out of domain become members with status ``bad_parameter``.

    Raises
    ------
    ConfigError
        When the file cannot be read, a cell is not a number, or columns differ in length.
    UnitError
        When a unit is unknown.
    """
    columns = _columns(source)
    if not columns:
        raise ConfigError("the table has no columns.")
    if len(columns) > MAX_COLUMNS:
        raise ConfigError(f"the table has {len(columns):,} columns; at most {MAX_COLUMNS:,}.")
    named = [_headed(header, units or {}) for header in columns]
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ConfigError(f"the columns of the table differ in length: {sorted(lengths)}.")
    values = np.stack(list(columns.values()), axis=1)
    return of_values(tuple(n for n, _ in named), tuple(u for _, u in named), values)


def _headed(header: str, units: Mapping[str, str]) -> tuple[str, str]:
    match = _HEADER.match(header.strip())
    name = match["name"] if match else header.strip()
    text = match["unit"].strip() if match else units.get(name, "1")
    unit(text, f'column "{name[:60]}"')
    return name, text


def _columns(source: Any) -> dict[str, Array]:
    if isinstance(source, str | Path):
        return _read(Path(source))
    import xarray as xr

    if isinstance(source, xr.Dataset):
        return _of_dataset(source)
    if not isinstance(source, Mapping) and not hasattr(source, "columns"):
        raise ConfigError("a CSV file, a DataFrame, a Dataset or arrays by name are needed.")
    names = source if isinstance(source, Mapping) else source.columns
    found = {str(name): _numbers(source[name], str(name)) for name in names}
    return {name: values for name, values in found.items() if name not in _INDEX}


def _of_dataset(source: "xr.Dataset") -> dict[str, Array]:
    flat = [n for n in (*source.coords, *source.data_vars) if source[n].ndim == 1]
    names = [str(n) for n in flat if str(n) not in ("member", "time", "status", "steps")]
    headed = {}
    for name in names:
        text = source[name].attrs.get("units")
        header = name if text is None or _HEADER.match(name) else f"{name} [{text}]"
        headed[header] = _numbers(source[name].to_numpy(), name)
    return headed


def _numbers(values: Any, name: str) -> Array:
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ConfigError(f'column "{name[:60]}" does not hold numbers.') from None
    if found.ndim != 1:
        raise ConfigError(f'column "{name[:60]}" has {found.ndim} dimensions; one is needed.')
    return found


def _read(path: Path) -> dict[str, Array]:
    text = _text(path)
    separator = _separator(text)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [name.strip() for name in next(lines, [])]
        if len(header) > MAX_COLUMNS:
            raise ConfigError(f"{path.name}: {len(header):,} columns; at most {MAX_COLUMNS:,}.")
        twice = [name for name in header if header.count(name) > 1]
        if twice:
            raise ConfigError(f'{path.name}: the column "{twice[0][:60]}" is there twice.')
        comma = separator == ";"
        rows = list(_rows(lines, header, path.name, comma=comma))
    except csv.Error as error:
        raise ConfigError(f"{path.name}: not a CSV file: {error}.") from None
    if not rows:
        raise ConfigError(f"{path.name}: no rows under the header.")
    columns = np.array(rows).T
    kept = zip(header, columns, strict=True)
    return {name: np.ascontiguousarray(values) for name, values in kept if name not in _INDEX}


def _text(path: Path) -> str:
    if not is_file(path):
        raise ConfigError(f"{path}: no such file.")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ConfigError(f"{path.name}: {size / 1e9:.1f} GB; a table has at most 1 GB.")
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise ConfigError(f"{path.name}: not text that can be read. Save it as UTF-8.")


def _separator(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _rows(
    lines: Iterator[Sequence[str]], header: Sequence[str], name: str, *, comma: bool
) -> Iterator[list[float]]:
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise ConfigError(
                f"{name} row {number}: {len(cells)} cells where the header has {len(header)}."
            )
        yield [
            _number(cell, f'{name} row {number}, column "{column[:60]}"', comma=comma)
            for cell, column in zip(cells, header, strict=True)
        ]


def _number(cell: str, where: str, *, comma: bool) -> float:
    text = cell.strip()
    if not text:
        return np.nan
    if comma:
        text = text.replace(",", ".")
    try:
        return float(text.replace("_", "x"))  # float() takes "1_000"; people mean something else
    except ValueError:
        raise ConfigError(f'{where}: "{text[:30]}" is not a number.') from None
