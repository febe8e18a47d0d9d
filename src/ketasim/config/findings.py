"""Findings as files: one TOML a finding, be it a check, a report or a proposal; and own data."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf, nan
from pathlib import Path

from ketasim.config.build import Setup
from ketasim.config.files import parse, read_file
from ketasim.config.finding_file import ACCEPT, MOMENT, ArmTable, FindingFile, ReadOutTable
from ketasim.config.messages import located, validated
from ketasim.config.packaged import Library, folder, packaged_library
from ketasim.config.protocol import protocol_of
from ketasim.config.schema import Config, SubjectTable
from ketasim.core.model import Model
from ketasim.core.protocol import hours_of
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError, KetasimError, suggest
from ketasim.files.names import exists, is_file
from ketasim.models.modules import modules_of, with_modules
from ketasim.readouts import Readout
from ketasim.readouts.nodes import in_no_arm
from ketasim.studies.findings.arms import Arm
from ketasim.studies.findings.finding import Finding, ReadOut
from ketasim.studies.findings.observed import Curve, Direction, Interval, Number, Observation
from ketasim.studies.findings.reading import Formula
from ketasim.studies.findings.reading import parse as parse_readout
from ketasim.studies.fit import data as tables
from ketasim.studies.fit.data import Assay, Data, Point
from ketasim.units import unit

MOST_FILES = 1000
MAX_BYTES = 20_000_000  # of a CSV


def load_findings(
    folders: Iterable[Path] = (), *, packaged: bool = True, library: Library | None = None
) -> list[Finding]:
    """Read the published findings of the package and those of folders of your own, by name.

    Parameters
    ----------
    folders
        Folders or files of your own.
    packaged
        Whether the published findings of the package come first.
    library
        Models and subjects; those of the package when not given.

    Raises
    ------
    ConfigError
        When a folder is missing or empty, a file cannot be read, or two have the same name.
    """
    places = [folder() / "experiments"] if packaged else []
    found: dict[str, Finding] = {}
    for place in (*places, *folders):
        for one in load_folder(place, library=library):
            if one.name in found:
                raise ConfigError(f'{place}: there is already an experiment "{one.name}"; rename.')
            found[one.name] = one
    return list(found.values())


def load_checks(where: Path | None = None, *, library: Library | None = None) -> list[Finding]:
    """Read the findings of a scorecard (the package's when no folder is given), by number.

    Raises
    ------
    ConfigError
        When a file cannot be read, has no number, or accepts no interval; it names file and key.
    """
    place = where or folder() / "checks"
    files = [place] if is_file(place) else sorted(place.glob("*.toml"))
    if not files:
        raise ConfigError(f"{place}: no check files (*.toml) here.")
    found = [(path, load_finding(path, library=library)) for path in files]
    seen: dict[int, Path] = {}
    for path, one in found:
        if one.number is None:
            raise ConfigError(f"{path.name}: number: a check needs one, from 1 to 999.")
        if one.number in seen:
            raise ConfigError(
                f"{path.name}: number = {one.number}: {seen[one.number].name} has it already."
            )
        if all(readout.accepted is None for readout in one.readouts):
            raise ConfigError(f"{path.name}: finding{ACCEPT}")
        seen[one.number] = path
    return sorted((one for _, one in found), key=lambda one: one.number or 0)


def load_folder(place: Path, *, library: Library | None = None) -> list[Finding]:
    """Read every finding of one folder, or one file, by name; see :func:`load_findings`."""
    if is_file(place):
        return [load_finding(place, library=library)]
    files = sorted(place.glob("*.toml"))
    if not files:
        raise ConfigError(f"{place}: no experiment files (*.toml) here.")
    if len(files) > MOST_FILES:
        raise ConfigError(f"{place}: {len(files):,} files; at most {MOST_FILES:,}.")
    return [load_finding(one, library=library) for one in files]


def candidates() -> list[Finding]:
    """Return the proposals that come with the package."""
    return load_folder(folder() / "candidates")


def reference_effect(name: str | Path = "mouse") -> Finding:
    """Return the effect to which hypotheses are calibrated: a packaged name, or a file.

    Raises
    ------
    ConfigError
        When there is none of that name, or it has no number to reach.
    """
    place = folder() / "reference_effects"
    known = {one.stem: one for one in sorted(place.glob("*.toml"))}
    if str(name) not in known and not is_file(Path(name)):
        raise ConfigError(
            f'reference "{name}": no such effect.{suggest(str(name), known)} '
            f"Effects here: {', '.join(known)}; or give a file."
        )
    found = load_finding(known.get(str(name), Path(name)))
    seen = [one.observed for one in found.readouts]
    if len(seen) != 1 or not isinstance(seen[0], Number) or seen[0].observed == 0.0:
        raise ConfigError(f"{found.name}: a reference effect is a number, and not 0.")
    return found


def load_finding(path: Path, *, library: Library | None = None) -> Finding:
    """Read one finding; see :func:`load_findings`.

    Raises
    ------
    ConfigError
        When the file cannot be read or understood; the message names it and the key.
    """
    text = read_file(path)
    table = validated(FindingFile, parse(text, path.name), path.name)
    library = library or packaged_library()
    with located(f"{path.name}: "):
        model = library.model("antidepressant", table.with_)
        tried = {n: t.beside(table.arms[t.like]) if t.like else t for n, t in table.arms.items()}
        arms = {name: _arm(name, one, table, library, model) for name, one in tried.items()}
        _check_assumed(table.assumed, arms)
        tables: list[tuple[str, ReadOutTable]]
        tables = [(f"measure[{i}]", one) for i, one in enumerate(table.measure)]
        tables[:0] = [("finding", table.finding)] if table.finding is not None else []
        readouts = [_readout(where, one, table.title, arms, model) for where, one in tables]
    return Finding(
        name=path.stem,
        title=table.title,
        arms=arms,
        readouts=tuple(readouts),
        species=table.species or "",
        preparation=table.preparation,
        grade=table.grade or "",
        contested=table.contested,
        rows=table.rows,
        references=table.references,
        note=" ".join(table.note.split()),
        number=table.number,
        hard=table.hard,
        consistency=table.consistency,
        assumed=table.assumed,
        modules=modules_of(model),
        fails=" ".join(table.fails.split()),
        written=text,
    )


def _arm(name: str, one: ArmTable, table: FindingFile, library: Library, model: Model) -> Arm:
    """Return an arm with its control: the same without doses, baths and agents.

    Its subject is of the finding's species unless it says otherwise.
    """
    if "subject" not in one.model_fields_set and table.species is not None:
        one = one.model_copy(update={"subject": SubjectTable(species=table.species)})
    with located(f"arms.{name}."):
        with located("subject: "):
            subject = library.subject(one.subject.species, one.subject.weight)
        full = Config.model_construct(
            schema_=1,
            subject=one.subject,
            dosing=one.dosing,
            bath=one.bath,
            intervention=(*one.intervention, *one.agent),
        )
        bare = Config.model_construct(schema_=1, subject=one.subject, intervention=one.intervention)
        treated, control = (protocol_of(part, model, subject) for part in (full, bare))
        with located("parameters: "):
            model.with_values(one.parameters)
    return Arm(subject, treated, control, one.parameters)


def _check_assumed(assumed: tuple[str, ...], arms: dict[str, Arm]) -> None:
    """Raise ConfigError when something is called assumed that no arm is given or held at."""
    known = dict.fromkeys(name for arm in arms.values() for name in arm.conditions)
    for name in assumed:
        if name not in known:
            raise ConfigError(
                f'assumed: "{name}": no arm has it.{suggest(name, known)} Here: {", ".join(known)}.'
            )


def _readout(
    where: str, table: ReadOutTable, title: str, arms: dict[str, Arm], model: Model
) -> ReadOut:
    unit(table.unit, f"{where}.unit")
    times = tuple(hours_of(one, f"{where}.times[{i}]") for i, one in enumerate(table.times))

    def readout(text: str, key: str, moment: str) -> Readout:
        text = MOMENT.sub(f"at({moment})", text) if times else text
        return parse_readout(text, model=model, arms=arms, where=f"{where}.{key}")

    def formula(moment: str) -> Formula:
        of = readout(table.of, "of", moment) if table.of else None
        return Formula(readout(table.value, "value", moment), of)

    formulas = tuple(formula(str(moment)) for moment in table.times or ("",))
    seen, accepted = _observed(table, times), _interval(where, table)
    return ReadOut(table.name or title, formulas, table.unit, seen, accepted)


def _observed(table: ReadOutTable, times: tuple[float, ...]) -> Observation | None:
    if times:
        return Curve(times, table.values or None, table.errors)
    if table.least is not None:
        return Direction(table.direction, table.least)
    if table.error is not None:
        return Number(table.observed if table.left is None else table.left, table.error)
    return None


def _interval(where: str, table: ReadOutTable) -> Interval | None:
    if not table.accepts:
        return None
    if table.between is not None:
        return Interval(*table.between, table.target)
    if table.target is not None and table.tolerance is not None:
        width = _width(f"{where}.tolerance", table.tolerance, table.target)
        return Interval(table.target - width, table.target + width, table.target)
    low = -inf if table.at_least is None else table.at_least
    high = inf if table.at_most is None else table.at_most
    return Interval(low, high, table.target, table.reported)


def _width(where: str, tolerance: float | str, target: float) -> float:
    if not isinstance(tolerance, str):
        if tolerance < 0.0:
            raise ConfigError(f"{where} = {tolerance:g}: must be at least 0.")
        return float(tolerance)
    number, _, sign = tolerance.partition(" ")
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if sign != "%" or not 0.0 < share < inf:
        raise ConfigError(f'{where} = "{tolerance}": write a number, or a share as in "30 %".')
    return abs(target) * share / 100.0


def as_data(finding: Finding) -> Data:
    """Return a finding as data of one's own: numbers, each read in one arm at a moment.

    The chance that a report says nothing has no place there: errors are normal.

    Raises
    ------
    ConfigError
        When it is anything else: a direction, an effect over an undrugged arm, a share of one.
    """
    points = []
    for part in finding.parts():
        (one,) = part.readouts
        (formula,), seen = one.formulas, one.observed
        names = {reading.arm for reading in formula.readings}
        effects = any(reading.effect for reading in formula.readings)
        if not isinstance(seen, Number) or formula.whole or effects or len(names) != 1:
            raise ConfigError(
                f'finding "{part.name}": only a number that is read in one arm is a measurement '
                "elsewhere; a direction, an effect over an undrugged arm and a share of it are not."
            )
        if seen.observed is None:
            continue
        moments = formula.part.moments
        alone = replace(formula.part, node=in_no_arm(formula.part.node))
        at = moments[0] if len(moments) == 1 else nan
        points.append(
            Point(0, f"{finding.name}: {names.pop()}", part.name, alone, at, seen.observed,
                  seen.error, text=formula.part.text)
        )  # fmt: skip
    if not points:
        raise ConfigError(f'finding "{finding.name}": nothing was observed with an error.')
    arms = {f"{finding.name}: {name}": arm for name, arm in finding.arms.items()}
    used = {point.arm for point in points}
    assays = {point.assay: Assay(point.assay) for point in points}
    kept_arms = {name: arm for name, arm in arms.items() if name in used}
    return Data(finding.name, tuple(points), kept_arms, assays)


def load_data(
    path: str | Path, *, model: Model | None = None, arms: Mapping[str, Scenario] | None = None
) -> Data:
    """Read a CSV of one's own; see ``docs/fitting.md`` for its columns.

    Parameters
    ----------
    path
        A file, or the name of one that comes with the package: ``"plasma"``, ``"spines"``; or the
        YAML file of a PEtab problem (:func:`ketasim.load_petab`).
    model
        Whose names the read-outs are in; that of ``arms``, or the default model, when not given.
    arms
        Scenarios by the names that rows give as their arm. A model of one's own comes in this way,
        as no configuration can name it; its changed parameters are not fitted in that arm.

    Raises
    ------
    ConfigError
        With every fault of the file, a line each.
    """
    place = _find(path)
    own = arms or {}
    base = model or next((replace(one.model, edits={}) for one in own.values()), None)
    if place.suffix in (".yaml", ".yml"):
        from ketasim.config.petab import load_petab  # which needs petab, and reads CSVs with this

        return replace(load_petab(place, model=base).data, model=base)
    sheet = tables.read(_text(place), place.name)
    found: dict[str, Arm] = {}
    known = packaged_library().model("antidepressant") if base is None else base
    for name, (line, config, changes) in sheet.asked.items():
        beside = place.parent / config
        try:
            read = beside if is_file(beside) else config
            setup = Setup(own[name]) if name in own else _config(read, changes)
            known = known if base else with_modules(known, modules_of(setup.scenario.model))
            found[name] = _own_arm(setup, known)
        except KetasimError as error:
            sheet.fault(line, f'arm "{name}": {error}')
    own_model = base or (known if modules_of(known) else None)
    return replace(tables.bound(sheet, found, known), model=own_model)


def load_cells(path: str | Path) -> dict[int, Mapping[str, str]]:
    """Return the cells of each row of such a CSV by its line, whatever its columns."""
    place = _find(path)
    return {row.line: row.cells for row in tables.read(_text(place), place.name).rows}


def _config(what: str | Path, changes: Iterable[str]) -> Setup:
    from ketasim.config import load  # which reads this room's other files

    return load(what, sets=changes)


def _find(path: str | Path) -> Path:
    place = Path(path)
    inside = folder() / "data" / f"{str(path).removesuffix('.csv')}.csv"
    plain = place.name == str(path)
    return inside if plain and not exists(place) and is_file(inside) else place


def _text(place: Path) -> str:
    if not is_file(place):
        there = sorted(one.stem for one in (folder() / "data").glob("*.csv"))
        raise ConfigError(f"{place}: no such file. With the package come: {', '.join(there)}.")
    if place.stat().st_size > MAX_BYTES:
        raise ConfigError(f"{place.name}: larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        return place.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{place.name}: not UTF-8 text. Save it as CSV UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read ({error.strerror}).") from None


def _own_arm(setup: Setup, base: Model) -> Arm:
    """Return what is done to whom in a configuration; its parameter changes go with the arm."""
    scenario = setup.scenario
    plain = with_modules(replace(scenario.model, edits={}), modules_of(base))
    if plain.digest != replace(base, edits={}).digest:
        raise ConfigError(
            "it is of another model than the fit. A configuration names a model of the package; "
            "for one of your own give scenarios: load_data(path, arms={NAME: scenario})."
        )
    values = {
        name: f"{scenario.model.value(name) / unit(base.unit(name)).factor!r} {base.unit(name)}"
        for name in scenario.model.edits
    }
    return Arm(scenario.subject, scenario.protocol, scenario.protocol.undrugged, values)
