"""The same file in tools of others: libSBML's verdict, libRoadRunner and COPASI as engines.

A value agrees by the rule of the SBML Test Suite, |a - b| <= 1e-9 scale + 1e-4 |b|. The scale is
the state's own, and one declared unit for a quantity. Moments at which something jumps are left
out: whether a tool reports the value before or after is its own affair.
"""

import locale
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.scenario import Scenario
from ketasim.core.schedule import SNAP, Schedule
from ketasim.core.system import System
from ketasim.engines.contract import ALONE, Batch, Settings
from ketasim.engines.run import run as carry_out
from ketasim.errors import MissingExtra, ModelError, SolverError
from ketasim.export.document import sbml
from ketasim.export.names import identifier
from ketasim.units import unit

COPASI_WRONG = (
    'the installed "basico" is an unrelated SAP tool; COPASI\'s package is "copasi-basico".'
)
RELATIVE, ABSOLUTE = 1e-4, 1e-9
ATOL_SHARE = 1e-3
COPASI_STEPS = 100_000  # between two output times
FIRST_STEP = 1e-9  # [h]; CVODE's own guess after a jump can be too small to be added to the time
Array = NDArray[np.float64]
Run = Callable[[str, tuple[str, ...], Array, float], Array]


def libsbml() -> Any:
    """Return the libSBML module.

    Raises
    ------
    MissingExtra
        When python-libsbml is not installed.
    """
    try:
        return import_module("libsbml")
    except ImportError:
        raise MissingExtra(
            'SBML export needs python-libsbml: pip install "ketasim[sbml]".'
        ) from None


def roadrunner() -> Any:
    """Return the libRoadRunner module.

    Raises
    ------
    MissingExtra
        When it is not installed.
    """
    try:
        return import_module("roadrunner")
    except ImportError:
        raise MissingExtra("roadrunner is not installed: pip install libroadrunner.") from None


def copasi() -> Any:
    """Return COPASI's own bindings, which copasi-basico brings.

    Raises
    ------
    MissingExtra
        When they are not installed; an unrelated package of a similar name is pointed out.
    """
    before = locale.setlocale(locale.LC_ALL)
    try:
        return import_module("COPASI")
    except ImportError:
        wrong = f" {COPASI_WRONG[0].upper()}{COPASI_WRONG[1:]}" if installed("basico") else ""
        told = f"COPASI is not installed: pip install copasi-basico.{wrong}"
        raise MissingExtra(told) from None
    finally:
        locale.setlocale(locale.LC_ALL, before)  # COPASI turns the whole process to "C"


def installed(distribution: str) -> str:
    """Return the version of an installed distribution, or an empty string."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


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


@dataclass(frozen=True)
class Comparison:
    """How far one engine is from the reference.

    ``pointwise`` is the largest |a - b| / (|b| + 1e-5 scale), which the rule keeps at or below
    1e-4; ``sizewise`` the largest |a - b| relative to the largest value of its own curve (or to its
    scale); ``delivered`` the share of the prescribed drug found in the engine's final state.
    """

    engine: str
    points: int
    pointwise: float
    sizewise: float
    where: tuple[str, ...]
    delivered: float

    @property
    def agrees(self) -> bool:
        """Return whether every point agrees by the rule."""
        return self.pointwise <= RELATIVE

    def __str__(self) -> str:
        """Return ``'roadrunner 2.10.0 max rel diff 3e-07'``, and where when it disagrees."""
        verdict = "" if self.agrees else f" (DISAGREES: {'; '.join(self.where)})"
        return f"{self.engine} max rel diff {self.sizewise:.0e}{verdict}"


def engines() -> Iterator[tuple[str, Run | MissingExtra]]:
    """Yield each engine's name and its way to run, or the sentence that says what is missing."""
    for name, load, run in (
        ("roadrunner", roadrunner, run_roadrunner),
        ("COPASI", copasi, run_copasi),
    ):
        try:
            load()
        except MissingExtra as missing:
            yield name, missing
        else:
            yield name, run


def check(scenario: Scenario, *, rtol: float = 1e-10) -> list[Comparison]:
    """Simulate the export of a scenario in every engine there is, and compare.

    Raises
    ------
    SolverError
        When an engine cannot simulate the file.
    """
    runs = [(name, run) for name, run in engines() if not isinstance(run, MissingExtra)]
    text = sbml(scenario) if runs else ""
    return [compare(scenario, text, run, rtol=rtol) for _, run in runs]


def compare(scenario: Scenario, text: str, run: Run, *, rtol: float = 1e-10) -> Comparison:
    """Compare one engine's run of a document with the reference's run of its scenario."""
    model, schedule = scenario.resolved_model, scenario.schedule
    names = model.recordable
    times = quiet_times(scenario)
    parameters = System(model).default_parameters[None, :]
    batch = Batch(model, parameters, schedule, times, names)
    reference = carry_out(batch, Settings("reference", rtol=rtol, limits=ALONE))
    if not reference.usable[0]:
        raise SolverError(reference.stories.get(0, "the reference engine stopped."))
    expected = reference.values[0]
    found = run(text, tuple(identifier(name) for name in names), times - schedule.edges[0], rtol)
    scales = _scales(scenario, names)
    gap = np.abs(found - expected)
    pointwise = gap / (np.abs(expected) + ABSOLUTE / RELATIVE * scales)
    size = np.maximum(np.abs(expected).max(axis=1, keepdims=True), scales)
    order = np.argsort(-pointwise.max(axis=1))[:3]
    return Comparison(
        engine=_version(run),
        points=len(times),
        pointwise=float(np.nan_to_num(pointwise, nan=np.inf).max()),
        sizewise=float(np.nan_to_num(gap / size, nan=np.inf).max()),
        where=tuple(_told(names[i], times, pointwise[i]) for i in order),
        delivered=_delivered(scenario, dict(zip(names, found[:, -1].tolist(), strict=True))),
    )


