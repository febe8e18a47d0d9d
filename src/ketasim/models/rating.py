"""What a rater reads of the model: names of mood and dissociation, and the laws of the score."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.mechanisms import outcome
from ketasim.units import unit

Array = NDArray[np.float64]
MOOD = "outcome.mood"
HEALTHY = "outcome.score_healthy"
SAFETY, DISSOCIATION = "safety", "safety.cadss"
SCALE = (0.0, 60.0)  # points
MOST_EXPECTED, MOST_CARED = 30.0, 30.0  # points; the ends of what the model lets one hold


@dataclass(frozen=True)
class Laws:
    """The laws of the score with a model's numbers.

    ``k_expectancy`` and ``k_care`` are paces [1/h], ``span`` the end of the scale and ``healthy``
    the usual score at healthy rest [points].
    """

    k_expectancy: float
    k_care: float
    span: float
    healthy: float

    @classmethod
    def of(cls, model: Model) -> "Laws":
        """Return the laws of a model."""
        names = ("outcome.k_expectancy", "outcome.k_care", "outcome.score_span", HEALTHY)
        return cls(*(_number(model, name) for name in names))

    def score(self, mood: Array, expected: Array, cared: Array, healthy: Array) -> Array:
        """Return the score [points] of mood with what expectation and care cover [points]."""
        softness = _law(outcome.softness)(healthy, self.span)
        missing = _law(outcome.deficit)(mood, expected, cared, self.span)
        return _law(outcome.score)(missing, softness, self.span)


def _law(law: Callable[..., Any]) -> Callable[..., Array]:
    """Return a law, which is untyped by rule, as a function of arrays."""
    return law


def _number(model: Model, name: str) -> float:
    return float(model.value(name)) / unit(model.parameters[name].unit).factor
