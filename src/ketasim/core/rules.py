"""What a model refuses: numbers outside their domain, and short names that mean two things."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from ketasim.errors import ModelError
from ketasim.units import unit

if TYPE_CHECKING:
    from ketasim.core.declare import Parameter
    from ketasim.core.model import Model


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
