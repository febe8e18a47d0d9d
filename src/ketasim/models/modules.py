"""The modules there are, and models with some of them.

A module's mechanisms join a model, and its couplings wrap laws of the mechanisms that are there.
A model says in its name which it has: ``antidepressant+safety``.
"""

from collections.abc import Iterable
from dataclasses import replace

from ketasim.core.declare import Mechanism
from ketasim.core.describe import Curve, Panel
from ketasim.core.model import Model
from ketasim.core.module import Module, coupled
from ketasim.errors import ModelError, suggest
from ketasim.mechanisms import serotonin
from ketasim.mechanisms.safety import SAFETY
from ketasim.models.systems import SYSTEMS

JOIN = "+"

_ALL = (
    Module(
        "safety",
        "dissociation, circulation, breathing and pain: what limits a dose",
        (SAFETY,),
        panels=(
            Panel("Dissociation", "points", "points", (
                Curve("safety.cadss", "CADSS"),
                Curve("safety.perception", "perception", dash="--"),
            ), from_zero=True, drug=True),
            Panel("Blood pressure, rise", "mmHg", "mmHg", (
                Curve("safety.sbp_rise", "systolic"),
                Curve("safety.map_rise", "mean", dash="--"),
            ), from_zero=True, drug=True),
            Panel("Breathing, output, pain", "× rest", "1", (
                Curve("safety.breathing", "ventilation"),
                Curve("safety.cardiac_output", "cardiac output"),
                Curve("safety.pain", "pain"),
            )),
        ),
    ),
    Module(
        "serotonin",
        "release, transporter and 5-HT1B receptors, as PET sees them; a rival gate of mood, off",
        (serotonin.SEROTONIN,),
        couplings=serotonin.COUPLINGS,
        panels=(
            Panel("Serotonin", "× rest", "1", (
                Curve("serotonin.level", "level"),
                Curve("serotonin.binding_1b", "PET, 5-HT1B"),
                Curve("serotonin.binding_sert", "PET, SERT"),
            )),
        ),
    ),
    *SYSTEMS,
)  # fmt: skip

MODULES: dict[str, Module] = {one.name: one for one in _ALL}


def module(name: str) -> Module:
    """Return a module by name.

    Raises
    ------
    ModelError
        When there is none of that name; the message suggests the nearest.
    """
    if name not in MODULES:
        known = ", ".join(MODULES)
        raise ModelError(
            f'"{name[:60]}": no such module.{suggest(name, MODULES)} Modules here: {known}.'
        )
    return MODULES[name]


def modules_of(model: Model) -> tuple[str, ...]:
    """Return the names of the modules that a model has."""
    return tuple(one for one in model.name.split(JOIN)[1:] if one in MODULES)


def owner(name: str) -> str | None:
    """Return the module that a mechanism, or what has that full name, comes with."""
    mechanism, _, own = name.partition(".")
    for one in MODULES.values():
        for each in one.mechanisms:
            if each.name == mechanism and (not own or own in each.names):
                return one.name
    return None


def with_modules(model: Model, names: Iterable[str]) -> Model:
    """Return a model with some modules, each once, in the order of :data:`MODULES`.

    Parameters
    ----------
    model
        The core, or a model that has modules already.
    names
        Of modules; those that one needs come with it.

    Raises
    ------
    ModelError
        When there is no such module, or the model lacks what it reads or wraps.
    """
    asked = _with_needs(names)
    had = modules_of(model)
    new = [one for name, one in MODULES.items() if name in asked and name not in had]
    if not new:
        return model
    mechanisms = (*model.mechanisms, *(each for one in new for each in one.mechanisms))
    return replace(
        model,
        mechanisms=tuple(_with_couplings(each, new) for each in mechanisms),
        name=JOIN.join((model.name, *(one.name for one in new))),
        panels=(*model.panels, *(panel for one in new for panel in one.panels)),
    )


def recoupled(mechanism: Mechanism, model: Model) -> Mechanism:
    """Return a mechanism that stands in for another with the couplings of a model's modules."""
    return _with_couplings(mechanism, [MODULES[name] for name in modules_of(model)])


def _with_needs(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        one = module(waiting.pop())
        if one.name not in found:
            found.add(one.name)
            waiting += one.needs
    return found


def _with_couplings(mechanism: Mechanism, modules: Iterable[Module]) -> Mechanism:
    for one in modules:
        for each in one.couplings:
            if each.into == mechanism.name:
                mechanism = coupled(mechanism, each, module=one.name)
    return mechanism
