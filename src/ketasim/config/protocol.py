"""Tables of a configuration as a protocol and as output times, each checked under its key path."""

from collections.abc import Iterator
from math import isfinite

import numpy as np

from ketasim.config.messages import located
from ketasim.config.schema import MAX_DOSES, BathTable, Config, DosingTable, InterventionTable
from ketasim.core.model import Model
from ketasim.core.protocol import Bath, Dose, Event, Protocol, bath, dose, hold, hours_of, repeat
from ketasim.core.scenario import FINE, MAX_TIMES, Subject, clock, closed
from ketasim.core.schedule import compile_schedule
from ketasim.errors import ConfigError, suggest

LONGEST = 876_600.0  # a century [h]


def time_of(value: str | float, where: str) -> float:
    """Read a time [h] of at most a century.

    Raises
    ------
    ConfigError, UnitError
        When it is longer than that, or its unit is missing or not a time.
    """
    hours = hours_of(value, where)
    if abs(hours) > LONGEST:
        raise ConfigError(f'{where} = "{value}": at most 100 years.')
    return hours


def before(protocol: Protocol) -> str:
    """Return when to look first: at 0, or just before what acts at once there."""
    at_once = any(
        one.start == 0.0 and (isinstance(one, Bath) or (isinstance(one, Dose) and one.over == 0.0))
        for one in protocol.events
    )
    return f"{-FINE!r} h" if at_once else "0 h"


def even(begin: float, end: float, every: float) -> tuple[float, ...]:
    """Return times [h] every so often from ``begin``, and ``end`` itself.

    Raises
    ------
    ConfigError
        When the interval is not positive, or there would be too many times.
    """
    if not every > 0.0:
        raise ConfigError(f'output.every = "{clock(every)}": must be longer than 0.')
    if (end - begin) / every > MAX_TIMES - 2:
        least = clock(2 * (end - begin) / MAX_TIMES)
        raise ConfigError(
            f'output.every = "{clock(every)}": {(end - begin) / every:.3g} output times; '
            f'at most {MAX_TIMES:,}. Use "{least}" or longer.'
        )
    steps = begin + every * np.arange(int((end - begin) / every) + 1)
    return closed(steps, begin, end, near=1e-6 * every)


MOST = 1000.0  # mg/kg; ten times what anaesthetises a rat


def protocol_of(config: Config, model: Model, subject: Subject) -> Protocol:
    """Return everything that is done, in the order dosing, intervention, bath.

    Raises
    ------
    ConfigError
        When an event cannot be carried out; the message begins with its key path.
    """
    if (count := sum(_count(one) for one in config.dosing)) > MAX_DOSES:
        raise ConfigError(f"dosing: {count:,} doses; at most {MAX_DOSES:,}.")
    events: list[Event] = []
    for part in _parts(config, model, subject):
        events += part.events
    return Protocol(tuple(events))


def _parts(config: Config, model: Model, subject: Subject) -> Iterator[Protocol]:
    for i, dosing in enumerate(config.dosing):
        yield _dosing(dosing, f"dosing[{i}]", model, subject)
    for i, held in enumerate(config.intervention):
        where = f"intervention[{i}]"
        yield _alone(_intervention(held, where, model), f"{where}.level: ", model)
    for i, one in enumerate(config.bath):
        yield _alone(_bath(one, f"bath[{i}]", model), f"bath[{i}].concentration: ", model)


def _count(one: DosingTable) -> int:
    return one.at.times or len(one.at.moments or (0,))


def _dosing(one: DosingTable, where: str, model: Model, subject: Subject) -> Protocol:
    _check_drug(one.drug, one.route, where, model)
    once = dose(
        _text(one.amount),
        route=one.route,
        drug=one.drug,
        over=one.duration,
        s_fraction=one.s_fraction,
        where=where,
    )
    _check_size(once, one, where, subject)
    if one.s_fraction is not None:
        with located(f"{where}.s_fraction: "):
            compile_schedule(once, model, weight=subject.weight, begin=0.0, end=LONGEST)
    return _at(once, one, where)


