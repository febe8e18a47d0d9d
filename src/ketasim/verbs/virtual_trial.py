"""A virtual trial: patients of a cohort, arms, and what an analysis makes of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from ketasim.config import dump
from ketasim.config.build import Setup
from ketasim.config.population import load_population
from ketasim.config.trial import TrialAsked, load_trial
from ketasim.core.protocol import Protocol
from ketasim.errors import ConfigError
from ketasim.models.modules import modules_of, with_modules
from ketasim.models.rating import DISSOCIATION, MOOD, SAFETY
from ketasim.reports.text import Text
from ketasim.reports.virtual_trial import trial_text
from ketasim.results import folder
from ketasim.studies.cautions import provenance
from ketasim.studies.designs.design import Design, of_values
from ketasim.studies.designs.table import table as read_table
from ketasim.studies.patients.crew import Array, Crew
from ketasim.studies.patients.reading import Indices, Reader, persons
from ketasim.studies.sweep.workers import Listener, Progress
from ketasim.studies.trial.analyse import METHODS, Effect, effects
from ketasim.studies.trial.conduct import Conduct, Pool, conduct
from ketasim.studies.trial.plan import Plan
from ketasim.studies.trial.power import Needed, Power, needed, powers, slope_of
from ketasim.verbs.population import COHORT, TRAITS, How, Population, population, with_doses
from ketasim.verbs.run import Tell, warned
from ketasim.verbs.sweep import Order, listening

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST = "24 h"  # of a trial, in which the first session is over
WEIGHTS = "weight"
NUMBERED = ("patient", WEIGHTS)


@dataclass(frozen=True, repr=False)
class Trial:
    """One trial carried out, its analyses, and the power of trials of other sizes.

    ``truth`` is the mean difference of each arm from the control at the last visit were everybody
    in both, stayed, needed no rescue, and never found out [points].
    """

    plan: Plan
    setup: Setup
    pool: Pool
    found: Conduct
    effects: tuple[Effect, ...]
    truth: Mapping[str, float]
    powers: tuple[Power, ...]
    needed: tuple[Needed, ...]

    def __repr__(self) -> str:
        """Return the tables that ``ketasim trial`` prints."""
        return self.text

    @property
    def text(self) -> Text:
        """Return arms, effects, power and sizes as tables."""
        return trial_text(self)

    @cached_property
    def arms(self) -> tuple[Mapping[str, Any], ...]:
        """Return for each arm how many came, left, were rescued, believed, and what they showed."""
        return tuple(_shown(self.plan, self.found, k) for k in range(len(self.plan.arms)))

    def curve(self, arm: str) -> tuple[float, float]:
        """Return slope and edge of an arm's power: the normal share of slope * sqrt(n) - edge."""
        own = [one for one in self.powers if one.arm == arm]
        edge = float(ndtri(1.0 - self.plan.alpha / 2.0))
        return slope_of(own, self.plan.alpha)[0], edge

    @property
    def record(self) -> dict[str, Any]:
        """Return everything found, as plain values."""
        alpha = self.plan.alpha
        return {
            **provenance(self.setup.scenario),
            "trial": self.plan.name,
            "title": self.plan.title,
            "seed": self.plan.seed,
            "patients": self.plan.patients,
            "pool": len(self.pool.crew),
            "setting": vars(self.plan.setting),
            "blinding": vars(self.plan.blinding),
            "dropout": vars(self.plan.dropout),
            "rescue": vars(self.plan.rescue),
            "arms": list(self.arms),
            "effects": [
                {**vars(one), "p": one.p, "interval": one.interval(alpha)} for one in self.effects
            ],
            "truth": dict(self.truth),
            "power": [vars(one) for one in self.powers],
            "needed": [vars(one) for one in self.needed],
        }

    def figures(self, *, width: str = "178mm") -> Mapping[str, "Figure"]:
        """Return waterfall, spaghetti and bands, response over time and power curve, by name.

        ``width`` is that in print, such as ``85mm`` for a column.
        """
        from ketasim.plots import virtual_trial as plots
        from ketasim.plots.style import style_of_width

        return plots.of_trial(self, style=style_of_width(width))

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write figures, tables and ``trial.json``; return the files.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.style import PAGE, drawers

        place = folder.prepare(Path(out))
        drawn = drawers(self.figures(), PAGE)
        tables = {
            "patients": list(_patients(self)),
            "effects": [{**vars(one), "p": one.p} for one in self.effects],
            "power": [vars(one) for one in self.powers],
        }
        files = folder.answer(
            place, "trial", record=self.record, figures=drawn, formats=formats,
            tables={name: rows for name, rows in tables.items() if rows},
        )  # fmt: skip
        return [*files, folder.record(place, dict(provenance(self.setup.scenario)), files)]


