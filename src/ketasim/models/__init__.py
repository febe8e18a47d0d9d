"""Models as lists of mechanisms, and the subjects they are asked about.

- ``antidepressant``: the model, and the panels of its figure
- ``modules``: systems beside it that it may have
- ``systems``: those of them beside safety and serotonin
- ``rivals``: other accounts, as edits of it
- ``reference``: what it is measured by
- ``titles``: what its parts are called in print
- ``rating``: what a rater reads of it
- ``subjects``: who takes the drug, and how subjects differ
- ``load``: a model from a file of your own
"""

from ketasim.models.antidepressant import antidepressant, whole
from ketasim.models.load import load
from ketasim.models.modules import MODULES, with_modules
from ketasim.models.subjects import human, monkey, mouse, rat, subject

__all__ = [
    "MODULES",
    "antidepressant",
    "human",
    "load",
    "monkey",
    "mouse",
    "rat",
    "subject",
    "whole",
    "with_modules",
]
