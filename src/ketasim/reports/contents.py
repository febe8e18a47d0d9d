"""What a model has: its parts in lists, and a mechanism's story, equations and sourced numbers.

Equations are read from the source of the laws themselves: nobody types them twice.
"""

import ast
import csv
import inspect
import io
import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ketasim.config.packaged import configs as packaged_configs
from ketasim.config.packaged import folder
from ketasim.core.bounds import ends, wide
from ketasim.core.declare import Derived, Flow, Law, Mechanism, Parameter, Quantity, arguments
from ketasim.core.laws import Wire
from ketasim.core.model import Model
from ketasim.core.module import Module
from ketasim.errors import ConfigError, suggest
from ketasim.reports.text import Table, Text, columns
from ketasim.units import unit


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


def numbers(one: Parameter, value: float | None = None) -> tuple[str, str, str]:
    """Return a parameter's value, unit and plausible range, as every table writes them."""
    low, high = one.bounds
    return f"{one.value if value is None else value:g}", one.unit, f"{low:g} to {high:g}"


def _held(model: Model, full: str) -> float:
    """Return a parameter's value in its declared unit, as a model holds it."""
    if full not in model.edits:
        return model.parameters[full].value
    return model.value(full) / unit(model.unit(full)).factor


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
            rows.append((full, *numbers(one, _held(model, full)), one.evidence.kind, one.meaning))
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return Table(header, tuple(rows), f"{len(rows)} parameters: {told}.")


def bounds(model: Model, mechanism: str = "") -> Table:
    """Return what each end of each parameter's bounds rests on, and a range by what was published.

    An end marked with an asterisk was moved or kept so that a test held; a value marked with an
    exclamation mark lies outside what sources say of it.
    """
    header = (
        "parameter", "value", "unit", "low", "low from", "high", "high from",
        "sources say", "wide range", "wide by",
    )  # fmt: skip
    rows, kinds, away = [], Counter[str](), 0
    for one in bound_records(model, mechanism):
        said, outside = one["read_low"] is not None, one["outside"]
        away += outside
        cells = [one["parameter"], f"{one['value']:g}{'!' * outside}", one["unit"]]
        for side in ("low", "high"):
            kind = str(one[f"{side}_kind"])
            kinds[kind] += 1
            mark = "*" if kind == "test" else ""
            cells += [f"{one[side]:g}{mark}", _told(kind, one[f"{side}_note"], one[f"{side}_keys"])]
        cells.append(f"{one['read_low']:.4g} to {one['read_high']:.4g}" if said else "")
        reach = f"{one['wide_low']:.4g} to {one['wide_high']:.4g}"
        rows.append((*cells, reach, _told(one["wide_note"], "", one["wide_keys"])))
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    note = (
        f"{len(rows)} parameters, {2 * len(rows)} ends: {told}. * set by a test. "
        f"! outside what sources say: {away}."
    )
    return Table(header, tuple(rows), note)


def _told(kind: str, note: str, keys: Sequence[str]) -> str:
    return kind + (f": {note}" if note else "") + (f" [{', '.join(keys)}]" if keys else "")


def bound_records(model: Model, mechanism: str = "") -> list[dict[str, Any]]:
    """Return the rows of :func:`bounds` with numbers as numbers, for JSON and CSV."""
    records: list[dict[str, Any]] = []
    for full, one in model.parameters.items():
        if not _of(full, mechanism):
            continue
        value = _held(model, full)
        row: dict[str, Any] = {"parameter": full, "value": value, "unit": one.unit}
        for side, bound, end in zip(("low", "high"), one.bounds, ends(one), strict=True):
            row |= {side: bound, f"{side}_kind": end.kind, f"{side}_note": end.note}
            row[f"{side}_keys"] = list(end.keys)
        reach, seen = wide(one), one.grounds.seen
        row |= {"read_low": seen and seen.low, "read_high": seen and seen.high}
        row["outside"] = seen is not None and not seen.low <= value <= seen.high
        row |= {"wide_low": reach.low, "wide_high": reach.high, "wide_read": reach.read}
        records.append({**row, "wide_note": reach.told, "wide_keys": list(reach.keys)})
    return records


def as_json(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as JSON, a block each."""
    return json.dumps(records, indent=1, allow_nan=False) + "\n"


def as_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as CSV; lists are joined with semicolons, numbers keep every digit."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(records[0] if records else ())
    for one in records:
        cells = (";".join(v) if isinstance(v, list) else v for v in one.values())
        writer.writerow([repr(v) if isinstance(v, float) else v for v in cells])
    return text.getvalue()


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


def modules(some: Iterable[Module]) -> Table:
    """Return modules, with the states each adds and the mechanisms each couples into."""
    rows = []
    for one in some:
        states = [f"{m.name}.{state.name}" for m in one.mechanisms for state in m.states]
        into = dict.fromkeys(f"{each.into}.{each.law}" for each in one.couplings if each.law)
        rows.append((one.name, f"{len(states)}", ", ".join(into) or "nothing", one.story))
    told = "ketasim run CONFIG --with NAME; a mechanism of one: ketasim describe NAME."
    return Table(("module", "states", "couples into", "what it is"), tuple(rows), told)


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


def description(model: Model, name: str) -> Text:
    """Return a mechanism's story, equations and ledger.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    check_mechanism(name, model)
    one = next(each for each in model.mechanisms if each.name == name)
    lines = (f"  {line}" for line in equations(one))
    parts = (f"{one.name.upper()}\n\n{one.story}\n\nEquations", *lines, reads(one), ledger(one))
    return Text("\n".join(parts))


def reads(mechanism: Mechanism) -> str:
    """Return what a mechanism reads of others."""
    if not mechanism.reads:
        return ""
    rows = [[one.name, one.unit, f"of {one.of}"] for one in mechanism.reads]
    return f"\nReads\n{columns(rows, indent='  ')}"


def ledger(mechanism: Mechanism) -> str:
    """Return states, knobs and parameters, each parameter with its evidence and sources."""
    states = [[one.name, str(one.initial), one.unit, one.meaning] for one in mechanism.states]
    knobs = [
        [
            one.name,
            f"{one.neutral:g}",
            one.unit,
            f"{one.bounds[0]:g} to {one.bounds[1]:g}",
            one.meaning,
        ]
        for one in mechanism.knobs
    ]
    parameters = [[one.name, *numbers(one), str(one.evidence)] for one in mechanism.parameters]
    parts = (("States", states), ("Targets", knobs), ("Parameters", parameters))
    return "".join(f"\n{title}\n{columns(rows, indent='  ')}\n" for title, rows in parts if rows)
