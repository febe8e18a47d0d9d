"""Virtual patients: plausible ones by the thousand, and a cohort that shows what trials showed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ketasim.config import dump
from ketasim.config.population import PopulationAsked, load_population
from ketasim.core.protocol import Protocol
from ketasim.core.scenario import Scenario
from ketasim.engines.contract import Halted
from ketasim.engines.status import Status
from ketasim.errors import ConfigError
from ketasim.models.rating import MOOD
from ketasim.reports.population import population_text
from ketasim.reports.text import Text
from ketasim.results import folder
from ketasim.studies.cautions import provenance
from ketasim.studies.designs.design import Design, of_values
from ketasim.studies.designs.patients import Crowd, of_crowd
from ketasim.studies.patients.cohort import Cohort, Shift, cohort, people_of, shifts, unbent
from ketasim.studies.patients.crew import Crew, crew_of, goals_of
from ketasim.studies.patients.people import sources
from ketasim.studies.patients.predict import Prediction, predict
from ketasim.studies.patients.published import Array, PublishedTrial
from ketasim.studies.patients.reading import Indices, Persons, Reader, Setting, persons
from ketasim.studies.patients.settings import SOME, USUAL, WIDTH, between, fitted
from ketasim.studies.sweep.workers import Listener
from ketasim.verbs.run import Tell, warned
from ketasim.verbs.sweep import Order, listening

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

BEFORE = 0.0  # h; when mood is at rest
DAYS = (0.0, 2.0, 4.0, 12.0, *(24.0 * day for day in range(1, 29)))  # h, of the figures
COHORT, TRAITS, MATCHES = "cohort", "traits", "matches"


@dataclass(frozen=True, repr=False)
class Population:
    """A cohort of virtual patients, where it comes from, and what it shows and predicts.

    ``settings`` are those of the trials matched; ``further`` the mean and the spread of what
    another trial's may be.
    """

    asked: PopulationAsked
    crowd: Crowd
    cohort: Cohort
    crew: Crew
    settings: tuple[Setting, ...]
    further: tuple[Setting, Setting]
    shifts: tuple[Shift, ...]
    predictions: tuple[Prediction, ...]

    @property
    def numbers(self) -> Indices:
        """Return the patients' numbers in the plausible population, (n,)."""
        return self.cohort.crew.numbers

    @cached_property
    def traits(self) -> Mapping[str, Array]:
        """Return every trait of the cohort by name, (n,): those of the model and of the person."""
        people = people_of(self.crowd, self.numbers)
        return {name: people[:, k].copy() for k, name in enumerate(self.crowd.names)}

    @cached_property
    def columns(self) -> Mapping[str, Array]:
        """Return the model's columns by the names that a sweep varies, (n,), in ``units``."""
        values = self.crowd.columns_of(people_of(self.crowd, self.numbers))
        return {name: values[:, k].copy() for k, name in enumerate(self.crowd.columns)}

    @property
    def units(self) -> Mapping[str, str]:
        """Return the unit of each column."""
        return dict(zip(self.crowd.columns, self.crowd.units, strict=True))

    @property
    def design(self) -> Design:
        """Return the cohort as a design, a member a patient: ``ks.sweep(config, design)``."""
        values = np.stack(list(self.columns.values()), axis=1)
        return of_values(self.crowd.columns, self.crowd.units, values)

    def __repr__(self) -> str:
        """Return the tables that ``ketasim population`` prints."""
        return self.text

    @property
    def text(self) -> Text:
        """Return what is reproduced, what is not, what is predicted, and the bending."""
        return population_text(self)

    @property
    def record(self) -> dict[str, Any]:
        """Return everything found, as plain values."""
        names = [trial.name for trial in self.asked.match]
        return {
            **provenance(self.asked.setup.scenario),
            "population": self.asked.name,
            "title": self.asked.title,
            "seed": self.asked.seed,
            "crowd": self.crowd.described(),
            "sources": {name: str(one) for name, one in sources(self.asked.people).items()},
            "bending": self.cohort.record,
            "settings": {n: vars(one) for n, one in zip(names, self.settings, strict=True)},
            "further_setting": {"mean": vars(self.further[0]), "sd": vars(self.further[1])},
            "not_reproduced": [one.row for one in self.cohort.lost],
            "predicted": [one.row for one in self.predictions],
        }

    def figures(self, *, width: str = "178mm") -> Mapping[str, "Figure"]:
        """Return forest, response over time, waterfall, spaghetti and bands, by name.

        ``width`` is that in print, such as ``85mm`` for a column.
        """
        from ketasim.plots import patients as plots
        from ketasim.plots.style import style_of_width

        return plots.of_population(self, style=style_of_width(width))

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write cohort, tables, figures and ``population.json``; return the files.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.style import PAGE, drawers

        place = folder.prepare(Path(out))
        drawn = drawers(self.figures(), PAGE)
        numbered = [{"patient": int(i), "weight": 1.0} for i in self.numbers]
        files = folder.answer(
            place,
            "population",
            record=self.record,
            figures=drawn,
            tables={
                name: rows
                for name, rows in {
                    COHORT: _rows(numbered, self.columns),
                    TRAITS: _rows(numbered, self.traits),
                    MATCHES: [one.row for one in self.cohort.matches],
                    "shifts": [{**vars(one)} for one in self.shifts],
                    "predictions": [one.row for one in self.predictions],
                }.items()
                if rows
            },
            formats=formats,
        )
        return [*files, folder.record(place, dict(provenance(self.asked.setup.scenario)), files)]


