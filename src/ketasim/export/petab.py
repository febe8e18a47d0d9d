"""A fit as a PEtab problem, version 2: model, arms as experiments, read-outs, data, free numbers.

One SBML file serves every arm. Who the subject is and which inputs always held are the changes of
an experiment's first period, a rest under old conditions is its pre-equilibration, and each
breakpoint of a protocol is a further period: boluses are added to states, infusions set rates,
inputs are set. Everything stands in canonical units, time in hours of the scenario.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError, MissingExtra
from ketasim.export.document import document
from ketasim.export.expression import Writer, expression
from ketasim.export.expression import written as mathematics
from ketasim.export.names import identifier, rate_id, start_id
from ketasim.export.source import Source, fed, source, turned
from ketasim.export.xml import number, written
from ketasim.readouts.nodes import Call, Chain, Ledger, Node, Number, Reading
from ketasim.units import unit

FILES = {
    "condition": "conditions.tsv", "experiment": "experiments.tsv", "mapping": "mapping.tsv",
    "measurement": "measurements.tsv", "observable": "observables.tsv",
    "parameter": "parameters.tsv",
}  # fmt: skip
MODEL, PROBLEM = "model.xml", "problem.yaml"
Changes = dict[str, str]


@dataclass(frozen=True)
class Observable:
    """What is read, and how readings of it err; ``scale`` and ``offset`` are free numbers.

    A reading is ``offset + scale * formula / factor``; ``factor`` counts only with a scale.
    """

    text: str
    node: Node
    log: bool = False
    scale: str = ""
    offset: str = ""
    factor: float = 1.0


@dataclass(frozen=True)
class Measurement:
    """One value in an arm at a time [h], canonical; ``error`` is of its logarithm where so read."""

    arm: str
    time: float
    value: float
    error: float
    observable: Observable


@dataclass(frozen=True)
class Estimated:
    """A free number, canonical: where it lies, its value, and its prior as PEtab names it."""

    name: str
    low: float
    high: float
    value: float
    prior: str
    numbers: tuple[float, float]


def library() -> Any:
    """Return the module ``petab.v2``.

    Raises
    ------
    MissingExtra
        When petab is not installed, or is too old to have it.
    """
    try:
        from petab import v2
    except ImportError:
        raise MissingExtra('PEtab needs petab 0.8: pip install "ketasim[petab]".') from None
    return v2


@contextmanager
def quietly() -> Iterator[None]:
    """Keep to oneself what petab's own use of its libraries is warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


def names(wanted: Iterable[str]) -> dict[str, str]:
    """Return an identifier for each name, none of them twice."""
    found: dict[str, str] = {}
    for one in wanted:
        plain = re.sub(r"\W", "_", one.replace(".", "__"), flags=re.ASCII) or "_"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        count = sum(re.sub(r"_\d+$", "", taken) == plain for taken in found.values())
        found[one] = f"{plain}_{count}" if count else plain
    return found


def problem(
    model: Model,
    arms: Mapping[str, Scenario],
    measurements: Sequence[Measurement],
    estimated: Sequence[Estimated],
) -> Any:
    """Return a ``petab.v2.Problem``.

    Parameters
    ----------
    model
        Its values are those of whatever is not estimated and no arm sets.
    arms
        Each arm as a scenario of the model, by name.
    measurements
        What was seen; their arms are among those.
    estimated
        The free numbers: parameters of the model, and the scales and offsets of observables.

    Raises
    ------
    ConfigError
        When a read-out is no formula of values at its time, at the start, and of parameters.
    MissingExtra
        When petab is not installed.
    """
    v2 = library()
    made = v2.Problem()
    sources = {name: source(one) for name, one in arms.items()}
    _check_free(sources, model, estimated)
    formulas = [formula(one.observable, one.time) for one in measurements]
    starts = tuple(dict.fromkeys(n for m in measurements for n in _starts(m.observable.node)))
    open_ = Source(model, None, _union(sources, fed), _union(sources, _moved), starts)
    made.models = [_sbml(written(document(open_)))]
    experiments = names(sources)
    for name, one in sources.items():
        _experiment(made, experiments[name], one, open_)
    for full in [*model.parameters, *model.recordable, *model.knobs]:
        made.add_mapping(identifier(full), identifier(full), full)
    ids: dict[Any, str] = {}
    for row, text in zip(measurements, formulas, strict=True):
        alike = (replace(row.observable, node=Number(0.0)), text)
        if alike not in ids:
            ids[alike] = f"observable_{len(ids) + 1}"
            _observable(made, ids[alike], row.observable, text)
        _measurement(made, ids[alike], experiments[row.arm], row)
    for free in estimated:
        made.add_parameter(
            identifier(free.name),
            estimate=True,
            nominal_value=free.value,
            lb=free.low,
            ub=free.high,
            prior_dist=free.prior,
            prior_pars=list(free.numbers),
        )
    return made


