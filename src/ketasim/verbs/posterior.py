"""What is known of parameters after data of one's own: draws, bands, and no word unless sound."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from scipy.special import ndtr

import ketasim
from ketasim.core.model import Model
from ketasim.errors import MissingExtra, SolverError
from ketasim.reports.text import Table, number
from ketasim.results import folder
from ketasim.results.folder import prepare
from ketasim.results.output import files_in, put_in
from ketasim.studies.findings.finding import Finding
from ketasim.studies.fit.data import Data, is_timed, readout_at
from ketasim.studies.fit.likelihood import Array, Problem
from ketasim.studies.fit.search import courses
from ketasim.studies.posterior.evidence import Evidence, replicate
from ketasim.studies.posterior.kept import Kept
from ketasim.verbs.draws import DRAWS, LINES, SHARES
from ketasim.verbs.fit import Vary, asked_of, made_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

APART = 0.5  # replicates whose means differ by more errors of the posterior do not agree
ENOUGH = 100  # effective draws below which the ends of an interval are chance
PRIOR = 0.8  # an interval so wide, as a share of the prior's, was not narrowed by the data


@dataclass(frozen=True, repr=False)
class Posterior:
    """Draws of the free parameters after data and findings, from several runs of the sampler.

    Nothing is told as a result while :attr:`missing` is not empty.
    """

    problem: Problem
    evidence: Evidence
    readouts: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Return a sentence for each diagnostic that failed; empty when the draws may be used."""
        means = np.array([one.draws.mean(axis=0) for one in self.evidence.replicates])
        spread = self.evidence.draws.std(axis=0)
        apart = (means.max(axis=0) - means.min(axis=0)) / spread
        told = [
            f"replicates put {name} {by:.1f} standard deviations apart: more particles are needed."
            for name, by in zip(self.problem.names, apart, strict=True)
            if not by <= APART
        ]
        worth = self.evidence.effective
        if worth < ENOUGH:
            told.append(
                f"the draws are worth {worth:.0f} independent ones, fewer than the {ENOUGH} that "
                "an interval takes: more particles are needed."
            )
        lost = int((~np.isfinite(self.evidence.log_likelihoods)).sum())
        told += [f"{lost} draws rest on runs that failed."] * bool(lost)
        return tuple(dict.fromkeys((*self.evidence.missing, *told)))

    def sound(self) -> "Posterior":
        """Return this, when every diagnostic holds.

        Raises
        ------
        SolverError
            With what is missing.
        """
        if self.missing:
            raise SolverError("posterior: no result. " + " ".join(self.missing).capitalize())
        return self

    def __repr__(self) -> str:
        """Return the table that ``ketasim posterior`` prints, or what is missing."""
        return f"no result: {' '.join(self.missing)}" if self.missing else repr(self.table)

    @cached_property
    def points(self) -> Array:
        """Return the draws as coordinates of the problem, (n, n_free)."""
        return self.problem.from_normal(self.evidence.draws)

    @cached_property
    def values(self) -> dict[str, Array]:
        """Return the draws in declared units, (n,), by name.

        Raises
        ------
        SolverError
            When a diagnostic failed.
        """
        values = self.sound().problem.values(self.points)
        return dict(zip(self.problem.names, values.T, strict=True))

    @property
    def table(self) -> Table:
        """Return median and 90 % interval of each parameter, and whether the data narrowed it.

        Raises
        ------
        SolverError
            When a diagnostic failed.
        """
        rows = []
        for i, one in enumerate(self.problem.free):
            low, middle, high = np.quantile(self.values[one.name], SHARES).tolist()
            shares = ndtr(np.quantile(self.evidence.draws[:, i], SHARES))
            told = "as before" if shares[2] - shares[0] > PRIOR * 0.9 else "narrowed"
            rows.append((one.name, number(middle), number(low), number(high), one.unit, told))
        head = ("parameter", "median", "5 %", "95 %", "unit", "against the prior")
        return Table(head, tuple(rows), self.note)

    @property
    def note(self) -> str:
        """Return what the draws are worth, and the evidence."""
        found = self.evidence
        worth = f"{len(found.draws):,} draws worth {found.effective:,.0f} independent ones"
        several = len(found.replicates)
        told = f"log evidence {found.log_evidence:.2f}"
        told += f" (standard deviation over {several} runs {found.spread:.2f})" * (several > 1)
        return f"{worth}; {told}; {found.evaluations:,} evaluations."

    @cached_property
    def bands(self) -> dict[tuple[str, str], tuple[Array, Array]]:
        """Return times [h] and courses (n_draws, n_times) by arm and read-out; see the figure.

        Raises
        ------
        SolverError
            When a diagnostic failed.
        """
        points = self.sound().points
        some = points[np.linspace(0, len(points) - 1, min(LINES, len(points))).astype(int)]
        return courses(self.problem, some, readouts=self.readouts)

    @cached_property
    def figure(self) -> "Figure":
        """Return data and read-outs with median and the range from 5 to 95 % of what is believed.

        Bands hold what a read-out is, without the error of measuring it once more.
        """
        from ketasim.plots.fits import data

        return data(self.problem, self.bands)

    @property
    def tree(self) -> "xr.DataTree":
        """Return posterior, log-likelihood, predictions and data, as ArviZ lays them out.

        ``posterior_predictive`` are values as they might be measured again, error included;
        ``mean`` are those without it.

        Raises
        ------
        SolverError
            When a diagnostic failed.
        """
        runs = len(self.evidence.replicates)
        axes = ("chain", "draw")
        values = {
            name: (axes, v.reshape(runs, -1), {"units": one.unit})
            for (name, v), one in zip(self.values.items(), self.problem.free, strict=True)
        }
        found, mine = self.problem.at(self.points), len(self.problem.observations)
        offsets, scales = self.problem.readings(found, self.points)
        mean = offsets + scales * found.values[:, :mine]
        again = self.problem.measured(mean, np.random.default_rng(self.evidence.replicates[0].seed))
        each = self.problem.constants - 0.5 * found.residuals[:, :mine] ** 2
        by_datum = {
            name: ((*axes, "datum"), one.reshape(runs, -1, mine))
            for name, one in (("value", again), ("mean", mean), ("log", each))
        }
        seen = self.problem.observations
        labels = {
            "arm": ("datum", [p.arm for p in seen]), "readout": ("datum", [p.text for p in seen]),
            "time": ("datum", [p.time for p in seen]),
        }  # fmt: skip
        logs = self.evidence.log_likelihoods.reshape(runs, -1)
        return xr.DataTree.from_dict(
            {
                "posterior": xr.Dataset(values, attrs={"ketasim_version": ketasim.__version__}),
                "sample_stats": xr.Dataset({"lp": (axes, logs)}),
                "log_likelihood": xr.Dataset({"value": by_datum.pop("log")}, labels),
                "posterior_predictive": xr.Dataset(by_datum, labels),
                "observed_data": xr.Dataset({"value": ("datum", [p.value for p in seen])}, labels),
            }
        )

    def to_arviz(self) -> Any:
        """Return the draws for ArviZ: a DataTree for its releases from 1.0 on, else InferenceData.

        Raises
        ------
        MissingExtra
            When ArviZ is not installed.
        SolverError
            When a diagnostic failed.
        """
        try:
            import arviz
        except ImportError:
            raise MissingExtra('This needs arviz: pip install "ketasim[fit]".') from None
        tree = self.tree
        if not hasattr(arviz, "InferenceData"):
            return tree
        return arviz.InferenceData(**{str(k): v.to_dataset() for k, v in tree.children.items()})

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write figure, draws as CSV and netCDF, bands and JSON; return the files.

        Where a diagnostic failed only ``posterior.json`` is written, which says so.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.style import PAGE, save

        place = Path(out)
        if self.missing:
            return folder.answer(place, "posterior", record=self.record)
        units = {one.name: one.unit for one in self.problem.free}
        heads = [n if units[n] == "1" else f"{n} [{units[n]}]" for n in self.values]
        draws = (
            dict(zip(heads, row, strict=True)) for row in zip(*self.values.values(), strict=True)
        )
        with files_in(prepare(place), last="posterior.json") as aside:
            files = folder.answer(
                aside,
                "posterior",
                record=self.record,
                figures={"posterior": partial(save, self.figure, style=PAGE)},
                tables={DRAWS.removesuffix(".csv"): draws, "bands": self._rows()},
                formats=formats,
            )
            self.tree.to_netcdf(aside / "posterior.nc")
        return put_in(place, [*files, aside / "posterior.nc"])

    def _rows(self) -> Iterable[dict[str, Any]]:
        for (arm, text), (times, values) in self.bands.items():
            for time, column in zip(times, values.T, strict=True):
                low, middle, high = np.nanquantile(column, SHARES).tolist()
                told = {"5 %": low, "median": middle, "95 %": high}
                yield {"arm": arm, "readout": text, "time_h": float(time), **told}

    @property
    def record(self) -> dict[str, Any]:
        """Return what was found as plain numbers and text; only what is missing where it failed."""
        about = {
            "ketasim": ketasim.__version__,
            "model": self.problem.model.digest,
            "data": [{"file": one.source, "digest": one.digest} for one in self.problem.data],
            "findings": [one.name for one in self.problem.findings],
            "priors": {one.name: one.prior.described() for one in self.problem.free},
            "missing": list(self.missing),
            "effective": self.evidence.effective,
            "stages": [[asdict(s) for s in one.stages] for one in self.evidence.replicates],
        }
        if self.missing:
            return about
        return {
            **about,
            "note": self.note,
            "log_evidence": [float(one) for one in self.evidence.each],
            "parameters": [dict(row) for row in self.table],
        }


