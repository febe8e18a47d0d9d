"""The gradient of read-outs of one scenario: by parameters, doses, inputs and first states.

The compiled engine takes derivatives back through the steps of a run (``engines.gradient``); this
binds them to names. What a name moves (a parameter, or a whole schedule, as body weight and doses
do) is found by moving it a little: schedules are linear in what can be asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ketasim.core.protocol import Dose, Hold
from ketasim.core.scenario import Scenario
from ketasim.core.system import System
from ketasim.engines.contract import ALONE, Batch, Gradients, Settings
from ketasim.engines.run import gradients
from ketasim.engines.status import Status
from ketasim.errors import ConfigError, SolverError, suggest
from ketasim.readouts import Ledger, Lookup, Reading, Readout, Reduction, check_moments, parse_all
from ketasim.studies.cautions import provenance
from ketasim.studies.designs.columns import Columns, event_groups
from ketasim.studies.designs.design import of_values
from ketasim.units import read, unit

Array = NDArray[np.float64]
START = ".start"  # ends the name of a state whose first value is meant
RTOL = 1e-9  # of the run, by default: at 1e-8 a derivative is right to 3e-6 only
NUDGE = 1e-4  # of a value: how far doses, levels and weight are moved
FORMULA = 1e-6  # of a number: how far the parts of a formula are
MOVABLE = ("amount", "level", "concentration", "s_fraction")


def gradient(
    scenario: Scenario,
    readouts: str | Iterable[str],
    *,
    by: str | Iterable[str] | None = None,
    rtol: float | None = None,
) -> xr.Dataset:
    """Return read-outs and their derivatives by everything, or by some names.

    Parameters
    ----------
    scenario
        What is run.
    readouts
        Numbers such as ``"spines.density.peak"``; see :mod:`ketasim.readouts`.
    by
        Names of parameters, ``subject.weight``, ``dosing[0].amount``, ``intervention[0].level``,
        ``bath[0].concentration``, and ``STATE.start`` for a state's first value (whatever set it).
        By default every parameter, dose and level.
    rtol
        Relative tolerance of the run, by default 1e-9: a thousandth of that of other runs, so that
        derivatives are right to a millionth of the largest.

    Returns
    -------
    xarray.Dataset
        ``value`` (readout,); ``derivative`` (readout, by), in ``units`` of the read-out per unit of
        the name; ``elasticity`` (readout, by): by how many per cent a read-out moves for one per
        cent of the name, NaN where either is 0. ``notes`` tell of kinks.

    Raises
    ------
    ConfigError
        When a read-out or name cannot be understood.
    SolverError
        When integration stops.
    """
    texts = [readouts] if isinstance(readouts, str) else list(readouts)
    asked = parse_all(texts, scenario.model)
    check_moments(asked, scenario.times[0], scenario.times[-1])
    names = _Named(scenario, None if by is None else [by] if isinstance(by, str) else list(by))
    reductions = tuple(dict.fromkeys(r for one in asked for r in one.reductions))
    settings = Settings(rtol=RTOL if rtol is None else rtol, limits=ALONE, threads=1)
    treated = names.by_names(_carried_out(scenario, settings, reductions), scenario)
    bare = treated
    if any(isinstance(one, Reading) and one.effect for r in asked for one in r.lookups):
        without = replace(scenario, protocol=scenario.protocol.undrugged, record=())
        bare = names.by_names(_carried_out(without, settings, reductions), without)
    lookups = _Lookups(scenario, names, reductions, treated, bare)
    found = [lookups.differentiated(one) for one in asked]
    return _labelled(scenario, asked, names, found, treated.notes)


@dataclass(frozen=True)
class _Slopes:
    """Reductions (n,) and their derivatives by names (n, n_names), canonical by the names' unit."""

    values: Array
    slopes: Array
    notes: tuple[str, ...]


def _carried_out(
    scenario: Scenario, settings: Settings, reductions: Sequence[Reduction]
) -> Gradients:
    model = scenario.resolved_model
    batch = Batch(
        model=model,
        parameters=System(model).default_parameters[None, :],
        schedules=scenario.schedule,
        reductions=tuple(reductions),
        span=(scenario.times[0], scenario.times[-1]),
    )
    found = gradients(batch, settings, with_kinks=True)
    status = Status(int(found.status[0]))
    if not status.ok:
        raise SolverError(
            f"the run stopped: {status.sentence}. Run it with engine = reference to see where."
        )
    return found


