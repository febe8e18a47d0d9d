"""Names as a reader would say them: what an axis, a bar or a title calls a column of numbers."""

import re
import tomllib
from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import xarray as xr

from ketasim.models.antidepressant import antidepressant
from ketasim.units import unit

# What a dimensionless variable is measured against, as its long name ends.
MEASURES = {
    "relative to rest": "× rest",
    "relative to healthy rest": "× healthy",
    "in units of rest": "× rest",
    "of all": "fraction",
    "per original site": "per site",
}
_EVENT = re.compile(r"(dosing|intervention|bath)\[(\d+)\]\.(\w+)$")
_READ = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*?)\.(\w+)(?:\((.*)\))?$")
_FORMS = {
    "peak": "peak of {}", "trough": "lowest {}", "change": "largest change of {}",
    "t_peak": "time of the peak of {}", "t_change": "time of the largest change of {}",
    "start": "{} before", "end": "{} at the end", "mean": "mean {}", "auc": "area of {}",
    "area": "area of the change of {}",
}  # fmt: skip
WIDE = 0.2  # of a letter, in mm for each pt of type
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
        return _capital(_of_event(*event.groups(), attributes or {}))
    if name == "subject.weight":
        return "Body weight"
    known = _meaning(name)
    if known is None:
        known = _of_readout(name)
    return name if known is None else _capital(known)


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


def about(name: str) -> str:
    """Return what a read-out is about, within a sentence: no measure, no capital."""
    told = called(name)
    if told == name:
        return name
    for ending in MEASURES:
        told = told.replace(f", {ending}", "")
    return told if told[1:2].isupper() else told[:1].lower() + told[1:]


def in_lines(text: str, width: float, size: float) -> str:
    """Return a text in lines no wider than a width [mm], at a size of type [pt]."""
    return "\n".join(wrap(text, max(int(width / (WIDE * size)), 8))) or text


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
    """Return what the packaged model means by a name; its short names count."""
    model = antidepressant()
    full = model.full_name(name)
    known = (*model.parameters, *model.recordable, *model.knobs)
    told = model.meaning(full).partition(";")[0] if full in known else ""
    return told or None


def _of_event(kind: str, place: str, field: str, attributes: Mapping[str, Any]) -> str:
    told = _EVENTS.get((kind, field), f"{kind} {field}")
    table = _protocol(attributes).get(kind, [])
    own = table[int(place)] if int(place) < len(table) else {}
    target = str(own.get("target", ""))
    if kind == "intervention" and field == "level" and target:
        return (_meaning(target) or target).partition(";")[0]
    drug = str(own.get("drug", ""))
    named = f" of {drug}" if drug and field == "amount" else ""
    return f"{told}{named}" + (f", {int(place) + 1}" if len(table) > 1 and not named else "")


def _protocol(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return tomllib.loads(str(attributes.get("scenario", "")))
    except tomllib.TOMLDecodeError:
        return {}


def _of_readout(text: str) -> str | None:
    moment = re.match(r"([\w.]+)@(.+)$", text)
    if moment:
        known = _meaning(moment[1])
        return None if known is None else f"{known} at {_spaced(moment[2])}"
    read = _READ.match(text)
    known = _meaning(read[1]) if read else None
    if read is None or known is None:
        return None
    if read[2] == "at":
        return f"{known} at {_spaced(read[3] or '')}"
    form = _FORMS.get(read[2])
    span = [_spaced(one) for one in (read[3] or "").split(",") if one.strip()]
    within = f", {' to '.join(span)}" if len(span) == 2 else ""
    return None if form is None else f"{form.format(known)}{within}"


def _spaced(moment: str) -> str:
    found = re.match(r"\s*([-\d.]+)\s*(\w+)\s*$", moment)
    return f"{found[1]} {found[2]}" if found and _is_time(found[2]) else moment.strip()


def _is_time(text: str) -> bool:
    return text in ("s", "min", "h", "d", "wk") and bool(unit(text).factor)
