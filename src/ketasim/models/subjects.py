"""Who takes the drug: a species and a weight.

A model's parameter of role ``weight`` follows the subject's. Volumes and clearances scale with it
(see ``mechanisms/body.py``), which places rodent half-lives near half an hour without further
adjustment.
"""

from ketasim.core.scenario import Subject
from ketasim.errors import UnitError
from ketasim.units import read, split

WEIGHT = "body.weight"  # the parameter that follows the subject
SPECIES = ("human", "rat", "mouse")
USUAL_WEIGHT = {"human": "70 kg", "rat": "300 g", "mouse": "25 g"}


def subject(species: str, weight: str | None = None, *, where: str = "subject.weight") -> Subject:
    """Return a subject; the weight may be in kg or g.

    Raises
    ------
    UnitError
        When the weight has no unit, is not positive, or the species is unknown.
    """
    if species not in SPECIES:
        raise UnitError(f'subject.species = "{species}": choose one of {", ".join(SPECIES)}.')
    kilograms = _kilograms(weight or USUAL_WEIGHT[species], where)
    if not 0.001 <= kilograms <= 1000.0:
        raise UnitError(f'{where} = "{weight}": must lie between 1 g and 1000 kg.')
    return Subject(species, kilograms)


def _kilograms(text: str, where: str) -> float:
    _, unit = split(text, where)
    if unit in ("g", "mg"):
        return read(text, "mg", where) * 1e-6
    return read(text, "kg", where)


def human(*, weight: str = "70 kg") -> Subject:
    """Return a human subject."""
    return subject("human", weight)


def rat(*, weight: str = "300 g") -> Subject:
    """Return a rat."""
    return subject("rat", weight)


def mouse(*, weight: str = "25 g") -> Subject:
    """Return a mouse."""
    return subject("mouse", weight)
