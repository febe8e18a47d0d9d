"""The one language for a number from time courses: its text, its formula, what engines compute.

- ``reduction``: the table of reducers, one with its arguments, and the algebra of their units
- ``nodes``: what a formula is made of, its value, its text
- ``names``: what the names in a text stand for, and what a read-out may be called
- ``grammar``: the parser
- ``readout``: read one or many from text, and compute them
- ``derive``: every number from a few that an engine computes
- ``course``: those few, from a course kept as panels
"""

from ketasim.readouts.names import BOOKKEEPING, check_labels, split_list
from ketasim.readouts.nodes import Given, Ledger, Lookup, Node, Reading
from ketasim.readouts.readout import MAX_READOUTS, Readout, check_moments, parse, parse_all
from ketasim.readouts.reduction import KINDS, Kind, Reducer, Reduction

__all__ = [
    "BOOKKEEPING",
    "KINDS",
    "MAX_READOUTS",
    "Given",
    "Kind",
    "Ledger",
    "Lookup",
    "Node",
    "Reading",
    "Readout",
    "Reducer",
    "Reduction",
    "check_labels",
    "check_moments",
    "parse",
    "parse_all",
    "split_list",
]