def _shown(plan: Plan, found: Conduct, k: int) -> dict[str, Any]:
    mine = found.arm == k
    last = found.analysed(plan.estimand)[mine, -1]
    left, before = last[~np.isnan(last)], found.baseline[mine][~np.isnan(last)]
    change = left - before
    return {
        "arm": plan.arms[k].name,
        "patients": int(mine.sum()),
        "left": int(found.lost[mine].sum()),
        "rescued": int((found.rescued[mine] & found.seen[mine]).any(axis=1).sum()),
        "believe_drug": float(found.believes[mine].mean()) if mine.any() else float("nan"),
        "baseline": float(found.baseline[mine].mean()) if mine.any() else float("nan"),
        "change": float(change.mean()) if len(change) else float("nan"),
        "sd_change": float(change.std(ddof=1)) if len(change) > 1 else float("nan"),
        "response": float((left <= 0.5 * before).mean()) if len(left) else float("nan"),
        "remission": float((left <= plan.remission).mean()) if len(left) else float("nan"),
    }


def _patients(found: Trial) -> Iterable[dict[str, Any]]:
    ratings = found.found.analysed("policy")
    numbers = found.pool.crew.numbers[found.found.who]
    for i, number in enumerate(numbers.tolist()):
        yield {
            "patient": number,
            "arm": found.plan.arms[int(found.found.arm[i])].name,
            "believes_drug": bool(found.found.believes[i]),
            "baseline": float(found.found.baseline[i]),
            **{
                f"{time:g} h": float(ratings[i, j]) for j, time in enumerate(found.plan.visits)
            },
        }  # fmt: skip


def trial(
    what: str | Path | TrialAsked,
    *,
    sets: Iterable[str] = (),
    cohort: "str | Path | Population | None" = None,
    store: str | Path | None = None,
    threads: int | None = None,
    progress: bool | Listener | None = None,
    tell: Tell = warned,
) -> Trial:
    """Carry out a trial on virtual patients, analyse it, and say what other sizes would show.

    Parameters
    ----------
    what
        A packaged trial's name (``nasal_four_weeks``) or a TOML file.
    sets
        Changes such as ``"patients=120"`` or ``"dropout.share=0.2"`` of the trial, and
        ``"nmda.k_s=0.5 uM"`` of the model.
    cohort
        A population, or the folder that one was saved in; else it is made as the file says.
    store
        A folder for the runs: a resumable sweep for each regimen. Else they are kept in memory.
    threads, progress
        As of :func:`ketasim.sweep`.
    tell
        Hears each caution; a KetasimWarning by default.

    Raises
    ------
    ConfigError, ModelError, UnitError, SolverError, StoreError
        When something cannot be carried out or analysed.
    """
    asked = what if isinstance(what, TrialAsked) else load_trial(what, sets=sets)
    how = How(None if store is None else Path(store), threads, progress)
    base, design, traits, numbers = _drawn_of(asked, cohort, how, tell)
    setup = replace(base, scenario=replace(base.scenario, model=_with_safety(base)))
    pool = _pool(asked.plan, setup, design, traits, numbers, how)
    plan = asked.plan
    found = conduct(pool, plan, plan.patients, plan.seed)
    every = tuple(one for how in METHODS for one in effects(found, plan, how))
    with listening(progress) as listener:
        curve = powers(pool, plan, told=None if listener is None else _told(listener))
    sizes = needed(curve, plan.alpha, plan.wanted) if curve else ()
    return Trial(plan, setup, pool, found, every, truth(pool, plan), curve, sizes)


def _told(listener: Listener) -> Any:
    def told(done: int, total: int) -> None:
        listener(Progress(done, total, 0, 0, 0.0))

    return told


def _with_safety(setup: Setup) -> Any:
    model = setup.scenario.model
    return model if SAFETY in modules_of(model) else with_modules(model, (SAFETY,))


