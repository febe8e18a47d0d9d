"""Data of one's own, checked and fitted: points, a search from many starts, profiles, verdicts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import ketasim
from ketasim.config import Setup, dump
from ketasim.config.findings import load_data
from ketasim.core.model import Model
from ketasim.core.scenario import fine_then_coarse
from ketasim.errors import ConfigError, SolverError
from ketasim.models.antidepressant import antidepressant
from ketasim.reports.text import NONE, Table, number
from ketasim.results import folder
from ketasim.results.files import Rows
from ketasim.results.folder import prepare
from ketasim.results.output import files_in, put_in
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.findings.finding import Finding
from ketasim.studies.fit.data import Data
from ketasim.studies.fit.likelihood import Array, Problem, problem
from ketasim.studies.fit.profiles import LEVEL, Profile, profiles
from ketasim.studies.fit.search import SAME, Ended, Found, Report, courses, descend, multistart
from ketasim.studies.fit.slopes import AUTO, way_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Vary = str | Iterable[str] | Mapping[str, "Distribution | str | None"]
MOST_STARTS, ROUNDS = 100_000, 3  # where a profile finds a better fit, all are made again


@dataclass(frozen=True, repr=False)
class Fit:
    """What a fit found: every start, the best values, profiles and a verdict a parameter.

    ``problem`` is what was fitted to what, ``found`` every start, ``profiles`` one for each
    profiled parameter, ``level`` that of the intervals.
    """

    problem: Problem
    found: Found
    profiles: tuple[Profile, ...] = ()
    level: float = LEVEL
    seed: int = 1

    def __repr__(self) -> str:
        """Return the table that ``ketasim fit`` prints."""
        return repr(self.table)

    @property
    def best(self) -> Ended:
        """Return the best start.

        Raises
        ------
        SolverError
            When every start failed.
        """
        best = self.found.best
        if best is None:
            raise SolverError(
                f"fit: every start failed; the first: {self.found.starts[0].told}. Narrow the "
                "bounds, or see why with ketasim run."
            )
        return best

    @property
    def values(self) -> dict[str, float]:
        """Return the best values in declared units, by name."""
        values = self.problem.values(np.array(self.best.point))
        return dict(zip(self.problem.names, values.tolist(), strict=True))

    @property
    def deeper(self) -> float:
        """Return by how much a profile went below the loss of the best start."""
        places = {one.name: i for i, one in enumerate(self.problem.free)}
        here = (one.rise[one.x.index(self.best.point[places[one.name]])] for one in self.profiles)
        return max(here, default=0.0)

    @property
    def n_data(self) -> int:
        """Return how many observations were fitted."""
        return len(self.problem.observations) + len(self.problem.findings)

    @property
    def table(self) -> Table:
        """Return the best value, interval and verdict of each parameter."""
        by_name = {one.name: one for one in self.profiles}
        rows = []
        for one in self.problem.free:
            profile = by_name.get(one.name)
            value = number(self.values[one.name])
            words = "not profiled" if profile is None else profile.words
            rows.append((one.name, value, one.unit, words))
        head = ("parameter", "best", "unit", f"verdict ({self.level:.0%} interval)")
        return Table(head, tuple(rows), self.note)

    @property
    def note(self) -> str:
        """Return in a few lines how the search went, and what to be careful about."""
        starts = self.found.starts
        failed = sum(not one.usable for one in starts)
        stepped = sum(one.not_computed for one in starts if one.usable)
        limits = sum(one.status == "limit" for one in starts)
        steep = NONE if self.best.gradient is None else f"{self.best.gradient:.2g}"
        lines = [
            f"loss {self.best.loss:.4g}; observations: {self.n_data}; free parameters: "
            f"{len(self.problem.free)}; gradient at the best {steep} per width of the bounds",
            f"{len(starts)} starts: {self.found.again} at the best optimum, {failed} failed, "
            f"{limits} still moving; {stepped} points at which a run failed were stepped back from",
        ]
        if self.found.again == 1 and len(starts) > 1:
            lines.append("only one start found the best optimum: give more (--starts)")
        if self.deeper > SAME:
            lines.append(
                f"a profile went {self.deeper:.2g} below the best start: give more starts before "
                "you trust these intervals"
            )
        return "\n".join(f"{line}." for line in lines)

    @cached_property
    def figures(self) -> dict[str, "Figure"]:
        """Return the pictures by name: the data with the best fit, the starts, the profiles."""
        from ketasim.plots import fits

        drawn = {"starts": fits.waterfall(self.found)}
        if self.problem.data:
            drawn = {"data": fits.data(self.problem, courses(self.problem, self._point)), **drawn}
        if self.profiles:
            drawn["profiles"] = fits.profiles(self.profiles, self.problem, self.level)
        return drawn

    @property
    def _point(self) -> Array:
        return np.array([self.best.point])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return what was seen and what the best values predict, a row an observation."""
        found = self.problem.at(self._point)
        offsets, scales = self.problem.readings(found, self._point)
        rows = []
        for i, one in enumerate(self.problem.observations):
            reading = float(offsets[0, i] + scales[0, i] * found.values[0, i])
            rows.append(
                {"arm": one.arm, "readout": one.text, "time_h": one.time,
                 "assay": one.assay, "value": one.value, "error": one.error,
                 "censored": one.censored,
                 "unit": one.readout.unit, "predicted": reading,
                 "residual": float(found.residuals[0, i]), "line": one.line}
            )  # fmt: skip
        n = len(rows)
        for i, part in enumerate(self.problem.findings):
            told = {
                "arm": part.name,
                "readout": part.title,
                "predicted": found.values[0, n + i],
            }
            rows.append(
                {**dict.fromkeys(HEADER), **told, "residual": float(found.residuals[0, n + i])}
            )
        return rows

    @property
    def record(self) -> dict[str, Any]:
        """Return everything found as plain numbers and text."""
        return {
            "ketasim": ketasim.__version__,
            "model": self.problem.model.digest,
            "data": [{"file": one.source, "digest": one.digest} for one in self.problem.data],
            "findings": [one.name for one in self.problem.findings],
            "level": self.level,
            "seed": self.seed,
            "note": self.note,
            "loss": self.best.loss,
            "parameters": [
                {**dict(zip(("name", "best", "unit", "verdict"), row, strict=True)),
                 "best": self.values[row[0]]}
                for row in self.table.rows
            ],
            "profiles": [asdict(one) for one in self.profiles],
            "starts": [asdict(one) for one in self.found.starts],
        }  # fmt: skip

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write figures, tables and JSON, and each arm with the best values as TOML; return them.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.style import PAGE, save

        best = [{"parameter": n, "best": v} for n, v in self.values.items()]
        with files_in(prepare(Path(out)), last="fit.json") as place:
            files = folder.answer(
                place,
                "fit",
                record=self.record,
                figures={n: partial(save, one, style=PAGE) for n, one in self.figures.items()},
                tables={"predictions": self.rows, "best": best},
                formats=formats,
            )
            files += self._configurations(place)
        return put_in(Path(out), files)

    def _configurations(self, place: Path) -> Iterable[Path]:
        """Write each arm as a configuration with the best values, if its model has a name."""
        model, values = self.problem.model, self.values
        told = {one.name: f"{values[one.name]!r} {one.unit}" for one in self.problem.free}
        model = model.with_values({n: v for n, v in told.items() if n in model.parameters})
        for data in self.problem.data:
            for name, arm in data.arms.items():
                times = [p.time for p in data.points if p.arm == name and p.time == p.time]
                scenario = arm.scenario(model, begin=0.0, end=max([24.0, *times]))
                grid = fine_then_coarse(arm.treated, *scenario.times)
                path = place / f"best_{re.sub(r'[^-0-9A-Za-z_]+', '_', name)[:60]}.toml"
                with suppress(ConfigError):  # a model of one's own, which no file can name
                    text = dump(Setup(replace(scenario, name=name, times=grid)))
                    path.write_text(text, encoding="utf-8")
                    yield path


