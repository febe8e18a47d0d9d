"""What a reader of the file should know: notes, evidence, sources, kinds of number."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ketasim.core.declare import Parameter, State
from ketasim.export.xml import XHTML, Element, element, words
from ketasim.units import unit

RDF = {
    "xmlns:rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmlns:bqbiol": "http://biomodels.net/biology-qualifiers/",
    "xmlns:bqmodel": "http://biomodels.net/model-qualifiers/",
}
TAXA = {"human": "9606", "rat": "10116", "mouse": "10090", "monkey": "9544"}
_HERE = "http://identifiers.org/"
# Kinds of number in the Systems Biology Ontology, by canonical unit.
_KINDS = {
    "1/h": "SBO:0000009",  # kinetic constant
    "L/umol/h": "SBO:0000036",  # forward bimolecular rate constant
    "uM": "SBO:0000196",  # concentration of an entity pool
    "umol": "SBO:0000361",  # amount of an entity pool
    "L": "SBO:0000468",  # volume
    "mV": "SBO:0000259",  # voltage
}
FRAMEWORK, RATE_LAW, MATHS = "SBO:0000062", "SBO:0000001", "SBO:0000064"
_ENTRY = re.compile(r"^@(\w+)\{(\w+),\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"(\w+)\s*=\s*\{((?:[^{}]|\{[^{}]*\})*)\}")


def kind_of(unit_text: str) -> dict[str, str]:
    """Return the ontology term that fits a unit, as an attribute, or nothing."""
    dimension = unit(unit_text).dimension
    terms = [term for text, term in _KINDS.items() if unit(text).dimension == dimension]
    return {"sboTerm": terms[0]} if terms else {}


def notes(*paragraphs: str) -> Element | None:
    """Return paragraphs as the notes of an element, or None when all are empty."""
    told = [words("p", one) for one in paragraphs if one]
    return element("notes", element("body", *told, xmlns=XHTML)) if told else None


def ledger_note(parameter: Parameter) -> tuple[str, ...]:
    """Return the ledger's row for a parameter as paragraphs."""
    low, high = parameter.bounds
    row = f"ledger: {parameter.value:g} {parameter.unit}, plausible {low:g} to {high:g}"
    sources = [f"{one.key}: {one}" for one in found(parameter.evidence.keys)]
    return parameter.meaning, row, str(parameter.evidence), *sources


def described_by(about: str, parameter: Parameter) -> Element | None:
    """Return an annotation with the DOIs of a parameter's sources, or None."""
    links = [f"https://doi.org/{one.doi}" for one in found(parameter.evidence.keys) if one.doi]
    return annotation(about, {"bqbiol:isDescribedBy": links})


def meant_by(about: str, state: State) -> Element | None:
    """Return an annotation with the identifier of what a state stands for, or None."""
    links = [_HERE + one for one in state.identifiers]
    return annotation(about, {"bqbiol:isVersionOf": links})


def taxon(about: str, species: str) -> Element | None:
    """Return an annotation with the taxon of a subject, or None."""
    links = [f"{_HERE}taxonomy/{TAXA[species]}"] if species in TAXA else []
    return annotation(about, {"bqbiol:hasTaxon": links})


def annotation(about: str, links: Mapping[str, Iterable[str]]) -> Element | None:
    """Return links as RDF about the element with a given meta identifier, or None."""
    relations = []
    for qualifier, resources in links.items():
        items = [element("rdf:li", **{"rdf:resource": one}) for one in resources]
        if items:
            relations.append(element(qualifier, element("rdf:Bag", *items)))
    if not relations:
        return None
    said = element("rdf:Description", *relations, **{"rdf:about": f"#{about}"})
    return element("annotation", element("rdf:RDF", said, **RDF))


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
