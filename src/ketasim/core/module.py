"""A module: mechanisms added to a model, and what they change in mechanisms that are there.

A coupling wraps one law of a mechanism. What the law said before stays, under another name, and the
coupling's own law makes of it what the rest of the model then reads: so several modules may couple
into one law, each in its turn. A coupling says what is so at rest, by its law: nothing changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ketasim.core.declare import (
    Derived,
    Flow,
    Knob,
    Law,
    Mechanism,
    Parameter,
    Quantity,
    Read,
)
from ketasim.core.describe import Panel
from ketasim.errors import ModelError, suggest

BEFORE = "before"  # what a wrapped law said, as the coupling's own law asks for it


@dataclass(frozen=True)
class Coupling:
    """What a module changes in one mechanism: a law wrapped, and what that needs.

    ``law`` names a quantity, a derived parameter or the law of a flow; ``by`` is asked in its
    stead, and gets what that one said as ``before``. With no law it only declares: a gain among
    the drivers, an input.
    """

    into: str
    law: str = ""
    by: Law | None = None
    meaning: str = ""
    using: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    reads: tuple[Read, ...] = ()
    knobs: tuple[Knob, ...] = ()
    derived: tuple[Derived, ...] = ()
    quantities: tuple[Quantity, ...] = ()


@dataclass(frozen=True)
class Module:
    """A system beside the chain from dose to mood, which a model may have or not.

    ``story`` is a line of what it is for; each mechanism tells its own. ``needs`` names modules
    that come with it.
    """

    name: str
    story: str
    mechanisms: tuple[Mechanism, ...] = ()
    couplings: tuple[Coupling, ...] = ()
    panels: tuple[Panel, ...] = ()
    needs: tuple[str, ...] = ()


def coupled(mechanism: Mechanism, one: Coupling, *, module: str) -> Mechanism:
    """Return a mechanism with a coupling of a module.

    Raises
    ------
    ModelError
        When it has no law of that name, or something is declared twice.
    """
    groups = ("parameters", "reads", "knobs", "derived", "quantities")
    declared: dict[str, Any] = {
        group: (*getattr(mechanism, group), *getattr(one, group)) for group in groups
    }
    if not one.law or one.by is None:
        return replace(mechanism, **declared)
    found = _wrapped(mechanism, one, module)
    for group in ("derived", "quantities"):
        found[group] = (*found[group], *getattr(one, group))
    return replace(mechanism, **{**declared, **found})


def _wrapped(mechanism: Mechanism, one: Coupling, module: str) -> dict[str, Any]:
    """Return derived parameters, quantities and flows, one law of them wrapped."""
    algebra: dict[str, Any] = {
        "derived": mechanism.derived,
        "quantities": mechanism.quantities,
    }
    for group, own in algebra.items():
        if one.law in (each.name for each in own):
            pairs = [_pair(each, one, module) if each.name == one.law else (each,) for each in own]
            changed = tuple(each for pair in pairs for each in pair)
            return {**algebra, group: changed}
    if not any(_is(flow, one.law) for flow in mechanism.flows):
        known = [*(each.name for own in algebra.values() for each in own)]
        known += [flow.law.__name__ for flow in mechanism.flows]
        raise ModelError(
            f'module "{module}": {mechanism.name} has no law "{one.law}".{suggest(one.law, known)}'
        )
    rates: list[Quantity] = []
    flows = tuple(
        _flow(flow, mechanism, one, module, rates) if _is(flow, one.law) else flow
        for flow in mechanism.flows
    )
    return {**algebra, "quantities": (*mechanism.quantities, *rates), "flows": flows}


def _pair(each: Any, one: Coupling, module: str) -> tuple[Any, Any]:
    """Return a quantity or derived parameter under another name, and what now has its name."""
    former = f"{each.name}_without_{module}"
    plain = {"short": "", "panel": ""} if isinstance(each, Quantity) else {}
    meaning = one.meaning or each.meaning
    using = {**one.using, BEFORE: former}
    return (
        replace(each, name=former, meaning=f"{each.meaning}, without {module}", **plain),
        replace(each, law=one.by, name=each.name, meaning=meaning, using=using),
    )


def _is(flow: Flow, law: str) -> bool:
    """Return whether a flow is of a law, or of one that other couplings wrap."""
    return flow.law.__name__ == law or flow.using.get(BEFORE, "").startswith(f"{law}_")


def _flow(
    flow: Flow, mechanism: Mechanism, one: Coupling, module: str, rates: list[Quantity]
) -> Flow:
    """Return a flow by the coupling's law; what the former law said becomes a quantity."""
    end = flow.out_of or flow.into
    unit = next(state.unit for state in mechanism.states if state.name == end)
    former = f"{one.law}_{end}_without_{module}"
    meaning = f"{one.law} of {end}, without {module}"
    rates.append(Quantity(flow.law, f"{unit}/h", meaning, former, flow.using))
    return Flow(one.by or flow.law, flow.into, flow.out_of, {**one.using, BEFORE: former})
