"""The model over whole published curves: which points it meets, study by study."""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import ketasim
from ketasim.config import packaged
from ketasim.config.findings import load_cells, load_data
from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.errors import ConfigError, SolverError
from ketasim.models.antidepressant import antidepressant
from ketasim.reports.text import NONE, Table
from ketasim.results import folder
from ketasim.studies import designs
from ketasim.studies.fit.data import is_timed
from ketasim.studies.fit.likelihood import Array, Problem, problem
from ketasim.studies.fit.search import courses
from ketasim.studies.published import LEVEL, TRUSTED, WITHIN, Apart, Published, left_out
from ketasim.units import read, unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED = ("mood", "mice", "pk_published")
STATED = "discrepancy.toml"
REST = "kinetics"  # what a row that names no assay is read as
UNREAD = "unconfirmed"  # kind of a row whose number was not read in the source itself
OWN = ("control", "input")  # kinds that tell little: by these an arm or a number was chosen


@dataclass(frozen=True, repr=False)
class Curves:
    """Published points beside the model, and studies left out of a posterior where one was given.

    ``asked`` is what predicted them, ``places`` where each of ``points`` is among its observations.
    """

    points: tuple[Published, ...]
    asked: Problem
    places: tuple[int, ...]
    apart: tuple[Apart, ...] = ()

    def __repr__(self) -> str:
        """Return the table that ``ketasim curves`` prints."""
        return repr(self.table)

    def predict(self, draws: Array) -> Array:
        """Return what draws (n, n_parameters), in canonical units, say of every point."""
        return _predicted(self.asked, draws)[:, self.places]

    @property
    def table(self) -> Table:
        """Return for each study how many points are met, and by how much the model is off."""
        apart = {one.study: one for one in self.apart}
        rows = [
            (study, str(len(mine)), str(_met(mine)), f"{_met(mine) / len(mine):.0%}",
             f"{np.nanmean([one.z for one in mine]):+.2f}", *_foretold(apart.get(study)))
            for study, mine in _grouped(self.points).items()
        ]  # fmt: skip
        head = ("study", "points", "met", "share", "mean z", f"in {LEVEL:.0%}, left out", "shape k")
        kept = len(head) if self.apart else len(head) - 2
        return Table(head[:kept], tuple(row[:kept] for row in rows), self.note)

    @property
    def note(self) -> str:
        """Return how many points are met in all, and which of them say little."""
        plain = [one for one in self.points if one.kind not in OWN]
        told = [f"met is within {WITHIN:g} standard deviations of error and stated discrepancy"]
        told.append(f"{_share(self.points)} are met")
        told += [f"{_share(mine)} of {f}" for f, mine in _grouped(self.points, "source").items()]
        told += [
            f"{_share(mine)} of kind {kind}"
            for kind, mine in _grouped(self.points, "kind").items() if kind in OWN
        ]  # fmt: skip
        told.append(f"of all others {_share(plain)}")
        alone = sum(one.met_alone for one in self.points)
        told.append(f"by their own errors alone {alone} of {len(self.points)}")
        if self.apart:
            told.append(f"left out, {_inside(self.apart)} lie in their range")
            fair = [one for one in self.apart if one.trusted]
            told += [f"{_inside(fair)} where weights can be trusted"] * bool(fair)
            weak = [a.study for a in self.apart if not a.trusted]
            told += [f"not to be trusted (k above {TRUSTED:g}): {', '.join(weak)}"] * bool(weak)
        text = "; ".join(told)
        return f"{text[0].upper()}{text[1:]}."

    @property
    def share(self) -> float:
        """Return the share of all points that are met."""
        return _met(self.points) / len(self.points)

    @cached_property
    def figure(self) -> "Figure":
        """Return a panel a study and read-out: its points with errors over the model's course."""
        from ketasim.plots.fits import studies

        timed = [i for i, one in enumerate(self.points) if is_timed(one.readout)]
        seen = {i: self.asked.observations[self.places[i]] for i in timed}
        return studies(
            [(self.points[i].study, replace(seen[i], error=self.points[i].sigma)) for i in timed],
            courses(self.asked, self.asked.guess[None, :]),
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return every point with what the model says of it."""
        return [{**asdict(one), "z": one.z, "met": one.met} for one in self.points]

    @property
    def record(self) -> dict[str, Any]:
        """Return everything as plain numbers and text."""
        return {
            "ketasim": ketasim.__version__,
            "model": self.asked.model.digest,
            "data": [{"file": one.source, "digest": one.digest} for one in self.asked.data],
            "note": self.note,
            "share": self.share,
            "studies": [dict(row) for row in self.table],
            "points": self.rows,
        }

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write the figure, points and studies as CSV, and JSON; return the files.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.style import PAGE, save

        return folder.answer(
            Path(out),
            "curves",
            record=self.record,
            figures={"curves": partial(save, self.figure, style=PAGE)},
            tables={"points": self.rows, "studies": list(self.table)},
            formats=formats,
        )


def curves(
    data: str | Path | Sequence[str | Path] = (),
    *,
    posterior: str | Path | None = None,
    model: Model | None = None,
) -> Curves:
    """Lay the model over published curves.

    Parameters
    ----------
    data
        CSV files as for :func:`ketasim.load_data`, with a column ``study``; those of the package
        (``mood``, ``mice``, ``pk_published``) when none is given.
    posterior
        The folder of a posterior: each study is then left out of its draws in turn.
    model
        The default model when not given.

    Returns
    -------
    Curves
        ``.table``, ``.points``, ``.share``, ``.figure`` and ``.save(folder)``.

    Raises
    ------
    ConfigError
        When a file has a fault, no column ``study``, or a read-out with no stated discrepancy.
    SolverError
        When the model's own values, or every draw, make a run fail.
    """
    named = [data] if isinstance(data, str | Path) else list(data) or list(PUBLISHED)
    base = model or antidepressant()
    read_in = [load_data(one, model=base) for one in named]
    first = next(n for n, p in base.parameters.items() if p.bounds[0] < p.bounds[1])
    asked = problem(base, [first], data=read_in)
    cells = _cells(named, asked)
    kept = tuple(i for i, one in enumerate(cells) if one.get("kind") != UNREAD)
    own = _predicted(asked, System(base).default_parameters[None, :])[0]
    stated = tomllib.loads((packaged.folder() / "data" / STATED).read_text("utf-8"))
    files = [one.source for one in read_in for _ in one.points]
    points = tuple(_point(asked, i, cells[i], stated, own[i], files[i]) for i in kept)
    found = Curves(points, asked, kept)
    return found if posterior is None else replace(found, apart=_apart(found, Path(posterior)))


def _cells(named: Sequence[str | Path], asked: Problem) -> list[Mapping[str, str]]:
    """Return the row of each observation; those of one file stand together."""
    found: list[Mapping[str, str]] = []
    for path, one in zip(named, asked.data, strict=True):
        rows = load_cells(path)
        own = asked.observations[len(found) : len(found) + len(one.points)]
        found += [rows[point.line] for point in own]
        if not all("study" in row for row in rows.values()):
            raise ConfigError(f'{one.source}: no column "study"; name the source of each row.')
    return found


def _predicted(asked: Problem, draws: Array) -> Array:
    """Return what each draw (n, n_parameters) says of every observation."""
    return np.concatenate([one.values for one in asked.predictor.predict(draws)]).T


def _point(
    asked: Problem, i: int, cells: Mapping[str, str], stated: Mapping[str, Any], predicted: float,
    source: str,
) -> Published:  # fmt: skip
    seen = asked.observations[i]
    assay = cells.get("assay") or REST
    if assay not in stated:
        told = f'no discrepancy is stated for assay "{assay}"; those stated: {", ".join(stated)}.'
        raise ConfigError(f"line {seen.line}: {told}")
    how, of = stated[assay], seen.readout.unit
    off = how["share"] * abs(seen.value) if "share" in how else _size(how["size"], of)
    return Published(
        cells["study"], seen.arm, seen.text, of, seen.time, seen.value, seen.error, off,
        float(predicted), cells.get("kind", ""), cells.get("row", ""), source, seen.censored,
    )  # fmt: skip


def _size(text: str, of: str) -> float:
    return read(text, of, STATED) / read(f"1 {of}", of, STATED)


def _apart(found: Curves, place: Path) -> tuple[Apart, ...]:
    draws, seen = _draws(place, found.asked.model)
    predicted = found.predict(draws)
    fine: NDArray[np.bool_] = np.asarray(np.isfinite(predicted).all(axis=1))
    if not fine.any():
        raise SolverError(f"{place}: every one of {len(fine)} draws failed.")
    grouped = _grouped(found.points)
    knew = {study: any(one.source in seen for one in mine) for study, mine in grouped.items()}
    return left_out(found.points, predicted[fine], knew)


def _draws(place: Path, model: Model) -> tuple[Array, set[str]]:
    """Return draws (n, n_parameters) of a posterior and the data files that it has seen."""
    table, told = place / "draws.csv", place / "posterior.json"
    if not (table.is_file() and told.is_file()):
        raise ConfigError(f"{place}: no draws.csv and posterior.json; give a posterior's folder.")
    whole = designs.table(table)
    rows = whole.rows(0, len(whole))
    draws = np.repeat(System(model).default_parameters[None, :], len(rows), axis=0)
    order = {name: k for k, name in enumerate(model.parameters)}
    known = [k for k, name in enumerate(whole.names) if name in order]
    if not known:
        raise ConfigError(f"{table}: no column is a parameter of {model.name}.")
    for k in known:
        draws[:, order[whole.names[k]]] = rows[:, k] * unit(whole.units[k]).factor
    record = json.loads(told.read_text("utf-8"))
    return draws, {one["file"] for one in record.get("data", ())}


def _grouped(points: Iterable[Published], by: str = "study") -> dict[str, list[Published]]:
    groups: dict[str, list[Published]] = {}
    for one in points:
        groups.setdefault(getattr(one, by), []).append(one)
    return groups


def _met(points: Iterable[Published]) -> int:
    return sum(one.met for one in points)


def _share(points: Sequence[Published]) -> str:
    return f"{_met(points)} of {len(points)} ({_met(points) / max(len(points), 1):.0%})"


def _inside(apart: Sequence[Apart]) -> str:
    covered, many = sum(one.covered for one in apart), sum(one.points for one in apart)
    return f"{covered} of {many} ({covered / many:.0%})"


def _foretold(one: Apart | None) -> tuple[str, str]:
    if one is None:
        return NONE, NONE
    return f"{one.covered} of {one.points}", f"{one.shape:.2f}" if np.isfinite(one.shape) else NONE