class _Named:
    """The names that derivatives are by, with each one's value and unit."""

    def __init__(self, scenario: Scenario, by: list[str] | None) -> None:
        """Read the names; raises ConfigError where there is no derivative by one."""
        self.scenario = scenario
        self.names = self._all() if by is None else [self._known(one) for one in by]
        self.starts = {
            at: self._states.index(name.removesuffix(START))
            for at, name in enumerate(self.names)
            if self._is_start(name)
        }
        self.units, self.values = [], []
        for name in self.names:
            value, units = self._now(name)
            self.units.append(units)
            self.values.append(value)

    @cached_property
    def _states(self) -> list[str]:
        return list(self.scenario.model.states)

    @cached_property
    def _events(self) -> Mapping[str, int]:
        """Return the names of fields of events, with the place of the first one they mean."""
        protocol, found = self.scenario.protocol, {}
        fields = {"dosing": "amount", "intervention": "level", "bath": "concentration"}
        for kind, groups in event_groups(protocol).items():
            for i, places in enumerate(groups):
                found[f"{kind}[{i}].{fields[kind]}"] = places[0]
                one = protocol.events[places[0]]
                if isinstance(one, Dose) and one.s_fraction is not None:
                    found[f"{kind}[{i}].s_fraction"] = places[0]
        return found

    def _all(self) -> list[str]:
        return [*self.scenario.model.parameters, *self._events]

    def _is_start(self, name: str) -> bool:
        return name.endswith(START) and name.removesuffix(START) in self._states

    def _known(self, name: str) -> str:
        model = self.scenario.model
        if name in self._events or self._is_start(name) or name == "subject.weight":
            return name
        field = name.rpartition(".")[2]
        if "[" in name and field not in MOVABLE:
            raise ConfigError(
                f'by "{name}": moments move steps, so that no derivative is taken by them; '
                f"one of {', '.join(self._events) or 'no event here'}."
            )
        if "[" in name:
            here = ", ".join(self._events) or "none"
            raise ConfigError(f'by "{name}": there is no such event; here: {here}.')
        if name in model.parameters:
            return name
        near = suggest(name, [*model.parameters, *self._events, *model.states])
        raise ConfigError(f'by "{name}": no such parameter, dose, input or STATE.start.{near}')

    def _now(self, name: str) -> tuple[float, str]:
        scenario, model = self.scenario, self.scenario.resolved_model
        if self._is_start(name):
            return float("nan"), unit(model.unit(name.removesuffix(START))).canonical
        if name == "subject.weight":
            return scenario.subject.weight, "kg"
        if name in model.parameters:
            parameter = model.parameters[name]
            return model.value(name) / unit(parameter.unit).factor, parameter.unit
        event = scenario.protocol.events[self._events[name]]
        if isinstance(event, Hold):
            units = model.unit(event.knob)
            return _level(event, units), units
        if isinstance(event, Dose):
            if name.endswith("s_fraction"):
                return float(event.s_fraction or 0.0), "1"
            units = "mg/kg" if event.per_weight else "mg"
            return event.amount / unit(units).factor, units
        return float(getattr(event, "concentration", np.nan)), "uM"

    def by_names(self, found: Gradients, scenario: Scenario) -> _Slopes:
        """Return derivatives by the names, from those by all that goes into a run."""
        model = scenario.resolved_model
        places = {name: i for i, name in enumerate(model.parameters)}
        slopes = np.zeros((found.values.shape[1], len(self.names)))
        for at, name in enumerate(self.names):
            if at in self.starts:
                slopes[:, at] = found.by_start[0][:, self.starts[at]]
            elif name in places and name != model.weight:
                factor = unit(model.parameters[name].unit).factor
                slopes[:, at] = found.by_parameter[0][:, places[name]] * factor
            else:
                slopes[:, at] = self._through_schedule(found, scenario, at)
        return _Slopes(found.values[0], slopes, found.notes)

    def _through_schedule(self, found: Gradients, scenario: Scenario, at: int) -> Array:
        """Return derivatives by what changes a schedule, by moving it a little."""
        if self.names[at] in self._events and not scenario.protocol.doses:
            own = scenario.protocol.events
            if len(own) < len(self.scenario.protocol.events):
                return np.zeros(found.values.shape[1])  # the untreated run has no such dose
        value = self.values[at]
        nudge = NUDGE * (abs(value) or 1.0)
        row = np.array([[value + nudge], [value - nudge]])
        design = of_values((self.names[at],), (self.units[at],), row)
        columns = Columns(scenario, design)
        tables, _ = columns.parameters(row)
        high, low = columns.schedule(row[0]), columns.schedule(row[1])
        per = 1.0 / (2.0 * nudge)
        total = found.by_parameter[0] @ ((tables[0] - tables[1]) * per)
        n = len(high.edges) - 1
        for by, a, b in (
            (found.by_rate[0][:, :n], high.rates, low.rates),
            (found.by_bolus[0][:, : n + 1], high.boluses, low.boluses),
            (found.by_knob[0][:, :n], high.knobs, low.knobs),
            (found.by_before[0], high.before, low.before),
        ):
            total = total + (by * ((a - b) * per)).reshape(len(total), -1).sum(axis=1)
        return np.asarray(total)


