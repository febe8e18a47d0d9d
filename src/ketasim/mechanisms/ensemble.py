"""Cells that fire together: lost under stress, back within hours of a dose.

Imaging of calcium shows groups of cells that light up together; stress breaks them up, and a dose
brings them back before spines have formed. Here they follow the AMPA receptors that a dose adds.
As a rival account synapses return because cells fire together: what formation proteins call for is
then spent only as far as they do. It touches nothing but the excess that a dose called for, and is
switched off.

Left out: which cells, and learning.
"""

from ketasim.core.declare import Flow, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import Grounds, assumed, fitted
from ketasim.core.maths import hill


def restored(number, antagonist, half):
    """How far added AMPA receptors that work bring groups of cells back."""
    return hill((number - 1) * (1 - antagonist), half, 2)


def aim(load, restored, lost):
    """Where firing together is heading."""
    return 1 - lost * load * (1 - restored)


def spent(together, gain):
    """Share of the formation called for that is spent; 1 while that account is off."""
    return 1 - gain * (1 - together)


def returned(before, vacated, k_reform, formation, spent):
    """A spine forms again at a vacated site, as far as cells fire together."""
    return before + k_reform * vacated * (formation - 1) * (spent - 1)


def follow(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


ENSEMBLE = Mechanism(
    name="ensemble",
    story=story_of(__doc__),
    states=(State("together", 1.0, "1", "cells firing together, relative to health", short="together"),),
    parameters=(
        Parameter("lost", 0.4, "1", (0.1, 0.7), assumed("groups of cells fall apart under stress; size not in the evidence"), "firing together lost under lasting stress", grounds=Grounds(most=1.0)),
        Parameter("half", 0.1, "1", (0.03, 0.3), fitted("circuits work better within six hours, before spines have formed", "ModaSava2019"), "added AMPA receptors that bring half of it back"),
        Parameter("k", 1.0, "1/h", (0.3, 4.0), fitted("circuits work better within six hours", "ModaSava2019"), "pace of firing together"),
    ),
    reads=(
        Read("gain", "1", of="drivers.ensemble", default=0.0),
        Read("load", "1", of="stress.load"),
        Read("number", "1", of="ampa.number"),
        Read("antagonist", "1", of="ampa.antagonist"),
    ),
    quantities=(
        Quantity(restored, "1", "how far added AMPA receptors bring groups of cells back"),
        Quantity(aim, "1", "where firing together is heading"),
        Quantity(spent, "1", "share of the formation called for that is spent"),
    ),
    flows=(Flow(follow, into="together", using={"target": "aim", "level": "together"}),),
)  # fmt: skip
