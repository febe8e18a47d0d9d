"""Everything the page knows, as one table: model, drugs, inputs, figures, data, presets."""

import re
from collections.abc import Iterable
from typing import Any

import ketasim
from ketasim.config import load, packaged
from ketasim.config.findings import load_data
from ketasim.core.describe import Curve, Panel, panels_of
from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.engines.portable import portable
from ketasim.errors import KetasimError
from ketasim.models.modules import JOIN, modules_of
from ketasim.models.reference import EFFECT, STRESS, TREATED
from ketasim.models.rivals import NULLS, RIVALS
from ketasim.models.subjects import PHYSIOLOGY, SPECIES, USUAL_WEIGHT, mouse, subject
from ketasim.page.setting import setting_of
from ketasim.studies.designs.choice import distribution_of
from ketasim.studies.fit.data import Data, Point
from ketasim.units import unit

ROUTES = ("iv", "im", "sc", "ip", "intranasal", "oral")
Facts = dict[str, Any]
_SHAPES = (  # how a published value lies on a course
    ("value", re.compile(r"([\w.]+)(?:@t)?$")),
    ("change", re.compile(r"([\w.]+)@t - \1\.start$")),
    ("share", re.compile(r"([\w.]+)@t / \1\.start - 1$")),
    ("effect", re.compile(r"effect\(([\w.]+)@t\)$")),
)


def facts(scenario: Scenario) -> tuple[Facts, bytes]:
    """Return what the page knows of a scenario's model, and its module of WebAssembly.

    Raises
    ------
    ModelError
        When a law cannot be compiled.
    """
    model = scenario.model
    panels = panels_of(model)
    ours = model.name.split(JOIN)[0] in packaged.packaged_library().models
    data = list(_data(model)) if ours else []
    seen = (point["name"] for arm in data for point in arm["points"])
    drawn = (curve.name for panel in panels for curve in panel.curves)
    names = dict.fromkeys((*drawn, *model.short_names.values(), EFFECT, *seen))
    shown = [name for name in names if name in model.recordable]
    made = portable(model, shown)
    return {
        "version": ketasim.__version__,
        "model": model.name,
        "digest": model.digest,
        "start": setting_of(scenario),
        "engine": dict(made.numbers),
        "observers": dict(made.observers),
        "names": {name: _course(model, name) for name in shown},
        "headlines": [n for n in model.short_names.values() if n in shown],
        "panels": [_panel(panel, shown) for panel in panels],
        "params": _parameters(model),
        "index": {},
        "weight": list(model.parameters).index(model.weight) if model.weight else -1,
        "knobs": _knobs(model),
        "drugs": _drugs(model),
        "species": [_species(one) for one in SPECIES],
        "hypotheses": _hypotheses(model),
        "reference": _reference(model) if EFFECT in shown else None,
        "presets": _presets(model) if ours else {},
        "data": data,
        "traits": {one: _traits(one, model) for one in SPECIES},
        "plainDose": {
            "drug": next(iter(model.substances)).name if model.substances else "", "amount": 0.5,
            "unit": "mg/kg", "route": "iv", "over": 2 / 3, "start": 0.0, "every": [24.0],
            "times": 1, "share": None,
        },
    }, made.wasm  # fmt: skip


def _course(model: Model, name: str) -> Facts:
    name_of = model.unit(name)
    return {"unit": name_of, "factor": unit(name_of).factor, "meaning": model.meaning(name)}


def _panel(panel: Panel, shown: Iterable[str]) -> Facts:
    return {
        "title": panel.title, "measure": panel.measure or panel.unit, "zero": panel.from_zero,
        "drug": panel.drug, "human": panel.human, "tall": panel.share,
        "curves": [_curve(one) for one in panel.curves if one.name in shown],
    }  # fmt: skip


def _curve(one: Curve) -> Facts:
    return {
        "name": one.name, "label": one.label, "colour": one.colour,
        "dashed": one.dash != "-",
    }  # fmt: skip


def _parameters(model: Model) -> list[Facts]:
    return [
        {
            "name": name, "value": model.parameters[name].value, "unit": one.unit,
            "factor": unit(one.unit).factor, "low": one.bounds[0], "high": one.bounds[1],
            "meaning": one.meaning, "kind": one.evidence.kind, "role": one.role,
        }
        for name, one in model.parameters.items()
    ]  # fmt: skip


