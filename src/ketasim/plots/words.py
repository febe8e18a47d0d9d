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
from ketasim.readouts import KINDS, Reading, parse

# What a dimensionless variable is measured against, as its long name ends.
MEASURES = {
    "relative to rest": "× rest",
    "relative to healthy rest": "× healthy",
    "in units of rest": "× rest",
    "of all": "fraction",
    "per original site": "per site",
}
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
    about_it = told if told[1:2].isupper() else told[:1].lower() + told[1:]
    return f"{_capital(owner)}: {about_it}"


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
    return told if told[1:2].isupper() else told[:1].lower() + told[1:]


def in_lines(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return a text in lines no wider than a width [mm], at a size of type [pt]."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size, PAGE.font, bold=bold) > width:
            lines.append(word)
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
    return text[:1].upper() + text[1:]


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


def _of_readout(text: str) -> str | None:
    """Return what a read-out of one course is called; nothing for a formula."""
    try:
        (look,) = parse(text, antidepressant()).lookups
    except (KetasimError, ValueError):
        return None
    known = _meaning(look.reduction.name) if isinstance(look, Reading) else None
    if known is None or not isinstance(look, Reading) or any(one in text for one in "+-*/="):
        return None
    own = look.reduction
    what = re.split("[,;]| in either", KINDS[own.kind].meaning)[0]
    told = f"{known} at {clock(own.moment)}" if own.moment is not None else f"{known}, {what}"
    if own.window is not None:
        told = f"{told} from {clock(own.window[0])} to {clock(own.window[1])}"
    return f"{told}, drug less control" if look.effect else told
