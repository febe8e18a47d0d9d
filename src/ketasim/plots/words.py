"""Names as a reader would say them: what an axis, a bar or a title calls a column of numbers."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import xarray as xr

from ketasim.core.scenario import clock
from ketasim.errors import KetasimError
from ketasim.models.antidepressant import antidepressant, whole
from ketasim.models.titles import titled
from ketasim.plots.layout import text_width
from ketasim.plots.style import PAGE
from ketasim.readouts import KINDS, Lookup, Reading, parse

# What a dimensionless variable is measured against, as its long name ends.
MEASURES = {
    "relative to rest": "× rest",
    "relative to healthy rest": "× healthy",
    "in units of rest": "× rest",
    "of all": "fraction",
    "per original site": "per site",
}
# What people, rats and mice differ in that is no number of the model.
TRAITS = {
    "person.female": "Sex (1: female)", "person.age": "Age (years)",
    "person.slow_alleles": "Slow alleles of CYP2B6", "person.met_alleles": "Met alleles of BDNF",
    "person.expectation": "Expectation (factor)", "person.noise": "Error of a rating (points)",
    "person.slope": "Change of expectation by session (log)",
    "person.course": "Natural course (points)", "clearance": "Clearance (factor)",
    "cyp_activity": "Activity of CYP enzymes (factor)", "volume": "Volume (factor)",
    "subject.weight": "Body weight (kg)",
}  # fmt: skip
_UNIT = re.compile(
    r"(?<=\d) (?=(?:h|d|min|s|mg/kg|mg|kg|uM|µM|nM|points|%)(?:\W|$))|(?<=\bday) (?=\d)"
)
_HYPHEN = re.compile(r"[^-]+-?|-")
SHORT = {"mean": "mean"}  # of reducers that a definition says at length
_STUDY = re.compile(r"([A-Za-z]+)_?(\d{4})$")
_NAME = re.compile(r"[a-z]\w*(?:\.[a-z]\w*)+")
_EVENT = re.compile(r"(dosing|intervention|bath)\[(\d+)\]\.(\w+)$")
_EVENTS = {
    ("dosing", "amount"): "dose", ("dosing", "duration"): "duration of the dose",
    ("dosing", "s_fraction"): "share of (S)-ketamine", ("dosing", "at"): "time of the dose",
    ("intervention", "level"): "level held", ("bath", "concentration"): "concentration in the bath",
}  # fmt: skip


def called(name: str, attributes: Mapping[str, Any] | None = None) -> str:
    """Return what a varied value, a read-out or a course is called; the name where nobody knows.

    Parameters
    ----------
    attributes
        Those of the dataset it is in, which say of which protocol ``dosing[0].amount`` speaks.
    """
    event = _EVENT.match(name)
    if event:
        kind, place, field = event.groups()
        return _capital(_of_event(kind, int(place), field, attributes or {}))
    if name == "subject.weight":
        return "Body weight"
    known = _meaning(name)
    if known is None:
        known = _of_readout(name)
    return name if known is None else _capital(known)


def factor(name: str, attributes: Mapping[str, Any] | None = None) -> str:
    """Return what an input of the model is called in a list: whose it is, and what it means.

    Names of parts of the model and of groups are returned as a reader would say them.
    """
    part, dot, _ = name.partition(".")
    owner = titled(part)
    if not dot:
        return _capital(owner) if part in {one.name for one in whole().mechanisms} else name
    told = called(name, attributes)
    if "[" in name:
        return told
    if told == name or name == "subject.weight":
        return told
    return f"{_capital(owner)}: {_small(told)}"


def trait(name: str) -> str:
    """Return what people differ in, with its unit in brackets where it has one."""
    if name in TRAITS:
        return TRAITS[name]
    told = called(name).partition(",")[0]
    if told == name:
        return _capital(name.rpartition(".")[2].replace("_", " "))
    of = whole().unit(name)
    return told if of == "1" else f"{told} ({printed(of)})"


def study(name: str) -> str:
    """Return what a study is called by those who cite it: ``murrough2013``, ``Murrough 2013``."""
    found = _STUDY.fullmatch(name)
    return f"{_capital(found[1])} {found[2]}" if found else _capital(name.replace("_", " "))


def spoken(text: str) -> str:
    """Return a sentence in which names of the model are said in words."""
    return printed(_NAME.sub(lambda one: _within(one[0]), text))


def _within(name: str) -> str:
    told = _meaning(name) or _of_readout(name)
    return name if told is None else told


def axis(dataset: xr.Dataset, name: str) -> str:
    """Return a name in words with its unit in brackets."""
    of = str(dataset[name].attrs.get("units", "1"))
    told = called(name, dataset.attrs)
    if of != "1":
        return f"{told} ({printed(of)})"
    for ending, against in MEASURES.items():
        if f", {ending}" in told:
            shown = against.replace(" ", "\u00a0")  # so that no line ends within it
            told = f"{told.replace(f', {ending}', '')} ({shown})"
    return told


def headed(name: str) -> str:
    """Return what a read-out is called in a title: without what it is measured against."""
    told = called(name)
    for ending in MEASURES:
        told = told.replace(f", {ending}", "")
    return told


def about(name: str) -> str:
    """Return what a read-out is about, within a sentence: no measure, no capital."""
    told = headed(name)
    if told == name:
        return name
    return _small(told)


def in_lines(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return a text in lines no wider than a width [mm], at a size of type [pt].

    A word that is too wide is broken at its hyphens; a number and its unit stay together.
    """

    def fits(part: str) -> bool:
        return text_width(part, size, PAGE.font, bold=bold) <= width

    lines = [""]
    for word in _UNIT.sub("\u00a0", text).split(" "):
        parts = [word] if fits(word) else _HYPHEN.findall(word)
        for k, part in enumerate(parts):
            longer = f"{lines[-1]}{' ' if lines[-1] and not k else ''}{part}"
            if lines[-1] and not fits(longer):
                lines.append(part)
            else:
                lines[-1] = longer
    return "\n".join(lines)


