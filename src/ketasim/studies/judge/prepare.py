"""Hypotheses made comparable: each in standard-normal coordinates, with a prior on its gain.

A hypothesis's coordinates are every parameter that is not known (the same prior for all
hypotheses), and its gain, anything from 0 to 1 being equally likely. How large the reference effect
is, is one datum among the others, with an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.errors import ConfigError
from ketasim.models.rivals import Hypothesis
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.former import Renamed
from ketasim.studies.findings.observed import Number
from ketasim.studies.findings.predict import Predictor, computed, not_computed, predictor
from ketasim.studies.findings.reading import NOTHING
from ketasim.studies.judge.draws import spreads
from ketasim.studies.judge.likelihood import Data, Place, apart, data_of
from ketasim.units import split, unit

Array = NDArray[np.float64]
Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Space:
    """A hypothesis's coordinates: those of ``priors`` in order, and last its gain if it is free."""

    hypothesis: Hypothesis
    model: Model
    priors: dict[str, Distribution]
    free_gain: bool

    @property
    def n_dim(self) -> int:
        """Return the number of coordinates; one that nothing answers to where none is free."""
        return max(len(self.priors) + self.free_gain, 1)

    def rows(self, at: Array) -> Array:
        """Return canonical parameter values (n, n_parameters) at points (n, n_dim)."""
        order = {name: column for column, name in enumerate(self.model.parameters)}
        found = np.repeat(System(self.model).default_parameters[None, :], len(at), axis=0)
        shares = ndtr(at)
        for k, (name, one) in enumerate(self.priors.items()):
            found[:, order[name]] = one.at(shares[:, k]) * unit(one.unit).factor
        for name, text in self.hypothesis.values.items():
            number, have = split(text, name)
            found[:, order[name]] = number * unit(have).factor
        for name, share in self.hypothesis.gains.items():
            found[:, order[name]] = share * self.gains(at)
        return found

    def gains(self, at: Array) -> Array:
        """Return the gain at points; 1 where it is not free."""
        return ndtr(at[:, -1]) if self.free_gain else np.ones(len(at))


def space(hypothesis: Hypothesis, model: Model, *, prior_width: float, free: bool) -> Space:
    """Return a hypothesis's coordinates; it refuses what the model does not have."""
    whole = hypothesis.structure(model)
    hypothesis.model(model)
    priors = spreads(whole, prior_width, unfitted=True) if prior_width > 0.0 else {}
    own = {*hypothesis.values, *hypothesis.gains}
    return Space(
        hypothesis,
        whole,
        {name: one for name, one in priors.items() if name not in own},
        free and bool(hypothesis.gains),
    )