def posterior(
    data: str | Path | Data | Sequence[str | Path | Data] = (),
    *,
    free: Vary,
    findings: Iterable[Finding] = (),
    readouts: Iterable[str] = (),
    particles: int = 256,
    replicates: int = 2,
    seed: int = 1,
    model: Model | None = None,
    out: str | Path | None = None,
    progress: bool = False,
) -> Posterior:
    """Draw parameters from what data of one's own and findings leave of the prior.

    Parameters
    ----------
    data, free, findings, model
        As for :func:`ketasim.fit`; the distributions are the priors, the ledger's bounds (equal
        chances for equal ratios) where none is given. Scales and offsets are drawn as well.
    readouts
        More read-outs to draw bands of: ``"outcome.mood"``, ``"spines.density.peak"``.
    particles, replicates, seed
        Of the sampler (adaptive tempered sequential Monte Carlo): draws a run, how many runs, and
        what they are drawn by.
    out
        A folder in which every stage of every run is kept as it ends (``run0.npz``, ...); the same
        call goes on there to the same numbers, also with more replicates.
    progress
        Whether to say each stage.

    Returns
    -------
    Posterior
        ``.table``, ``.values``, ``.bands``, ``.figure``, ``.tree``, ``.to_arviz()``,
        ``.save(folder)``; all raise SolverError where ``.missing`` says what diagnostic failed.

    Raises
    ------
    ConfigError, ModelError
        When data, findings or parameters cannot be understood, or the prior is impossible.
    StoreError
        When the folder holds another posterior.
    """
    asked = asked_of(data, free, findings, model, profiled=False, threads=None)
    shown = [readouts] if isinstance(readouts, str) else list(readouts)
    for text in shown:
        readout_at(
            text, 1.0 if is_timed(text) else nan, asked.model
        )  # refuses before the work what could not be drawn after
    kept = [] if out is None else _kept(asked, prepare(Path(out)), replicates, seed, particles)
    told = _Bar(replicates) if progress else None
    found = replicate(
        asked.log_likelihood, len(asked.free), replicates=replicates, seed=seed,
        particles=particles, progress=told, kept=kept,
    )  # fmt: skip
    if told is not None:
        told.bar.close()
    return Posterior(asked, found, tuple(shown))


def _kept(asked: Problem, place: Path, count: int, seed: int, particles: int) -> list[Kept]:
    made = {**made_of(asked, seed), "particles": str(particles)}
    return [Kept(place / f"run{k}.npz", made) for k in range(count)]


class _Bar:
    """Shows the power a run has come to."""

    def __init__(self, replicates: int) -> None:
        from tqdm.auto import tqdm

        self.bar: Any = tqdm(total=replicates, unit=" runs", disable=None)

    def __call__(self, line: str) -> None:
        """Hear one stage."""
        self.bar.set_postfix_str(line, refresh=True)
        if "power 1," in f"{line},":
            self.bar.update(1)
