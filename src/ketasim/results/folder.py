"""One run, one folder: picture, numbers, the question that was asked, and what made them."""

import csv
import hashlib
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ketasim
from ketasim.errors import ConfigError
from ketasim.results.output import file_at, files_in, put_in
from ketasim.results.summary import Summary, observables, rows

if TYPE_CHECKING:
    import xarray as xr

FIGURE, TIMECOURSE, DATASET = "figure", "timecourse.csv", "result.nc"
SUMMARY, SCENARIO, PROVENANCE = "summary.csv", "scenario.toml", "provenance.json"
BANDS = "bands.csv"
Draw = Callable[["xr.Dataset", Path], object]
PACKAGES = (
    "numpy", "scipy", "xarray", "netCDF4", "zarr", "llvmlite", "pydantic", "matplotlib", "click",
    "pint", "tqdm",
)  # fmt: skip


def prepare(folder: Path) -> Path:
    """Make a folder, and find out before the run whether it can be written.

    Raises
    ------
    ConfigError
        When it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".ketasim-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = "it is a file" if folder.is_file() else error.strerror
        raise ConfigError(
            f"{folder}: cannot be written ({reason}). Choose another folder with -o."
        ) from None
    return folder


def write(
    folder: Path,
    dataset: "xr.Dataset",
    *,
    scenario: str,
    summary: Mapping[str, Summary],
    draw: Draw | None = None,
    drawn: "xr.Dataset | None" = None,
    formats: Iterable[str] = ("png",),
) -> list[Path]:
    """Write a run of one member and return the files, provenance last.

    Parameters
    ----------
    scenario
        The question as TOML, which gives the same numbers again.
    summary
        The numbers of every recorded name.
    draw, drawn
        Draws a Dataset (the run itself, or the same at more times) into a file whose ending names
        the format; no picture when None.

    Raises
    ------
    ConfigError
        When the folder cannot be written.
    """
    prepare(folder)
    with files_in(folder, last=PROVENANCE) as place:
        files = _written(place, dataset, scenario, summary, draw, drawn, formats)
    return put_in(folder, files)


def _written(
    folder: Path,
    dataset: "xr.Dataset",
    scenario: str,
    summary: Mapping[str, Summary],
    draw: Draw | None,
    drawn: "xr.Dataset | None",
    formats: Iterable[str],
) -> list[Path]:
    """Write a run's files, and return them."""
    files = []
    for ending in dict.fromkeys(formats) if draw is not None else ():
        files.append(folder / f"{FIGURE}.{ending}")
        if draw is not None:
            draw(dataset if drawn is None else drawn, files[-1])
    files.append(_table(folder / TIMECOURSE, timecourse(dataset)))
    files.append(
        _table(
            folder / SUMMARY,
            rows(summary, {n: str(dataset.variables[n].attrs["units"]) for n in summary}),
        )
    )
    dataset.to_netcdf(folder / DATASET)
    (folder / SCENARIO).write_text(scenario, encoding="utf-8")
    files += [folder / DATASET, folder / SCENARIO]
    return [*files, record(folder, dict(dataset.attrs), files)]


def answer(
    folder: Path,
    name: str,
    *,
    record: Mapping[str, Any],
    figures: Mapping[str, Callable[[Path], object]] | None = None,
    tables: Mapping[str, Iterable[Mapping[str, Any]]] | None = None,
    formats: Iterable[str] = (),
) -> list[Path]:
    """Write an answer as figures (PNG and more), tables (CSV) and ``NAME.json``; return the files.

    Parameters
    ----------
    record
        Everything found; what is no finite number becomes null.
    figures
        Each draws itself into a file whose ending names the format, by name.
    tables
        Rows of alike keys, by name.

    Raises
    ------
    ConfigError
        When the folder cannot be written.
    """
    prepare(folder)
    with files_in(folder, last=f"{name}.json") as place:
        files = []
        for own, draw in (figures or {}).items():
            for ending in dict.fromkeys(("png", *formats)):
                files.append(place / f"{own}.{ending}")
                draw(files[-1])
        for own, rows_ in (tables or {}).items():
            plain = [finite(dict(row)) for row in rows_]
            lines = [list(plain[0]), *(list(row.values()) for row in plain)] if plain else []
            files.append(_table(place / f"{own}.csv", lines))
        files.append(place / f"{name}.json")
        text = json.dumps(finite(dict(record)), indent=1, ensure_ascii=False, allow_nan=False)
        files[-1].write_text(text + "\n", encoding="utf-8")
    return put_in(folder, files)


