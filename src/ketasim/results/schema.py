"""The shape of every result: one xarray Dataset, dims ``member, time``, CF-style attributes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.units import unit

if TYPE_CHECKING:
    import xarray as xr

SCHEMA_VERSION = 1

Array = NDArray[Any]


def dataset(
    model: Model,
    times: Array,
    observed: Mapping[str, Array],
    status: Array,
    meanings: Mapping[int, str],
    attributes: Mapping[str, Any],
) -> "xr.Dataset":
    """Label canonical arrays with names, declared units and provenance.

    ``observed`` maps full names to (n_members, n_times) in canonical units; ``times`` (n_times,)
    [h]; ``status`` (n_members,) with ``meanings`` of its codes.

    Returns
    -------
    xarray.Dataset
        Variables in their declared units, ``status`` with CF flag attributes.
    """
    import xarray as xr

    n_members = len(status)
    data = {name: _variable(model, name, values) for name, values in observed.items()}
    flags = {
        "long_name": "how the run ended",
        "flag_values": np.array(sorted(meanings), dtype=np.int8),
        "flag_meanings": " ".join(meanings[code] for code in sorted(meanings)),
    }
    data["status"] = xr.Variable(("member",), status.astype(np.int8), flags)
    coordinates = {
        "member": xr.Variable(("member",), np.arange(n_members), {"long_name": "member"}),
        "time": xr.Variable(("time",), times, {"units": "h", "long_name": "time"}),
    }
    return xr.Dataset(data, coordinates, {**attributes, "schema_version": SCHEMA_VERSION})


def _variable(model: Model, name: str, values: Array) -> "xr.Variable":
    import xarray as xr

    text = model.unit(name)
    labels = {"units": text, "long_name": model.meaning(name)}
    return xr.Variable(("member", "time"), values / unit(text).factor, labels)
