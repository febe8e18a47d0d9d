"""Designs: grids, random draws and tables, each member known by its index.

>>> plan = grid({"dosing[0].amount": logspace("0.05 mg/kg", "5 mg/kg", 41)})
>>> cloud = sobol(model, 4096, seed=1)

- ``design``: a design, known row by row, and a grid
- ``axes``: the values of one axis of a grid; ``distributions``: those of a column that is drawn
- ``choice``: what a draw varies; ``draw``: designs drawn at random, or again as described
- ``sequence``: Sobol' points; ``cube``: large Latin hypercubes
- ``blocks``: members that differ in one factor at a time, for sensitivity
- ``patients``: members whose traits go together
- ``table``: the user's own table
- ``columns``: where the values go
"""

from ketasim.studies.designs.axes import Axis, levels, linspace, logspace, read_axis
from ketasim.studies.designs.blocks import morris, saltelli, walks
from ketasim.studies.designs.choice import in_a_line
from ketasim.studies.designs.design import Design, grid
from ketasim.studies.designs.distributions import (
    Distribution,
    lognormal,
    loguniform,
    normal,
    read_distribution,
    truncated,
    uniform,
)
from ketasim.studies.designs.draw import from_description, latin_hypercube, people, random, sobol
from ketasim.studies.designs.table import table

__all__ = [
    "Axis",
    "Design",
    "Distribution",
    "from_description",
    "grid",
    "in_a_line",
    "latin_hypercube",
    "levels",
    "linspace",
    "lognormal",
    "logspace",
    "loguniform",
    "morris",
    "normal",
    "people",
    "random",
    "read_axis",
    "read_distribution",
    "saltelli",
    "sobol",
    "table",
    "truncated",
    "uniform",
    "walks",
]
