"""What libSBML says of a document: errors, and units that do not fit."""

from dataclasses import dataclass

from ketasim.errors import ModelError
from ketasim.export.extras import libsbml


@dataclass(frozen=True)
class Verdict:
    """Messages of libSBML's consistency check, parted into errors, units and the rest."""

    errors: tuple[str, ...]
    units: tuple[str, ...]
    others: tuple[str, ...]

    def __str__(self) -> str:
        """Return ``'L3V2, 0 errors, 0 unit warnings'``."""
        return f"L3V2, {len(self.errors)} errors, {len(self.units)} unit warnings"


def validate(text: str) -> Verdict:
    """Check a document with libSBML, units included.

    Raises
    ------
    MissingExtra
        When python-libsbml is not installed.
    """
    library = libsbml()
    document = library.readSBMLFromString(text)
    document.checkConsistency()
    groups: dict[str, list[str]] = {"errors": [], "units": [], "others": []}
    for i in range(document.getNumErrors()):
        one = document.getError(i)
        told = f"line {one.getLine()}: {one.getShortMessage()}: {one.getMessage().strip()}"
        if one.getSeverity() >= library.LIBSBML_SEV_ERROR:
            groups["errors"].append(told)
        elif one.getCategory() == library.LIBSBML_CAT_UNITS_CONSISTENCY:
            groups["units"].append(told)
        else:
            groups["others"].append(told)
    return Verdict(*(tuple(groups[name]) for name in ("errors", "units", "others")))


def require_valid(text: str) -> Verdict:
    """Return the verdict on a document, refusing one that other tools would refuse.

    Raises
    ------
    ModelError
        When libSBML finds an error; its first message is given.
    """
    verdict = validate(text)
    if verdict.errors:
        raise ModelError(f"the SBML of this model is not valid: {verdict.errors[0]}")
    return verdict
