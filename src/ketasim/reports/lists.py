"""What a model has to offer: targets, parameters, states, drugs, routes; and configurations."""

from collections import Counter
from collections.abc import Mapping

from ketasim.config.packaged import configs as packaged_configs
from ketasim.config.packaged import folder
from ketasim.core.declare import Parameter, arguments
from ketasim.core.laws import Wire
from ketasim.core.model import Model
from ketasim.errors import ConfigError, suggest
from ketasim.reports.equations import expression
from ketasim.reports.text import Table, Text


def check_mechanism(name: str, model: Model) -> None:
    """Refuse a mechanism that the model does not have; an empty name means all.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    known = [one.name for one in model.mechanisms]
    if name and name not in known:
        raise ConfigError(
            f'"{name}": no such mechanism.{suggest(name, known)} '
            f"Mechanisms here: {', '.join(known)}."
        )


def _of(full: str, mechanism: str) -> bool:
    return not mechanism or full.startswith(f"{mechanism}.")


def _short(full: str, table: Mapping[str, str]) -> str:
    return ", ".join(short for short, stands_for in table.items() if stands_for == full)


def numbers(one: Parameter) -> tuple[str, str, str]:
    """Return a parameter's value, unit and plausible range, as every table writes them."""
    low, high = one.bounds
    return f"{one.value:g}", one.unit, f"{low:g} to {high:g}"


def targets(model: Model, mechanism: str = "") -> Text:
    """Return every knob with its range, and below it the laws it enters."""
    wires = (*model.quantities, *model.flows)
    blocks = []
    for full, knob in model.knobs.items():
        if not _of(full, mechanism):
            continue
        low, high = knob.bounds
        short = _short(full, model.short_inputs)
        lines = [
            f"{full}  {low:g} to {high:g} {knob.unit}, untouched at {knob.neutral:g}"
            + (f"  (short: {short})" if short else ""),
            f"    {knob.meaning}",
        ]
        lines += [f"    {_touched(full, wire)}" for wire in wires if full in wire.arguments]
        blocks.append("\n".join(lines))
    return Text("\n".join([*blocks, f"{len(blocks)} targets."]))


def _touched(full: str, wire: Wire) -> str:
    """Return the law a target enters, and under which name when it has another one there."""
    ends = f" ({wire.out_of or 'outside'} -> {wire.into or 'outside'})"
    label = wire.name or wire.label + ends
    own = arguments(wire.law)[wire.arguments.index(full)]
    renamed = "" if own == full.split(".")[-1] else f"   ({own} is this target)"
    return f"{label} = {expression(wire.law)}{renamed}"


def parameters(model: Model, mechanism: str = "") -> Table:
    """Return every parameter with its bounds and evidence, and the count of each kind."""
    header = ("parameter", "value", "unit", "bounds", "evidence", "meaning")
    rows: list[tuple[str, ...]] = []
    kinds: Counter[str] = Counter()
    for full, one in model.parameters.items():
        if _of(full, mechanism):
            kinds[one.evidence.kind] += 1
            value, unit, within = numbers(one)
            rows.append((full, value, unit, within, one.evidence.kind, one.meaning))
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return Table(header, tuple(rows), f"{len(rows)} parameters: {told}.")


def states(model: Model, mechanism: str = "") -> Table:
    """Return every state, then every quantity that can be recorded beside them."""
    rows = []
    quantities = (str(one.name) for one in model.quantities)
    for full in (*model.states, *sorted(quantities)):
        if _of(full, mechanism):
            short = _short(full, model.short_names)
            rows.append((full, model.role(full), model.unit(full), short, model.meaning(full)))
    kinds = Counter(row[1] for row in rows)
    told = f"{kinds['state']} states, {kinds['quantity']} quantities."
    return Table(("name", "kind", "unit", "short", "meaning"), tuple(rows), told)


def drugs(model: Model) -> Table:
    """Return every drug with its molar mass, its parts and its routes."""
    rows = []
    for one in model.substances:
        parts = " + ".join(f"{share:g} {part}" for part, share in one.parts)
        rows.append((one.name, f"{one.molar_mass:g}", parts, ", ".join(_routes(one.name, model))))
    return Table(("drug", "g/mol", "parts", "routes"), tuple(rows))


def routes(model: Model) -> Table:
    """Return every route with the drugs that can be given by it."""
    rows = []
    for route in sorted({route for _, route in model.inlets}):
        able = [one.name for one in model.substances if route in _routes(one.name, model)]
        rows.append((route, ", ".join(able)))
    return Table(("route", "drugs"), tuple(rows))


def _routes(drug: str, model: Model) -> list[str]:
    parts = [part for part, _ in model.substance(drug).parts]
    every = sorted({route for _, route in model.inlets})
    return [route for route in every if all((part, route) in model.inlets for part in parts)]


def configs() -> Table:
    """Return every packaged configuration with its title."""
    told = f"in {folder()}; run one with: ketasim run NAME"
    return Table(("config", "what it is"), tuple(packaged_configs().items()), told)
