"""The model leaves the house: SBML, COMBINE archive, values back in, equation sheets.

>>> from ketasim import export
>>> text = export.sbml(scenario)
"""

from ketasim.export.archive import omex
from ketasim.export.document import sbml
from ketasim.export.peers import check
from ketasim.export.sheet import sheet
from ketasim.export.validate import validate
from ketasim.export.values import read_values

__all__ = ["check", "omex", "read_values", "sbml", "sheet", "validate"]
