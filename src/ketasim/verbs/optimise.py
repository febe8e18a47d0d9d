"""Which schedule is best: a file read, every plan searched, the answer told, drawn and written."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import ketasim
from ketasim.config import Setup, dump
from ketasim.config.schedules import Question, load_schedule
from ketasim.engines.contract import MEMBER, Settings
from ketasim.errors import ConfigError
from ketasim.reports import schedules as words
from ketasim.results import folder
from ketasim.results.files import Rows
from ketasim.results.output import files_in, put_in
from ketasim.studies.cautions import identified, provenance
from ketasim.studies.cautions import kept as kept_cautions
from ketasim.studies.schedules.choose import Chosen, choose
from ketasim.studies.schedules.kept import Kept
from ketasim.studies.schedules.runs import Problem, Runs
from ketasim.studies.sweep.job import cores
from ketasim.verbs.run import Tell, warned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ketasim.plots.schedules import Course
    from ketasim.reports.text import Table

EVALUATIONS = "evaluations.jsonl"
MOST_TIMES = 400  # of a course that is drawn, and more after each dose
COARSE = 4.0  # [h] between them, where the run is short enough
AFTER = (-0.01, 0.5, 1.0, 1.5, 2.0, 3.0, 6.0, 9.0, 12.0, 18.0)  # [h] from a dose on


@dataclass(frozen=True, repr=False)
class Optimised:
    """The best schedule that was found, and all that leads there.

    Parameters
    ----------
    question
        What was asked, as read.
    chosen
        Every plan and search, the best schedule, the front.
    settings
        How runs were integrated.
    computed
        How many times values or slopes were computed now; the rest was found done.
    """

    question: Question
    chosen: Chosen
    settings: Settings
    computed: int = 0

    def __repr__(self) -> str:
        """Return the tables that ``ketasim optimise`` prints."""
        return "\n\n".join(map(repr, self._tables))

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self._tables)

    @property
    def _tables(self) -> "list[Table]":
        return [self.schedule, self.goals, *([self.front] if self.chosen.front else [])]

    @property
    def schedule(self) -> "Table":
        """Return the best schedule: a row a visit."""
        return words.visits(self.chosen)

    @property
    def goals(self) -> "Table":
        """Return what every wish and limit comes to, there and usually."""
        return words.goals(self.chosen)

    @property
    def front(self) -> "Table":
        """Return the schedules of the front."""
        return words.front(self.chosen)

    @property
    def is_allowed(self) -> bool:
        """Return whether the best schedule keeps to every limit."""
        return self.chosen.searched.best.is_allowed

    @property
    def scenario(self) -> Any:
        """Return the best schedule as a scenario of the file's own subject."""
        problem, plan = self.chosen.problem, self.chosen.searched.plan
        doses = plan.doses(plan.visits_of(self.chosen.point), 0, end=problem.end)
        return problem.scenario.with_protocol(problem.scenario.protocol + doses)

    @cached_property
    def figures(self) -> "dict[str, Figure]":
        """Return the pictures: the schedule with its course, and the front where there is one."""
        from ketasim.plots import schedules

        drawn = {"schedule": schedules.draw(self.chosen, self._courses())}
        if self.chosen.front:
            drawn["front"] = schedules.draw_front(self.chosen)
        return drawn

    def _courses(self) -> "list[Course]":
        """Return what the first wish is of, over time, under the best schedule and the usual."""
        from ketasim.plots.schedules import Course

        chosen = self.chosen
        name, problem = words.subject_of(chosen.problem), chosen.problem
        plans = [("best", chosen.searched.plan, chosen.point)]
        if problem.usual is not None:
            plans.append(("usual", problem.usual, np.empty((1, 0))))
        found = []
        for label, plan, point in plans:
            runs = Runs(problem, plan, problem.cohort, self.settings)
            times = _times(problem, plan.visits_of(point).starts[0])
            values = np.empty((0, 0))
            if name is not None:
                values = runs.courses(point, (name,), times)[0, :, 0]
            found.append(Course(label, plan.visits_of(point), times, values, name))
        return found

    @property
    def record(self) -> dict[str, Any]:
        """Return everything found as plain numbers and text."""
        chosen = self.chosen
        return {
            "ketasim": ketasim.__version__,
            "title": self.question.title,
            **identity(chosen.problem, self.settings),
            "kept_to_limits": self.is_allowed,
            "best": chosen.searched.plan.label,
            "schedule": words.visit_rows(chosen),
            "goals": words.goal_rows(chosen),
            "plans": [
                {
                    "plan": one.plan.label,
                    "patients_that_stood_for_all": one.few,
                    "variables": [asdict(v) for v in one.plan.variables],
                    "best": asdict(one.best),
                    "starts": [asdict(s) for s in one.starts],
                }
                for one in chosen.plans
            ],
            "front": [asdict(one) for one in chosen.front],
            "failed_patients": chosen.found.failed,
        }

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write figures, tables, JSON, the best schedule as a configuration, and provenance.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.style import PAGE, save

        chosen = self.chosen
        tables = {
            "schedule": words.visit_rows(chosen),
            "goals": words.goal_rows(chosen),
            "starts": words.start_rows(chosen),
            "patients": words.patient_rows(chosen),
        }
        if chosen.front:
            tables["front"] = words.front_rows(chosen)
        with files_in(folder.prepare(Path(out)), last=folder.PROVENANCE) as place:
            files = folder.answer(
                place,
                "optimum",
                record=self.record,
                figures={n: partial(save, one, style=PAGE) for n, one in self.figures.items()},
                tables=tables,
                formats=formats,
            )
            files += self._questions(place)
            about = {
                **provenance(chosen.problem.scenario),
                **identity(chosen.problem, self.settings),
                "cautions": kept_cautions(self.question.cautions),
            }
            files.append(folder.record(place, about, files))
        return put_in(Path(out), files)

    def _questions(self, place: Path) -> Iterable[Path]:
        """Write the question, and the best schedule as a configuration where a file can name it."""
        if self.question.text:
            (place / "question.toml").write_text(self.question.text, encoding="utf-8")
            yield place / "question.toml"
        try:
            text = dump(Setup(self.scenario))
        except ConfigError:  # a model of one's own, which no file can name
            return
        (place / "best.toml").write_text(text, encoding="utf-8")
        yield place / "best.toml"


