"""A Scenario as TOML that, read again, gives the same scenario to the last bit."""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from math import inf

from ketasim.config.build import Setup
from ketasim.config.packaged import Library
from ketasim.config.protocol import even
from ketasim.core.protocol import Bath, Dose, Hold, Protocol, repeat
from ketasim.core.scenario import Scenario, fine_then_coarse
from ketasim.errors import ConfigError
from ketasim.models.modules import JOIN

Row = tuple[str, str]
_LONGEST_CYCLE = 7


def dump(setup: Setup, library: Library) -> str:
    """Return a setup as TOML.

    Raises
    ------
    ConfigError
        When its model or species has no name that a file could give.
    """
    scenario = setup.scenario
    head = [("schema", "1"), ("name", quoted(scenario.name))]
    if setup.allow_unusual_dose:
        head.append(("allow_unusual_dose", "true"))
    blocks = [_table("", head), *_model(scenario, library), _subject(scenario, library)]
    blocks += list(_events(scenario.protocol))
    blocks.append(_table("[output]", _output(scenario)))
    engine = [("name", quoted(setup.engine))] if setup.engine else []
    engine.append(("method", quoted(setup.method)))
    if setup.rtol is not None:
        engine.append(("rtol", repr(setup.rtol)))
    blocks.append(_table("[engine]", engine))
    return "\n".join(blocks)


def quoted(text: str) -> str:
    """Return text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table(header: str, rows: Iterable[Row]) -> str:
    lines = [header] if header else []
    return "\n".join([*lines, *(f"{key} = {value}" for key, value in rows), ""])


def _hours(value: float) -> str:
    return quoted(f"{value!r} h")


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(values)}]"


def _model(scenario: Scenario, library: Library) -> list[str]:
    model = scenario.model
    name, *modules = model.name.split(JOIN)
    if name not in library.models:
        raise ConfigError(f'model "{model.name}" has no name that a file could give.')
    usual = library.subject(scenario.subject.species, f"{scenario.subject.weight!r} kg")
    values = {n: v for n, v in scenario.subject.values.items() if usual.values.get(n) != v}
    values |= {n: f"{number!r} {unit}" for n, (number, unit) in model.edits.items()}
    rows = [("name", quoted(name))]
    rows += [("with", _list(map(quoted, modules)))] * bool(modules)
    blocks = [_table("[model]", rows)]
    if values:
        rows = [
            (quoted(n), quoted(v) if isinstance(v, str) else repr(v)) for n, v in values.items()
        ]
        blocks.append(_table("[model.parameters]", rows))
    return blocks


def _subject(scenario: Scenario, library: Library) -> str:
    subject = scenario.subject
    if subject.species not in library.subjects:
        raise ConfigError(f'subject "{subject.species}" has no name that a file could give.')
    rows = [("species", quoted(subject.species)), ("weight", quoted(f"{subject.weight!r} kg"))]
    return _table("[subject]", rows)


def _events(protocol: Protocol) -> Iterable[str]:
    doses = [(one.start, _dose(one)) for one in protocol.doses]
    for rows, group in groupby(doses, key=lambda pair: pair[1]):
        yield _table("[[dosing]]", [*rows, ("at", _at([start for start, _ in group]))])
    for one in protocol.events:
        if isinstance(one, Hold):
            level = quoted(one.value) if isinstance(one.value, str) else repr(one.value)
            rows = [("target", quoted(one.knob)), ("level", level)]
            yield _table("[[intervention]]", [*rows, *_window(one)])
    for one in protocol.events:
        if isinstance(one, Bath):
            strength = quoted(f"{one.concentration!r} uM")
            rows = [("drug", quoted(one.drug)), ("concentration", strength)]
            yield _table("[[bath]]", [*rows, *_window(one)])


def _dose(one: Dose) -> tuple[Row, ...]:
    amount = quoted(f"{one.amount!r} {'mg/kg' if one.per_weight else 'mg'}")
    share = [] if one.s_fraction is None else [("s_fraction", repr(one.s_fraction))]
    rows = [("drug", quoted(one.drug)), ("amount", amount), ("route", quoted(one.route))]
    return (*rows, ("duration", _hours(one.over)), *share)


def _window(one: Hold | Bath) -> list[Row]:
    begin = quoted("always") if one.start == -inf else _hours(one.start)
    return [("from", begin), *([] if one.stop == inf else [("until", _hours(one.stop))])]


def _at(starts: Sequence[float]) -> str:
    """Return times as a cycle of intervals when that gives exactly these, else as a list."""
    gaps = [b - a for a, b in pairwise(starts)]
    for length in range(1, min(_LONGEST_CYCLE, len(gaps) - 1) + 1):
        every = [f"{gap!r} h" for gap in gaps[:length]]
        if min(gaps) > 0.0 and _repeated(starts, every) == list(starts):
            intervals = _list(quoted(one) for one in every)
            return f"{{ start = {_hours(starts[0])}, every = {intervals}, times = {len(starts)} }}"
    return _list(_hours(start) for start in starts)


def _repeated(starts: Sequence[float], every: list[str]) -> list[float]:
    mark = Protocol((Dose(amount=0.0, per_weight=False, route="", drug="", start=0.0, over=0.0),))
    again = repeat(mark, times=len(starts), every=every, start=f"{starts[0]!r} h")
    return [one.start for one in again.events]


def _output(scenario: Scenario) -> list[Row]:
    times = scenario.times
    begin, end, step = times[0], times[-1], times[1] - times[0]
    ends = [("from", _hours(begin)), ("until", _hours(end))]
    if times == fine_then_coarse(scenario.protocol, begin, end):
        rows = ends
    elif (end - begin) / step < len(times) + 1 and times == even(begin, end, step):
        rows = [*ends, ("every", _hours(step))]
    else:
        rows = [("times", _list(_hours(t) for t in times))]
    record = [("observables", _list(quoted(one) for one in scenario.record))]
    return [*rows, *(record if scenario.record else [])]