def write(made: Any, out: Path) -> Path:
    """Write a problem into a folder and return its YAML file.

    Raises
    ------
    ConfigError
        When the folder cannot be written.
    """
    v2 = library()
    made.config = v2.ProblemConfig(filepath=PROBLEM, base_path=out, format_version="2.0.0")
    made.models[0].rel_path = MODEL
    for kind, file in FILES.items():
        getattr(made, f"{kind}_tables")[0].rel_path = file
    try:
        out.mkdir(parents=True, exist_ok=True)
        with quietly():
            made.to_files(base_path=out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from None
    return out / PROBLEM


def faults(path: Path) -> list[str]:
    """Return what petab's own linter finds wrong with a problem, a sentence each."""
    with quietly():
        return [str(one) for one in library().Problem.from_yaml(path).validate()]


def _sbml(text: str) -> Any:
    from petab.v2.models.sbml_model import SbmlModel

    return SbmlModel.from_string(text)


def _check_free(sources: Mapping[str, Source], base: Model, estimated: Sequence[Estimated]) -> None:
    """Refuse an arm that sets what is to be estimated."""
    free = {identifier(one.name): one.name for one in estimated}
    for arm, one in sources.items():
        for own in _subject(one, base):
            if own in free:
                raise ConfigError(f'arm "{arm}" sets {free[own]}, which is to be estimated.')


def _union(sources: Mapping[str, Source], what: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in sources.values() for name in what(one)))


def _moved(one: Source) -> tuple[str, ...]:
    """Return the knobs that an arm moves, or holds elsewhere than untouched from the start."""
    knobs = one.model.knobs
    held = [n for n, k in knobs.items() if one.knobs[n] != k.neutral * unit(k.unit).factor]
    return (*turned(one), *held)


def _experiment(made: Any, own: str, one: Source, open_: Source) -> None:
    """Add an arm: its rest under old conditions where it has one, then a period a breakpoint."""
    schedule = one.schedule
    if schedule is None:  # pragma: no cover - arms are scenarios
        return
    subject = _subject(one, open_.model)
    before = {identifier(n): number(v) for n, v in one.knobs.items() if n in open_.turns}
    periods: list[Any] = []
    if schedule.settled:
        periods += _period(made, f"{own}_before", -inf, {**subject, **before})
    anchor = max(one.begin, 0.0)  # just before it is what a read-out calls start
    moments = sorted({*map(float, schedule.edges), *([anchor] if open_.starts else [])})
    if open_.starts and not schedule.settled and moments[0] == anchor:
        moments.insert(0, anchor - 1.0)  # an hour of rest, so that start is before any change
    for i, moment in enumerate(moments):
        first = i == 0
        changes = {} if schedule.settled or not first else {**subject, **before}
        changes |= _at(one, moment, first=first)
        if moment == anchor and (schedule.settled or not first):
            changes |= {identifier(start_id(n)): inlined(one.model, n) for n in open_.starts}
        if changes or first:
            periods += _period(made, f"{own}_{i}", moment, changes)
    made.add_experiment(own, *periods)


def _period(made: Any, own: str, time: float, changes: Changes) -> list[Any]:
    if changes:
        made.add_condition(own, **changes)
    return [time, [own] if changes else []]


def _subject(one: Source, base: Model) -> Changes:
    """Return the parameters in which an arm's model differs from the model of the problem."""
    differ = {n: one.model.value(n) for n in base.parameters if one.model.value(n) != base.value(n)}
    return {identifier(name): number(value) for name, value in differ.items()}


def _at(one: Source, moment: float, *, first: bool) -> Changes:
    """Return what changes at a breakpoint [h]; nothing at any other moment."""
    schedule = one.schedule
    if schedule is None or moment not in schedule.edges:
        return {}
    i = int(np.flatnonzero(schedule.edges == moment)[0])
    last = i == len(schedule.edges) - 1
    found: Changes = {}
    for j, state in enumerate(one.model.states):
        if amount := float(schedule.boluses[i, j]):
            found[identifier(state)] = f"{_resting(one, state, first=first)} + {number(amount)}"
        was = float(schedule.rates[i - 1, j]) if i else 0.0
        now = 0.0 if last else float(schedule.rates[i, j])
        if was != now:
            found[identifier(rate_id(state))] = number(now)
    for j, knob in enumerate(one.model.knobs):
        held = float(schedule.knobs[i - 1, j] if i else schedule.before[j])
        if not last and held != float(schedule.knobs[i, j]):
            found[identifier(knob)] = number(float(schedule.knobs[i, j]))
    return found