def _drawn_of(
    asked: TrialAsked,
    cohort: "str | Path | Population | None",
    how: How,
    tell: Tell,
) -> tuple[Setup, Design, Mapping[str, Array], Indices]:
    """Return the base scenario, the patients as a design, their traits and their numbers."""
    setup = load_population(asked.population, sets=asked.sets).setup
    if isinstance(cohort, str | Path):
        return setup, *_read(Path(cohort), setup)
    if cohort is None:
        runs = None if how.store is None else how.store / "population"
        cohort = population(
            asked.population,
            sets=asked.sets,
            store=runs,
            threads=how.threads,
            progress=how.progress,
            tell=tell,
        )
    return cohort.asked.setup, cohort.design, cohort.traits, cohort.numbers


def _read(place: Path, setup: Setup) -> tuple[Design, Mapping[str, Array], Indices]:
    """Return the patients of a folder that ``ketasim population`` wrote.

    Raises
    ------
    ConfigError
        When there are no such files, or they do not belong together.
    """
    files = [place / f"{name}.csv" for name in (COHORT, TRAITS)]
    lost = [one for one in files if not one.is_file()]
    if lost:
        raise ConfigError(
            f"{place}: {lost[0].name} is not there. Give a folder that ketasim population wrote."
        )
    columns, traits = (_by_name(read_table(one)) for one in files)
    numbers = columns["patient"].astype(int)
    traits[WEIGHTS] = columns.get(WEIGHTS, np.ones(len(numbers)))
    if not np.array_equal(numbers, traits["patient"].astype(int)):
        raise ConfigError(f"{place}: {COHORT}.csv and {TRAITS}.csv are not of the same patients.")
    names = tuple(name for name in columns if name not in NUMBERED)
    known = setup.scenario.model.parameters
    units = tuple("kg" if name == "subject.weight" else known[name].unit for name in names)
    values = np.stack([columns[name] for name in names], axis=1)
    return of_values(names, units, values), traits, numbers


def _by_name(design: Design) -> dict[str, Array]:
    values = design.rows(0, design.size)
    return {name: values[:, k] for k, name in enumerate(design.names)}


def _pool(
    plan: Plan,
    setup: Setup,
    design: Design,
    traits: Mapping[str, Array],
    numbers: Indices,
    how: How,
) -> Pool:
    """Return the patients with their mood and dissociation in every arm."""
    moods: dict[Protocol, Array] = {}
    peaks: dict[Protocol, Array] = {}
    rest = np.full(design.size, np.nan)
    for k, protocol in enumerate(plan.protocols):
        scenario = with_doses(setup.scenario, protocol, max(plan.visits[-1], 24.0))
        asked = [f"{MOOD}@{time!r}h" for time in (0.0, *plan.visits)]
        peak = f"{DISSOCIATION}.peak(0 h, {FIRST})"
        taken = {"engine": setup.engine or "ensemble", "method": setup.method, "rtol": setup.rtol}
        told = {"scenario": dump(replace(setup, scenario=scenario)), "config": plan.name}
        keep = {"summaries": [*asked, f"dissociation = {peak}"]}
        order = Order(scenario, design, None, keep, taken, told)
        run = how.carried_out(order, f"arm_{k}")
        rest = run[asked[0]].to_numpy()
        moods[protocol] = np.stack([run[name].to_numpy() for name in asked[1:]], axis=1)
        peaks[protocol] = run["dissociation"].to_numpy()
    fine = np.isfinite(rest)
    for mood in moods.values():
        fine &= np.isfinite(mood).all(axis=1)
    kept = np.flatnonzero(fine)
    if not len(kept):
        raise ConfigError(f"{plan.name}: no patient could be computed.")
    weights = traits.get(WEIGHTS, np.ones(design.size))
    model = setup.scenario.model
    who = persons(traits, design.size, model).of(kept)
    crew = Crew(np.asarray(numbers, dtype=int)[kept], who, rest[kept], {}, Reader.of(model))
    return Pool(
        crew,
        {protocol: mood[kept] for protocol, mood in moods.items()},
        {protocol: peak[kept] for protocol, peak in peaks.items()},
        None if len(set(weights.tolist())) == 1 else weights[kept],
    )


def truth(pool: Pool, plan: Plan) -> dict[str, float]:
    """Return each arm's mean difference from the control at the last visit, in everybody."""
    everybody = np.arange(len(pool.crew))
    means = [
        pool.crew.reader.scores(
            pool.mood(arm, everybody)[:, 1:], plan.visits, pool.crew.who, plan.setting,
            plan.sessions,
        )[:, -1].mean()
        for arm in plan.arms
    ]  # fmt: skip
    return {
        arm.name: float(means[k] - means[plan.control])
        for k, arm in enumerate(plan.arms)
        if k != plan.control
    }