HEADER = (
    "arm", "readout", "time_h", "assay", "value", "error", "censored", "unit", "predicted",
    "residual", "line",
)  # fmt: skip


def fit(
    data: str | Path | Data | Sequence[str | Path | Data] = (),
    *,
    free: Vary,
    findings: Iterable[Finding] = (),
    starts: int = 20,
    seed: int = 1,
    profile: bool | Sequence[str] = True,
    level: float = LEVEL,
    slopes: str = AUTO,
    model: Model | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Fit:
    """Fit parameters to data of one's own and to findings.

    Parameters
    ----------
    data
        CSV files, names of packaged ones (``"plasma"``), or what :func:`load_data` gave.
    free
        Parameters or groups (``"pk_s"``, ``"fitted"``), with distributions where the ledger's
        bounds do not do: ``{"pk_s.clearance_70": "loguniform(30, 200) L/h"}``. A normal or
        log-normal one is a prior that counts.
    findings
        Findings, whose observations count like data.
    starts, seed
        How many starts, the first at the model's own values, and what they are drawn by.
    profile
        Whether likelihood profiles follow: for all, for none, or for the names given.
    level
        Of the intervals.
    slopes
        ``"differences"`` of runs, or in reverse mode ``"rows"`` (of each prediction) or
        ``"summed"`` (of the loss as a whole); by default the better for so many free numbers, see
        ``docs/decisions/0021-slopes-of-a-fit.md``.
    out
        A folder in which every start and profile is kept as it ends; the same call goes on there.
    workers
        How many starts at once; no number depends on it.
    progress
        Whether to show how far it is.

    Returns
    -------
    Fit
        ``.table``, ``.values``, ``.found``, ``.profiles``, ``.figures`` and ``.save(folder)``.

    Raises
    ------
    ConfigError, ModelError
        When data, findings or parameters cannot be understood.
    StoreError
        When the folder holds another fit.
    SolverError
        When every start failed.
    """
    if not 1 <= starts <= MOST_STARTS or not 0.5 <= level < 1.0:
        raise ConfigError(f"starts = {starts}, level = {level}: 1 to {MOST_STARTS:,} and 0.5 to 1.")
    asked = asked_of(data, free, findings, model, profiled=True, threads=None)
    slopes = way_for(len(asked.free), slopes)
    made = {**made_of(asked, seed), "level": f"{level!r}", "slopes": slopes}
    place = None if out is None else prepare(Path(out))
    kept = None if place is None else Rows(place / "starts.jsonl", made)
    asked.at(asked.guess[None, :])  # compiled once, before many threads ask for it
    found = multistart(
        asked,
        starts=starts,
        seed=seed,
        rows=kept,
        workers=workers,
        slopes=slopes,
        report=_told("starts", progress),
    )
    whole = Fit(asked, found, (), level, seed)
    if not profile:
        return whole
    for k in range(ROUNDS):
        best = whole.best
        name = f"profiles{k or ''}.jsonl"
        at = {**made, "from": repr(best)}  # a better start has profiles of its own
        rows = None if place is None else Rows(place / name, at, anew=("from",))
        done = profiles(
            asked, np.array(best.point), best.loss or 0.0, level=level, rows=rows,
            names=() if isinstance(profile, bool) else profile, workers=workers,
            slopes=slopes, report=_told("profile sides", progress),
        )  # fmt: skip
        whole = replace(whole, profiles=done)
        if whole.deeper <= SAME or k + 1 == ROUNDS:
            break
        lowest = next(one.lowest for one in done if min(one.rise) == 0.0)
        better = descend(asked, np.array(lowest), number=len(whole.found.starts), slopes=slopes)
        whole = replace(whole, found=Found((*whole.found.starts, better)), profiles=())
    return whole


def asked_of(
    data: str | Path | Data | Sequence[str | Path | Data],
    free: Vary,
    findings: Iterable[Finding],
    model: Model | None,
    *,
    profiled: bool,
    threads: int | None,
) -> Problem:
    """Return the problem that a fit or a posterior is asked for; see :func:`fit`."""
    many = [data] if isinstance(data, str | Path | Data) else list(data)
    read = [one if isinstance(one, Data) else load_data(one, model=model) for one in many]
    models = [one.model for one in read if one.model is not None]
    if model is None and len({one.digest for one in models}) > 1:
        raise ConfigError("the data are of different models; fit those of one model at a time.")
    return problem(
        model or next(iter(models), antidepressant()), wishes(free), data=read,
        findings=list(findings), profiled=profiled, threads=threads,
    )  # fmt: skip


def _told(what: str, shown: bool) -> Report | None:  # noqa: FBT001
    """Return what shows how many are done."""
    if not shown:
        return None
    from tqdm.auto import tqdm

    bar = tqdm(unit=f" {what}", disable=None)

    def report(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return report


def wishes(free: Vary) -> Mapping[str, "Distribution | str | None"]:
    """Return what is to be fitted by name, each with its distribution where one is told."""
    if isinstance(free, Mapping):
        return free
    texts = [free] if isinstance(free, str) else list(free)
    pairs = [text.partition("=") for text in texts]
    return {name.strip(): value.strip() or None for name, _, value in pairs}


def made_of(asked: Problem, seed: int) -> dict[str, str]:
    """Return what the numbers of a fit or a posterior depend on, as text."""
    return {
        "ketasim_version": ketasim.__version__,
        "model_digest": asked.model.digest,
        "data": " ".join(f"{one.source}:{one.digest}" for one in asked.data),
        "arms": sha256(repr([sorted(one.arms.items()) for one in asked.data]).encode()).hexdigest(),
        "findings": sha256(repr(asked.findings).encode()).hexdigest(),
        "free": "; ".join(f"{one.name} = {one.prior.described()}" for one in asked.free),
        "seed": str(seed),
        "rtol": f"{asked.predictor.rtol!r}",
    }
