"""A sweep's store in words: what it will take, what failed, one member again, what matters."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ketasim.engines.status import Status
from ketasim.errors import ConfigError
from ketasim.reports.text import Table, Text, columns, duration, number, plural
from ketasim.results import failures
from ketasim.results.folder import finite
from ketasim.results.problems import size
from ketasim.studies.indices import MAIN, order
from ketasim.studies.sensitivity import WORDS
from ketasim.studies.sweep.estimate import Estimate

if TYPE_CHECKING:
    import xarray as xr

    from ketasim.results.store import Store

SHOWN = 10  # factors listed of a read-out
NOISE = 10.0  # a spread of fewer tolerances than this is the solver's own


def planned(found: Estimate) -> str:
    """Return an estimate in one line."""
    kept = "summaries only" if not found.recorded else "with time courses"
    line = (
        f"{found.members:,} runs, {found.chunks:,} chunk{plural(found.chunks)}, "
        f"about {duration(found.seconds)} on {found.threads} thread{plural(found.threads)}, "
        f"at most {size(found.memory)} of memory, {size(found.bytes)} on disk ({kept})"
    )
    if not found.recorded:
        line += f"; full trajectories would be {size(found.trajectory_bytes)}"
    return line + "."


def ended(store: "Store") -> str:
    """Return the last line of a sweep: how its members ended, and where they are."""
    found, place = store.ended(), store.path
    if not failures.lost(found):
        return f"{failures.told(found)} - {place}/"
    told = failures.told(found, failures.region(store.dataset()))
    return f"{told} Rows are kept as NaN with status; list: ketasim failures {place}"


def failure_table(dataset: "xr.Dataset") -> Table:
    """Return the members that failed with their status and design values."""
    header, *rows = failures.rows(dataset)
    return Table(
        tuple(str(cell) for cell in header),
        tuple(tuple(f"{c:.6g}" if isinstance(c, float) else str(c) for c in r) for r in rows),
    )


def again(kept: "xr.Dataset", now: "xr.Dataset", reference: "xr.Dataset") -> Table:
    """Return a member's kept row, the same computed now, and the reference engine's beside it."""
    runs = (kept, now, reference)
    rows = [("status", *(_ended(run) for run in runs), "")]
    names = [str(n) for n in now.data_vars if now[n].dims == ("member",)]
    for name in (n for n in names if n not in ("status", "steps")):
        rows.append((name, *_cells([float(run[name].to_numpy()[0]) for run in runs])))
    return Table(("", "kept", "again", "reference", "difference"), tuple(rows))


def _ended(dataset: "xr.Dataset") -> str:
    return Status(int(dataset["status"][0])).name.lower()


def _cells(values: Sequence[float]) -> tuple[str, ...]:
    _, now, reference = values
    gap = abs(now - reference) / max(abs(reference), 1e-300)
    told = f"{gap:.1e}" if np.isfinite(gap) else "-"
    return (*(f"{value:.10g}" for value in values), told)


def indices_text(found: "xr.Dataset", *, top: int = SHOWN) -> Text:
    """Return the factors that matter most to each read-out, as tables."""
    told = found.attrs
    blocks = "" if told["block_members"] == 1 else f" in {told['blocks']:,} blocks"
    lost = f"{told['failed_members']:,} failed" if told["failed_members"] else "none failed"
    count = found.sizes["factor"]
    head = (
        f"{WORDS[told['method']]} of {found.sizes['readout']} read-out"
        f"{plural(found.sizes['readout'])} by {count:,} factor{plural(count)}: "
        f"{told['members']:,} runs{blocks}, {lost}."
    )
    parts = [_of_one(found.sel(readout=name), name, top) for name in found["readout"].to_numpy()]
    return Text("\n\n".join([head[0].upper() + head[1:], *parts, *_note(found)]))


def _of_one(found: "xr.Dataset", name: str, top: int) -> str:
    told, unit = found.attrs, str(found["unit"].to_numpy())
    tail = "" if unit == "1" else f" {unit}"
    head = (
        f"{name}: mean {number(float(found['mean']))}{tail}, sd {number(float(found['sd']))}{tail}"
    )
    lost = told["blocks"] - int(found["used"])
    if lost:
        what = "members" if told["block_members"] == 1 else "blocks"
        head += f"; {lost:,} of {told['blocks']:,} {what} dropped, as they lack values"
    places = order(found[MAIN[told["method"]]].to_numpy())
    if not len(places):
        return f"{head}\nIt does not vary, so nothing can matter to it."
    keys = [str(key) for key in found.data_vars if f"{key}_low" in found]
    rows = [["factor", *(f"{key} ({told['level']:.0%})" for key in keys)]]
    for i in places[:top]:
        rows.append([str(found["factor"].to_numpy()[i]), *(_cell(found, key, i) for key in keys)])
    lines = [head, columns(rows)]
    if len(places) > top:
        least = abs(float(found[MAIN[told["method"]]].to_numpy()[places[top]]))
        lines.append(f"and {len(places) - top:,} more, {MAIN[told['method']]} at most {least:.2g}.")
    if told["method"] == "sobol":
        lines.append(
            f"S1 adds up to {float(found['S1'].sum()):.2f}; interactions make up the rest."
        )
    if float(found["sd"]) < NOISE * float(told.get("rtol", 0.0)) * abs(float(found["mean"])):
        lines.append("It varies by little more than the solver's tolerance; give a smaller --rtol.")
    return "\n".join(lines)


def _cell(found: "xr.Dataset", key: str, i: int) -> str:
    value, low, high = (float(found[key + tail].to_numpy()[i]) for tail in ("", "_low", "_high"))
    return f"{number(value)} ({number(low)} to {number(high)})"


def _note(found: "xr.Dataset") -> Iterator[str]:
    """Yield what has to be known to read the tables."""
    method = found.attrs["method"]
    if method == "sobol":
        yield (
            "S1 is the share of variance that a factor explains alone, ST with all its "
            "interactions; an S1 whose interval holds 0 is not told apart from 0."
        )
    if method == "morris":
        yield "Effects are of a whole range, in the read-out's unit; sigma is how they differ."
    if method == "derivative":
        yield "A total index is at most its bound: near 0 it can be fixed, large it says nothing."
    if method == "prcc":
        yield "Rank correlations see what rises or falls throughout, and miss what does both."


def write_indices(found: "xr.Dataset", out: Path) -> list[Path]:
    """Write every index as CSV and as JSON; return the files.

    Raises
    ------
    ConfigError
        When one cannot be written.
    """
    table, text = out / "indices.csv", out / "indices.json"
    rows = list(_rows(found))
    plain = {k: v for k, v in found.attrs.items() if k != "scenario"}
    names = found["readout"].to_numpy().tolist()
    kept = {
        name: {key: float(found[key].to_numpy()[i]) for key in ("mean", "sd", "used")}
        for i, name in enumerate(names)
    }
    whole = {
        **plain,
        "readouts": kept,
        "indices": [dict(zip(HEADER, r, strict=True)) for r in rows],
    }
    try:
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])
        text.write_text(json.dumps(finite(whole), indent=1, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from None
    return [table, text]


HEADER = ("readout", "unit", "factor", "columns", "index", "value", "low", "high")


def _rows(found: "xr.Dataset") -> Iterator[list[Any]]:
    keys = [str(key) for key in found.data_vars if f"{key}_low" in found]
    units, inside = found["unit"].to_numpy(), found["inside"].to_numpy()
    tables = {key + t: found[key + t].to_numpy() for key in keys for t in ("", "_low", "_high")}
    for i, name in enumerate(found["readout"].to_numpy().tolist()):
        for j, factor in enumerate(found["factor"].to_numpy().tolist()):
            for key in keys:
                numbers = (float(tables[key + tail][i, j]) for tail in ("", "_low", "_high"))
                unit = units[i] if key in ("mu", "mu_star", "sigma") else "1"
                yield [name, str(unit), factor, str(inside[j]), key, *numbers]
