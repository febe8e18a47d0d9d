"""The lateral habenula: bursts under stress, and block that is trapped and freed by its activity.

Stress makes its cells burst; a burst needs NMDA receptors and T-type calcium channels together, so
that either blocker silences it. The drug enters open receptors and is locked in as they close, and
leaves again when they open: activity speeds both. While plasma is high, opening receptors traps
more; when plasma is low, it sets free. Silenced cells open their receptors seldom and so keep their
block for a day. How far bursting lies below what the same stress usually brings is what lifts mood,
where that account is switched on.

Left out: its targets (dopamine and raphe cells), astrocytes and Kir4.1, single spikes.
"""

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import Grounds, assumed, fitted


def burst_usual(load, rise):
    """Bursting as this load usually brings it, relative to health."""
    return 1 + rise * load


def silenced(trapped, nmda_block):
    """NMDA receptors out of action, by the drug or by a blocker given there."""
    return 1 - (1 - trapped) * (1 - nmda_block)


def burst_aim(burst_usual, lhb_drive, silenced, ttype_block):
    """Where bursting is heading: NMDA receptors and T-type channels are both needed."""
    return (burst_usual + lhb_drive) * (1 - silenced) * (1 - ttype_block)


def opening(burst, lhb_drive, act):
    """How often receptors open, relative to health: with bursts, and when driven from outside."""
    return 1 + act * (burst - 1 + lhb_drive)


def lift(burst_usual, burst, gain, weight):
    """Lift of mood by bursting that falls short of what this load usually brings."""
    return gain * weight * (burst_usual - burst)


def lifted(before, lift):
    """Lift of mood by the habenula, of both accounts."""
    return before + lift


def follow(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def trap(felt, opening, trapped, k_trap):
    """The drug is locked into receptors that close upon it."""
    return k_trap * felt * opening * (1 - trapped)


def free(trapped, opening, k_release):
    """Trapped block is freed as receptors open."""
    return k_release * opening * trapped


HABENULA = Mechanism(
    name="habenula",
    story=story_of(__doc__),
    states=(
        State("burst", 1.0, "1", "bursting of the lateral habenula, relative to health", short="bursts"),
        State("trapped", 0.0, "1", "NMDA receptors of the lateral habenula with trapped block", within=(0.0, 1.0)),
    ),
    parameters=(
        Parameter("rise", 1.0, "1", (0.3, 3.0), assumed("more bursts in depressed rodents; fold not in the evidence"), "bursting added under lasting stress"),
        Parameter("k_burst", 20.0, "1/h", (5.0, 60.0), assumed("cells fall silent within minutes"), "pace of bursting"),
        Parameter("act", 0.9, "1", (0.3, 1.0), assumed("most openings go with bursts"), "share of openings that goes with activity", grounds=Grounds(most=1.0)),
        Parameter("k_trap", 8.0, "1/h", (2.0, 30.0), fitted("bursting and NMDA currents suppressed after one dose", "Ma2023"), "trapping at the resting rate of opening"),
        Parameter("k_release", 0.03, "1/h", (0.01, 0.1), fitted("block still seen after 24 h, when no drug is left", "Ma2023"), "release of trapped block at the resting rate of opening"),
        Parameter("weight", 0.15, "1", (0.03, 0.5), assumed("set so that the account can reach a comparable effect"), "mood per unit of bursting"),
    ),
    reads=(
        Read("felt", "1", of="nmda.interneuron_load"),
        Read("load", "1", of="stress.load"),
        Read("gain", "1", of="drivers.bursting", default=0.0),
    ),
    knobs=(
        Knob("lhb_drive", 0.0, "1", (0.0, 20.0), "lateral habenula driven, in units of resting bursts"),
        Knob("ttype_block", 0.0, "1", (0.0, 1.0), "T-type calcium channels of the lateral habenula blocked"),
        Knob("nmda_block", 0.0, "1", (0.0, 1.0), "NMDA receptors of the lateral habenula blocked there"),
    ),
    quantities=(
        Quantity(burst_usual, "1", "bursting as this load usually brings it"),
        Quantity(silenced, "1", "NMDA receptors of the habenula out of action"),
        Quantity(burst_aim, "1", "where bursting is heading"),
        Quantity(opening, "1", "how often receptors open, relative to health"),
        Quantity(lift, "1", "lift of mood by bursting that falls short"),
    ),
    flows=(
        Flow(follow, into="burst", using={"target": "burst_aim", "level": "burst", "k": "k_burst"}),
        Flow(trap, into="trapped"),
        Flow(free, out_of="trapped"),
    ),
)  # fmt: skip
