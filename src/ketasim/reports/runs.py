"""One run summed up in a table and a line, and several runs side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ketasim.reports.text import NONE, Table, milligrams, moment, number
from ketasim.results.summary import Summary, headlines, observables

if TYPE_CHECKING:
    import xarray as xr


class Seen(Protocol):
    """A run and the numbers taken of it."""

    @property
    def dataset(self) -> "xr.Dataset":
        """Return its time courses."""

    @property
    def readouts(self) -> Mapping[str, Summary]:
        """Return the summary of each recorded name."""


Runs = Mapping[str, Seen]
ALIKE = 1e-4  # share of the range; a hundred times the default tolerance
STILL = 1e-5  # in declared units, all of which are of the size of what they measure
MOST = 12  # observables of one run that are all shown


def summary_cells(one: Summary) -> list[str]:
    """Return baseline, peak, its time, and time above half; dashes for what does not move."""
    if abs(one.change) < STILL:
        return [number(one.baseline), number(one.baseline), NONE, NONE]
    return [
        number(one.baseline),
        number(one.peak),
        moment(one.time_of_peak),
        moment(one.above_half),
    ]


def shown(dataset: "xr.Dataset") -> tuple[str, ...]:
    """Return what to print: the headline observables, or all when none of them was recorded."""
    names = observables(dataset)
    return names if len(names) <= MOST else headlines(dataset) or names


def summary_table(run: Seen, names: Sequence[str]) -> Table:
    """Return the summary of the named observables."""
    header = ("observable", "unit", "baseline", "peak", "at", "above half", "24 h", "area [unit h]")
    rows = []
    for name in names:
        one, unit = run.readouts[name], str(run.dataset[name].attrs["units"])
        rows.append((name, unit, *summary_cells(one), number(one.at_24h), number(one.area)))
    return Table(header, tuple(rows), _who(run.dataset.attrs))


def _who(known: Mapping[str, Any]) -> str:
    """Return whose run it is: species, weight, and the condition, healthy where none is stated."""
    weight = float(known.get("weight_kg", "nan"))
    heavy = f"{weight:.3g} kg" if weight >= 1.0 else f"{1000.0 * weight:.3g} g"
    parts = [str(known.get("species", "")), heavy if weight > 0.0 else "", known.get("condition")]
    return ", ".join(str(one) for one in parts if one)


def last_line(dataset: "xr.Dataset", folder: Path) -> str:
    """Return ``delivered 35.0 mg of 35.0 mg - solver ok - 0.09 s - out/``."""
    known: dict[str, Any] = dataset.attrs
    flags = dataset["status"].attrs
    meanings = dict(zip(flags["flag_values"].tolist(), flags["flag_meanings"].split(), strict=True))
    status = meanings[int(dataset["status"][0])].replace("_", " ")
    return f"{_given(known)} - solver {status} - {known['wall_s']:.2f} s - {folder}/"


def _given(known: dict[str, Any]) -> str:
    if not known["doses"]:
        return "no dose prescribed"
    given = f"{milligrams(known['delivered_mg'])} of {milligrams(known['prescribed_mg'])}"
    return f"delivered {given}" + (f" in {known['doses']} doses" if known["doses"] > 1 else "")


def shared(runs: Runs) -> tuple[str, ...]:
    """Return the observables that every run recorded."""
    first, *others = (observables(run.dataset) for run in runs.values())
    return tuple(name for name in first if all(name in other for other in others))


def _told(runs: Runs) -> tuple[str, ...]:
    """Return what is told of each run: the headlines that all share, or all that they share."""
    names = shared(runs)
    return tuple(n for n in headlines(next(iter(runs.values())).dataset) if n in names) or names


def comparison_table(runs: Runs) -> Table:
    """Return peak, its time, and the value at 24 h of each headline in each run."""
    header = ("observable", "unit", "run", "baseline", "peak", "at", "above half", "24 h")
    rows: list[tuple[str, ...]] = []
    for name in _told(runs):
        first = [name, str(next(iter(runs.values())).dataset[name].attrs["units"])]
        for label, run in runs.items():
            one = run.readouts[name]
            rows.append((*first, label, *summary_cells(one), number(one.at_24h)))
            first = ["", ""]
    return Table(header, tuple(rows))


def identical(runs: Runs) -> str:
    """Say in a sentence which observables all runs share."""
    names = shared(runs)
    same = [name for name in _told(runs) if _alike(name, runs)]
    everything = sum(_alike(name, runs) for name in names)
    if not same:
        return f"identical: none of those above ({everything} of {len(names)} recorded)."
    return f"identical: {', '.join(same)} ({everything} of {len(names)} recorded)."


def _alike(name: str, runs: Runs) -> bool:
    """Return whether every run agrees with the first to a small share of its size."""
    first, *others = (run.dataset[name].to_numpy() for run in runs.values())
    size = max(float(np.abs(one).max()) for one in (first, *others))
    return all(bool(np.abs(one - first).max() <= ALIKE * size) for one in others)
