"""Models as lists of mechanisms, and the subjects they are asked about.

- ``antidepressant``: the model, and the panels of its figure
- ``rivals``: other accounts, as edits of it
- ``reference``: what it is measured by
- ``subjects``: who takes the drug, and how subjects differ
- ``load``: a model from a file of your own
"""

from ketasim.models.antidepressant import antidepressant
from ketasim.models.load import load
from ketasim.models.subjects import human, mouse, rat, subject

__all__ = ["antidepressant", "human", "load", "mouse", "rat", "subject"]
