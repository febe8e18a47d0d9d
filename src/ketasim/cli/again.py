"""One member of a store three times: as kept, as computed now, and by the reference engine."""

import sys
from pathlib import Path

import click
import numpy as np
import xarray as xr

from ketasim.cli.remembered import ready_again
from ketasim.cli.sweeping import said_before
from ketasim.cli.text import columns
from ketasim.engines.status import Status
from ketasim.studies.sweep import sweep

DIFFERENT = 1


def compare_member(path: Path, member: int) -> None:
    """Print a member's values, its kept row, the same computed now, and the reference's.

    Exits 1 when the row computed now is not the one that is kept, bit for bit.
    """
    ready, store = ready_again(path, 1)
    alone = ready.design.member(member)
    how = {**ready.how, "chunk": 1}
    kept = store.dataset().isel(member=[member]).load()
    other = {**how, "engine": "reference"}
    with said_before():
        now = sweep(ready.scenario, alone, threads=1, **ready.keep, **how)
        beside = sweep(ready.scenario, alone, threads=1, **ready.keep, **other)
    values = zip(alone.names, alone.units, alone.rows(0, 1)[0], strict=True)
    click.echo(columns([[name, f"{float(value)!r} {unit}"] for name, unit, value in values]))
    rows = [["", "kept", "again", "reference", "difference"]]
    rows.append(["status", *(_ended(one) for one in (kept, now, beside)), ""])
    names = [str(n) for n in now.data_vars if now[n].dims == ("member",)]
    for name in (n for n in names if n not in ("status", "steps")):
        rows.append([name, *_cells(kept[name], now[name], beside[name])])
    click.echo(columns(rows))
    _say_code(now)
    if int(kept["status"][0]) == Status.NOT_RUN:
        click.echo("kept: this member has not been run yet.")
    elif _same(kept, now):
        click.echo("again = kept, bit for bit.")
    else:
        click.echo("again differs from what is kept: another processor or version made the store.")
        sys.exit(DIFFERENT)


def _say_code(now: xr.Dataset) -> None:
    status = Status(int(now["status"][0]))
    if not status.ok:
        click.echo(f"{status.name.lower()}: {status.sentence}.")


def _ended(dataset: xr.Dataset) -> str:
    return Status(int(dataset["status"][0])).name.lower()


def _cells(kept: xr.DataArray, now: xr.DataArray, beside: xr.DataArray) -> list[str]:
    a, b, c = (float(one.to_numpy()[0]) for one in (kept, now, beside))
    gap = abs(b - c) / max(abs(c), 1e-300)
    return [f"{a:.10g}", f"{b:.10g}", f"{c:.10g}", f"{gap:.1e}" if np.isfinite(gap) else "-"]


def _same(kept: xr.Dataset, now: xr.Dataset) -> bool:
    return all(
        np.array_equal(kept[name].to_numpy(), now[name].to_numpy(), equal_nan=True)
        for name in now.data_vars
        if now[name].dtype.kind == "f"
    ) and bool((kept["status"].to_numpy() == now["status"].to_numpy()).all())