def _resting(one: Source, state: str, *, first: bool) -> str:
    """Return what a bolus is added to: the state, or at the very start what it starts from."""
    if not first or (one.schedule is not None and one.schedule.settled):
        return identifier(state)
    start = one.model.initial(state)
    return identifier(start) if isinstance(start, str) else number(start)


def inlined(model: Model, full: str) -> str:
    """Return a time course as PEtab mathematics over states, inputs and parameters alone.

    Tools that carry out the change of a condition may not have the value of an assignment at hand.
    """
    wires = {str(one.name): one for one in (*model.derived, *model.quantities)}
    if full not in wires:
        return identifier(full)
    wire = wires[full]
    given = [number(a) if isinstance(a, float) else inlined(model, a) for a in wire.arguments]
    law = expression(wire.law)
    return mathematics(law.result, given, WRITER)


def _operation(name: str, parts: Sequence[str]) -> str:
    """Return an operation as PEtab writes it; powers and Hill functions are 0 below 0."""
    if name in _MARKS:
        return f"({f' {_MARKS[name]} '.join(parts)})"
    if name == "hill":
        power = f"(max({parts[0]} / {parts[1]}, 0) ^ {parts[2]})"
        return f"({power} / (1 + {power}))"
    if name == "where":
        return f"piecewise({parts[2]}, {parts[0]} >= {parts[1]}, {parts[3]})"
    plain = {"pow": "(max({0}, 0) ^ {1})", "neg": "(-{0})", "recip": "(1 / {0})"}
    return plain.get(name, f"{name}({', '.join(parts)})").format(*parts)


_MARKS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
WRITER: Writer[str] = Writer(number=number, name=str, operation=_operation)


def _starts(node: Node) -> Iterator[str]:
    if isinstance(node, Chain | Call):
        for part in node.operands:
            yield from _starts(part)
    elif isinstance(node, Reading) and node.reduction.kind == "start":
        yield node.reduction.name


def _observable(made: Any, own: str, seen: Observable, text: str) -> None:
    placeholders: list[str] = []
    if seen.scale:
        placeholders.append(f"observableParameter{len(placeholders) + 1}_{own}")
        over = "" if seen.factor == 1.0 else f" / {number(seen.factor)}"
        text = f"{placeholders[-1]} * ({text}){over}"
    if seen.offset:
        placeholders.append(f"observableParameter{len(placeholders) + 1}_{own}")
        text = f"{placeholders[-1]} + {text}"
    noise = f"noiseParameter1_{own}"
    made.add_observable(
        own,
        text,
        noise_formula=noise,
        noise_distribution="log-normal" if seen.log else "normal",
        observable_placeholders=placeholders,
        noise_placeholders=[noise],
        name=seen.text,
    )


def _measurement(made: Any, observable: str, experiment: str, row: Measurement) -> None:
    named = [one for one in (row.observable.scale, row.observable.offset) if one]
    made.add_measurement(
        observable,
        time=row.time,
        measurement=row.value,
        experiment_id=experiment,
        observable_parameters=[identifier(one) for one in named],
        noise_parameters=[row.error],
    )


def formula(seen: Observable, time: float) -> str:
    """Return a read-out as PEtab mathematics over the model's entities at the measurement's time.

    Raises
    ------
    ConfigError
        When it reads anything but values at that time, at the start, or parameters.
    """

    def text(node: Node) -> str:
        if isinstance(node, Number):
            return number(node.value * unit(node.unit).factor)
        if isinstance(node, Ledger):
            return identifier(node.name)
        if isinstance(node, Chain):
            rest = zip(node.marks, node.operands[1:], strict=True)
            return "".join(
                [f"({text(node.operands[0])}", *(f" {m} {text(p)}" for m, p in rest), ")"]
            )
        if isinstance(node, Call):
            inside = ", ".join(text(part) for part in node.operands)
            return f"(-{inside})" if node.function == "neg" else f"{node.function}({inside})"
        if isinstance(node, Reading) and node.arm is None and not node.effect:
            one = node.reduction
            if one.kind == "at" and one.moment == time:
                return identifier(one.name)
            if one.kind == "start" and one.window is None:
                return identifier(start_id(one.name))
        raise ConfigError(
            f'"{seen.text[:60]}": PEtab has place for values at the time of a measurement and at '
            "the start, and formulas of them; give this one to ketasim fit."
        )

    return text(seen.node)
