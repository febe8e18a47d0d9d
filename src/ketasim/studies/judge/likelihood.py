"""How likely what was seen is, paper by paper, with both arms of a comparison.

A share of an effect is two data: that there was an effect of which a share could be left, counted
once a paper, and what was left of it, with an error that does not shrink with the effect. A
hypothesis that predicts no effect in either arm is wrong about the first, once, and is not asked to
divide nothing by nothing.

Findings of one paper share a part of their error (its animals, its assay, its analysis), which is
integrated out; and the whole paper may be worthless, as each of its reports may.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ketasim.studies.findings.finding import Finding, ReadOut
from ketasim.studies.findings.observed import TWO_SIDED, VAGUE, Direction, seen
from ketasim.studies.findings.reading import NOTHING, Formula

Array = NDArray[np.float64]
SHARED = 0.3  # part of the variance of an error that findings of one paper share
NOTICED = 0.25  # of the default's effect: the least whole effect that a paper would have noticed
NODES = 5
_AT, _WEIGHT = np.polynomial.hermite_e.hermegauss(NODES)
_WEIGHT = _WEIGHT / _WEIGHT.sum()


class Place(NamedTuple):
    """Where a finding's numbers are: the row of its value, and of the whole or -1."""

    part: int
    whole: int


def apart(findings: Sequence[Finding]) -> tuple[list[Finding], list[Place]]:
    """Return findings whose shares are read as two numbers, and where the numbers of each are."""
    found, places, row = [], [], 0
    for one in findings:
        formula = one.formulas[0]
        if formula.whole is None:
            found.append(one)
            places.append(Place(row, -1))
            row += 1
            continue
        halves = tuple(
            ReadOut(name, (Formula(text),), one.unit)
            for name, text in (("part", formula.part), ("whole", formula.whole))
        )
        found.append(replace(one, readouts=halves))
        places.append(Place(row, row + 1))
        row += 2
    return found, places


def paper(one: Finding) -> str:
    """Return the source of a finding; one without references is its own."""
    return one.references[0] if one.references else one.name


@dataclass(frozen=True)
class Data:
    """What was seen, as arrays: a datum each (n_data,), of papers named in ``papers``.

    A datum reads ``row``, less ``share`` times ``whole_row`` where that is not -1. A number has an
    ``error``, in parts of the whole effect (``least`` at the least) where ``relative``; a direction
    has a ``least`` that would be called an effect, and is seen ``up``, ``down`` or ``none``.
    """

    papers: tuple[str, ...]
    names: tuple[str, ...]
    paper: NDArray[np.int64]
    finding: NDArray[np.int64]
    kind: NDArray[np.int64]
    row: NDArray[np.int64]
    whole_row: NDArray[np.int64]
    seen: Array
    error: Array
    least: Array
    outlier: Array

    @property
    def several(self) -> NDArray[np.bool_]:
        """Return the papers with more than one datum."""
        return np.asarray(np.bincount(self.paper, minlength=len(self.papers)) > 1)

    def only(self, which: NDArray[np.bool_]) -> "Data":
        """Return some of the data, papers and all kept."""
        arrays = ("paper", "finding", "kind", "row", "whole_row", "seen", "error", "least")
        kept = {name: getattr(self, name)[which] for name in (*arrays, "outlier")}
        names = tuple(name for name, keeps in zip(self.names, which, strict=True) if keeps)
        return replace(self, names=names, **kept)


NUMBER, SHARE, DIRECTION, PRESENT = 0, 1, 2, 3


