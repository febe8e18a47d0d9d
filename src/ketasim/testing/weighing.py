"""Weigh every law: call it with quantities in their declared units and see what comes out.

A law is right when the quantities may be combined at all, when the result has the declared
dimension (a flow: that of each state it joins, per hour), and when the number is the one that the
same law gives on canonical floats, so that no literal hides a unit.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from math import isclose
from typing import TYPE_CHECKING, Any

from ketasim.core.declare import Derived, Flow, Law, Mechanism, Quantity, arguments
from ketasim.core.model import Model
from ketasim.errors import MissingExtra, UnitError
from ketasim.units import unit

if TYPE_CHECKING:
    import pint

CLOSE = 1e-9
_SPELLED = {
    "70kg": "(70 * body_kilogram)", "kg": "body_kilogram", "points": "score_point",
    "nM": "nanomolar", "uM": "micromolar", "mM": "millimolar", "M": "molar", "%": "percent",
    "h": "hour", "d": "day", "wk": "week", "s": "second", "min": "minute",
    "ng": "nanogram", "ug": "microgram", "mg": "milligram", "g": "gram",
}  # fmt: skip


def _pint() -> Any:
    """Return pint; raises MissingExtra with what to type when it is not installed."""
    try:
        import pint
    except ImportError:
        raise MissingExtra('Weighing laws needs pint: pip install "ketasim[dev]".') from None
    return pint


@cache
def _registry() -> "pint.UnitRegistry[Any]":
    registry: pint.UnitRegistry[Any] = _pint().UnitRegistry()
    registry.define("body_kilogram = [body_weight]")  # no drug mass: mg/kg keeps both
    registry.define("score_point = [score]")
    return registry


@cache
def _pint_unit(text: str) -> Any:
    words = re.sub(r"70kg|[A-Za-z]+|%", lambda m: _SPELLED.get(m[0], m[0]), text)
    parsed = _registry().parse_expression(words.replace("^", "**"))
    return parsed if hasattr(parsed, "units") else _registry().Quantity(float(parsed))


def weigh(model: Model) -> int:
    """Weigh every law of a model, and return how many wires were weighed.

    Raises
    ------
    MissingExtra
        When pint is not installed.
    UnitError
        When a law cannot be evaluated with units or gives another unit than declared; every such
        law is named.
    """
    faults: list[str] = []
    count = 0
    for mechanism in model.mechanisms:
        for fault in weigh_mechanism(mechanism):
            count += 1
            faults += [fault] if fault else []
    if faults:
        raise UnitError("\n".join(faults))
    return count


def weigh_mechanism(mechanism: Mechanism) -> Iterator[str | None]:
    """Yield, for each law as it is used, what is wrong with it, or None."""
    units = _units(mechanism)
    values = _magnitudes(mechanism)
    named: tuple[Derived | Quantity, ...] = (*mechanism.derived, *mechanism.quantities)
    for one in named:
        yield _fault(mechanism, one, one.name, units, values, {one.name: units[one.name]})
    for flow in mechanism.flows:
        ends = {end: f"{units[end]}/h" for end in (flow.into, flow.out_of) if end is not None}
        yield _fault(mechanism, flow, " to ".join(_ends(flow)), units, values, ends)


def _ends(flow: Flow) -> tuple[str, str]:
    return flow.out_of or "outside", flow.into or "outside"


def _units(mechanism: Mechanism) -> dict[str, str]:
    groups = (
        mechanism.states,
        mechanism.parameters,
        mechanism.reads,
        mechanism.knobs,
        mechanism.derived,
        mechanism.quantities,
    )
    return {one.name: one.unit for group in groups for one in group}


def _magnitudes(mechanism: Mechanism) -> dict[str, float]:
    """Return a number for every name: the ledger's own, otherwise one that is nothing special."""
    ledger = {one.name: one.value for one in mechanism.parameters if one.value}
    names = enumerate(mechanism.names, start=1)
    return {name: ledger.get(name, 0.11 + 0.6180339887 * i % 0.73) for i, name in names}


def _fault(
    mechanism: Mechanism,
    one: Derived | Quantity | Flow,
    use: str,
    units: Mapping[str, str],
    values: Mapping[str, float],
    wanted: Mapping[str, str],
) -> str | None:
    where = f"{mechanism.name}.{one.law.__name__} ({use})"
    names = [one.using.get(argument, argument) for argument in arguments(one.law)]
    missing = [name for name in names if name not in units]
    if missing:
        return f"{where}: asks for undeclared '{missing[0]}'."
    try:
        heavy = one.law(*(values[name] * _pint_unit(units[name]) for name in names))
    except _pint().PintError as error:
        return f"{where}: {error}"
    plain = one.law(*(values[name] * unit(units[name]).factor for name in names))
    found = (_disagreement(heavy, plain, name, text) for name, text in wanted.items())
    return next((f"{where}: {fault}" for fault in found if fault), None)


def _disagreement(heavy: Any, plain: float, name: str, text: str) -> str | None:
    """Say how a law's result differs from what the unit of one named thing asks for."""
    result = heavy if hasattr(heavy, "units") else _registry().Quantity(float(heavy))
    want = _pint_unit(text)
    try:
        found = float((result / want).to("dimensionless").magnitude) * unit(text).factor
    except _pint().DimensionalityError:
        return f'gives "{result.units}" where {name} needs "{text}".'
    if not isclose(found, plain, rel_tol=CLOSE, abs_tol=1e-300):
        return f"gives {found:.12g} with units but {plain:.12g} with canonical numbers."
    return None


def laws_of(model: Model) -> dict[str, Law]:
    """Return every distinct law of a model by ``mechanism.law``."""
    wires = (*model.derived, *model.quantities, *model.flows)
    return {wire.label: wire.law for wire in wires}
