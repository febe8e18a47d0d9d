"""Laws as things to handle: in which order they are evaluated, how they are told, replaced."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ketasim.core.declare import Derived, Flow, Law, Mechanism, Quantity, arguments
from ketasim.errors import ModelError, suggest

if TYPE_CHECKING:
    from ketasim.core.model import Wire


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


def text_of(law: Law) -> str:
    """Return a law's source, or, where it was typed into a prompt, what its code does."""
    try:
        return inspect.getsource(law)
    except (OSError, TypeError):
        code: Any = getattr(law, "__code__", None)
        if code is None:
            return repr(law)
        return repr((code.co_varnames, code.co_names, code.co_consts, code.co_code))


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