def printed(of: str) -> str:
    """Return a unit as it is printed."""
    return re.sub(r"\bu(?=(mol|[MLg])\b)", "µ", of)


def held(name: str, attributes: Mapping[str, Any]) -> str:
    """Return what an input that was held is called."""
    names = str(attributes.get("hold_names", "")).split(";")
    told = str(attributes.get("hold_meanings", "")).split(";")
    known = dict(zip(names, told, strict=False)).get(name) or _meaning(name)
    return _capital(known.partition(";")[0]) if known else name.rpartition(".")[2].replace("_", " ")


def _capital(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]  # mTORC1 keeps its own


def _small(text: str) -> str:
    """Return a text without its capital, unless its first word is a name such as GluN2D."""
    rest = text.partition(" ")[0][1:]
    is_plain = rest[:1].isalpha() and rest == rest.lower()
    return text[:1].lower() + text[1:] if is_plain else text


def _meaning(name: str) -> str | None:
    """Return what the packaged model means by a name, its modules too; its short names count."""
    for model in (antidepressant(), whole()):
        full = model.full_name(name)
        if full in model.parameters or full in model.recordable or full in model.knobs:
            return model.meaning(full).partition(";")[0] or None
    return None


def _of_event(kind: str, place: int, field: str, attributes: Mapping[str, Any]) -> str:
    told = _EVENTS.get((kind, field), f"{kind} {field}")
    table = _protocol(attributes).get(kind, [])
    own = table[place] if place < len(table) else {}
    target = str(own.get("target", ""))
    if kind == "intervention" and field == "level" and target:
        return (_meaning(target) or target).partition(";")[0]
    drug = str(own.get("drug", ""))
    named = f" of {drug}" if drug and field == "amount" else ""
    return f"{told}{named}" + (f", {place + 1}" if len(table) > 1 and not named else "")


def _protocol(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return tomllib.loads(str(attributes.get("scenario", "")))
    except tomllib.TOMLDecodeError:
        return {}


def _looked_up(text: str) -> Lookup | None:
    """Return what a read-out looks up where it is one thing, of the chain or of a module."""
    for model in (antidepressant(), whole()):
        try:
            (look,) = parse(text, model).lookups
        except (KetasimError, ValueError):
            continue
        return look
    return None


def _of_readout(text: str) -> str | None:
    """Return what a read-out of one course is called; nothing for a formula."""
    look = _looked_up(text)
    known = _meaning(look.reduction.name) if isinstance(look, Reading) else None
    if known is None or not isinstance(look, Reading) or any(one in text for one in "+-*/="):
        return None
    own = look.reduction
    what = SHORT.get(own.kind) or re.split("[,;]| in either", KINDS[own.kind].meaning)[0]
    told = f"{known} at {clock(own.moment)}" if own.moment is not None else f"{known}, {what}"
    if own.window is not None:
        begin = clock(own.window[0]) if own.window[0] else "0"
        told = f"{told} from {begin} to {clock(own.window[1])}"
    return f"{told}, drug less control" if look.effect else told
