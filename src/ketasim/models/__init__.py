"""Models as lists of mechanisms, and the subjects they are asked about."""

from ketasim.models.antidepressant import antidepressant
from ketasim.models.load import load
from ketasim.models.subjects import human, mouse, rat, subject

__all__ = ["antidepressant", "human", "load", "mouse", "rat", "subject"]
