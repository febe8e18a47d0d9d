"""Several runs at the same times: overlaid, tabulated, and told where they do not differ."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr

from ketasim.cli.carry_out import integrate
from ketasim.cli.text import columns, number, summary_cells
from ketasim.config import Setup
from ketasim.errors import ConfigError
from ketasim.results import folder
from ketasim.results.summary import headlines, observables, summaries

Runs = Mapping[str, xr.Dataset]
ALIKE = 1e-4  # share of the range; a hundred times the default tolerance


def aligned(setups: Sequence[Setup]) -> list[Setup]:
    """Return setups that look at the same times, under names that differ.

    Raises
    ------
    ConfigError
        When there are fewer than two.
    """
    if len(setups) < 2:
        raise ConfigError("compare: give at least two configurations.")
    times = _union(one.scenario.times for one in setups)
    names: list[str] = []
    for one in setups:
        count = sum(name.partition(" #")[0] == one.scenario.name for name in names)
        names.append(one.scenario.name + (f" #{count + 1}" if count else ""))
    return [
        replace(one, scenario=replace(one.scenario, times=times, name=name))
        for one, name in zip(setups, names, strict=True)
    ]


def _union(grids: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
    moments = sorted({moment for grid in grids for moment in grid})
    kept = [moments[0]]
    kept += [b for a, b in pairwise(moments) if b - a > 1e-9]
    return tuple(kept)


def integrated(setups: Iterable[Setup]) -> dict[str, xr.Dataset]:
    """Return each setup's Dataset by its scenario's name."""
    return {one.scenario.name: integrate(one) for one in setups}


def shared(runs: Runs) -> tuple[str, ...]:
    """Return the observables that every run recorded."""
    first, *others = (observables(run) for run in runs.values())
    return tuple(name for name in first if all(name in other for other in others))


def _told(runs: Runs) -> tuple[str, ...]:
    """Return what is told of each run: the headlines that all share, or all that they share."""
    names = shared(runs)
    return tuple(n for n in headlines(next(iter(runs.values()))) if n in names) or names


def table(runs: Runs) -> str:
    """Return peak, its time, and the value at 24 h of each headline in each run."""
    rows = [["observable", "unit", "run", "baseline", "peak", "at", "above half", "24 h"]]
    for name in _told(runs):
        first = [name, str(next(iter(runs.values()))[name].attrs["units"])]
        for label, run in runs.items():
            one = summaries(run, (name,))[name]
            rows.append([*first, label, *summary_cells(one), number(one.at_24h)])
            first = ["", ""]
    return columns(rows)


def identity(runs: Runs) -> str:
    """Say in a sentence which observables all runs share."""
    names = shared(runs)
    same = [name for name in _told(runs) if _alike(name, runs)]
    everything = sum(_alike(name, runs) for name in names)
    if not same:
        return f"identical: none of those above ({everything} of {len(names)} recorded)."
    return f"identical: {', '.join(same)} ({everything} of {len(names)} recorded)."


def _alike(name: str, runs: Runs) -> bool:
    """Return whether every run agrees with the first to a small share of its size."""
    first, *others = (run[name].to_numpy() for run in runs.values())
    size = max(float(np.abs(one).max()) for one in (first, *others))
    return all(bool(np.abs(one - first).max() <= ALIKE * size) for one in others)


def write(out: Path, runs: Runs) -> list[Path]:
    """Write the overlaid figure, and each run's own folder, and return the files."""
    from ketasim.plots.overlay import draw

    picture = out / "compare.png"
    draw(dict(runs), picture)
    files = [picture]
    for label, run in runs.items():
        own = out / (re.sub(r"[^\w#-]+", "_", label)[:100] or "run")
        files += folder.write(own, run, scenario=run.attrs["scenario"])
    return files