class Runs:
    """Every run of one hypothesis, remembered: where, what was predicted, what failed.

    It lives no longer than one judgement.
    """

    def __init__(self, where: Space, machine: Predictor) -> None:
        self.space, self.machine = where, machine
        self.at: list[Array] = []
        self.values: list[Array] = []
        self.status: list[Codes] = []

    def ask(self, at: Array) -> tuple[Array, Codes]:
        """Return predictions and their status, (n_rows, n) each, and remember them."""
        found = self.machine.predict(self.space.rows(at))
        values = np.concatenate([one.values for one in found])
        status = np.concatenate([one.status for one in found])
        self.at.append(at)
        self.values.append(values)
        self.status.append(status)
        return values, status

    def known(self, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return the points at which ``rows`` were all computed, and their predictions."""
        at, values, status = (
            np.concatenate(self.at),
            np.concatenate(self.values, axis=1),
            np.concatenate(self.status, axis=1),
        )
        fine = computed(status[rows]).all(axis=0)
        return at[fine], values[:, fine]


@dataclass(frozen=True)
class Asked:
    """Everything to predict, observations first; which of it counts; which states no error."""

    parts: list[Finding]
    counted: frozenset[str]
    several: tuple[str, ...]
    without_error: tuple[str, ...]

    def counts(self, one: Finding) -> bool:
        """Return whether a finding is one to judge by."""
        return one.name in self.counted


def asked_of(findings: Sequence[Finding], candidates: Sequence[Finding]) -> Asked:
    """Return the parts of findings: those observed, then proposals, then candidates observed."""
    own = [part for one in findings for part in one.parts()]
    further = [part for one in candidates for part in one.parts()]
    done = [one for one in own if one.done]
    proposed = [one for one in (*own, *further) if not one.done]
    parts = [*done, *proposed, *(one for one in further if one.done)]
    every = (*findings, *candidates)
    return Asked(
        parts,
        frozenset(one.name for one in done),
        tuple(f"{one.name} ({len(p)})" for one in every if len(p := one.parts()) > 1),
        tuple(one.name for one in every if not one.parts()),
    )


def with_number(reference: Finding, model: Model, threads: int | None = None) -> Finding:
    """Return a reference effect with its number: the one stated, or what the model shows."""
    what = reference.observed
    if not isinstance(what, Number) or what.observed is not None:
        return reference
    found = predictor([reference], model, threads=threads).predict(
        System(model).default_parameters[None, :]
    )[0]
    shown = float(found.values[0, 0])
    why = f"({shown:g})" if found.computed.all() else f"({not_computed(found.status[0, 0])})"
    if not abs(shown) > 0.0:
        raise ConfigError(
            f"{reference.name}: the model as it stands shows no such effect {why}; state a number "
            "to reach in the reference, as observed = 0.15."
        )
    readout = replace(reference.readouts[0], observed=Number(shown, what.error))
    return replace(reference, readouts=(readout,))


@dataclass(frozen=True)
class Question:
    """Findings, and last the reference effect if it is asked for, ready for one model.

    ``places`` says where the numbers of each are among the rows of a prediction, ``default`` holds
    what the model shows as it stands (n_rows,).
    """

    findings: tuple[Finding, ...]
    machine: Predictor
    places: tuple[Place, ...]
    default: Array

    def data(self, keep: NDArray[np.bool_], reference: int) -> Data:
        """Return the data of the findings kept; ``reference`` is a place, or -1."""
        whole = data_of(self.findings, self.places, self.default, reference)
        return whole.only(keep[whole.finding])

    def rows(self, keep: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the rows that the findings kept rest on."""
        pairs = zip(self.places, keep, strict=True)
        found = [row for place, keeps in pairs if keeps for row in place if row >= 0]
        return np.array(found, dtype=np.int64)

    def read(self, values: Array) -> Array:
        """Return each finding's number (n_findings, n): a value, or what is left of a whole."""
        found = []
        for part, whole in self.places:
            if whole < 0:
                found.append(values[part])
                continue
            with np.errstate(all="ignore"):
                share = values[part] / values[whole]
            found.append(np.where(np.abs(values[whole]) < NOTHING, np.nan, share))
        return np.array(found)


def question(findings: Sequence[Finding], model: Model, *, threads: int | None = None) -> Question:
    """Gather the runs that findings ask for; each has one observation, or none yet."""
    parts, places = apart(findings)
    machine = predictor(parts, model, threads=threads)
    own = machine.predict(System(model).default_parameters[None, :])
    default = np.concatenate([one.values for one in own])[:, 0] if own else np.empty(0)
    return Question(tuple(findings), machine, tuple(places), default)


@dataclass(frozen=True)
class Prepared(Renamed):
    """A hypothesis with what was learnt of it.

    ``gain`` is the posterior median (nan for a null, which has none) and ``gains`` (n_draws,) its
    draws; ``predicted`` (n_findings,) are posterior medians and ``drawn`` (n_findings, n_draws) the
    draws; ``values`` (n_rows, n_draws) the numbers beneath them. ``tried`` counts runs of all
    findings together, ``failed`` those in which one failed.
    """

    FORMER: ClassVar = {"ease": "acceptance_rate"}

    hypothesis: Hypothesis
    space: Space
    at: Array
    values: Array
    drawn: Array
    tried: int
    failed: int

    @property
    def name(self) -> str:
        """Return the hypothesis's name."""
        return self.hypothesis.name

    @property
    def gains(self) -> Array:
        """Return the gain of each draw."""
        return self.space.gains(self.at)

    @property
    def gain(self) -> float:
        """Return the posterior median of the gain; nan where there is none."""
        return float(np.median(self.gains)) if self.hypothesis.gains else float("nan")

    @cached_property
    def predicted(self) -> Array:
        """Return posterior medians; nan where most draws have nothing to read."""
        known = np.isfinite(self.drawn)
        found = [np.median(row[one]) if one.any() else np.nan
                 for row, one in zip(self.drawn, known, strict=True)]  # fmt: skip
        return np.where(known.mean(axis=1) > 0.5, np.array(found), np.nan)

    @property
    def acceptance_rate(self) -> float:
        """Return the share of runs in which nothing failed."""
        return 1.0 - self.failed / self.tried if self.tried else 1.0