def quiet_times(scenario: Scenario) -> Array:
    """Return the output times at which nothing jumps."""
    schedule = scenario.schedule
    times = np.array(scenario.times)
    jumps = schedule.edges[_jumps(schedule)]
    near = np.abs(times[:, None] - jumps).min(axis=1, initial=np.inf)
    kept: Array = times[near > SNAP]
    return kept


def _jumps(schedule: Schedule) -> NDArray[np.bool_]:
    """Return whether a state or knob jumps at each edge."""
    held = np.vstack([schedule.before, schedule.knobs, schedule.knobs[-1:]])
    turned = (np.diff(held, axis=0) != 0.0).any(axis=1)
    jumped: NDArray[np.bool_] = turned | (schedule.boluses != 0.0).any(axis=1)
    return jumped


def _scales(scenario: Scenario, names: tuple[str, ...]) -> Array:
    model = scenario.resolved_model
    sizes = [model.states[n].scale if n in model.states else 1.0 for n in names]
    factors = [unit(model.unit(name)).factor for name in names]
    return np.multiply(sizes, factors)[:, None]


def _told(name: str, times: Array, gaps: Array) -> str:
    worst = int(np.argmax(gaps))
    return f"{name} {gaps[worst]:.0e} at {times[worst]:g} h"


def _delivered(scenario: Scenario, final: dict[str, float]) -> float:
    """Return the share of what was given before the end that its pools hold."""
    model, schedule = scenario.resolved_model, scenario.schedule
    amounts = schedule.delivered - schedule.boluses[-1]
    given = dict(zip(model.states, amounts.tolist(), strict=True))
    pools = [pool for pool in model.conserved if any(given[name] for name in pool)]
    wanted = sum(given[name] for pool in pools for name in pool)
    held = sum(final[name] for pool in pools for name in pool)
    return held / wanted if wanted else 1.0


def _version(run: Run) -> str:
    if run is run_roadrunner:
        return f"roadrunner {installed('libroadrunner')}"
    return f"COPASI {installed('python-copasi')}"


def run_roadrunner(text: str, names: tuple[str, ...], times: Array, rtol: float) -> Array:
    """Run a document in libRoadRunner (CVODE) and return (n_names, n_times).

    Raises
    ------
    SolverError
        When it stops.
    """
    library = roadrunner()
    library.Logger.setLevel(library.Logger.LOG_FATAL)
    try:
        engine = library.RoadRunner(text)
        engine.timeCourseSelections = list(names)
        settings = engine.getIntegrator()
        settings.setValue("relative_tolerance", rtol)
        settings.setValue("initial_time_step", FIRST_STEP)
        # A single number would be multiplied by each state's value, however small, at each event.
        count = engine.model.getNumRateRules()
        settings.setValue("absolute_tolerance", [rtol * ATOL_SHARE] * count)
        settings.setValue("maximum_num_steps", 1_000_000)
        grid = times.tolist() if times[0] == 0.0 else [0.0, *times.tolist()]
        rows = np.array(engine.simulate(times=grid))[-len(times) :]
    except RuntimeError as error:
        raise SolverError(f"roadrunner cannot simulate this file: {error}") from error
    found: Array = rows.T
    return found


def run_copasi(text: str, names: tuple[str, ...], times: Array, rtol: float) -> Array:
    """Run a document in COPASI (LSODA) and return (n_names, n_times).

    Raises
    ------
    SolverError
        When it stops.
    """
    library = copasi()
    document = library.CRootContainer.addDatamodel()
    try:
        if not document.importSBMLFromString(text):
            raise SolverError("COPASI cannot read this file.")
        return _copasi_time_course(library, document, names, times, rtol)
    finally:
        library.CRootContainer.removeDatamodel(document)


def _copasi_time_course(
    library: Any, document: Any, names: tuple[str, ...], times: Array, rtol: float
) -> Array:
    task = document.getTask("Time-Course")
    problem, method = task.getProblem(), task.getMethod()
    problem.setOutputStartTime(float(times[0]))
    problem.setDuration(float(times[-1]))
    problem.setValues(" ".join(repr(float(t)) for t in times))
    problem.setUseValues(True)
    method.getParameter("Relative Tolerance").setDblValue(rtol)
    method.getParameter("Absolute Tolerance").setDblValue(rtol * ATOL_SHARE)
    method.getParameter("Max Internal Steps").setUIntValue(COPASI_STEPS)
    problem.setTimeSeriesRequested(True)
    if not task.initializeRaw(library.CCopasiTask.OUTPUT_UI):
        raise SolverError("COPASI cannot prepare a time course of this file.")
    done = task.processRaw(True)  # noqa: FBT003  (a C++ signature)
    series = task.getTimeSeries()
    if not done or series.getRecordedSteps() != len(times):
        told = library.CCopasiMessage.getAllMessageText().strip()
        raise SolverError(f"COPASI cannot simulate this file: {told or 'its run stopped'}")
    columns = {series.getSBMLId(i, document): i for i in range(series.getNumVariables())}
    steps = range(len(times))
    found: Array = np.array([[series.getData(i, columns[name]) for i in steps] for name in names])
    return found