def optimise(
    what: str | Path | Question | Problem,
    *,
    patients: Any = None,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    starts: int | None = None,
    points: int | None = None,
    few: int | None = None,
    seed: int | None = None,
    engine: str | None = None,
    rtol: float | None = None,
    threads: int | None = None,
    out: str | Path | None = None,
    progress: Callable[[str], object] | None = None,
    tell: Tell = warned,
) -> Optimised:
    """Choose doses, gaps, durations, taper and route for a cohort, within limits.

    Parameters
    ----------
    what
        A schedule file, the name of one that comes with the package (``"iv_eight_weeks"``), or a
        problem made in Python.
    patients
        A cohort instead of the file's: a CSV or netCDF file, a table, or what
        ``ks.population`` returns; one row a patient, one column a varied path.
    sets
        Changes to the file, such as ``"search.starts=8"`` or ``"nmda.k_s=0.5 uM"``.
    modules
        Modules beside those the file asks for.
    starts, points, few, seed
        Searches of each plan, points of the front, patients that stand for all until the last
        search, and what beginnings are drawn by; what the file says when not given.
    engine, rtol
        How to integrate: what the file says when not given, and where it says nothing the
        ensemble engine at its own tolerance.
    threads
        How many; no number depends on it.
    out
        A folder in which every value is kept as it is computed; the same call goes on there.
    progress
        Hears what is being done.
    tell
        Hears each caution; a KetasimWarning by default.

    Returns
    -------
    Optimised
        ``.schedule``, ``.goals``, ``.front``, ``.figures``, ``.scenario`` and ``.save(folder)``.

    Raises
    ------
    ConfigError, ModelError, UnitError, ProtocolError
        When it cannot be carried out; nothing has been integrated then.
    SolverError
        When so many runs failed that nothing can be concluded.
    StoreError
        When the folder holds the values of another problem.
    """
    question = _question(what, patients, sets, modules)
    search, problem = question.search, question.problem
    starts, points, few = (
        own if own is not None else said
        for own, said in ((starts, search.starts), (points, search.points), (few, search.few))
    )
    if not (1 <= starts <= 1000 and 2 <= points <= 200 and few >= 1):
        raise ConfigError(
            f"starts = {starts}, points = {points}, few = {few}: 1 to 1000, 2 to 200 and at "
            "least 1 are needed."
        )
    for caution in question.cautions:
        tell(caution)
    tolerance = rtol if rtol is not None else question.rtol
    settings = Settings(
        engine or question.engine, rtol=tolerance, limits=MEMBER, threads=threads or cores()
    )
    rows = None
    if out is not None:
        made = identity(problem, settings)
        place = folder.prepare(Path(out)) / EVALUATIONS
        rows = Rows(place, made, what="schedule problem")
    kept = Kept(rows)
    if kept.found and progress is not None:
        progress(f"found {kept.found} evaluations done; going on")
    chosen = choose(
        problem,
        settings,
        kept,
        starts=starts,
        seed=search.seed if seed is None else seed,
        few=few,
        points=points,
        tell=progress or (lambda _: None),
    )
    return Optimised(question, chosen, settings, kept.computed)


def _times(problem: Problem, starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the times [h] at which a course is drawn: even ones, and more after each dose."""
    begin, end = problem.scenario.times[0], problem.end
    count = min(MOST_TIMES, max(2, int((end - begin) / COARSE)))
    given = np.array([*starts, *(one.start for one in problem.scenario.protocol.doses)])
    near = (given[:, None] + np.array(AFTER)).ravel()
    within = near[(near > begin) & (near < end)]
    return np.unique(np.concatenate([np.linspace(begin, end, count + 1), within]))


def _question(
    what: str | Path | Question | Problem,
    patients: Any,
    sets: Iterable[str],
    modules: Iterable[str],
) -> Question:
    if isinstance(what, str | Path):
        return load_schedule(what, sets=sets, modules=modules, patients=patients)
    if list(sets) or list(modules) or patients is not None:
        raise ConfigError("sets, modules, patients: change files only, not what is built already.")
    if isinstance(what, Problem):
        from ketasim.config.schedule_file import SearchTable

        return Question(what, SearchTable(), what.scenario.name, "")
    return what


def identity(problem: Problem, settings: Settings) -> dict[str, str]:
    """Return what decides the numbers, as names and plain text; equal for equal values."""
    scenario, cohort = problem.scenario, problem.cohort
    draws = b"" if cohort.draws is None else np.ascontiguousarray(cohort.draws).tobytes()
    times = np.array([scenario.times[0], scenario.times[-1]])
    return {
        **identified(scenario),
        "run": f"{times[0]!r} to {times[1]!r} h",
        "plans": "; ".join(map(repr, problem.plans)),
        "goals": "; ".join(one.told for one in problem.goals),
        "cohort": json.dumps(dict(cohort.design.description), sort_keys=True),
        "weights": hashlib.sha256(cohort.weights.tobytes()).hexdigest()[:16],
        "draws": hashlib.sha256(draws).hexdigest()[:16] if draws else "none",
        "over_draws": repr(problem.over_draws),
        "engine": settings.engine,
        "rtol": repr(settings.tolerance),
    }
