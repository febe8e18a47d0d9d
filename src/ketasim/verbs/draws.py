"""What a scenario does under draws of a posterior."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ketasim.core.scenario import Scenario
from ketasim.engines.status import usable
from ketasim.errors import ConfigError, SolverError
from ketasim.studies import designs
from ketasim.studies import sweep as sweeps
from ketasim.studies.designs.design import of_values

if TYPE_CHECKING:
    import xarray as xr

DRAWS = "draws.csv"  # of a posterior, its columns headed as --table reads them
SHARES = (0.05, 0.5, 0.95)  # of draws, in bands
LINES = 200  # draws that bands are made of


def predicted(
    scenario: Scenario, draws: str | Path, *, tell: Callable[[str], object] = print
) -> "xr.Dataset":
    """Return what a scenario does under draws of a posterior: its courses' 5, 50 and 95 %.

    Parameters
    ----------
    scenario
        Its recorded names are followed at its times.
    draws
        The folder that ``ks.posterior(...).save`` wrote, or a table of draws (``draws.csv``).
    tell
        Hears how many draws failed, and what of the table is no parameter.

    Returns
    -------
    xarray.Dataset
        Each recorded name as (quantile, time); ``draws`` says of how many.

    Raises
    ------
    ConfigError
        When there are no draws there, or none of them is of a parameter of the scenario's model.
    SolverError
        When every draw failed.
    """
    place = Path(draws)
    place = place / DRAWS if place.is_dir() else place
    if not place.is_file():
        raise ConfigError(
            f"{place}: no such file. Give the folder of a posterior (ketasim posterior); where its "
            "diagnostics failed there are no draws, and posterior.json says what is missing."
        )
    whole = designs.table(place)
    own = [i for i, name in enumerate(whole.names) if name in scenario.model.parameters]
    if not own:
        raise ConfigError(f"{place.name}: no column is a parameter of {scenario.model.name}.")
    left = [name for i, name in enumerate(whole.names) if i not in own]
    if left:
        tell(f"{place.name}: not of the model, and left out: {', '.join(left)}.")
    chosen = np.linspace(0, len(whole) - 1, min(LINES, len(whole))).astype(int)
    rows = whole.rows(0, len(whole))[chosen][:, own]
    names, units = (tuple(one[i] for i in own) for one in (whole.names, whole.units))
    design = of_values(names, units, rows)
    found = sweeps.sweep(scenario, design, record=scenario.record)
    fine = usable(found["status"].to_numpy())
    if not fine.any():
        raise SolverError(f"{place.name}: every one of {len(fine)} draws failed.")
    if not fine.all():
        tell(f"{place.name}: {int((~fine).sum())} of {len(fine)} draws failed; bands lack them.")
    courses = found[list(scenario.record)].isel(member=fine)
    bands = courses.quantile(SHARES, dim="member", keep_attrs=True)
    return bands.assign_attrs(draws=int(fine.sum()))