def _rows(
    numbered: Sequence[Mapping[str, Any]], columns: Mapping[str, Array]
) -> list[dict[str, Any]]:
    return [
        {**row, **{name: float(values[i]) for name, values in columns.items()}}
        for i, row in enumerate(numbered)
    ]


def population(
    what: str | Path | PopulationAsked,
    *,
    sets: Iterable[str] = (),
    store: str | Path | None = None,
    threads: int | None = None,
    progress: bool | Listener | None = None,
    tell: Tell = warned,
) -> Population:
    """Draw plausible patients, and of them a cohort that shows what published trials showed.

    Parameters
    ----------
    what
        A packaged population's name (``trials``) or a TOML file.
    sets
        Changes such as ``"patients=2000"``, ``'method="select"'`` or ``"nmda.k_s=0.5 uM"``.
    store
        A folder for the runs of the plausible patients: a resumable sweep for each regimen. Without
        one they are kept in memory.
    threads, progress
        As of :func:`ketasim.sweep`.
    tell
        Hears each caution; a KetasimWarning by default.

    Returns
    -------
    Population
        ``.columns`` and ``.design`` are the cohort as a sweep takes it.

    Raises
    ------
    ConfigError, ModelError, UnitError, SolverError
        When something cannot be carried out, or no cohort shows what is asked.
    StoreError
        When a store was made otherwise, is damaged, or cannot be written.
    Halted
        When ``progress`` asked to stop; with a store, the same call goes on.
    """
    asked = what if isinstance(what, PopulationAsked) else load_population(what, sets=sets)
    for caution in asked.setup.cautions:
        tell(caution)
    crowd = asked.people.crowd(asked.setup.scenario.model, asked.patients, asked.seed)
    if not asked.match:
        return _unmatched(asked, crowd)
    runs = Runs(asked, How(None if store is None else Path(store), threads, progress))
    crew = runs.crew(crowd)
    few = crew.part(0, SOME)
    settings = tuple(
        fitted(one, few.reader, few.rest, few.who, few.numbers, asked.seed) for one in asked.match
    )
    goals = goals_of(asked.match, settings)
    found = cohort(crew, goals, asked.cohort, method=asked.method, seed=asked.seed)
    whole = runs.all_of(crowd, found.crew.numbers)
    mean, spread = between(asked.match, settings)
    predictions = tuple(
        one
        for trial in asked.predict
        for one in predict(whole, trial, mean, spread, seed=asked.seed)
    )
    moved = shifts(crowd, found)
    return Population(asked, crowd, found, whole, settings, (mean, spread), moved, predictions)


def _unmatched(asked: PopulationAsked, crowd: Crowd) -> Population:
    """Return plausible patients as they are, for which nothing has to be computed.

    Raises
    ------
    ConfigError
        When trials are to be predicted.
    """
    if asked.predict:
        raise ConfigError('predict: name trials to match first, e.g. match = ["murrough2013"].')
    numbers = np.arange(asked.cohort)
    people = people_of(crowd, numbers)
    traits = {name: people[:, k] for k, name in enumerate(crowd.names)}
    model = asked.setup.scenario.model
    who = persons(traits, len(numbers), model)
    crew = Crew(numbers, who, np.full(len(numbers), np.nan), {}, Reader.of(model))
    found = unbent(crew, crowd.size)
    return Population(asked, crowd, found, crew, (), (USUAL, WIDTH), shifts(crowd, found), ())


