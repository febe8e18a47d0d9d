"""A sweep's store in words: what it will take, how far it is, what failed, one member again."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ketasim.engines.status import Status
from ketasim.reports.text import Table, duration, plural
from ketasim.results import failures
from ketasim.results.problems import size
from ketasim.studies.sweep.estimate import Estimate

if TYPE_CHECKING:
    import xarray as xr


def planned(found: Estimate) -> str:
    """Return an estimate in one line."""
    kept = "summaries only" if not found.recorded else "with time courses"
    line = (
        f"{found.members:,} runs, {found.chunks:,} chunk{plural(found.chunks)}, "
        f"about {duration(found.seconds)} on {found.threads} thread{plural(found.threads)}, "
        f"{size(found.bytes)} on disk ({kept})"
    )
    if not found.recorded:
        line += f"; full trajectories would be {size(found.trajectory_bytes)}"
    return line + "."


def ended(dataset: "xr.Dataset", store: Path) -> str:
    """Return the last line of a sweep: how its members ended, and where they are."""
    told = failures.sentence(dataset)
    if len(failures.failed(dataset)):
        told += f" Rows are kept as NaN with status; list: ketasim failures {store}"
    return f"{told} - {store}/" if told.endswith(".") else told


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
