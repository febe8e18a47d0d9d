"""Who takes the drug: a species and a weight, and how the subjects of a species differ.

A model's parameter of role ``weight`` follows the subject's. Volumes and clearances scale with it
(see ``mechanisms/body.py``) by one power for all species, which places the half-life in mice near a
quarter of an hour without further adjustment.

Each trait in which subjects differ is log-normal about a median, with its evidence, cut off where
no such animal is used. A trait that scales parameters multiplies all of them by one number, so that
both enantiomers go up and down together in a person; nothing in the evidence says how far they
part. Left out: age, sex, and any correlation between traits beyond what body weight already does to
clearance and volume.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ketasim.core.evidence import Evidence, assumed, derived
from ketasim.core.scenario import Subject
from ketasim.errors import UnitError
from ketasim.units import read, split

WEIGHT = "body.weight"  # the parameter that follows the subject
SPECIES = ("human", "rat", "mouse", "monkey")
USUAL_WEIGHT = {"human": "70 kg", "rat": "300 g", "mouse": "25 g", "monkey": "6 kg"}


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


def monkey(*, weight: str = "6 kg") -> Subject:
    """Return a rhesus monkey."""
    return subject("monkey", weight)


def rat(*, weight: str = "300 g") -> Subject:
    """Return a rat."""
    return subject("rat", weight)


def mouse(*, weight: str = "25 g") -> Subject:
    """Return a mouse."""
    return subject("mouse", weight)


@dataclass(frozen=True)
class Trait:
    """One way in which subjects differ: median, coefficient of variation, limits, evidence.

    ``scales`` are the parameters that the trait multiplies; none for a trait with a unit of its
    own, which is a value of ``parameter``.
    """

    median: float
    unit: str
    cv: float
    within: tuple[float, float]
    evidence: Evidence
    meaning: str
    parameter: str = ""
    scales: tuple[str, ...] = ()


_CLEARANCE = tuple(f"{one}.clearance_70" for one in ("pk_s", "pk_r"))
_VOLUME = ("disposition.v_central_70", "disposition.v_fast_70", "disposition.v_slow_70")
_WANG = derived(
    "S 18.4 (3.4) and R 15.8 (3.1) mL/min/kg in 32 patients: 18 and 20 %, the brackets taken as standard deviations",
    "Wang2019",
)
_MONKEY = assumed("no population study in monkeys among the evidence; taken as in people")
_RODENT = assumed("no population study in rodents among the evidence; taken as in people")
_SPREAD = assumed("no spread of volumes among the evidence; taken as that of clearance")


def _traits(weight: Trait, clearance: Evidence) -> Mapping[str, Trait]:
    return {
        "weight": weight,
        "clearance": Trait(1.0, "1", 0.19, (0.4, 2.5), clearance, "clearance of ketamine over the usual", scales=_CLEARANCE),
        "volume": Trait(1.0, "1", 0.19, (0.4, 2.5), _SPREAD, "volumes of ketamine over the usual", scales=_VOLUME),
    }  # fmt: skip


PHYSIOLOGY: Mapping[str, Mapping[str, Trait]] = {
    "human": _traits(Trait(70.0, "kg", 0.2, (40.0, 140.0), assumed("adults about the 70 kg the sources quote, two thirds within a fifth; no survey among the evidence"), "body weight of adults", parameter=WEIGHT), _WANG),
    "monkey": _traits(Trait(6.0, "kg", 0.15, (3.0, 12.0), assumed("adult rhesus monkeys weigh 4 to 11 kg; no survey among the evidence"), "body weight of adult rhesus monkeys", parameter=WEIGHT), _MONKEY),
    "rat": _traits(Trait(0.3, "kg", 0.12, (0.2, 0.4), assumed("adult rats are used at 200-400 g"), "body weight of adult rats", parameter=WEIGHT), _RODENT),
    "mouse": _traits(Trait(0.025, "kg", 0.08, (0.02, 0.03), assumed("adult mice are used at 20-30 g"), "body weight of adult mice", parameter=WEIGHT), _RODENT),
}  # fmt: skip


def traits(species: str) -> Mapping[str, Trait]:
    """Return the traits of a species by name; none for a species that is not in the table."""
    return PHYSIOLOGY.get(species, {})
