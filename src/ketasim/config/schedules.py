"""Schedule files: what is free, wished and limited, as a problem ready to be searched."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ketasim.config.build import build
from ketasim.config.files import parse, read_file, read_overrides
from ketasim.config.messages import located, validated
from ketasim.config.packaged import Library, folder, packaged_library
from ketasim.config.packaged import posterior as packaged_posterior
from ketasim.config.protocol import LONGEST, MOST, time_of
from ketasim.config.schedule_file import ScheduleFile, SearchTable, UsualTable, WayTable
from ketasim.core.describe import Described
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError, UnitError, suggest
from ketasim.files.names import exists, is_file
from ketasim.studies import designs
from ketasim.studies.cautions import cautions_of
from ketasim.studies.schedules.cohort import Cohort, alone, drawn, from_table, with_draws
from ketasim.studies.schedules.goals import Goal, dose_unit, read_goal, share_of
from ketasim.studies.schedules.plan import TAPER, WORDS, Plan, Spread
from ketasim.studies.schedules.runs import Problem
from ketasim.units import convert, dimension_name, split, unit

PLACE = "schedules"  # folder of those that come with the package
DRAWS = "draws.csv"
_RANGE = re.compile(r"(.+?)\s+to\s+(.+)$")
_MASSES = ("mg", "mg/kg")


@dataclass(frozen=True, repr=False)
class Question(Described):
    """A schedule file read: the problem, how hard to look, and what to be careful about."""

    problem: Problem
    search: SearchTable
    title: str
    text: str
    engine: str = "ensemble"
    rtol: float | None = None
    cautions: tuple[str, ...] = ()

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        problem = self.problem
        return self.title or "Schedule", [
            ("plans", "; ".join(one.label for one in problem.plans)),
            ("wishes", "; ".join(one.told for one in problem.objectives)),
            ("limits", "; ".join(one.told for one in problem.constraints) or "none"),
            ("patients", f"{len(problem.cohort)}"),
        ]


def schedule_files() -> dict[str, Path]:
    """Return the schedule files that come with the package, by name."""
    return {one.stem: one for one in sorted((folder() / PLACE).glob("*.toml"))}


def load_schedule(
    path: str | Path,
    *,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    patients: object = None,
    library: Library | None = None,
) -> Question:
    """Read a schedule file, or one that comes with the package by its name.

    Parameters
    ----------
    path
        A TOML file, or a name among ``configs/schedules``.
    sets
        Changes such as ``"search.starts=8"`` or ``"nmda.k_s=0.5 uM"``.
    modules
        Modules the model has beside those the file asks for.
    patients
        A cohort instead of the file's: a CSV or netCDF file, a table, or a population.

    Raises
    ------
    ConfigError
        When the file cannot be read or carried out; nothing has been integrated then.
    """
    found = _find(str(path))
    text, source = read_file(found), found.name
    overrides = read_overrides(sets, modules, ScheduleFile)
    table = overrides.applied(parse(text, source))
    _check_asked(table, source)
    asked = validated(ScheduleFile, table, source)
    setup = build(asked, source, overrides=overrides, library=library or packaged_library())
    with located(f"{source}: "):
        problem = _problem(asked, setup.scenario, found.parent, patients)
    return Question(
        problem=problem,
        search=asked.search,
        title=asked.title or _first_line(text) or setup.scenario.name,
        text=text,
        engine=setup.engine or "ensemble",
        rtol=setup.rtol,
        cautions=(*setup.cautions, *_cautions(problem)),
    )


def _find(name: str) -> Path:
    path, shipped = Path(name), schedule_files()
    if exists(path) or name.removesuffix(".toml") not in shipped:
        if not is_file(path) and path.name == name:
            raise ConfigError(
                f"{name}: no such schedule file.{suggest(name.removesuffix('.toml'), shipped)} "
                f"Ready to use: {', '.join(shipped)}."
            )
        return path
    return shipped[name.removesuffix(".toml")]


def _check_asked(table: Mapping[str, object], source: str) -> None:
    """Refuse a file that asks for no schedule, with where to begin."""
    for key, told in (("schedule", "what is free"), ("objective", "what is wished for")):
        if key not in table:
            raise ConfigError(
                f"{source}: no [{key}] table says {told}. Start from one that comes with the "
                f"package: {', '.join(schedule_files())} (docs/schedules.md)."
            )


def _first_line(text: str) -> str:
    first = text.partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def _problem(asked: ScheduleFile, scenario: Scenario, beside: Path, patients: object) -> Problem:
    model, span = scenario.model, (scenario.times[0], scenario.times[-1])
    plans = tuple(one for i, way in enumerate(asked.schedule) for one in _plans(way, i, scenario))
    mass = dose_unit(plans)
    wishes = []
    for i, one in enumerate(asked.objective):
        text, sign = (one.minimise, 1.0) if one.minimise is not None else (one.maximise, -1.0)
        where = f"objective[{i}]"
        wishes.append(
            read_goal(text or "", model, where=where, sign=sign, span=span, over=one.over,
                      dose_unit=mass)
        )  # fmt: skip
    limits = [
        read_goal(one.of, model, where=f"constraint[{i}]", span=span, over=one.over,
                  sign=1.0 if one.at_most is not None else -1.0, dose_unit=mass,
                  limit=one.at_most if one.at_most is not None else one.at_least,
                  each_visit=one.each_visit)
        for i, one in enumerate(asked.constraint)
    ]  # fmt: skip
    _check_run(plans, span, asked)
    plans, limits = _within(plans, limits)
    cohort = _cohort(asked, scenario, beside, patients)
    over = 1.0
    if asked.uncertainty is not None:
        over = share_of(asked.uncertainty.over, "uncertainty.over")
        cohort = _with_draws(asked, cohort, scenario, beside)
    usual = next((_usual(w, i, scenario) for i, w in enumerate(asked.schedule) if w.usual), None)
    return Problem(scenario, plans, tuple(wishes), tuple(limits), cohort, over, usual)


def _plans(way: WayTable, i: int, scenario: Scenario) -> Iterator[Plan]:
    """Yield the plans of one way: every route and number of visits."""
    where = f"schedule[{i}]"
    amount = _spread("dose", way.amount, way.amounts, way.taper, f"{where}.amount", _MASSES)
    _check_amount(amount, where, scenario)
    if way.gap is None and max(way.visits) > 1:
        raise ConfigError(f'{where}.gap: how far apart are visits? Write e.g. gap = "2 to 14 d".')
    gap = _spread("gap", way.gap or "1 d", way.gaps, way.widen, f"{where}.gap", ("d",))
    duration = _spread("duration", way.duration, way.durations, None, f"{where}.duration", ("min",))
    begin = time_of(way.start, f"{where}.start")
    for route in way.route:
        with located(f"{where}: "):
            scenario.model.entries(way.drug, route)
        if route == "bath":
            raise ConfigError(f'{where}.route = "bath": a dose is needed.')
        for visits in way.visits:
            usual = None if way.usual is None else _usual_numbers(way, way.usual, where)
            with located(f"{where}: "):
                yield Plan(way.drug, route, visits, amount, gap, duration, begin, usual)


def _spread(
    name: str, given: str | float, pattern: str, ratio: object, where: str, units: tuple[str, ...]
) -> Spread:
    """Read ``'0.1 to 1 mg/kg'`` or ``'0.5 mg/kg'``, and ``'0.5 to 1'`` times the one before."""
    low, high, have = _range(given, where)
    if unit(have).dimension not in [unit(one).dimension for one in units] and (low, high) != (0, 0):
        raise UnitError(
            f'{where} = "{given}": "{have}" is a {dimension_name(unit(have))}; write it in '
            f"{' or '.join(units)}."
        )
    steps = (1.0, 1.0)
    if ratio is not None:
        first, last, plain = _range(ratio, where)
        if plain != "1":
            raise UnitError(f"{where}: {ratio} times the one before: no unit is needed.")
        steps, pattern = (first, last), TAPER
    have = units[0] if have == "1" else have
    return Spread(name, low, high, have, pattern, steps)


def _range(given: object, where: str) -> tuple[float, float, str]:
    text = given if isinstance(given, str) else repr(given)
    match = _RANGE.match(text.strip())
    if match is None:
        value, have = split(text, where)
        return value, value, have
    (low, first), (high, have) = split(match[1], where), split(match[2], where)
    return (low if first == "1" else convert(low, first, have, where)), high, have


def _check_amount(amount: Spread, where: str, scenario: Scenario) -> None:
    if amount.high == 0.0:
        raise ConfigError(f"{where}.amount: no dose could be given.")
    weight = (
        1.0 if unit(amount.unit).dimension == unit("mg/kg").dimension else scenario.subject.weight
    )
    want = "mg/kg" if weight == 1.0 else "mg"
    most = convert(amount.high, amount.unit, want) / weight
    if most > MOST:
        raise ConfigError(f"{where}.amount: {most:.3g} mg/kg; at most {MOST:g} mg/kg.")


def _usual_numbers(way: WayTable, one: UsualTable, where: str) -> tuple[float, float, float]:
    """Return amount, gap and duration of the usual schedule, in the units of the ranges."""
    pairs = (
        (one.amount, way.amount, "mg/kg"),
        (one.gap or way.gap or "1 d", way.gap or "1 d", "d"),
        (way.duration if one.duration is None else one.duration, way.duration, "min"),
    )
    found = []
    for given, ruled, plain in pairs:
        low, high, have = _range(given, f"{where}.usual")
        if low != high:
            raise ConfigError(f'{where}.usual: "{given}": write one number, not a range.')
        want = _range(ruled, where)[2]
        want = plain if want == "1" else want
        found.append(convert(low, plain if have == "1" else have, want, f"{where}.usual"))
    return found[0], found[1], found[2]


def _usual(way: WayTable, i: int, scenario: Scenario) -> Plan | None:
    """Return the usual schedule of a way as a plan in which nothing is free."""
    plan = next(_plans(way, i, scenario))
    visits = way.usual.visits if way.usual is not None and way.usual.visits else plan.visits
    return replace(plan, visits=visits).as_usual


def _check_run(plans: Iterable[Plan], span: tuple[float, float], asked: ScheduleFile) -> None:
    for one in plans:
        least = one.gap.low * one.gap.factor
        ratios = [one.gap.ratio[0] ** k for k in range(one.visits - 1)]
        soonest = one.begin + least * sum(ratios) + one.duration.low * one.duration.factor
        if one.begin < span[0] or soonest > min(span[1], LONGEST):
            raise ConfigError(
                f'output.until = "{asked.output.until}": the last of {one.visits} visits could '
                f"not be over before {soonest / 24.0:.3g} d. Give a later end, or shorter gaps."
            )


def _within(plans: tuple[Plan, ...], limits: list[Goal]) -> tuple[tuple[Plan, ...], list[Goal]]:
    """Return the plans whose number of visits is allowed, and the limits that are left."""
    of_visits = [one for one in limits if one.what == WORDS[2]]
    kept = tuple(
        plan for plan in plans
        if all(g.sign * (plan.visits - (g.limit or 0.0)) <= 0.0 for g in of_visits)
    )  # fmt: skip
    if not kept:
        raise ConfigError(f"constraint: {of_visits[0].told} leaves none of the schedules.")
    return kept, [one for one in limits if one not in of_visits]


def _cohort(asked: ScheduleFile, scenario: Scenario, beside: Path, patients: object) -> Cohort:
    if patients is not None:
        return from_table(patients, scenario)
    table = asked.cohort
    if table is None:
        return alone(scenario)
    if table.table is not None:
        path = Path(table.table)
        return from_table(path if path.is_absolute() else beside / path, scenario)
    with located("cohort: "):
        return drawn(scenario, table.patients or 1, vary=table.vary, seed=table.seed)


def _with_draws(asked: ScheduleFile, cohort: Cohort, scenario: Scenario, beside: Path) -> Cohort:
    one = asked.uncertainty
    if one is None:
        return cohort
    if one.posterior == "packaged":
        place = packaged_posterior(scenario.model)[0]
    else:
        place = Path(one.posterior)
        place = place if place.is_absolute() else beside / place
    place = place / DRAWS if place.is_dir() else place
    if not is_file(place):
        raise ConfigError(
            f'uncertainty.posterior = "{one.posterior}": no draws there. Give the folder that '
            'ketasim posterior wrote, or "packaged".'
        )
    return with_draws(cohort, scenario, designs.table(place), one.draws)


def _cautions(problem: Problem) -> tuple[str, ...]:
    """Return cautions of the largest doses that may be chosen, each said once."""
    found: dict[str, None] = {}
    for plan in problem.plans:
        most = plan.visits_of(np.ones((1, len(plan.variables))))
        scenario = problem.scenario
        given = scenario.protocol + plan.doses(most, 0, end=problem.end)
        if given.doses:
            found.update(dict.fromkeys(cautions_of(scenario.with_protocol(given))))
    return tuple(found)