def finite(value: Any) -> Any:
    """Return the same with null for what is no number, and NumPy's numbers as plain ones."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    plain = value.tolist() if hasattr(value, "tolist") else value
    return None if isinstance(plain, float) and not isfinite(plain) else plain


def bands(folder: Path, found: "xr.Dataset") -> Path:
    """Write courses (quantile, time) as a table, a column for each quantile of each course."""
    table = [["time [h]"], *([f"{float(t)!r}"] for t in found["time"].to_numpy())]
    for name in map(str, found.data_vars):
        one = found[name].transpose("quantile", "time")
        for share, values in zip(found["quantile"].to_numpy(), one.to_numpy(), strict=True):
            column = [f"{name} {share:.0%} [{one.attrs['units']}]", *map(float, values)]
            for row, cell in zip(table, column, strict=True):
                row.append(str(cell))
    with file_at(folder / BANDS) as place:
        return folder / _table(place, table).name


def record(folder: Path, attributes: dict[str, Any], files: Iterable[Path]) -> Path:
    """Write what made these files, with their hashes."""
    path = folder / PROVENANCE
    text = json.dumps(collect(attributes, files), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def timecourse(dataset: "xr.Dataset", *, member: int = 0) -> Iterable[list[Any]]:
    """Yield the rows of a member's time course, a header with units first."""
    names, seen = observables(dataset), dataset.variables
    yield ["time [h]", *(f"{name} [{seen[name].attrs['units']}]" for name in names)]
    columns = [seen["time"].to_numpy()]
    columns += [seen[name].isel(member=member).to_numpy() for name in names]
    for line in zip(*(column.tolist() for column in columns), strict=True):
        yield list(line)


def _table(path: Path, lines: Iterable[list[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    return path


def versions() -> dict[str, str]:
    """Return the version of this package, of Python, and of what it stands on."""
    found = {"ketasim": ketasim.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> dict[str, Any]:
    """Return the operating system and the processor, with the features that change rounding."""
    model, flags = _processor()
    telling = ("fma", "avx", "avx2", "avx512f", "neon", "asimd", "sve")
    return {
        "system": platform.platform(),
        "processor": model or platform.processor() or platform.machine(),
        "features": [one for one in telling if one in flags],
    }


def _processor() -> tuple[str, set[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "", set()
    told: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        told.setdefault(key.strip().lower(), value.strip())
    return told.get("model name", ""), set(told.get("flags", told.get("features", "")).split())


def source_state() -> dict[str, Any] | None:
    """Return the commit of the source tree and whether it was changed; None when installed."""
    root = Path(ketasim.__file__).parents[2]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    try:
        commit = _ask(git, root, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_ask(git, root, "status", "--porcelain", "-uno"))}
    except (subprocess.SubprocessError, OSError):
        return None


def _ask(git: str, root: Path, *words: str) -> str:
    command = [git, "-C", str(root), *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=5
    ).stdout.strip()


def digest(path: Path) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def collect(attributes: dict[str, Any], files: Iterable[Path]) -> dict[str, Any]:
    """Return everything worth knowing about a run whose global attributes these are."""
    plain = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in attributes.items()}
    plain.pop("scenario", None)
    return {
        "format": 1,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": versions(),
        "machine": machine(),
        "source": source_state(),
        "run": plain,
        "sha256": {path.name: digest(path) for path in files},
    }
