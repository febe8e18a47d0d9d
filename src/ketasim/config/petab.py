"""PEtab problems <-> data of one's own: points, arms and free numbers, out and back in.

>>> save_petab("problem", data="plasma", free=["pk_s.clearance_70"])
PosixPath('problem/problem.yaml')
>>> load_petab("problem/problem.yaml").data.points[0].value
0.1888
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, log, nan
from pathlib import Path
from typing import Any

import numpy as np

from ketasim.config.findings import load_data
from ketasim.config.packaged import packaged_library
from ketasim.core.model import Model
from ketasim.core.protocol import Dose, Event, Protocol
from ketasim.core.scenario import Subject
from ketasim.core.schedule import dose_into, windows
from ketasim.errors import ConfigError
from ketasim.export import petab
from ketasim.export.names import canonical, identifier, rate_id, start_id
from ketasim.models.subjects import SPECIES, subject
from ketasim.results.output import files_in
from ketasim.studies.designs.distributions import Distribution, Kind
from ketasim.studies.findings.arms import Arm
from ketasim.studies.fit.data import Assay, Data, Point, readout_at
from ketasim.studies.fit.likelihood import Free, problem
from ketasim.units import unit

KINDS: Mapping[Kind, str] = {
    "uniform": "uniform", "loguniform": "log-uniform", "normal": "normal",
    "lognormal": "log-normal",
}  # fmt: skip
SCALE, OFFSET = ".scale", ".offset"
BEYOND = 1.0  # [h] after the last value: what changes at the very moment of it counts
Wish = Mapping[str, "Distribution | str | None"] | Iterable[str]


@dataclass(frozen=True)
class Petab:
    """What a PEtab problem asks: data, priors by name in declared units, nominal values."""

    model: Model
    data: Data
    free: Mapping[str, Distribution]
    values: Mapping[str, float]


def save_petab(
    out: str | Path,
    *,
    data: "str | Path | Data | Sequence[str | Path | Data]",
    free: Wish,
    model: Model | None = None,
) -> Path:
    """Write a fit as a PEtab problem, version 2, and return its YAML file.

    Parameters
    ----------
    out
        A folder; SBML, tables and ``problem.yaml`` are written into it.
    data
        A CSV, the name of one of the package, or :func:`ketasim.config.findings.as_data`; or many.
    free
        Parameters to estimate, by name or with distributions; the ledger's bounds otherwise.
    model
        The default model when not given.

    Raises
    ------
    ConfigError
        When a read-out or a value below detection has no place in PEtab.
    MissingExtra
        When petab is not installed.
    """
    base = packaged_library().model("antidepressant") if model is None else model
    many = [data] if isinstance(data, str | Path | Data) else data
    read = [one if isinstance(one, Data) else load_data(one, model=base) for one in many]
    asked = problem(base, free, data=read, profiled=False)
    own = {name: arm for one in read for name, arm in one.arms.items()}
    rows = [_measurement(one, asked.assays[one.assay]) for one in asked.observations]
    last = {name: max(r.time for r in rows if r.arm == name) for name in {r.arm for r in rows}}
    arms = {n: own[n].scenario(base, begin=0.0, end=end + BEYOND) for n, end in last.items()}
    with files_in(Path(out), last="problem.yaml") as aside:
        made = petab.problem(base, arms, rows, [_estimated(one) for one in asked.free])
        return Path(out) / petab.write(made, aside).name


def _measurement(one: Point, assay: Assay) -> petab.Measurement:
    """Return a point as PEtab has it: canonical, but for a scaled assay, whose unit is its own."""
    if one.censored:
        raise ConfigError(
            f'line {one.line}: "{one.text}" is known only to lie beyond {one.value:g}; PEtab has '
            "no place for that. Leave such rows out, or give the data to ketasim fit."
        )
    logs = assay.model == "log-normal"
    own = unit(one.readout.unit).factor
    factor = 1.0 if assay.scale or assay.offset else own
    seen = petab.Observable(
        text=one.text,
        node=one.readout.node,
        log=logs,
        scale=f"{assay.name}{SCALE}" if assay.scale else "",
        offset=f"{assay.name}{OFFSET}" if assay.offset else "",
        factor=own,
    )
    error = float(np.sqrt(np.log1p((one.error / one.value) ** 2))) if logs else one.error * factor
    return petab.Measurement(one.arm, _time(one), one.value * factor, error, seen)


def _time(one: Point) -> float:
    """Return when a point was read [h]; a formula of the start alone is read there."""
    if one.time == one.time:
        return one.time
    return max(one.readout.moments, default=0.0)


def _estimated(one: Free) -> petab.Estimated:
    factor, prior = unit(one.unit).factor, one.prior
    low, high = (end * factor for end in prior.reach)
    numbers = (prior.a * factor, prior.b * factor)
    if prior.kind == "lognormal":
        numbers = (log(prior.a * factor), log(prior.b))
    return petab.Estimated(one.name, low, high, one.guess * factor, KINDS[prior.kind], numbers)


def load_petab(path: str | Path, *, model: Model | None = None) -> Petab:
    """Read a PEtab problem, version 2, about our model.

    Its SBML is not read: entities are known by the identifiers of ``ketasim export sbml``. What an
    arm does is told from its periods; a subject is of the species of the nearest usual weight.

    Parameters
    ----------
    path
        The problem's YAML file.
    model
        Whose names it uses; the default model when not given.

    Raises
    ------
    ConfigError
        When it is no such problem, or asks for what a fit here cannot do; the table is named.
    MissingExtra
        When petab is not installed.
    """
    v2 = petab.library()
    place = Path(path)
    if not place.is_file():
        raise ConfigError(f"{place}: no such file. Give the YAML file of a PEtab problem.")
    base = packaged_library().model("antidepressant") if model is None else model
    try:
        with petab.quietly():
            theirs = v2.Problem.from_yaml(place)
    except Exception as error:
        told = str(error).strip().partition("\n")[0][:200]
        raise ConfigError(f"{place.name}: not a PEtab problem of version 2 ({told}).") from None
    return _Reader(place.name, base, theirs).whole()


@dataclass
class _Told:
    """What the periods of an experiment have said so far."""

    values: dict[str, float] = field(default_factory=dict)
    knobs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    flow: dict[str, float] = field(default_factory=dict)
    rates: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


class _Reader:
    """One problem on its way in; it lives no longer than its call."""

    def __init__(self, source: str, model: Model, theirs: Any) -> None:
        self.source, self.model, self.theirs = source, model, theirs
        known = (*model.parameters, *model.recordable, *model.knobs)
        self.full = {identifier(name): name for name in known}
        self.rates = {identifier(rate_id(state)): state for state in model.states}
        self.starts = {identifier(start_id(name)): name for name in model.recordable}
        self.changes = {one.id: one.changes for one in theirs.conditions}

    def refuse(self, what: str) -> ConfigError:
        return ConfigError(f"{self.source}: {what}")

    def whole(self) -> Petab:
        arms = {one.id: self.arm(one) for one in self.theirs.experiments}
        observables = {one.id: one for one in self.theirs.observables}
        points, assays = [], {}
        for i, row in enumerate(self.theirs.measurements, 1):
            if row.observable_id not in observables:
                raise self.refuse(f"measurement {i}: no observable {row.observable_id}.")
            if row.experiment_id not in arms:
                raise self.refuse(f'measurement {i}: no experiment "{row.experiment_id}".')
            point, assay = self.point(i, row, observables[row.observable_id])
            points.append(point)
            assays[assay.name] = assay
        data = Data(self.source, tuple(points), arms, assays)
        free = [one for one in self.theirs.parameters if one.estimate]
        own = [one for one in free if one.id in self.full]
        self.check_free([one for one in free if one.id not in self.full], assays)
        priors = {self.full[one.id]: self.prior(one) for one in own}
        values = {
            self.full[one.id]: one.nominal_value / self.factor(self.full[one.id])
            for one in own
            if one.nominal_value is not None
        }
        return Petab(self.model, data, priors, values)

    def factor(self, name: str) -> float:
        return unit(self.model.unit(name)).factor

    def check_free(self, others: Sequence[Any], assays: Mapping[str, Assay]) -> None:
        """Refuse an estimated number that is neither a parameter nor of an assay."""
        known = {identifier(f"{n}{what}") for n in assays for what in (SCALE, OFFSET)}
        for one in others:
            if one.id not in known:
                raise self.refuse(f"parameters: {one.id} is no parameter of {self.model.name}.")

    def prior(self, one: Any) -> Distribution:
        """Return a parameter's prior within its bounds, in its declared unit."""
        name = self.full[one.id]
        factor, text = self.factor(name), self.model.unit(name)
        low, high = one.lb / factor, one.ub / factor
        theirs = str(one.prior_distribution or "uniform")
        kinds: dict[str, Kind] = {told: ours for ours, told in KINDS.items()}
        if theirs not in kinds:
            raise self.refuse(f"parameters: {one.id}: no prior {theirs}; {', '.join(kinds)}.")
        kind = kinds[theirs]
        a, b = one.prior_parameters or (one.lb, one.ub)
        if kind == "lognormal":
            return Distribution(kind, float(np.exp(a)) / factor, float(np.exp(b)), text, low, high)
        a, b = a / factor, b / factor
        if kind == "normal":
            return Distribution(kind, a, b, text, low, high)
        return Distribution(kind, max(a, low), min(b, high), text)

    def point(self, i: int, row: Any, seen: Any) -> tuple[Point, Assay]:
        """Return a measurement as a point, and the assay it was read by."""
        where = f"measurement {i}"
        text, scale, offset = self.readout(seen, row)
        readout, curve = readout_at(text, float(row.time), self.model)
        logs = str(getattr(seen.noise_distribution, "value", seen.noise_distribution))
        if logs not in ("normal", "log-normal"):
            raise self.refuse(f"observable {seen.id}: no error model {logs} here.")
        factor = 1.0 if scale or offset else unit(readout.unit).factor
        value, error = row.measurement / factor, self.noise(row, seen, where)
        if logs == "log-normal":
            error = value * float(np.sqrt(np.expm1(error**2)))
        else:
            error /= factor
        name = (scale or offset or seen.id).rpartition("__")[0] or seen.id
        assay = Assay(name, logs, nan, bool(scale), bool(offset), free=bool(scale or offset))
        arm = row.experiment_id
        return Point(i, arm, name, readout, float(row.time), value, error, 0, curve, text), assay

    def noise(self, row: Any, seen: Any, where: str) -> float:
        """Return the standard error of a measurement: a number, in its row or its observable."""
        told = seen.noise_formula
        for name, given in zip(seen.noise_placeholders, row.noise_parameters, strict=False):
            told = told.subs(name, given)
        if told is None or told.free_symbols or not float(told) > 0.0:
            raise self.refuse(f"{where}: its error must be a number; {told} is not.")
        return float(told)

    def readout(self, seen: Any, row: Any) -> tuple[str, str, str]:
        """Return an observable as a read-out with ``@t``, and the names of its scale and offset."""
        given = [str(one) for one in row.observable_parameters]
        scale = next((one for one in given if one.endswith("__scale")), "")
        offset = next((one for one in given if one.endswith("__offset")), "")
        if len(given) != bool(scale) + bool(offset):
            raise self.refuse(
                f"observable {seen.id}: of its parameters only a scale and an offset are "
                "understood, named ASSAY__scale and ASSAY__offset."
            )
        plain = seen.formula
        places = dict(zip(given, seen.observable_placeholders, strict=True))
        if scale:
            plain = plain.subs(places[scale], 1)
        if offset:
            plain = plain.subs(places[offset], 0)
        own = self.by_name(seen, plain, scale)
        return own or self.by_formula(seen, plain), scale, offset

    def by_name(self, seen: Any, plain: Any, scale: str) -> str:
        """Return the read-out an observable is named after, if its formula is that read-out's."""
        text = seen.name or ""
        try:
            readout, _ = readout_at(text, 1.0, self.model)
            ours = petab.formula(petab.Observable(text, readout.node), 1.0)
        except Exception:  # any other name is a name
            return ""
        over = f" / {unit(readout.unit).factor!r}" if scale else ""
        from petab.v2.core import sympify_petab as read

        same = (read(f"({ours}){over}") - plain).simplify() == 0
        return text if same else ""

    def by_formula(self, seen: Any, plain: Any) -> str:
        """Return a formula over the model's entities as a read-out."""

        def named(match: "re.Match[str]") -> str:
            word = match[0]
            if word in self.starts:
                return f"{self.starts[word]}.start"
            name = self.full.get(word)
            if name is None:
                return word
            return f"parameter({name})" if name in self.model.parameters else f"{name}@t"

        text = re.sub(r"[A-Za-z_]\w*", named, str(plain))
        if "**" in text:
            raise self.refuse(f"observable {seen.id}: powers have no place in a read-out: {plain}.")
        readout_at(text, 1.0, self.model)
        return text

    def arm(self, one: Any) -> Arm:
        """Return what an experiment does to whom."""
        periods = sorted(one.periods, key=lambda period: period.time)
        told = _Told()
        for i, period in enumerate(periods):
            changes = [c for own in period.condition_ids for c in self.changes[own]]
            boluses: dict[str, float] = {}
            for change in changes:
                self.change(told, boluses, change, period.time, first=i == 0)
            if not told.rates or told.rates[-1][1] != told.flow:
                told.rates.append((period.time, dict(told.flow)))
            if boluses:
                told.events.append(self.given(boluses, period.time, 0.0))
        for (start, now), (stop, _) in pairwise([*told.rates, (inf, {})]):
            amounts = {state: rate * (stop - start) for state, rate in now.items() if rate}
            if amounts and stop == inf:
                raise self.refuse(f"experiment {one.id}: an infusion that never ends.")
            if amounts:
                told.events.append(self.given(amounts, start, stop - start))
        for name, steps in told.knobs.items():
            told.events.extend(windows(name, steps, self.model))
        return self.made(told.values, Protocol(tuple(told.events)))

    def given(self, amounts: Mapping[str, float], start: float, over: float) -> Dose:
        found = dose_into(amounts, self.model, start=start, over=over)
        if found is None:
            states = ", ".join(amounts)
            raise self.refuse(f"conditions: no drug by any route comes into {states}.")
        return found

    def change(
        self, told: "_Told", boluses: dict[str, float], one: Any, time: float, *, first: bool
    ) -> None:
        """Sort one change of a condition by what it is a change of."""
        target, value = str(one.target_id), one.target_value
        name = self.full.get(target, "")
        if target in self.rates:
            told.flow[self.rates[target]] = self.plain(target, value)
        elif name in self.model.knobs:
            told.knobs.setdefault(name, []).append((time, self.plain(target, value)))
        elif name in self.model.parameters and first:
            told.values[name] = self.plain(target, value)
        elif name in self.model.states:
            boluses[name] = self.added(target, value, first=first)
        elif target not in self.starts:
            raise self.refuse(
                f"conditions: {target} at {time:g} h: only inputs, rates and states of "
                f"{self.model.name} change in an experiment, and parameters at its first period."
            )

    def plain(self, target: str, value: Any) -> float:
        try:
            return float(value)
        except TypeError:
            raise self.refuse(f"conditions: {target} = {value}: a number is needed.") from None

    def added(self, target: str, value: Any, *, first: bool) -> float:
        """Return what a change adds to a state."""
        start = self.model.initial(self.full[target])
        resting = identifier(start) if isinstance(start, str) else target
        left = value.subs(
            {name: 0.0 for name in value.free_symbols if str(name) in (target, resting)}
        )
        own = start if first and not value.free_symbols and isinstance(start, float) else 0.0
        return self.plain(target, left) - own

    def made(self, values: Mapping[str, float], protocol: Protocol) -> Arm:
        weight = self.model.weight
        kilograms = values.get(weight, self.model.value(weight)) if weight else 70.0
        usual = {one: subject(one).weight for one in SPECIES}
        species = min(usual, key=lambda one: abs(log(usual[one] / kilograms)))
        own = {
            name: f"{value!r} {canonical(self.model.unit(name))}"
            for name, value in values.items()
            if name != weight
        }
        return Arm(Subject(species, kilograms), protocol, protocol.undrugged, own)
