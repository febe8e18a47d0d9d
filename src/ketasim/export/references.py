"""The sources that ledgers name, read from ``references.bib``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_ENTRY = re.compile(r"^@(\w+)\{(\w+),\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"(\w+)\s*=\s*\{((?:[^{}]|\{[^{}]*\})*)\}")


@dataclass(frozen=True)
class Reference:
    """One published source; fields that are not known are empty."""

    key: str
    author: str
    title: str
    journal: str
    year: str
    doi: str

    def __str__(self) -> str:
        """Return the source as it stands in a list of references."""
        parts = (f"{self.author} ({self.year})" if self.author else "", self.title, self.journal)
        told = ". ".join(part for part in parts if part)
        return f"{told}." + (f" https://doi.org/{self.doi}" if self.doi else "")


@cache
def references() -> Mapping[str, Reference]:
    """Return every reference by its key."""
    text = files("ketasim").joinpath("references.bib").read_text("utf-8")
    return {key: _reference(key, body) for _, key, body in _ENTRY.findall(text)}


def _reference(key: str, body: str) -> Reference:
    fields = {name: re.sub(r"[{}]", "", value) for name, value in _FIELD.findall(body)}
    names = ("author", "title", "journal", "year", "doi")
    return Reference(key, *(fields.get(name, "") for name in names))


def found(keys: tuple[str, ...]) -> list[Reference]:
    """Return the references of some keys; a key without an entry stands for itself."""
    known = references()
    return [known.get(key, Reference(key, "", key, "", "", "")) for key in keys]
