"""Patients for whom a schedule is chosen, and draws of a posterior that each is tried with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Hold, Protocol
from ketasim.core.scenario import Scenario
from ketasim.core.schedule import Schedule
from ketasim.errors import ConfigError
from ketasim.studies import designs
from ketasim.studies.designs.columns import Columns
from ketasim.studies.designs.design import Design, of_values
from ketasim.units import unit

Array = NDArray[np.float64]
Places = NDArray[np.intp]
WEIGHT, BOOKKEEPING = "weight", ("patient", "member", "status", "steps", "cohort")


@dataclass(frozen=True)
class Cohort:
    """Patients: what each differs in (a design), and what each counts (n,).

    ``draws`` (n_draws, n_parameters) are canonical parameter values of which every patient keeps
    its own distance to the model; one row where nothing is drawn.
    """

    design: Design
    weights: Array
    draws: Array | None = None
    source: str = "cohort"

    def __len__(self) -> int:
        """Return the number of patients."""
        return len(self.weights)

    @property
    def n_draws(self) -> int:
        """Return how many draws each patient is tried with."""
        return 1 if self.draws is None else len(self.draws)

    def some(self, places: Places, weights: Array) -> "Cohort":
        """Return the cohort of these patients only, with what each counts."""
        rows = self.design.rows(0, len(self))[places]
        design = of_values(self.design.names, self.design.units, rows)
        return replace(self, design=design, weights=weights)


@dataclass(frozen=True)
class Bound:
    """A cohort bound to a scenario: parameters of every draw and patient, and their schedules."""

    scenario: Scenario
    cohort: Cohort

    def parameters(self) -> Array:
        """Return canonical parameters (n_draws * n_patients, n_parameters), a draw at a time.

        Raises
        ------
        ConfigError
            When a patient has a value that no patient can have.
        """
        columns = Columns(self.scenario, self.cohort.design)
        table, fine = columns.parameters(self.cohort.design.rows(0, len(self.cohort)))
        if not fine.all():
            bad = int(np.flatnonzero(~fine)[0])
            raise ConfigError(
                f"{self.cohort.source}: patient {bad} has a value that is no number, below 0 where "
                "none can be, or no body weight."
            )
        if self.cohort.draws is None:
            return np.asarray(table)
        return np.concatenate([self._drawn(table, columns.base, one) for one in self.cohort.draws])

    def _drawn(self, table: Array, base: Array, draw: Array) -> Array:
        """Return patients about a draw: by the ratio to the model, or the difference."""
        known = list(self.scenario.resolved_model.parameters.values())
        low = np.array([one.bounds[0] for one in known])
        most = np.array([one.grounds.most * unit(one.unit).factor for one in known])
        ratio = (base > 0.0) & (low >= 0.0)
        with np.errstate(all="ignore"):
            moved = np.where(ratio, table * (draw / base), table + draw - base)
        return np.asarray(np.minimum(moved, np.maximum(most, table)))

    def schedules(self, protocol: Protocol) -> list[Schedule]:
        """Return the schedule of every patient under a protocol, a draw at a time.

        Raises
        ------
        ConfigError
            When a patient cannot have it.
        """
        scenario = self.scenario.with_protocol(protocol)
        rows = self.cohort.design.rows(0, len(self.cohort))
        fine = np.ones(len(rows), dtype=bool)
        found = Columns(scenario, self.cohort.design).schedules(rows, fine)
        if not fine.all():
            bad = int(np.flatnonzero(~fine)[0])
            raise ConfigError(f"{self.cohort.source}: patient {bad} cannot have this schedule.")
        many = [found] * len(rows) if isinstance(found, Schedule) else found
        return many * self.cohort.n_draws


def drawn(scenario: Scenario, n: int, *, vary: Any = "subject", seed: int = 1) -> Cohort:
    """Return ``n`` patients drawn at random, who differ in what ``vary`` says; see designs.random.

    Raises
    ------
    ConfigError
        When there is nothing to vary, or no patient.
    """
    if not 1 <= n <= 1_000_000:
        raise ConfigError(f"cohort.patients = {n}: must lie between 1 and 1,000,000.")
    design = designs.random(scenario, n, vary=vary, seed=seed)
    _refuse_doses(design, "cohort.vary")
    return Cohort(design, np.ones(n), source=f"{n} patients drawn, seed {seed}")


def alone(scenario: Scenario) -> Cohort:
    """Return the cohort of the scenario's own subject."""
    value = np.array([[scenario.subject.weight]])
    return Cohort(of_values(("subject.weight",), ("kg",), value), np.ones(1), source="one subject")