def _at(once: Protocol, one: DosingTable, where: str) -> Protocol:
    at = one.at
    if at.every is None or at.times is None:
        moments = at.moments if at.moments is not None else (at.start,)
        hours = [time_of(moment, f"{where}.at") for moment in moments]
        return Protocol(tuple(e for h in hours for e in once.shifted(f"{h!r} h").events))
    start = time_of(at.start, f"{where}.at.start")
    gaps = [f"{time_of(gap, f'{where}.at.every')!r} h" for gap in at.every]
    with located(f"{where}.at."):
        return repeat(once, times=at.times, every=gaps, start=f"{start!r} h")


def _intervention(one: InterventionTable, where: str, model: Model) -> Protocol:
    target = model.input_name(one.target)
    if target not in model.knobs:
        raise ConfigError(
            f'{where}.target = "{target[:60]}": no such target.'
            f"{suggest(target, (*model.knobs, *model.short_inputs))} "
            f'"ketasim list targets" shows all {len(model.knobs)}.'
        )
    level = _unblocked(one.block or 0.0, target, where, model) if one.level is None else one.level
    _check_window(one, where)
    return hold(target, level, start=one.from_, until=one.until, where=where)


def _unblocked(block: float, target: str, where: str, model: Model) -> float:
    """Translate a blocked share into a knob's level; only for knobs that run from 0 to 1."""
    knob = model.knobs[target]
    if knob.unit == "1" and knob.neutral == knob.bounds[0] == 0.0 and knob.bounds[1] <= 1.0:
        return block
    if knob.unit == "1" and knob.neutral == 1.0 and knob.bounds[0] == 0.0:
        return 1.0 - block
    low, high = knob.bounds
    raise ConfigError(
        f"{where}.block: {target} is not a share; write level = ... "
        f"({low:g} to {high:g} {knob.unit}, untouched at {knob.neutral:g})."
    )


def _bath(one: BathTable, where: str, model: Model) -> Protocol:
    _check_drug(one.drug, "bath", where, model)
    _check_window(one, where)
    return bath(
        _text(one.concentration), drug=one.drug, start=one.from_, until=one.until, where=where
    )


def _check_window(one: InterventionTable | BathTable, where: str) -> None:
    if one.from_ != "always":
        time_of(one.from_, f"{where}.from")
    if one.until is not None:
        time_of(one.until, f"{where}.until")


def _alone(one: Protocol, prefix: str, model: Model) -> Protocol:
    """Let the core judge one window by itself, so that its complaint gets an address."""
    begin = min(e.start if isfinite(e.start) else 0.0 for e in one.events)
    with located(prefix):
        compile_schedule(one, model, weight=1.0, begin=begin, end=begin + 1.0)
    return one


def _check_drug(drug: str, route: str, where: str, model: Model) -> None:
    if route == "bath" and where.startswith("dosing"):
        raise ConfigError(f'{where}.route = "bath": write a [[bath]] table with a concentration.')
    known = any(drug == one.name for one in model.substances)
    with located(f"{where}.{'route' if known else 'drug'} = "):
        model.entries(drug, route)


def _check_size(once: Protocol, one: DosingTable, where: str, subject: Subject) -> None:
    given = once.doses[0]
    per_weight = given.amount if given.per_weight else given.amount / subject.weight
    if not per_weight <= MOST:
        raise ConfigError(
            f'{where}.amount = "{one.amount}": {per_weight:.3g} mg/kg; at most {MOST:g} mg/kg.'
        )
    if given.over > LONGEST:
        raise ConfigError(f'{where}.duration = "{one.duration}": at most 100 years.')


def _text(value: str | float) -> str:
    """Keep a bare number bare, so that the core can say which unit is missing."""
    return value if isinstance(value, str) else repr(value)