def data_of(
    findings: Sequence[Finding], places: Sequence[Place], default: Array, reference: int
) -> Data:
    """Return the data of findings.

    Parameters
    ----------
    findings
        Each with one observation.
    places
        Where the numbers of each are; see :func:`apart`.
    default
        What the model shows as it stands, (n_rows,): it sets the least whole effect of a share.
    reference
        The place of the reference effect among the findings, a paper of its own.
    """
    papers = list(dict.fromkeys(paper(one) for one in findings))
    rows: list[tuple[object, ...]] = []
    wholes: set[tuple[str, str]] = set()
    for i, (one, place) in enumerate(zip(findings, places, strict=True)):
        source, what = papers.index(paper(one)), one.observed
        chance = 0.0 if i == reference else one.outlier_probability
        if isinstance(what, Direction):
            rows.append((one.name, source, i, DIRECTION, place.part, -1, seen(what), 1.0,
                         what.least, chance))  # fmt: skip
        elif place.whole < 0:
            rows.append((one.name, source, i, NUMBER, place.part, -1, seen(what), what.error,
                         1.0, chance))  # fmt: skip
        else:
            shown = abs(float(np.nan_to_num(default[place.whole])))
            least = max(NOTICED * shown, NOTHING)
            rows.append((one.name, source, i, SHARE, place.part, place.whole, seen(what),
                         what.error, least, chance))  # fmt: skip
            effect = (papers[source], f"{one.arms}{one.formulas[0].whole}")
            if effect not in wholes:
                wholes.add(effect)
                rows.append((f"{one.name}: there is an effect", source, i, PRESENT, place.whole,
                             -1, 1.0, 1.0, least, chance))  # fmt: skip
    names, *columns = zip(*rows, strict=True)
    codes = [np.array(column, dtype=np.int64) for column in columns[:5]]
    numbers = [np.array(column, dtype=float) for column in columns[5:]]
    return Data(
        tuple(papers), tuple(str(name) for name in names),
        codes[0], codes[1], codes[2], codes[3], codes[4],
        numbers[0], numbers[1], numbers[2], numbers[3],
    )  # fmt: skip


def by_paper(data: Data, values: Array, blur: Array | None = None) -> Array:
    """Return the log-likelihood of each paper, shape (n_papers, n).

    Parameters
    ----------
    data
        What was seen.
    values
        What is predicted, (n_rows, n), finite.
    blur
        How far predictions themselves may be off, a standard deviation (n_rows,).
    """
    position, spread = _positions(data, values, blur)
    found = np.zeros((len(data.papers), values.shape[1]))
    several = data.several
    one = ~several[data.paper]
    sure = _sure(data, position, spread, 0.0, one, 0.0)
    vague = _vague(data)
    found[data.paper[one]] = np.log(
        (1.0 - data.outlier[one, None]) * sure + (data.outlier * vague)[one, None]
    )
    many = ~one
    if many.any():
        found[several] = _shared(data, position, spread, many)[several]
    return found


def _shared(data: Data, position: Array, spread: Array, many: NDArray[np.bool_]) -> Array:
    """Return the log-likelihoods of papers whose findings share a part of their error."""
    vague = _vague(data)
    own = data.paper[many]
    n_papers, n = len(data.papers), position.shape[1]
    logs = np.zeros((NODES, n_papers, n))
    for k, at in enumerate(_AT):
        sure = _sure(data, position, spread, float(at), many, SHARED)
        each = np.log((1.0 - data.outlier[many, None]) * sure + (data.outlier * vague)[many, None])
        np.add.at(logs[k], own, each)
    top = logs.max(axis=0)
    mixed = np.log(np.einsum("k,kpn->pn", _WEIGHT, np.exp(logs - top))) + top
    worthless, nothing = np.ones(n_papers), np.zeros(n_papers)
    np.minimum.at(worthless, own, data.outlier[many])
    np.add.at(nothing, own, np.log(vague[many]))
    with np.errstate(divide="ignore"):
        found: Array = np.logaddexp(
            np.log1p(-np.minimum(worthless, 0.999))[:, None] + mixed,
            (np.log(worthless) + nothing)[:, None],
        )
    return found


def _vague(data: Data) -> Array:
    """Return how likely what was seen is of a report that says nothing."""
    there = np.where(data.seen > 0.5, 2.0 / 3.0, 1.0 / 3.0)
    return np.select(
        [data.kind == DIRECTION, data.kind == PRESENT], [1.0 / 3.0, there], 1.0 / VAGUE
    )


