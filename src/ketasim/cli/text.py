"""Aligned columns, for the commands that judge the model by evidence."""

from ketasim.reports.text import columns

__all__ = ["columns"]
