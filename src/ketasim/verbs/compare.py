"""Several scenarios at the same times: overlaid, tabulated, and told where they do not differ."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from ketasim.config import Setup
from ketasim.errors import ConfigError
from ketasim.reports.runs import comparison_table, identical
from ketasim.reports.text import Table
from ketasim.results import folder
from ketasim.verbs.run import MADE_IN_PYTHON, Run, run
from ketasim.verbs.setups import Question, Tell, setup_of, warned

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Comparison:
    """Results by the label of their scenario, all at the same times [h]."""

    runs: Mapping[str, Run]

    def __repr__(self) -> str:
        """Return the table and the sentence that ``ketasim compare`` prints."""
        return f"{self.table}\n{self.identical}"

    @property
    def table(self) -> Table:
        """Return peak, its time, and the value at 24 h of each headline in each run."""
        return comparison_table(self.runs)

    @property
    def identical(self) -> str:
        """Return a sentence naming the observables in which all runs agree."""
        return identical(self.runs)

    @cached_property
    def figure(self) -> "Figure":
        """Return the runs drawn over one another."""
        from ketasim.plots.overlay import draw

        return draw(self._drawn)

    @property
    def _drawn(self) -> dict[str, xr.Dataset]:
        return {label: one.drawn for label, one in self.runs.items()}

    def save(self, out: str | Path) -> list[Path]:
        """Write the overlaid figure, and each run's own folder; return the files, figure first.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.overlay import draw

        files = [folder.prepare(Path(out)) / "compare.png"]
        draw(self._drawn, files[0])
        for label, one in self.runs.items():
            own = Path(out) / (re.sub(r"[^\w#-]+", "_", label)[:100] or "run")
            files += folder.write(
                own,
                one.dataset,
                scenario=one.dataset.attrs.get("scenario", MADE_IN_PYTHON),
                summary=one.readouts,
            )
        return files


def compare(*what: Question, sets: Iterable[str] = (), tell: Tell = warned) -> Comparison:
    """Run two or more scenarios at the union of their output times.

    Parameters
    ----------
    what
        Names, files, Setups or Scenarios.
    sets
        Changes to each of them, such as ``"output.until=3 d"``.
    tell
        Hears each caution; a KetasimWarning by default.

    Raises
    ------
    ConfigError
        When there are fewer than two, or one cannot be understood.
    SolverError
        When integration stops, or breaks a conservation law.
    """
    changes = tuple(sets)
    setups = _aligned([setup_of(one, sets=changes) for one in what])
    return Comparison({one.scenario.name: run(one, tell=tell) for one in setups})


def _aligned(setups: Sequence[Setup]) -> list[Setup]:
    """Return setups that look at the same times, under names that differ."""
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
