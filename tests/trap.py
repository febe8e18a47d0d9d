"""A model in which single parameter values stop an integration, each in a way of its own."""

from math import inf

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, Quantity, State
from ketasim.core.evidence import assumed
from ketasim.core.model import Model
from ketasim.core.protocol import Protocol, hold
from ketasim.core.scenario import Scenario, Subject, hours

WHY = assumed("a trap")


def relax(level, k):
    """An ordinary decay, so that every member has a course of its own."""
    return k * level


def explode(fuel, blast):
    """Growth with the square ends the world at a finite time."""
    return blast * fuel * fuel


def turn(sine, pace):
    """One half of a circle."""
    return pace * sine


def turn_back(cosine, pace):
    """The other half."""
    return -pace * cosine


def drain(leak):
    """A constant outflow empties any store."""
    return leak


def fill(gain, open_valve):
    """Without an outflow there is no rest."""
    return gain * open_valve


def ratio(level, divisor):
    """Not a number when the divisor is zero and nothing is there."""
    return level / divisor


def _parameter(name, value):
    return Parameter(name, value, "1/h", (0.0, 1e9), WHY)


MECHANISM = Mechanism(
    name="trap",
    story="One state for each way to fail.",
    states=(
        State("level", 1.0, "1", "an ordinary course"),
        State("fuel", 1.0, "1", "what explodes"),
        State("sine", 0.0, "1", "a wheel", within=(-inf, inf)),
        State("cosine", 1.0, "1", "the same wheel", within=(-inf, inf)),
        State("tank", 1.0, "1", "what can run dry"),
        State("lake", 1.0, "1", "what can run over"),
    ),
    parameters=(
        _parameter("k", 0.3),
        _parameter("blast", 0.0),
        _parameter("pace", 0.1),
        _parameter("leak", 0.0),
        _parameter("gain", 0.0),
        Parameter("divisor", 1.0, "1", (0.0, 10.0), WHY),
    ),
    knobs=(Knob("open_valve", 0.0, "1", (0.0, 1.0), "lets the lake fill"),),
    quantities=(Quantity(ratio, "1", "level over divisor"),),
    flows=(
        Flow(relax, out_of="level"),
        Flow(explode, into="fuel"),
        Flow(turn, into="cosine"),
        Flow(turn_back, into="sine"),
        Flow(drain, out_of="tank"),
        Flow(fill, into="lake"),
    ),
)
MODEL = Model((MECHANISM,), (), name="trap")
NAMES = tuple(MODEL.parameters)
UNITS = ("1/h", "1/h", "1/h", "1/h", "1/h", "1")
SUMMARIES = ("trap.level.at(2h)", "trap.level.auc", "trap.sine.peak", "trap.level.time_to(0.5)")


def scenario(*, settled=False):
    """Return four hours of it; ``settled`` opens the valve always, and needs a resting state."""
    protocol = hold("trap.open_valve", 1.0, start="always") if settled else Protocol()
    return Scenario(MODEL, protocol, hours(0, 4, every=0.25), Subject("human", 70.0))
