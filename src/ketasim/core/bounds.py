"""What the bounds of a parameter rest on, and how far it could lie by what has been published.

A ledger's bounds are what its author found plausible; most rest on no source, and some were moved
until a test held. ``ends`` says which. ``wide`` gives a range that owes nothing to the model's own
tests: the range over sources where several were read, else a stated rule by kind of quantity, and
in either case never narrower than the ledger's own bounds.
"""

from dataclasses import dataclass
from math import inf

from ketasim.core.declare import CHOSEN, Parameter
from ketasim.core.evidence import End
from ketasim.units import unit

FACTOR = 10.0  # each way about the value of a rate, a concentration, a volume, a gain
STEEPEST = 6.0  # of a Hill function; the flattest is 1
VOLTS = 20.0  # [mV] each way about a membrane potential


@dataclass(frozen=True)
class Wide:
    """A range in the parameter's own unit, and the words and sources it comes from.

    ``read`` says whether sources give it; else it follows a rule by kind of quantity.
    """

    low: float
    high: float
    told: str
    keys: tuple[str, ...] = ()
    read: bool = False


def ends(one: Parameter) -> tuple[End, End]:
    """Return what the lower and the upper bound of a parameter rest on."""
    if one.role in CHOSEN or one.bounds[0] == one.bounds[1]:
        why = "a constant" if one.bounds[0] == one.bounds[1] else f"set by who asks ({one.role})"
        return End("chosen", why), End("chosen", why)
    low, high = one.grounds.low or End(), one.grounds.high or End()
    if one.bounds[0] == 0.0 and low.kind == "no source":
        low = End("limit", "cannot be negative")
    if one.bounds[1] == one.grounds.most and high.kind == "no source":
        high = End("limit", "a share of the whole")
    return low, high


def wide(one: Parameter) -> Wide:
    """Return how far a parameter could lie: by sources, else by a rule for its kind of quantity.

    Rules: a share 0 to the most there can be; a membrane potential 20 mV each way; a Hill exponent
    1 to 6; of a fold that a rise reaches what is above 1, and of everything else the whole, ten
    times less to ten times more. What is chosen keeps its bounds.
    """
    low, high = one.bounds
    if one.role in CHOSEN or low == high:
        return Wide(low, high, "chosen, as in the ledger")
    found = one.grounds.seen
    if found is not None:
        told = f"sources: {found.note}"
        return Wide(min(low, found.low), max(high, found.high), told, found.keys, read=True)
    a, b, told = _by_rule(one)
    return Wide(min(low, a), max(high, b), f"no source; {told}")


def _by_rule(one: Parameter) -> tuple[float, float, str]:
    """Return a range by the kind of quantity, with the rule in words."""
    if one.grounds.most < inf:
        return 0.0, one.grounds.most, f"a share, 0 to {one.grounds.most:.2g}"
    if one.role == "exponent":
        return 1.0, STEEPEST, f"a steepness, 1 to {STEEPEST:g}"
    if one.value < 0.0 and unit(one.unit).dimension == unit("mV").dimension:
        volts = VOLTS * unit("mV").factor / unit(one.unit).factor
        return one.value - volts, min(one.value + volts, 0.0), f"a potential, {VOLTS:g} mV each way"
    if one.grounds.least > -inf:
        excess, least = one.value - one.grounds.least, one.grounds.least
        told = f"what is above {least:g} {FACTOR:g} times less to {FACTOR:g} times more"
        return least + excess / FACTOR, least + excess * FACTOR, told
    low = 0.0 if one.bounds[0] == 0.0 else one.value / FACTOR
    return low, one.value * FACTOR, f"{FACTOR:g} times less to {FACTOR:g} times more"
