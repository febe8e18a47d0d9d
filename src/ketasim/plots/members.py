"""What pictures of sweeps share: which columns there are, and which members may be shown."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ketasim.errors import ConfigError, suggest
from ketasim.results.failures import varied

Array = NDArray[np.float64]
_OWN = ("status", "steps", "rtol")


def summaries(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the names of the summaries in a sweep."""
    return tuple(
        str(n) for n in dataset.data_vars if dataset[n].dims == ("member",) and n not in _OWN
    )


def courses(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the names of the recorded time courses."""
    return tuple(str(n) for n in dataset.data_vars if "time" in dataset[n].dims)


def chosen(name: str | None, known: Sequence[str], what: str) -> str:
    """Return a name that is there, the first one when none is asked for.

    Raises
    ------
    ConfigError
        When there is no such name, or nothing of the kind.
    """
    if not known:
        raise ConfigError(f"this sweep has no {what}.{_CURES.get(what, '')}")
    if name is None:
        return known[0]
    if name not in known:
        here = ", ".join(known[:8])
        raise ConfigError(f'"{name}": no such {what}.{suggest(name, known)} There are: {here}.')
    return name


_CURES = {
    "summary": " Ask for one: --summary NAME.peak.",
    "time course": " Ask for one: --record NAME.",
}


def design_name(dataset: xr.Dataset, name: str | None, taken: Sequence[str] = ()) -> str:
    """Return a varied name that is there, the first one not taken when none is asked for."""
    return chosen(name, [one for one in varied(dataset) if one not in taken], "varied value")


def values(dataset: xr.Dataset, name: str) -> Array:
    """Return a column as numbers, (n_members,)."""
    found: Array = dataset[name].to_numpy().astype(float)
    return found


def usable(dataset: xr.Dataset) -> NDArray[np.bool_]:
    """Return which members have values."""
    status = dataset["status"].to_numpy()
    found: NDArray[np.bool_] = (status == 0) | (status == 1)
    return found


def label(dataset: xr.Dataset, name: str) -> str:
    """Return a name with its unit in brackets, as an axis says it."""
    unit = str(dataset[name].attrs.get("units", "1"))
    return name if unit == "1" else f"{name} ({unit})"


def is_logarithmic(x: Array) -> bool:
    """Say whether values are spread over ratios rather than differences."""
    fine = np.unique(x[np.isfinite(x)])
    if len(fine) < 3 or fine[0] <= 0.0 or fine[-1] < 20.0 * fine[0]:
        return False
    return bool(np.median(fine) < 0.35 * fine[-1])


def counted(dataset: xr.Dataset) -> str:
    """Return how many members a picture rests on, failures told."""
    fine, ran = usable(dataset), dataset["status"].to_numpy() != -1
    lost = int(np.count_nonzero(ran & ~fine))
    told = f"{int(fine.sum()):,} members"
    return f"{told}, {lost:,} failed" if lost else told


def finish(axes: Any) -> None:
    """Take away what a picture does not need."""
    axes.spines[["top", "right"]].set_visible(False)
