"""One scenario: integrated, summed up, drawn and written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from ketasim.config import Setup, dump
from ketasim.errors import ConfigError
from ketasim.reports.runs import shown, summary_table
from ketasim.reports.text import Table
from ketasim.results import folder
from ketasim.results.summary import Summary
from ketasim.studies.cautions import kept
from ketasim.studies.simulate import look
from ketasim.verbs.setups import Question, Tell, setup_of, warned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MADE_IN_PYTHON = "# Made in Python from a model or species that no file can name.\n"


@dataclass(frozen=True, repr=False)
class Run:
    """One scenario's result.

    Parameters
    ----------
    setup
        What was asked.
    dataset
        Time courses ``(member, time)`` with units, and everything needed to ask again.
    drawn
        The same at more times: around doses, inputs and extremes, for pictures.
    readouts
        Baseline, peak, times and area of everything recorded, by name; no grid moves them.
    """

    setup: Setup
    dataset: xr.Dataset
    drawn: xr.Dataset
    readouts: Mapping[str, Summary]

    def __repr__(self) -> str:
        """Return the table that ``ketasim run`` prints."""
        return repr(self.table)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    @property
    def table(self) -> Table:
        """Return the headline observables summed up."""
        return summary_table(self, shown(self.dataset))

    @cached_property
    def figure(self) -> "Figure":
        """Return the default picture: drug to mood, first hours and following days."""
        from ketasim.plots.timecourse import draw

        return draw(self.drawn)

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write figure, tables, data, scenario and provenance; return the files, figure first.

        Parameters
        ----------
        formats
            More formats of the figure: ``"pdf"``, ``"svg"``.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.timecourse import draw

        return folder.write(
            Path(out),
            self.dataset,
            scenario=self.dataset.attrs.get("scenario", MADE_IN_PYTHON),
            summary=self.readouts,
            draw=draw,
            drawn=self.drawn,
            formats=("png", *formats),
        )


def run(
    what: Question,
    *,
    sets: Iterable[str] = (),
    engine: str | None = None,
    method: str | None = None,
    rtol: float | None = None,
    tell: Tell = warned,
) -> Run:
    """Run one scenario.

    Parameters
    ----------
    what
        A configuration's name (see ``ks.list_configs()``), a TOML file, a Setup or a Scenario.
    sets
        Changes to a file or named configuration, such as ``"dosing[0].amount=1 mg/kg"``.
    engine, method, rtol
        How to integrate; what the configuration says when not given.
    tell
        Hears each caution, such as an unusual dose; a KetasimWarning by default.

    Returns
    -------
    Run
        ``.dataset``, ``.table``, ``.readouts``, ``.figure`` and ``.save(folder)``.

    Raises
    ------
    ConfigError, ModelError, ProtocolError, UnitError
        When it cannot be carried out; nothing has been integrated then.
    SolverError
        When integration stops, or breaks a conservation law.
    """
    setup = setup_of(what, sets=sets)
    setup = replace(
        setup,
        engine=engine or setup.engine,
        method=method or setup.method,
        rtol=setup.rtol if rtol is None else rtol,
    )
    for caution in setup.cautions:
        tell(caution)
    by = setup.engine or "reference"
    seen = look(setup.scenario, engine=by, method=setup.method, rtol=setup.rtol)
    question = _question(setup)
    told = {"cautions": kept(setup.cautions), **({"scenario": question} if question else {})}
    dataset, drawn = (one.assign_attrs(told) for one in (seen.dataset, seen.drawn))
    return Run(setup, dataset, drawn, seen.summary)


def _question(setup: Setup) -> str:
    """Return a setup as TOML; nothing for a model of the user's own, which no file can name."""
    try:
        return dump(setup)
    except ConfigError:
        return ""