def _level(event: Hold, units: str) -> float:
    return float(read(event.value, units) / unit(units).factor)


class _Lookups:
    """What formulas look up, with derivatives by the names."""

    def __init__(
        self,
        scenario: Scenario,
        names: _Named,
        reductions: Sequence[Reduction],
        treated: _Slopes,
        bare: _Slopes,
    ) -> None:
        self.scenario, self.names = scenario, names
        self.columns = {one: k for k, one in enumerate(reductions)}
        self.treated, self.bare = treated, bare

    def _known(self, one: Lookup) -> tuple[float, Array]:
        """Return a look-up's value and its derivatives by the names (n_names,)."""
        if isinstance(one, Reading):
            k = self.columns[one.reduction]
            value, slopes = self.treated.values[k], self.treated.slopes[k]
            if one.effect:
                return value - self.bare.values[k], slopes - self.bare.slopes[k]
            return float(value), slopes
        slopes = np.zeros(len(self.names.names))
        if isinstance(one, Ledger):
            model = self.scenario.resolved_model
            if one.name in self.names.names:
                at = self.names.names.index(one.name)
                slopes[at] = unit(model.parameters[one.name].unit).factor
            return model.value(one.name), slopes
        total = float(self.scenario.schedule.delivered.sum())
        for at, name in enumerate(self.names.names):
            value = self.names.values[at]
            if name.startswith("dosing[") and name.endswith(".amount") and value:
                slopes[at] = self._given_by(at) / value
            if name in ("subject.weight", self.scenario.model.weight):
                slopes[at] = self._given_by(None) / value
        return total, slopes

    def _given_by(self, at: int | None) -> float:
        """Return the amount that one dosing gives, or all that is given by weight [umol]."""
        protocol, schedule = self.scenario.protocol, self.scenario.schedule
        groups = event_groups(protocol)["dosing"]
        places = [i for i, event in enumerate(protocol.events) if isinstance(event, Dose)]
        wanted = set(places)
        if at is not None:
            number = int(self.names.names[at].split("[")[1].split("]")[0])
            wanted = set(groups[number])
        return sum(
            amount
            for place, one in zip(places, schedule.given, strict=True)
            for _, amount in one.into
            if place in wanted and (at is not None or one.dose.per_weight)
        )

    def differentiated(self, one: Readout) -> tuple[float, Array]:
        """Return a read-out's value, and its derivatives by the names."""
        known = {each: self._known(each) for each in one.lookups}

        def value(moved: Lookup | None = None, by: float = 0.0) -> float:
            return float(
                one.evaluate(lambda e: np.asarray(known[e][0] + (by if e == moved else 0.0)))
            )

        total = np.zeros(len(self.names.names))
        for each, (size, slopes) in known.items():
            nudge = FORMULA * (abs(size) or 1.0)
            slope = (value(each, nudge) - value(each, -nudge)) / (2.0 * nudge)
            if np.isfinite(slope):
                total = total + slope * slopes
        return value(), total


def _labelled(
    scenario: Scenario,
    asked: Sequence[Readout],
    names: _Named,
    found: Sequence[tuple[float, Array]],
    notes: Sequence[str],
) -> xr.Dataset:
    values = np.array([value for value, _ in found])
    slopes = np.array([slope for _, slope in found])
    at = np.array(names.values)
    with np.errstate(all="ignore"):
        elasticity = slopes * at / values[:, None]
    elasticity[~np.isfinite(elasticity)] = np.nan
    return xr.Dataset(
        {
            "value": (("readout",), values, {"long_name": "value of the read-out"}),
            "derivative": (
                ("readout", "by"), slopes, {"long_name": "read-out's unit per unit of the name"},
            ),
            "elasticity": (
                ("readout", "by"), elasticity, {"units": "1", "long_name": "% per % of the name"},
            ),
            "at": (("by",), at, {"long_name": "value of the name"}),
        },
        coords={
            "readout": [one.label for one in asked],
            "by": names.names,
            "readout_unit": ("readout", [one.unit for one in asked]),
            "by_unit": ("by", names.units),
        },
        attrs={**provenance(scenario), "notes": list(notes)},
    )  # fmt: skip
