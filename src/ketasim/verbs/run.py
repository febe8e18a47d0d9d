"""One scenario (by name, file, Setup or Scenario) run, summed up, drawn, written; or several."""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ketasim.config import Setup, dump, load, packaged
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError, KetasimWarning
from ketasim.reports.doses import dose_table
from ketasim.reports.runs import comparison_table, identical, shown, summary_table
from ketasim.reports.text import Table
from ketasim.results import folder
from ketasim.results.output import file_at
from ketasim.results.summary import Summary, observables
from ketasim.studies.cautions import PREFIX, cautions_of, differing, kept
from ketasim.studies.simulate import engine_for, look

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from ketasim.studies.fit.data import Data, Point

Question = str | Path | Setup | Scenario
Tell = Callable[[str], object]
MADE_IN_PYTHON = "# Made in Python from a model or species that no file can name.\n"


def setup_of(what: Question, *, sets: Iterable[str] = (), modules: Iterable[str] = ()) -> Setup:
    """Return the setup that a user means.

    Parameters
    ----------
    what
        A packaged configuration's name, a TOML file, a Setup or a Scenario.
    sets
        Changes such as ``"nmda.k_s=0.5 uM"``, for a name or a file.
    modules
        Modules beside those that a name or a file asks for.

    Raises
    ------
    ConfigError
        When a file cannot be understood, or what is already built should be changed by text.
    """
    if isinstance(what, str | Path):
        return load(what, sets=sets, modules=modules)
    if list(sets):
        raise ConfigError(
            "sets: change files and named configurations only; for a Scenario write "
            'dataclasses.replace(scenario, model=scenario.model.with_values({"nmda.k_s": "1 uM"})).'
        )
    if list(modules):
        raise ConfigError(
            "modules: added to files and named configurations only; build a Scenario with "
            'ks.models.antidepressant("safety").'
        )
    return what if isinstance(what, Setup) else Setup(what, cautions=cautions_of(what))


def warned(caution: str) -> None:
    """Say a caution the way Python does."""
    warnings.warn(caution.removeprefix(PREFIX), KetasimWarning, stacklevel=3)


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
    seen
        Values of one's own that are drawn over the curves.
    bands
        Courses under draws of a posterior, (quantile, time), which the figure shows then.
    """

    setup: Setup
    dataset: "xr.Dataset"
    drawn: "xr.Dataset"
    readouts: Mapping[str, Summary]
    seen: tuple["Point", ...] = ()
    bands: "xr.Dataset | None" = None

    def __repr__(self) -> str:
        """Return the tables that ``ketasim run`` prints."""
        return "\n\n".join(repr(one) for one in (self.table, self.doses) if one is not None)

    def _repr_html_(self) -> str:
        both = (one for one in (self.table, self.doses) if one is not None)
        return "".join(one._repr_html_() for one in both)

    @property
    def doses(self) -> Table | None:
        """Return a row for each of several doses: what it reached, and what is left of it."""
        return dose_table(self.drawn)

    @property
    def table(self) -> Table:
        """Return the headline observables summed up."""
        return summary_table(self, shown(self.dataset))

    @cached_property
    def figure(self) -> "Figure":
        """Return the default picture: drug to mood, first hours and following days."""
        from ketasim.plots.timecourse import draw

        return draw(self.drawn, seen=self.seen, bands=self.bands)

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

        files = folder.write(
            Path(out),
            self.dataset,
            scenario=self.dataset.attrs.get("scenario", MADE_IN_PYTHON),
            summary=self.readouts,
            draw=partial(draw, seen=self.seen, bands=self.bands),
            drawn=self.drawn,
            formats=("png", *formats),
        )
        return files if self.bands is None else [*files, folder.bands(Path(out), self.bands)]


def run(
    what: Question,
    *,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    engine: str | None = None,
    method: str | None = None,
    rtol: float | None = None,
    data: "str | Path | Data | None" = None,
    posterior: str | Path | None = None,
    uncertainty: bool = False,
    tell: Tell = warned,
) -> Run:
    """Run one scenario.

    Parameters
    ----------
    what
        A configuration's name (see ``ks.list_configs()``), a TOML file, a Setup or a Scenario.
    sets
        Changes to a file or named configuration, such as ``"dosing[0].amount=1 mg/kg"``.
    modules
        Modules beside those it asks for: ``["safety"]``; ``ks.list_modules()`` shows all.
    engine, method, rtol
        How to integrate; what the configuration says when not given, and where it says nothing,
        the compiled engine at 8e-7 if it is ready, else the reference by LSODA at 1e-7 while the
        compiled one is made ready in the background.
    data
        Values of one's own to draw over the curves; see :func:`ketasim.load_data`.
    posterior
        The folder of a posterior, or a table of draws: the figure then shows medians and 5 to 95 %
        of what is believed, without the error of measuring; the table is the model's own.
    uncertainty
        The same from the posterior that comes with the package.
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
    setup = setup_of(what, sets=sets, modules=modules)
    setup = replace(
        setup,
        engine=engine or setup.engine,
        method=method or setup.method,
        rtol=setup.rtol if rtol is None else rtol,
    )
    seen = values_of(data, [setup.scenario], tell).get(setup.scenario.name, ())
    for caution in setup.cautions:
        tell(caution)
    by = setup.engine or engine_for(setup.scenario, method=setup.method, prepare=True)
    found = look(setup.scenario, engine=by, method=setup.method, rtol=setup.rtol)
    question = _question(setup)
    told = {"cautions": kept(setup.cautions), **({"scenario": question} if question else {})}
    dataset, drawn = (one.assign_attrs(told) for one in (found.dataset, found.drawn))
    bands = None
    if uncertainty and posterior is None:
        posterior, caution = packaged.posterior(setup.scenario.model)
        if caution:
            tell(caution)
    if posterior is not None:
        from ketasim.verbs.draws import predicted

        names = observables(drawn)
        times = tuple(map(float, drawn["time"].to_numpy()))
        asked = replace(setup.scenario, times=times, record=names)
        bands = predicted(asked, posterior, tell=tell)
    return Run(setup, dataset, drawn, found.summary, seen, bands)


