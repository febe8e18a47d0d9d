"""Equations as text, from the source of the laws themselves: nobody types them twice."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping

from ketasim.core.declare import Derived, Flow, Law, Mechanism, Quantity


def expression(law: Law) -> str:
    """Return what a law computes, e.g. ``k_on * drug * (1 - bound)``."""
    source = textwrap.dedent(inspect.getsource(law))
    lines = []
    for statement in ast.parse(source).body[0].body:  # type: ignore[attr-defined]
        if isinstance(statement, ast.Return) and statement.value is not None:
            lines.append(ast.unparse(statement.value))
        elif isinstance(statement, ast.Assign):
            lines.append(ast.unparse(statement))
    *steps, result = lines
    return result + (f"   where {'; '.join(steps)}" if steps else "")


def _renamed(using: Mapping[str, str]) -> str:
    """Return the names under which a mechanism's own things enter a shared law."""
    pairs = [f"{argument} = {own}" for argument, own in using.items() if argument != own]
    return f"   with {', '.join(pairs)}" if pairs else ""


def equations(mechanism: Mechanism) -> Iterator[str]:
    """Yield a mechanism's equations, one a line: derived, quantities, flows, then balances."""
    algebra: tuple[Derived | Quantity, ...] = (*mechanism.derived, *mechanism.quantities)
    for one in algebra:
        yield f"{one.name} = {expression(one.law)}{_renamed(one.using)}"
    labels = dict(_labels(mechanism))
    for label, flow in labels.items():
        yield f"{label} = {expression(flow.law)}{_renamed(flow.using)}"
    for state in mechanism.states:
        gains = [f"+ {label}" for label, flow in labels.items() if flow.into == state.name]
        losses = [f"- {label}" for label, flow in labels.items() if flow.out_of == state.name]
        if gains or losses:
            yield f"d {state.name}/dt = {' '.join([*gains, *losses])}".replace("= + ", "= ")


def _labels(mechanism: Mechanism) -> Iterator[tuple[str, Flow]]:
    """Yield each flow under its law's name, numbered where one law serves several flows."""
    names = [flow.law.__name__ for flow in mechanism.flows]
    for i, flow in enumerate(mechanism.flows):
        name = names[i]
        number = names[: i + 1].count(name)
        yield (f"{name}_{number}" if names.count(name) > 1 else name), flow
