"""Values that were changed in another tool come back, by name and with their unit checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

from ketasim.core.scenario import Scenario
from ketasim.errors import ModelError, UnitError, suggest
from ketasim.export.document import sbml
from ketasim.export.names import canonical, identifier, rate_id
from ketasim.export.peers import libsbml

LARGEST = 64 * 1024 * 1024
DEEPEST = 500  # levels; a formula of ours has tens
SAME = 1e-14  # relative; tools write 15 digits
SETTLED = 1e-9  # absolute; a resting state is found by iteration


@dataclass(frozen=True)
class Values:
    """Parameters that a file changes, as texts with units, and what it changes beside them."""

    changed: Mapping[str, str]
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class _Entry:
    name: str
    value: float | None
    unit: Any


def read_values(path: Path, scenario: Scenario) -> Values:
    """Read the parameters in which a file differs from the export of a scenario.

    Returns
    -------
    Values
        ``changed`` maps full names to ``'6.5 L/umol/h'``; ``cautions`` name what else differs.

    Raises
    ------
    MissingExtra
        When python-libsbml is not installed.
    ModelError
        When the file cannot be read as SBML, or holds none of the model's parameters, or a changed
        value belongs to the subject.
    UnitError
        When a parameter has no unit any more, or one of another dimension.
    """
    library = libsbml()
    text = _text(path)
    _check_depth(text, path.name)
    theirs = _entries(library, text, path.name)
    ours = _entries(library, sbml(scenario), "export")
    model = scenario.resolved_model
    known = {identifier(full): full for full in model.parameters}
    if known.keys().isdisjoint(theirs):
        raise ModelError(f"{path.name}: none of its parameters is one of this model.")
    changed: dict[str, str] = {}
    for id_, full in known.items():
        if id_ in theirs:
            where = f"{path.name}: {full}"
            value = _converted(library, theirs[id_], ours[id_], where)
            if not _same(value, ours[id_].value):
                _check_subject(full, where, scenario)
                changed[full] = f"{value!r} {canonical(model.parameters[full].unit)}"
    return Values(changed, tuple(_cautions(path.name, theirs, ours, known)))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise ModelError(f"{path.name}: larger than 64 MB; that is not a model of ours.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path.name}: not UTF-8 text; export it as SBML.") from None


def _check_depth(text: str, where: str) -> None:
    """Refuse what is nested so deeply that libSBML, which goes down by itself, would crash."""
    depth = 0

    def begin(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise ModelError(
                f"{where}: nested more than {DEEPEST} levels deep; that is not a model of ours."
            )

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(text.encode(), True)  # noqa: FBT003
    except expat.ExpatError:
        return  # libSBML says better what is wrong with it; what it read so far is not deep


def _entries(library: Any, text: str, where: str) -> dict[str, _Entry]:
    """Return the parameters of a document by identifier, with derived unit definitions."""
    document = library.readSBMLFromString(text)
    model = document.getModel()
    if model is None:
        told = document.getError(0).getMessage().strip() if document.getNumErrors() else "no model"
        raise ModelError(f"{where}: cannot be read as SBML ({told.partition(chr(10))[0]}).")
    entries = {}
    for one in model.getListOfParameters():
        value = one.getValue() if one.isSetValue() else None
        units = one.getDerivedUnitDefinition() if one.isSetUnits() else None
        if units is not None:
            units = units.clone()
        entries[one.getIdAttribute()] = _Entry(one.getName(), value, units)
    return entries


def _converted(library: Any, theirs: _Entry, ours: _Entry, where: str) -> float:
    """Return a value in our unit."""
    if theirs.value is None:
        raise ModelError(f"{where}: it has no value there.")
    if theirs.unit is None:
        raise UnitError(f"{where} = {theirs.value:g}: a unit is needed, as in the exported file.")
    if library.UnitDefinition.areIdentical(theirs.unit, ours.unit):
        return float(theirs.value)
    if not library.UnitDefinition.areEquivalent(theirs.unit, ours.unit):
        have, want = (_printed(library, one.unit) for one in (theirs, ours))
        raise UnitError(f'{where}: its unit there is "{have}"; "{want}" is needed.')
    return float(theirs.value * _factor(library, theirs.unit) / _factor(library, ours.unit))


def _printed(library: Any, definition: Any) -> str:
    return str(library.UnitDefinition.printUnits(definition, True))  # noqa: FBT003


def _factor(library: Any, definition: Any) -> float:
    """Return how many SI units one unit is."""
    factor = 1.0
    plain = library.UnitDefinition.convertToSI(definition)
    for one in plain.getListOfUnits():
        factor *= (one.getMultiplier() * 10.0 ** one.getScale()) ** one.getExponentAsDouble()
    return factor


def _same(a: float, b: float | None, *, slack: float = 0.0) -> bool:
    return b is not None and abs(a - b) <= SAME * abs(b) + slack


def _moved(id_: str, theirs: _Entry, ours: _Entry) -> bool:
    """Return whether a state's start or a knob differs; what events set does not count."""
    if id_.startswith(identifier(rate_id(""))) or theirs.value is None or ours.value is None:
        return False
    return not _same(theirs.value, ours.value, slack=SETTLED)


def _check_subject(full: str, where: str, scenario: Scenario) -> None:
    if full in scenario.own_values:
        raise ModelError(f"{where}: the subject sets this; change subject.weight instead.")


def _cautions(
    where: str, theirs: Mapping[str, _Entry], ours: Mapping[str, _Entry], known: Mapping[str, str]
) -> list[str]:
    told = []
    for id_, entry in theirs.items():
        if id_ not in ours:
            hint = suggest(id_, known)
            told.append(f"{where}: {id_} is not in this model and is left out.{hint}")
        elif id_ not in known and _moved(id_, entry, ours[id_]):
            name = entry.name or id_
            told.append(
                f"{where}: {name} is set by the configuration; its value there is left out."
            )
    missing = [full for id_, full in known.items() if id_ not in theirs]
    if missing:
        told.append(f"{where}: {len(missing)} parameters are not in it and keep their values.")
    return told
