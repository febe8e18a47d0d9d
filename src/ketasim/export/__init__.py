"""The model leaves the house: SBML, COMBINE archive, values back in, equation sheets.

>>> from ketasim import export
>>> text = export.sbml(scenario)

- ``document``: a scenario or a model as SBML
- ``source``: what is exported, the state it starts from, and a protocol as events
- ``expression``: laws as mathematics, and the notations they are written in
- ``xml``: elements, and the parts of content MathML
- ``names``: identifiers and units as SBML has them
- ``notes``: stories, evidence, sources and ontology terms
- ``archive``: a COMBINE archive with its SED-ML
- ``peers``: what libSBML, libRoadRunner and COPASI make of the same file
- ``c``: a scenario as C, for other integrators
- ``values``: values that were changed in another tool come back
- ``petab``: what a fit asks as a PEtab problem
- ``sheet``: equations and ledgers as Markdown or LaTeX
- ``diagram``: which mechanism reads which, as SVG or TikZ
"""

from ketasim.export.archive import omex
from ketasim.export.c import c_source
from ketasim.export.document import sbml
from ketasim.export.peers import check, validate
from ketasim.export.sheet import sheet
from ketasim.export.values import read_values

__all__ = ["c_source", "check", "omex", "read_values", "sbml", "sheet", "validate"]