def values_of(
    data: "str | Path | Data | None", scenarios: Sequence[Scenario], tell: Tell
) -> dict[str, tuple["Point", ...]]:
    """Return the values to draw over each scenario, by its name.

    An arm is a scenario's when it has its name, or does the same to the same subject. What lies on
    no curve (formulas, scaled assays) is not drawn, which ``tell`` hears.

    Raises
    ------
    ConfigError
        When data have a fault, or hold no value of any of the scenarios.
    """
    if data is None:
        return {}
    from ketasim.config.findings import load_data

    read = load_data(data, model=scenarios[0].model) if isinstance(data, str | Path) else data
    found = {}
    for one in scenarios:
        arms = {
            name for name, arm in read.arms.items()
            if name == one.name or (arm.treated, arm.subject) == (one.protocol, one.subject)
        }  # fmt: skip
        found[one.name] = tuple(p for p in read.points if p.arm in arms)
    if not any(found.values()):
        named = " or ".join(f'"{one.name}"' for one in scenarios)
        raise ConfigError(
            f"{read.source}: no value of {named}. Arms there: {', '.join(read.arms)}; an arm is "
            "meant when it has the name of the configuration or does the same."
        )
    plain = {k: tuple(p for p in v if _on_a_curve(p, read)) for k, v in found.items()}
    lost = sum(map(len, found.values())) - sum(map(len, plain.values()))
    if lost:
        tell(f"not drawn, as formulas or scaled assays lie on no curve: {lost} of the values.")
    return plain


def _on_a_curve(point: "Point", data: "Data") -> bool:
    assay = data.assays[point.assay]
    return bool(point.curve) and not (assay.scale or assay.offset)


def _question(setup: Setup) -> str:
    """Return a setup as TOML; nothing for a model of the user's own, which no file can name."""
    try:
        return dump(setup)
    except ConfigError:
        return ""


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

        return draw(self._drawn, seen=self._seen)

    @property
    def _seen(self) -> dict[str, tuple["Point", ...]]:
        return {label: one.seen for label, one in self.runs.items()}

    @property
    def _drawn(self) -> "dict[str, xr.Dataset]":
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
        with file_at(files[0]) as place:
            draw(self._drawn, place, seen=self._seen)
        for label, one in self.runs.items():
            own = Path(out) / (re.sub(r"[^\w#-]+", "_", label)[:100] or "run")
            files += folder.write(
                own,
                one.dataset,
                scenario=one.dataset.attrs.get("scenario", MADE_IN_PYTHON),
                summary=one.readouts,
            )
        return files


def compare(
    *what: Question,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    data: "str | Path | Data | None" = None,
    tell: Tell = warned,
) -> Comparison:
    """Run two or more scenarios at the union of their output times.

    Parameters
    ----------
    what
        Names, files, Setups or Scenarios.
    sets
        Changes to each of them, such as ``"output.until=3 d"``.
    modules
        Modules that each has beside its own.
    data
        Values of one's own to draw over the curves; see :func:`ketasim.load_data`.
    tell
        Hears each caution; a KetasimWarning by default.

    Raises
    ------
    ConfigError
        When there are fewer than two, or one cannot be understood.
    SolverError
        When integration stops, or breaks a conservation law.
    """
    changes, beside = tuple(sets), tuple(modules)
    setups = _aligned([setup_of(one, sets=changes, modules=beside) for one in what])
    for caution in differing(one.scenario for one in setups):
        tell(caution)
    seen = values_of(data, [one.scenario for one in setups], tell)
    by = engine_for(*(one.scenario for one in setups), prepare=True)
    runs = {one.scenario.name: run(one, engine=one.engine or by, tell=tell) for one in setups}
    return Comparison({name: replace(r, seen=seen.get(name, ())) for name, r in runs.items()})


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