def _knobs(model: Model) -> list[Facts]:
    return [
        {
            "name": name, "neutral": one.neutral, "unit": one.unit, "low": one.bounds[0],
            "high": one.bounds[1], "factor": unit(one.unit).factor, "meaning": one.meaning,
        }
        for name, one in model.knobs.items()
    ]  # fmt: skip


def _drugs(model: Model) -> list[Facts]:
    states, knobs = list(model.states), list(model.knobs)
    found = []
    for one in model.substances:
        routes = {
            route: [[states.index(state), share] for state, share in model.entries(one.name, route)]
            for route in ROUTES
            if _enters(model, one.name, route)
        }
        bath = model.entries(one.name, "bath") if _enters(model, one.name, "bath") else ()
        found.append(
            {
                "name": one.name, "meaning": one.meaning, "routes": routes,
                "mass": one.molar_mass * unit("g/mol").factor,
                "bath": [[knobs.index(knob), share] for knob, share in bath],
            }
        )  # fmt: skip
    return found


def _enters(model: Model, drug: str, route: str) -> bool:
    try:
        return bool(model.entries(drug, route))
    except KetasimError:
        return False


def _species(name: str) -> Facts:
    return {
        "name": name, "weight": subject(name, USUAL_WEIGHT[name]).weight,
        "low": PHYSIOLOGY[name]["weight"].within[0], "high": PHYSIOLOGY[name]["weight"].within[1],
    }  # fmt: skip


def _hypotheses(model: Model) -> list[Facts]:
    return [
        {
            "name": one.name, "story": one.story, "gains": one.gains,
            "values": {name: float(value) for name, value in one.values.items()},
        }
        for one in (*RIVALS, *NULLS)
        if set(one.values) <= set(model.parameters) and not one.mechanisms
    ]  # fmt: skip


def _reference(model: Model) -> Facts:
    """Return the effect that accounts are matched to; see ``studies/judge/calibrate.py``."""
    arms = (
        setting_of(Scenario(model, done, (0.0, 24.0), mouse(), (EFFECT,)))
        for done in (TREATED, STRESS)
    )
    treated, control = ({**one, "params": {}} for one in arms)
    return {"name": EFFECT, "treated": treated, "control": control}


def _presets(model: Model) -> dict[str, Facts]:
    """Return the packaged configurations that need no module which the model has not."""
    read = {name: (load(name).scenario, title) for name, title in packaged.configs().items()}
    return {
        name: {**setting_of(one), "title": title}
        for name, (one, title) in read.items()
        if {*modules_of(one.model)} <= {*modules_of(model)}
    }


def _traits(species: str, model: Model) -> list[Facts]:
    """Return how subjects of a species differ; see ``models/subjects.py``."""
    found = []
    for one in PHYSIOLOGY[species].values():
        how = distribution_of(one)
        if all(name in model.parameters for name in one.scales):
            found.append(
                {
                    "kind": how.kind, "a": how.a, "b": how.b, "low": how.low, "high": how.high,
                    "parameter": one.parameter, "scales": list(one.scales),
                }
            )  # fmt: skip
    return found


def _data(model: Model) -> Iterable[Facts]:
    """Yield each published arm with the points that lie on a course the page shows."""
    for path in sorted((packaged.folder() / "data").glob("*.csv")):
        file, read = path.stem, load_data(path.stem)
        for name, arm in read.arms.items():
            points = [one for one in read.points if one.arm == name]
            on = [found for one in points if (found := _point(one, read, model)) is not None]
            if on:
                end = max(one["time"] for one in on)
                asked = setting_of(arm.scenario(model, begin=0.0, end=end))
                yield {"file": file, "arm": name, "setting": asked, "points": on}


def _point(one: Point, read: Data, model: Model) -> Facts | None:
    assay = read.assays.get(one.assay)
    if assay is not None and (assay.scale or assay.offset):
        return None
    for kind, form in _SHAPES:
        found = form.match(one.text)
        if found and found[1] in model.recordable:
            return {
                "name": found[1], "as": kind, "time": one.time, "value": one.value,
                "error": one.error,
            }  # fmt: skip
    return None
