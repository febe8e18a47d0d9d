"""Oracles that say whether a law is sound, a model keeps its rules, and a run its course.

For authors of mechanisms and engines. Nothing in the package itself imports this.

- ``oracles``: numbers to compare with a limit
- ``weighing``: every law called with quantities in their declared units

>>> from ketasim import models, testing
>>> testing.weigh(models.antidepressant()) > 100
True
"""

from ketasim.models.reference import COURSE_NAMES
from ketasim.studies.course import COURSE_TIMES, course_faults
from ketasim.testing.oracles import (
    delivered_by,
    drawn,
    draws,
    eigenvalues,
    excursion,
    fixed_point,
    mass_balance,
    residue,
)
from ketasim.testing.weighing import laws_of, weigh, weigh_mechanism

__all__ = [
    "COURSE_NAMES",
    "COURSE_TIMES",
    "course_faults",
    "delivered_by",
    "drawn",
    "draws",
    "eigenvalues",
    "excursion",
    "fixed_point",
    "laws_of",
    "mass_balance",
    "residue",
    "weigh",
    "weigh_mechanism",
]
