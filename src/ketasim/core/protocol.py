"""What is done to the subject: doses, baths and held knobs, joined with ``+``.

>>> week = infusion("0.5 mg/kg", over="40 min") + hold("ampa.antagonist", 1.0, start="-30 min",
...                                                     until="2 h")
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Protocol as Shape

from ketasim.errors import ProtocolError, UnitError
from ketasim.units import dimension_name, read, split, unit

MAX_EVENTS = 100_000


class _Timed(Shape):
    @property
    def start(self) -> float: ...
    @property
    def stop(self) -> float: ...


@dataclass(frozen=True)
class Dose:
    """An amount [mg, or mg/kg when ``per_weight``] of a drug; ``over`` [h] is 0 for a bolus."""

    amount: float
    per_weight: bool
    route: str
    drug: str
    start: float
    over: float
    s_fraction: float | None = None

    @property
    def stop(self) -> float:
        """Return the time at which the last of the dose is given [h]."""
        return self.start + self.over


@dataclass(frozen=True)
class Bath:
    """A drug held at a concentration [uM] around the tissue, as over a slice."""

    drug: str
    concentration: float
    start: float
    stop: float


@dataclass(frozen=True)
class Hold:
    """A knob held at a value from ``start`` to ``stop`` [h]; a start of -inf means "always"."""

    knob: str
    value: float | str
    start: float
    stop: float


Event = Dose | Bath | Hold


@dataclass(frozen=True)
class Protocol:
    """Events in the order they were written; nothing is merged or lost."""

    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        """Refuse more events than a run can honour."""
        if len(self.events) > MAX_EVENTS:
            raise ProtocolError(
                f"{len(self.events)} events; at most {MAX_EVENTS} can be carried out."
            )

    def __add__(self, other: "Protocol") -> "Protocol":
        """Return both protocols carried out together."""
        return Protocol((*self.events, *other.events))

    @property
    def doses(self) -> tuple[Dose, ...]:
        """Return the doses among the events."""
        return tuple(one for one in self.events if isinstance(one, Dose))

    @property
    def undrugged(self) -> "Protocol":
        """Return what is left without doses and baths: stress, knock-outs, antagonists."""
        return Protocol(tuple(e for e in self.events if not isinstance(e, Dose | Bath)))

    def shifted(self, by: "str | float") -> "Protocol":
        """Return the same protocol, later by a time (``'3 d'``)."""
        delay = hours_of(by, "by")
        moved = (
            replace(one, start=one.start + delay)
            if isinstance(one, Dose)
            else replace(one, start=one.start + delay, stop=one.stop + delay)
            for one in self.events
        )
        return Protocol(tuple(moved))


def hours_of(text: "str | float", where: str) -> float:
    """Read a time as hours; a plain number is refused unless it is 0.

    Raises
    ------
    UnitError
        When the unit is missing or not a time.
    """
    if not isinstance(text, bool | str) and text == 0:
        return 0.0
    return read(text, "h", where)


def _amount(text: str, where: str) -> tuple[float, bool]:
    value, name = split(text, where)
    have = unit(name, where)
    if have.dimension == unit("mg/kg").dimension:
        per_weight, want = True, "mg/kg"
    elif have.dimension == unit("mg").dimension or name == "1":
        per_weight, want = False, "mg" if name != "1" else "mg/kg"
    else:
        word = dimension_name(have).replace("mass concentration", "concentration")
        raise UnitError(
            f'{where} = "{text}": that is a {word}; a dose per body weight is needed (mg/kg), '
            "or a total dose (mg) with subject.weight."
        )
    amount = read(text, want, where)
    if amount < 0.0:
        raise ProtocolError(f"{where} = {value:g} {name}: must be >= 0.")
    return amount, per_weight


def dose(
    amount: str,
    *,
    route: str,
    drug: str = "ketamine",
    at: "str | float" = 0.0,
    over: "str | float" = 0.0,
    s_fraction: float | None = None,
    where: str = "dose",
) -> Protocol:
    """Give one dose by any route; ``over`` > 0 spreads it evenly.

    ``s_fraction`` replaces the drug's own share of the S enantiomer (0 to 1).

    Raises
    ------
    UnitError, ProtocolError
        When a unit is missing or wrong, an amount is negative, or a duration is.
    """
    value, per_weight = _amount(amount, f"{where}.amount")
    duration = hours_of(over, f"{where}.duration")
    if duration < 0.0:
        raise ProtocolError(f'{where}.duration = "{over}": must be >= 0.')
    if s_fraction is not None and not 0.0 <= s_fraction <= 1.0:
        raise ProtocolError(f"{where}.s_fraction = {s_fraction}: must lie between 0 and 1.")
    start = hours_of(at, f"{where}.at")
    return Protocol((Dose(value, per_weight, route, drug, start, duration, s_fraction),))


def infusion(
    amount: str, *, over: str, at: "str | float" = 0.0, drug: str = "ketamine"
) -> Protocol:
    """Infuse a dose into a vein at a constant rate; see :func:`dose`."""
    return dose(amount, route="iv", drug=drug, at=at, over=over)


def bolus(amount: str, *, at: "str | float" = 0.0, drug: str = "ketamine") -> Protocol:
    """Inject a dose into a vein at once; see :func:`dose`."""
    return dose(amount, route="iv", drug=drug, at=at)


def bath(
    concentration: str,
    *,
    drug: str = "ketamine",
    start: "str | float" = 0.0,
    until: "str | float | None" = None,
    where: str = "bath",
) -> Protocol:
    """Hold a drug at a concentration around the tissue until a time (or the end).

    Raises
    ------
    UnitError, ProtocolError
        When the concentration has no unit or is negative, or the window is empty.
    """
    value = read(concentration, "uM", f"{where}.concentration")
    if value < 0.0:
        raise ProtocolError(f'{where}.concentration = "{concentration}": must be >= 0.')
    begin, end = _window(start, until, where)
    return Protocol((Bath(drug, value, begin, end),))


def hold(
    knob: str,
    value: "float | str",
    *,
    start: "str | float" = 0.0,
    until: "str | float | None" = None,
    where: str = "hold",
) -> Protocol:
    """Hold a knob at a value from ``start`` (or ``'always'``) until a time (or the end).

    A knob may be named in short (``"nbqx"``): the scenario writes its full name out.

    Raises
    ------
    UnitError, ProtocolError
        When a time has no unit or the window is empty.
    """
    begin, end = _window(start, until, where)
    return Protocol((Hold(knob, value, begin, end),))


def _window(start: "str | float", until: "str | float | None", where: str) -> tuple[float, float]:
    begin = -inf if start == "always" else hours_of(start, f"{where}.from")
    end = inf if until is None else hours_of(until, f"{where}.until")
    if not begin < end:
        raise ProtocolError(f'{where}: its window is empty, from "{start}" until "{until}".')
    return begin, end


def repeat(
    protocol: Protocol, *, times: int, every: "str | Sequence[str]", start: "str | float" = 0.0
) -> Protocol:
    """Return a protocol carried out several times, ``every`` interval or cycling through a list.

    ``repeat(infusion(...), times=8, every=["3 d", "4 d"])`` is twice a week for four weeks.

    Raises
    ------
    ProtocolError
        When ``times`` is not positive or an interval is not.
    """
    if times < 1 or times > MAX_EVENTS:
        raise ProtocolError(f"times = {times}: must lie between 1 and {MAX_EVENTS}.")
    gaps = [hours_of(one, "every") for one in ([every] if isinstance(every, str) else every)]
    if not gaps or min(gaps) <= 0.0 or not all(isfinite(g) for g in gaps):
        raise ProtocolError(f"every = {every!r}: an interval longer than zero is needed.")
    events: list[Event] = []
    moment = hours_of(start, "start")
    for i in range(times):
        events += protocol.shifted(f"{moment!r} h").events
        moment += gaps[i % len(gaps)]
    return Protocol(tuple(events))
