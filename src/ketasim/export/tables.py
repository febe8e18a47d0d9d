"""What a mechanism declares, as tables: states, reads, targets, quantities, parameters."""

from collections.abc import Iterator

from ketasim.core.declare import Derived, Mechanism, Quantity
from ketasim.core.model import Model
from ketasim.export.formula import symbol
from ketasim.export.markup import Code, Symbol, Table
from ketasim.units import unit

Row = tuple[str | Symbol | Code, ...]
Columns = dict[str, float]  # header and share of the page

_STATES: Columns = {"state": 0.14, "name": 0.16, "at rest": 0.1, "unit": 0.08, "meaning": 0.42}
_READS: Columns = {"reads": 0.3, "of": 0.4, "unit": 0.2}
_KNOBS: Columns = {
    "target": 0.16, "name": 0.2, "untouched": 0.08, "unit": 0.06, "range": 0.1, "meaning": 0.3,
}  # fmt: skip
_COMPUTED: Columns = {"quantity": 0.2, "name": 0.22, "unit": 0.08, "meaning": 0.42}
_LEDGER: Columns = {
    "parameter": 0.11, "name": 0.14, "value": 0.06, "unit": 0.06, "plausible": 0.08,
    "meaning": 0.19, "evidence": 0.24,
}  # fmt: skip


def tables(model: Model, one: Mechanism) -> Iterator[Table]:
    """Yield the tables of a mechanism that have rows."""
    parts = (
        (_STATES, _states(one)),
        (_READS, _reads(one)),
        (_KNOBS, _knobs(one)),
        (_COMPUTED, _computed(one)),
        (_LEDGER, _ledger(model, one)),
    )
    for columns, lines in parts:
        rows = tuple(lines)
        if rows:
            yield Table(tuple(columns), rows, tuple(columns.values()))


def _named(name: str) -> tuple[Symbol, Code]:
    return Symbol(symbol(name)), Code(name)


def _states(one: Mechanism) -> Iterator[Row]:
    for each in one.states:
        start = each.initial
        rest = Symbol(symbol(start)) if isinstance(start, str) else f"{start:g}"
        yield *_named(each.name), rest, each.unit, each.meaning


def _reads(one: Mechanism) -> Iterator[Row]:
    for each in one.reads:
        yield Symbol(symbol(each.name)), Code(each.of), each.unit


def _knobs(one: Mechanism) -> Iterator[Row]:
    for each in one.knobs:
        within = _range(each.bounds)
        yield *_named(each.name), f"{each.neutral:g}", each.unit, within, each.meaning


def _computed(one: Mechanism) -> Iterator[Row]:
    algebra: tuple[Derived | Quantity, ...] = (*one.derived, *one.quantities)
    for each in algebra:
        yield *_named(each.name), each.unit, each.meaning


def _ledger(model: Model, one: Mechanism) -> Iterator[Row]:
    for each in one.parameters:
        value = model.value(f"{one.name}.{each.name}") / unit(each.unit).factor
        about = (f"{value:g}", each.unit, _range(each.bounds), each.meaning, str(each.evidence))
        yield *_named(each.name), *about


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g}"