@dataclass(frozen=True)
class How:
    """Where runs are kept, by how many threads they are made, and who hears of it."""

    store: Path | None = None
    threads: int | None = None
    progress: bool | Listener | None = None

    def carried_out(self, order: Order, name: str | None) -> "xr.Dataset":
        """Return the result of a sweep, kept under a name where there is a folder for it.

        Raises
        ------
        Halted
            When the listener asked to stop before it was whole.
        """
        place = None if self.store is None or name is None else self.store / f"{name}.zarr"
        with listening(self.progress) as listener:
            found = replace(order, store=place).carry_out(
                threads=self.threads, progress=listener, keep_design=False
            )
        if (found["status"].to_numpy() == Status.NOT_RUN).any():
            raise Halted
        return found


@dataclass(frozen=True)
class Runs:
    """What is computed of patients: every regimen of every trial, as sweeps."""

    asked: PopulationAsked
    how: How

    def crew(self, crowd: Crowd) -> Crew:
        """Return all plausible patients with their mood at the visits of the trials matched."""
        design, scenario = of_crowd(crowd), self.asked.setup.scenario
        courses: dict[Protocol, dict[float, Array]] = {}
        rest = np.full(crowd.size, np.nan)
        for name, (protocol, times) in regimens(self.asked.match).items():
            rest, courses[protocol] = self.course(protocol, sorted(times), design, name)
        if not courses:
            raise ConfigError("match: none of these trials gave a drug.")
        return crew_of(crowd, scenario.model, rest, courses)

    def all_of(self, crowd: Crowd, numbers: Indices) -> Crew:
        """Return a cohort with its mood in every arm of all trials, at visits and at each day."""
        people = people_of(crowd, numbers)
        values = crowd.columns_of(people)
        once, back = np.unique(values, axis=0, return_inverse=True)
        design = of_values(crowd.columns, crowd.units, once)
        trials = (*self.asked.match, *self.asked.predict)
        courses: dict[Protocol, dict[float, Array]] = {}
        rest = np.full(len(numbers), np.nan)
        for protocol, times in regimens(trials).values():
            last = max(times)
            at = sorted(times | {time for time in DAYS if BEFORE < time <= last})
            own, course = self.course(protocol, at, design, None)
            rest = own[back]
            courses[protocol] = {time: mood[back] for time, mood in course.items()}
        traits = {name: people[:, k] for k, name in enumerate(crowd.names)}
        model = self.asked.setup.scenario.model
        who: Persons = persons(traits, len(numbers), model)
        return Crew(numbers, who, rest, courses, Reader.of(model))

    def course(
        self, protocol: Protocol, times: Sequence[float], design: Design, name: str | None
    ) -> tuple[Array, dict[float, Array]]:
        """Return mood before anything, and at times [h], of every member of a design."""
        setup = self.asked.setup
        scenario = with_doses(setup.scenario, protocol, times[-1])
        names = {time: f"{MOOD}@{time!r}h" for time in (BEFORE, *times)}
        how = {"engine": setup.engine or "ensemble", "method": setup.method, "rtol": setup.rtol}
        told = {"scenario": dump(replace(setup, scenario=scenario)), "config": self.asked.name}
        order = Order(scenario, design, None, {"summaries": list(names.values())}, how, told)
        found = self.how.carried_out(order, name)
        moods = {time: found[label].to_numpy() for time, label in names.items()}
        return moods.pop(BEFORE), moods


def regimens(trials: Iterable[PublishedTrial]) -> dict[str, tuple[Protocol, set[float]]]:
    """Return every protocol that gives a drug, with the times [h] at which it is looked at."""
    needed: dict[Protocol, set[float]] = {}
    for trial in trials:
        for arm in trial.arms:
            if arm.drugged:
                times = {time for time in trial.times if time > 0.0}
                needed.setdefault(arm.protocol, set()).update(times)
    return {
        f"{protocol.doses[0].drug}_{k}": (protocol, times)
        for k, (protocol, times) in enumerate(needed.items())
    }


def with_doses(scenario: Scenario, protocol: Protocol, until: float) -> Scenario:
    """Return a scenario with the doses that are given before ``until`` [h], and that end."""
    doses = tuple(one for one in protocol.events if one.start < until)
    events = (*doses, *scenario.protocol.events)
    return replace(scenario, protocol=Protocol(events), times=(BEFORE, until))
