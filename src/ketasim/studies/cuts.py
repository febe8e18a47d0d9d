"""Cutting a model: whoever reads a value gets another instead, and everything else is as it was.

This is an intervention on the equations, do(X = x): the laws that ask for X are handed x, so what
reached them through X no longer does, while every other path stays open. What they are handed is a
constant, or X in an undrugged copy of the model that runs beside it. A state that
nobody reads any more is left out; conserved pools it belonged to are then not claimed, nor that
its partners stay below the whole.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import inf
from typing import Any

from ketasim.core.declare import Flow, Mechanism, Parameter, Read, State, arguments
from ketasim.core.evidence import assumed
from ketasim.core.model import Model
from ketasim.errors import ModelError
from ketasim.units import unit

CLAMPED, UNDRUGGED = "clamped", "_undrugged"
_NOTE = assumed("what it is without the drug")


def cut(
    model: Model, instead: Mapping[str, str], *, readers: Collection[str] | None = None
) -> Model:
    """Return a model in which values are replaced where they are read.

    Parameters
    ----------
    instead
        For each state or quantity the full name that is read in its place.
    readers
        Names of the mechanisms concerned; all, the owners' own laws included, when None.

    Raises
    ------
    ModelError
        When a name is not a state or quantity of the model.
    """
    for name in instead:
        if model.role(name) not in ("state", "quantity"):
            raise ModelError(f"{name} is a {model.role(name)}; only states and quantities are cut.")
    changed = [
        _rewired(one, instead, model, own=readers is None)
        if readers is None or one.name in readers
        else one
        for one in model.mechanisms
    ]
    return replace(model, mechanisms=tuple(changed))


def with_constants(model: Model, levels: Mapping[str, float]) -> tuple[Model, dict[str, str]]:
    """Return a model that also holds canonical ``levels``, and the name each goes by."""
    parameters = [_constant(_local(name), name, level, model) for name, level in levels.items()]
    clamped = Mechanism(
        CLAMPED, "Values clamped to their drug-free course.", parameters=tuple(parameters)
    )
    names = {name: f"{CLAMPED}.{_local(name)}" for name in levels}
    return replace(model, mechanisms=(*model.mechanisms, clamped)), names


def with_undrugged(model: Model, levels: Mapping[str, float]) -> Model:
    """Return a model with an undrugged copy of every mechanism but the drug's own.

    ``levels`` are canonical values of the states and quantities of the drug's own mechanisms, which
    have no copies: what they are without the drug. Copies share knobs and settings.
    """
    body = {name.partition(".")[0] for name in levels}
    apart = [one for one in model.mechanisms if one.name not in body and _moves(one)]
    names = {one.name for one in apart}
    copies = tuple(_undrugged(one, names, levels, model) for one in apart)
    edits = {
        f"{owner}{UNDRUGGED}.{own}": edit
        for (owner, _, own), edit in ((n.partition("."), e) for n, e in model.edits.items())
        if owner in names
    }
    return replace(model, mechanisms=(*model.mechanisms, *copies), edits={**model.edits, **edits})


def undrugged_of(name: str) -> str:
    """Return the name of a value where there is no drug."""
    owner, _, own = name.partition(".")
    return f"{owner}{UNDRUGGED}.{own}"


def _moves(one: Mechanism) -> bool:
    return bool(one.states or one.quantities)


def _undrugged(
    one: Mechanism, names: Collection[str], levels: Mapping[str, float], model: Model
) -> Mechanism:
    """Return a mechanism's copy: own states, the copies' values, everyone's knobs."""
    constants = [
        _constant(read.name, read.of, levels[read.of], model)
        for read in one.reads
        if read.of in levels
    ]
    reads = [_undrugged_read(read, names, model) for read in one.reads if read.of not in levels]
    knobs = [Read(knob.name, knob.unit, of=f"{one.name}.{knob.name}") for knob in one.knobs]
    one = one.unnamed()
    return replace(
        one,
        name=f"{one.name}{UNDRUGGED}",
        parameters=(*one.parameters, *constants),
        reads=(*reads, *knobs),
        knobs=(),
        inlets=(),
    )


def _undrugged_read(read: Read, names: Collection[str], model: Model) -> Read:
    if read.default is not None or read.of.partition(".")[0] not in names:
        return read
    moving = model.role(read.of) in ("state", "quantity")
    return replace(read, of=undrugged_of(read.of)) if moving else read


def _constant(name: str, full: str, level: float, model: Model) -> Parameter:
    declared = model.unit(full)
    value = level / unit(declared).factor
    return Parameter(name, value, declared, (value, value), _NOTE, full)


def _local(name: str) -> str:
    return name.replace(".", "_")


def _rewired(one: Mechanism, instead: Mapping[str, str], model: Model, *, own: bool) -> Mechanism:
    if one.name.endswith(UNDRUGGED):
        return one
    reads = (replace(r, of=instead[r.of]) if r.of in instead else r for r in one.reads)
    one = replace(one, reads=tuple(reads))
    for full, other in instead.items():
        owner, _, name = full.partition(".")
        if own and owner == one.name:
            one = _within(one, name, Read(f"{CLAMPED}_{name}", model.unit(full), of=other))
    return one


def _within(one: Mechanism, own: str, read: Read) -> Mechanism:
    """Rewire the laws of the mechanism that owns a value, and leave out a state nobody reads."""
    flows = (_ends(_fed(flow, own, read.name), own) for flow in one.flows)
    pooled = {name for pool in one.conserved if own in pool for name in pool}
    return replace(
        one,
        states=tuple(_unbounded(s, pooled) for s in one.states if s.name != own),
        reads=(*one.reads, read),
        quantities=tuple(_fed(q, own, read.name) for q in one.quantities),
        flows=tuple(f for f in flows if f.into is not None or f.out_of is not None),
        conserved=tuple(pool for pool in one.conserved if own not in pool),
    )


def _unbounded(state: State, pooled: Collection[str]) -> State:
    """Return a state without an upper end where a pool kept it below one that is gone."""
    return replace(state, within=(state.within[0], inf)) if state.name in pooled else state


def _fed(law: Any, own: str, alias: str) -> Any:
    """Return a quantity or flow whose law is handed the other value instead of its own."""
    using = dict(law.using)
    for argument in arguments(law.law):
        if using.get(argument, argument) == own:
            using[argument] = alias
    return replace(law, using=using)


def _ends(flow: Flow, own: str) -> Flow:
    return replace(
        flow,
        into=None if flow.into == own else flow.into,
        out_of=None if flow.out_of == own else flow.out_of,
    )
