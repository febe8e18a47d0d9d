"""The scorecard: what was published, what the model says, and whether they agree."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.engines.contract import Limits
from ketasim.engines.status import Status
from ketasim.studies.findings.finding import Finding, ReadOut
from ketasim.studies.findings.predict import (
    Prediction,
    Predictor,
    not_computed,
    predictor,
)

Array = NDArray[np.float64]
AGREES, FAILS, REPORTED = "agrees", "fails", "reported"
LITTLE = "tells little"  # every read-out agrees, and that does not count
NULL, INPUT, ASSUMED = "null", "input", "assumed"  # why it does not


@dataclass(frozen=True)
class Flag:
    """Why a measure does not count: ``null``, ``input`` or ``assumed``, what it is, a sentence."""

    kind: str
    what: str
    told: str


@dataclass(frozen=True)
class Verdict:
    """A finding with what the model predicts for each of its read-outs, and each run's status.

    ``flags`` holds for each read-out why it does not count; it is empty where nobody has asked
    (:func:`ketasim.studies.findings.flags.flagged` does).
    """

    finding: Finding
    predictions: tuple[float, ...]
    status: tuple[Status, ...]
    flags: tuple[tuple[Flag, ...], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Return agrees, fails, reported, or not computed and why, for each read-out."""
        rows = zip(self.finding.readouts, self.predictions, self.status, strict=True)
        return tuple(_word(one, value, status) for one, value, status in rows)

    @property
    def word(self) -> str:
        """Return the same for the whole: it fails where one read-out does.

        It tells little where all agree and yet one is an input again or hangs on something assumed,
        or a null passes each of them. A check of consistency asks for such things: no flag matters.
        """
        judged = [w for one, w in zip(self.finding.readouts, self.words, strict=True) if one.judged]
        if not judged:
            return REPORTED
        failures = [one for one in judged if one not in (AGREES, FAILS)]
        agrees = AGREES if self._counts else LITTLE
        return FAILS if FAILS in judged else next(iter(failures), agrees)

    @property
    def _counts(self) -> bool:
        if self.finding.consistency or not self.flags:
            return True
        pairs = zip(self.finding.readouts, self.flags, strict=True)
        kinds = [{flag.kind for flag in own} for one, own in pairs if one.judged]
        return all(own <= {NULL} for own in kinds) and not all(kinds)

    @property
    def passed(self) -> bool:
        """Return whether every read-out agrees; one that was not computed does not."""
        return self.word in (AGREES, REPORTED)

    @property
    def failed(self) -> bool:
        """Return whether a read-out was computed and does not agree."""
        return self.word == FAILS

    @property
    def computed(self) -> bool:
        """Return whether a verdict could be given."""
        return self.word in (AGREES, FAILS, REPORTED, LITTLE)


def _word(one: ReadOut, value: float, status: Status) -> str:
    if not status.ok:
        return not_computed(status)
    if one.accepted is None or one.accepted.reported:
        return REPORTED
    return AGREES if one.accepted.holds(value) else FAILS


@dataclass(frozen=True)
class Scorecard:
    """Findings with acceptance intervals, made ready for one model."""

    model: Model
    findings: tuple[Finding, ...]
    predictor: Predictor

    def predict(self, draws: Array) -> list[Prediction]:
        """Return what the read-outs of each finding come to under each draw.

        Parameters
        ----------
        draws
            Canonical parameter values, shape (n_draws, n_parameters).
        """
        return self.predictor.predict(draws)

    def verdicts(self) -> list[Verdict]:
        """Return the verdict on each finding at the model's own parameter values."""
        found = self.predict(System(self.model).default_parameters[None, :])
        return [
            Verdict(
                one,
                tuple(prediction.values[:, 0].tolist()),
                tuple(Status(int(code)) for code in prediction.status[:, 0]),
            )
            for one, prediction in zip(self.findings, found, strict=True)
        ]


def scorecard(
    findings: Sequence[Finding], model: Model, *, limits: Limits | None = None
) -> Scorecard:
    """Make findings ready for a model; only read-outs with an acceptance interval are kept.

    Parameters
    ----------
    findings
        Those without any such read-out are left out.
    model
        The model to score.
    limits
        What one run may spend.

    Raises
    ------
    ModelError
        When a formula asks for a name the model does not have.
    """
    kept = [(one, tuple(r for r in one.readouts if r.accepted is not None)) for one in findings]
    chosen = tuple(replace(one, readouts=readouts) for one, readouts in kept if readouts)
    made = predictor(chosen, model, limits=limits)
    return Scorecard(model, chosen, made)


def score(
    findings: Sequence[Finding], model: Model, *, limits: Limits | None = None
) -> list[Verdict]:
    """Return the verdict of a model on each finding; see :func:`scorecard`."""
    return scorecard(findings, model, limits=limits).verdicts()
