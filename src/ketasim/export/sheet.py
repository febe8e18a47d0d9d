"""A model's equations and numbers as a sheet, from its laws and ledgers: nobody types them."""

from collections.abc import Iterator, Mapping

from ketasim.core.declare import Derived, Flow, Law, Mechanism, Quantity, arguments
from ketasim.core.model import Model
from ketasim.errors import ConfigError, suggest
from ketasim.export.diagram import tikz
from ketasim.export.formula import LEGEND, formula, symbol
from ketasim.export.laws import expression
from ketasim.export.markup import (
    Block,
    Heading,
    Maths,
    Picture,
    Table,
    Text,
    latex,
    markdown,
)
from ketasim.export.references import found
from ketasim.export.tables import tables

FORMATS = {"markdown": markdown, "latex": latex}


def sheet(model: Model, *, format: str = "markdown", picture: str = "") -> str:  # noqa: A002
    """Return every mechanism's story, equations and ledger as Markdown or LaTeX.

    ``picture`` names a file with the drawing of :func:`ketasim.export.diagram.svg`, for Markdown.

    Raises
    ------
    ConfigError
        When the format is not known.
    """
    if format not in FORMATS:
        here = ", ".join(FORMATS)
        raise ConfigError(f'format "{format}": not known.{suggest(format, FORMATS)} Use {here}.')
    return FORMATS[format](_blocks(model, picture))


def _blocks(model: Model, picture: str) -> Iterator[Block]:
    yield Heading(1, f"The model {model.name}")
    yield Text(
        f"{len(model.mechanisms)} mechanisms, {len(model.states)} states, "
        f"{len(model.parameters)} parameters. Written from the laws and ledgers themselves."
    )
    yield Picture("which mechanism reads which; dashed: feedback", picture, tikz(model))
    yield Text("Two functions are used throughout:")
    yield Maths(LEGEND)
    for mechanism in model.mechanisms:
        yield from _mechanism(model, mechanism)
    keys = sorted({key for one in model.parameters.values() for key in one.evidence.keys})
    if keys:
        yield Heading(2, "References")
        rows = tuple((one.key, str(one)) for one in found(tuple(keys)))
        yield Table(("key", "reference"), rows, (0.2, 0.75))


def _mechanism(model: Model, one: Mechanism) -> Iterator[Block]:
    yield Heading(2, one.name)
    for paragraph in one.story.split("\n\n"):
        yield Text(" ".join(paragraph.split()))
    algebra: tuple[Derived | Quantity, ...] = (*one.derived, *one.quantities)
    lines = [f"{symbol(each.name)} = {_of(each.law, each.using)}" for each in algebra]
    lines += [_balance(one, state.name) for state in one.states]
    if lines:
        yield Maths(tuple(lines))
    yield from tables(model, one)


def _of(law: Law, using: Mapping[str, str]) -> str:
    symbols = [symbol(using.get(name, name)) for name in arguments(law)]
    return formula(expression(law).result, symbols)


def _balance(one: Mechanism, state: str) -> str:
    """Return a state's differential equation, its flows written out."""
    terms = [("+", each) for each in one.flows if each.into == state]
    terms += [("-", each) for each in one.flows if each.out_of == state]
    told = " ".join(f"{sign} {_term(sign, each)}" for sign, each in terms) or "0"
    return rf"\frac{{d\,{symbol(state)}}}{{dt}} = {told.removeprefix('+ ')}"


def _term(sign: str, flow: Flow) -> str:
    text = _of(flow.law, flow.using)
    whole = expression(flow.law).result.op not in ("add", "sub", "neg")
    return text if whole or sign == "+" else rf"\left({text}\right)"