def from_table(source: Any, scenario: Scenario) -> Cohort:
    """Return a cohort from a CSV or netCDF file, a Dataset, a DataFrame, arrays or a population.

    One row is a patient, one column a varied path, in the model's own unit where its heading has
    none; ``weight`` says what each counts.

    Raises
    ------
    ConfigError
        When it cannot be read, or its weights are no weights.
    """
    told = Path(source).name if isinstance(source, str | Path) else "cohort"
    given: Any = source
    if isinstance(source, str | Path) and Path(source).suffix == ".nc":
        given = _netcdf(Path(source))
    elif not isinstance(source, Mapping) and isinstance(getattr(source, "columns", None), Mapping):
        given = source.columns
    plain = {**_units(scenario), **dict(getattr(source, "units", {}))}
    whole = designs.table(given, units=plain)
    kept = [i for i, n in enumerate(whole.names) if n not in (WEIGHT, *BOOKKEEPING)]
    rows = whole.rows(0, len(whole))
    weights = np.ones(len(whole))
    if WEIGHT in whole.names:
        weights = rows[:, whole.names.index(WEIGHT)]
    if not (np.isfinite(weights).all() and weights.min() >= 0.0 and weights.sum() > 0.0):
        raise ConfigError(f"{told}: weights must be numbers, none below 0 and some above.")
    if not kept:
        raise ConfigError(f"{told}: no column says in what patients differ.")
    names, units = (tuple(one[i] for i in kept) for one in (whole.names, whole.units))
    design = of_values(names, units, rows[:, kept])
    _refuse_doses(design, told)
    return Cohort(design, weights, source=told)


def _units(scenario: Scenario) -> dict[str, str]:
    """Return the unit of every path in which patients may differ."""
    model = scenario.model
    holds = [one for one in scenario.protocol.events if isinstance(one, Hold)]
    return {
        **{name: one.unit for name, one in model.parameters.items()},
        **{f"intervention[{i}].level": model.unit(one.knob) for i, one in enumerate(holds)},
        "subject.weight": "kg",
    }


def with_draws(cohort: Cohort, scenario: Scenario, draws: Design, n: int) -> Cohort:
    """Return the cohort, each patient with ``n`` draws of a posterior, evenly spread over it.

    Raises
    ------
    ConfigError
        When no column of the draws is a parameter of the scenario's model.
    """
    model = scenario.resolved_model
    places = {name: i for i, name in enumerate(model.parameters)}
    own = [(i, name) for i, name in enumerate(draws.names) if name in places]
    if not own:
        raise ConfigError(f"posterior: no column is a parameter of {model.name}.")
    if not 1 <= n <= len(draws):
        raise ConfigError(f"uncertainty.draws = {n}: there are {len(draws)} draws.")
    chosen = np.linspace(0, len(draws) - 1, n).round().astype(int)
    rows = draws.rows(0, len(draws))[chosen]
    base = np.array([model.value(name) for name in model.parameters])
    table = np.tile(base, (n, 1))
    for i, name in own:
        table[:, places[name]] = rows[:, i] * unit(draws.units[i]).factor
    return replace(cohort, draws=table)


def _refuse_doses(design: Design, where: str) -> None:
    bad = [name for name in design.names if name.startswith(("dosing[", "bath["))]
    if bad:
        raise ConfigError(f"{where}: {bad[0]}: patients cannot differ in what is to be chosen.")


def _netcdf(path: Path) -> Any:
    import xarray as xr

    if not path.is_file():
        raise ConfigError(f"{path}: no such file.")
    try:
        with xr.open_dataset(path) as found:
            return found.load()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a netCDF file that can be read ({error}).") from None
