"""A design made again from its description."""

from collections.abc import Mapping
from typing import Any

from ketasim.errors import ConfigError
from ketasim.studies.designs.axes import Axis
from ketasim.studies.designs.design import Design, of_axes
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.designs.draw import of_distributions


def from_description(description: Mapping[str, Any]) -> Design:
    """Return the design that describes itself so, with the same values to the last bit.

    Raises
    ------
    ConfigError
        When it is a table, whose values a description does not hold.
    """
    if description["kind"] == "table":
        raise ConfigError("a table's description holds a checksum, not its values; read the table.")
    if description["kind"] == "grid":
        axes = description["axes"]
        return of_axes({name: Axis(tuple(map(float, values)), u) for name, u, values in axes})
    columns = {name: Distribution.of(one) for name, one in description["columns"]}
    return of_distributions(
        description["kind"],
        columns,
        description["size"],
        seed=description["seed"],
        shares=tuple(description.get("shares", range(len(columns)))),
    )
