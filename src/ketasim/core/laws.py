"""What a model does with its laws and numbers: order, tell and replace them, refuse some."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from ketasim.core.declare import Derived, Flow, Law, Mechanism, Parameter, Quantity, arguments
from ketasim.errors import ModelError, suggest
from ketasim.units import unit

if TYPE_CHECKING:
    from ketasim.core.model import Model

Term = str | float  # a full name, or the number that stands for an absent one


@dataclass(frozen=True)
class Wire:
    """One law with its arguments resolved to full names (or, for an absent read, a number).

    ``name`` is set for derived parameters and quantities, ``into`` and ``out_of`` for flows.
    """

    law: Law
    arguments: tuple[Term, ...]
    mechanism: str
    name: str | None = None
    into: str | None = None
    out_of: str | None = None

    @property
    def label(self) -> str:
        """Return ``mechanism.law`` for messages."""
        return f"{self.mechanism}.{self.law.__name__}"


def in_order(wires: Iterable[Wire]) -> tuple[Wire, ...]:
    """Return laws in an order in which each finds its arguments ready.

    Raises
    ------
    ModelError
        When some wait for one another.
    """
    waiting = {wire.name: wire for wire in wires}
    ordered: list[Wire] = []
    while waiting:
        ready = [w for w in waiting.values() if not any(a in waiting for a in w.arguments)]
        if not ready:
            loop = ", ".join(sorted(str(name) for name in waiting))
            raise ModelError(f"these laws wait for one another in a loop: {loop}.")
        ordered += ready
        for wire in ready:
            del waiting[wire.name]
    return tuple(ordered)


def with_law(mechanisms: Iterable[Mechanism], name: str, law: Law) -> tuple[Mechanism, ...]:
    """Return mechanisms with the law of that name (``'nmda.bind'``) replaced wherever it acts.

    A quantity or derived parameter may also be given by its own name.

    Raises
    ------
    ModelError
        When there is no such law.
    """
    groups = ("derived", "quantities", "flows")
    changed, known, found = [], set[str](), False
    for m in mechanisms:
        new: dict[str, Any] = {}
        for group in groups:
            own = getattr(m, group)
            names = [{f"{m.name}.{label}" for label in _labels(one)} for one in own]
            known |= set[str]().union(*names)
            found |= any(name in some for some in names)
            new[group] = tuple(
                _replaced(one, law) if name in some else one
                for one, some in zip(own, names, strict=True)
            )
        changed.append(replace(m, **new))
    if not found:
        raise ModelError(
            f'"{name}": no such law.{suggest(name, known)} "ketasim equations" shows every law.'
        )
    return tuple(changed)


def _labels(one: Derived | Quantity | Flow) -> set[str]:
    own = one.law.__name__
    return {own} if isinstance(one, Flow) else {own, one.name}


def _replaced(one: Any, law: Law) -> Any:
    using = {asked: own for asked, own in one.using.items() if asked in arguments(law)}
    return replace(one, law=law, using=using)


def check_number(full: str, number: float) -> None:
    """Refuse a number that is not finite."""
    if not isfinite(number):
        raise ModelError(f"{full} = {number}: a finite number is needed.")


def check_value(full: str, value: float, parameter: Parameter) -> None:
    """Refuse a canonical value that is negative where the ledger allows none."""
    check_number(full, value)
    low = parameter.bounds[0] * unit(parameter.unit).factor
    if value < 0.0 <= low:
        shown = value / unit(parameter.unit).factor
        raise ModelError(f"{full} = {shown:g} {parameter.unit}: must be >= 0.")


def check_ledger(full: str, parameter: Parameter) -> None:
    """Refuse a value that lies outside its own bounds."""
    low, high = parameter.bounds
    if not (isfinite(low) and isfinite(high) and low <= parameter.value <= high):
        raise ModelError(f"{full} = {parameter.value} lies outside its own bounds {low} to {high}.")


def check_short_names(model: Model) -> None:
    """Refuse short names that cannot be typed or stand for two things, and two body weights."""
    courses = [
        (one.short, f"{m.name}.{one.name}")
        for m in model.mechanisms
        for one in m.courses
        if one.short
    ]
    inputs = [(short, full) for full, one in model.knobs.items() for short in one.short]
    for pairs in (courses, inputs):
        known: dict[str, str] = {}
        for short, full in pairs:
            if not short.isidentifier():
                raise ModelError(f'{full}: "{short}" cannot be used as a short name.')
            if short in known:
                raise ModelError(
                    f'the short name "{short}" stands for both {known[short]} and {full}.'
                )
            known[short] = full
    weights = [name for name, one in model.parameters.items() if one.role == "weight"]
    if len(weights) > 1:
        raise ModelError(f"{', '.join(weights)}: only one parameter can follow the weight.")