def _positions(data: Data, values: Array, blur: Array | None) -> tuple[Array, Array]:
    """Return where predictions lie, in errors, and how much wider errors are for the blur."""
    predicted = values[data.row]
    wide = np.zeros(len(data.row)) if blur is None else blur[data.row] ** 2
    share = data.kind == SHARE
    size = np.where(data.kind == NUMBER, data.error, data.least / TWO_SIDED)[:, None]
    centre = np.where(data.kind == NUMBER, data.seen, 0.0)[:, None]
    size = np.repeat(size, values.shape[1], axis=1)
    position = (predicted - centre) / size
    if share.any():
        whole = values[data.whole_row[share]]
        size[share] = data.error[share, None] * np.maximum(np.abs(whole), data.least[share, None])
        left = predicted[share] - data.seen[share, None] * whole
        position[share] = left / size[share]
        if blur is not None:
            wide[share] += (data.seen[share] * blur[data.whole_row[share]]) ** 2
    return position, np.sqrt(1.0 + wide[:, None] / size**2)


def _sure(
    data: Data, position: Array, spread: Array, shift: float, which: NDArray[np.bool_],
    shared: float,
) -> Array:  # fmt: skip
    """Return the chance of what was seen by reports that are sure, given an error they share."""
    kind, x, wide = data.kind[which], position[which] + np.sqrt(shared) * shift, spread[which]
    own = np.sqrt(wide**2 - shared)
    found = np.exp(-0.5 * (x / own) ** 2) / own
    called = kind >= DIRECTION
    if called.any():
        up = ndtr((x[called] - TWO_SIDED) / own[called])
        down = ndtr((-x[called] - TWO_SIDED) / own[called])
        way = data.seen[which][called][:, None]
        none = np.maximum(1.0 - up - down, 0.0)
        told = np.where(way > 0.5, up, np.where(way < -0.5, down, none))
        there = np.where(way > 0.5, up + down, none)
        found[called] = np.where(kind[called][:, None] == PRESENT, there, told)
    return np.asarray(np.nan_to_num(found, nan=0.0))


def simulated(data: Data, values: Array, rng: np.random.Generator) -> Array:
    """Return what such papers might see, (n_data, n), of predictions (n_rows, n).

    A datum that there is an effect is 1 where one is seen, and else 0.
    """
    n = values.shape[1]
    position, _ = _positions(replace(data, seen=np.where(data.kind == SHARE, 0.0, data.seen)),
                             values, None)  # fmt: skip
    shared = rng.standard_normal((len(data.papers), n))[data.paper]
    rate = np.where(data.several[data.paper], SHARED, 0.0)[:, None]
    noise = np.sqrt(rate) * shared + np.sqrt(1.0 - rate) * rng.standard_normal(position.shape)
    worthless = np.ones(len(data.papers))
    np.minimum.at(worthless, data.paper, data.outlier)
    worthless = np.where(data.several, worthless, 0.0)
    lost = (rng.random((len(data.papers), n)) < worthless[:, None])[data.paper]
    lost |= rng.random(position.shape) < data.outlier[:, None]
    x = position + noise
    called = np.where(np.abs(x) > TWO_SIDED, np.sign(x), 0.0)
    any_way = rng.integers(-1, 2, position.shape).astype(float)
    vague = (rng.random(position.shape) - 0.5) * VAGUE * np.sqrt(2.0 * np.pi)
    called = np.where(lost, any_way, called)
    number = data.error[:, None] * np.where(lost, vague, x) + np.where(
        data.kind == NUMBER, data.seen, 0.0
    )[:, None]  # fmt: skip
    share = _share_seen(data, values, number)
    found: Array = np.select(
        [(data.kind == k)[:, None] for k in (NUMBER, SHARE, DIRECTION)],
        [number, share, called],
        np.abs(called),
    )
    return found


def _share_seen(data: Data, values: Array, number: Array) -> Array:
    """Return shares seen: left of the whole effect, or of the least that would be noticed."""
    whole = values[np.maximum(data.whole_row, 0)]
    size = np.where(np.abs(whole) > data.least[:, None], whole, data.least[:, None])
    found: Array = number * np.sign(size)
    return found
